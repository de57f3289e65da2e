"""How long the checker takes: recorded histories, and larger ones of the same kind, some of them spoilt.

python benchmarks/consistency_checkers.py
"""

from __future__ import annotations

import sys
import time
from dataclasses import replace
from pathlib import Path

from dscourse import datasets
from dscourse.consistency import CasRegister, History, KeyValue, check_linearizable

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "consistency"))
import histories


def main() -> None:
    """Time the twelve histories of etcd, c10, and fifty clients on ten keys."""
    twelve = 0.0
    for row in datasets.load("consistency/porcupine").itertuples():
        history = (
            History.from_jepsen(row.log) if row.format == "jepsen" else History.from_porcupine_kv(row.log)
        )
        model = CasRegister() if row.format == "jepsen" else KeyValue()
        seconds, verdict = timed(history, model)
        assert bool(verdict) == row.linearizable
        twelve += seconds * (row.format == "jepsen")
        print(f"{row.history:9} {verdict.outcome:8} {verdict.states:6} states {1000 * seconds:7.1f} ms")
    print(f"the twelve of etcd: {1000 * twelve:.1f} ms")
    for seed in range(5):
        history = histories.serial_store(seed, 50, 1700, tuple("0123456789"), "kv", 0.0, 0.01)
        read = next(one for one in history.operations[1000:] if one.is_read and one.value.count("x") > 8)
        spoilt = [replace(one, value=one.value[:10]) if one is read else one for one in history]
        for name, one in (("right", history), ("spoilt", History(spoilt))):
            seconds, verdict = timed(one, KeyValue())
            print(
                f"50 clients, 1700 operations, {name:6} {verdict.outcome:8} {verdict.states:7} states {seconds:5.2f} s"
            )


def timed(history: History, model: CasRegister | KeyValue) -> tuple[float, object]:
    """Seconds, and the verdict."""
    started = time.perf_counter()
    verdict = check_linearizable(history, model)
    return time.perf_counter() - started, verdict


if __name__ == "__main__":
    main()
