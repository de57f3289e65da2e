"""Compute data/replication/strategies.csv: what every strategy of replication gives and costs, seed by seed.

Run it as ``python benchmarks/replication_strategies.py``; it takes a few minutes.
"""

from pathlib import Path

import pandas as pd

from dscourse.replication import STRATEGIES, compare_strategies

SEEDS = 10
FILE = Path(__file__).resolve().parents[1] / "data" / "replication" / "strategies.csv"


def main():
    """Compute the table, row by row."""
    tables = []
    for strategy in STRATEGIES:
        for seed in range(SEEDS):
            table = compare_strategies((strategy,), seeds=[seed]).drop(columns=["node_lines", "decisions"])
            tables.append(table.assign(seed=seed))
            print(strategy.name, seed, flush=True)
    table = pd.concat(tables).reset_index()
    columns = ["strategy", "seed", *(name for name in table if name not in ("strategy", "seed"))]
    FILE.parent.mkdir(exist_ok=True)
    table[columns].round(6).to_csv(FILE, index=False, lineterminator="\n")


if __name__ == "__main__":
    main()
