"""How many replicas a kind of fault takes."""

from __future__ import annotations

from dscourse.arguments import one_of, truth, whole

#: From the mildest to the worst: each kind contains those before it (a crash is an omission of everything).
#: After F. Cristian, *Understanding fault-tolerant distributed systems*, CACM 34(2), 1991.
FAULT_TYPES = ("crash", "omission", "timing", "byzantine")


def replicas_needed(fault: str, f: int, agreement: bool = False) -> int:
    """Return how many replicas let a system live with `f` faulty ones.

    - crash, omission, timing: f + 1 keep one correct copy, *given* that faults are noticed reliably (and, for
      omissions, that senders retry; for timing, that there is something to fall back on).
    - the same with `agreement=True`: 2f + 1. Where no timeout can be trusted, replicas that must *agree* go on as soon
      as a majority has answered: the f that are silent may be alive, so any two groups that go on must share a member.
    - byzantine: 2f + 1 where a voter that everybody trusts compares the answers; with `agreement=True`, when the
      replicas must agree among themselves, 3f + 1 (Lamport, Shostak, Pease 1982: oral messages).

    Args:
        fault: "crash", "omission", "timing" or "byzantine".
        f: how many of the replicas may be faulty at the same time; 0 or more.
        agreement: whether the replicas must agree among themselves, as in consensus.
    """
    kind, count = one_of("fault", fault, FAULT_TYPES), whole("f", f, at_least=0)
    agree = truth("agreement", agreement)
    if kind == "byzantine":
        return 3 * count + 1 if agree else 2 * count + 1
    return 2 * count + 1 if agree else count + 1
