"""Compute data/resilience/metastable_map.csv: which loads and triggers three designs survive.

Run it as ``python benchmarks/metastable_map.py``; it takes about ten minutes.
"""

from pathlib import Path

from dscourse.resilience.incidents.metastable_map import (
    MAP_DESIGNS,
    MAP_LOADS,
    MAP_SEEDS,
    MAP_TRIGGERS,
    recovers,
)

FILE = Path(__file__).resolve().parents[1] / "data" / "resilience" / "metastable_map.csv"


def main():
    """Compute the table, row by row."""
    lines = ["design,load,trigger,seeds,recovered"]
    for name, design in MAP_DESIGNS.items():
        for load in MAP_LOADS:
            for trigger in MAP_TRIGGERS:
                count = sum(recovers(design, load, trigger, seed=seed) for seed in range(MAP_SEEDS))
                lines.append(f"{name},{load},{trigger:g},{MAP_SEEDS},{count}")
                print(lines[-1], flush=True)
    FILE.parent.mkdir(exist_ok=True)
    FILE.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
