"""Compute data/consistency/quorum_anomalies.csv: how often quorums are not linearizable, for every W and R.

Run it as ``python benchmarks/quorum_anomalies.py``; it takes about ten minutes.
"""

from pathlib import Path

from dscourse.replication import quorum_anomalies

SEEDS = 300
FILE = Path(__file__).resolve().parents[1] / "data" / "consistency" / "quorum_anomalies.csv"


def main():
    """Compute the table, row by row."""
    lines = ["n,w,r,write_back,seeds,not_linearizable"]
    for n in (3, 5):
        for w in range(1, n + 1):
            for r in range(1, n + 1):
                for write_back in (False, True):
                    share = quorum_anomalies(n, w, r, write_back=write_back, seeds=SEEDS)
                    lines.append(f"{n},{w},{r},{int(write_back)},{SEEDS},{round(share * SEEDS)}")
                    print(lines[-1], flush=True)
    FILE.parent.mkdir(exist_ok=True)
    FILE.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
