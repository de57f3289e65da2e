"""How many replicas a kind of fault takes."""

from __future__ import annotations

from dataclasses import dataclass

from dscourse.arguments import text, whole


@dataclass(frozen=True)
class FaultType:
    """A kind of fault: what a faulty node does, how that is noticed, and what it takes to live with f of them.

    Attributes:
        name: what it is called.
        behaviour: what a faulty node does.
        detection: how others can notice.
        takes: what a design needs to keep a correct copy within reach.
    """

    name: str
    behaviour: str
    detection: str
    takes: str


#: From the mildest to the worst: each kind contains those before it (a crash is an omission of everything).
#: After F. Cristian, *Understanding fault-tolerant distributed systems*, CACM 34(2), 1991.
FAULT_TYPES: dict[str, FaultType] = {
    "crash": FaultType(
        "crash", "stops, and says nothing more", "heartbeats stop: a timeout", "f + 1 replicas and a detector"
    ),
    "omission": FaultType(
        "omission",
        "loses some of its messages, coming or going",
        "no acknowledgement: a timeout",
        "retries, and f + 1 replicas",
    ),
    "timing": FaultType(
        "timing",
        "gives the right answer at the wrong time",
        "a deadline passes",
        "deadlines, and f + 1 replicas to fall back on",
    ),
    "byzantine": FaultType(
        "byzantine",
        "anything, also different lies to different peers",
        "signatures and votes; never a timeout",
        "2f + 1 replicas for a trusted voter, 3f + 1 that agree among themselves",
    ),
}


def fault_type(name: str) -> FaultType:
    """Return a kind of fault by its name, in small or capital letters.

    Raises:
        TypeError: no text.
        LookupError: an unknown fault.
    """
    kind = text("fault", name).lower()
    if kind not in FAULT_TYPES:
        raise LookupError(f"there is no fault {name!r}; there are: {', '.join(FAULT_TYPES)}")
    return FAULT_TYPES[kind]


def replicas_needed(fault: str, f: int, agreement: bool = False) -> int:
    """Return how many replicas let a system live with `f` faulty ones.

    - crash, omission, timing: f + 1 keep one correct copy, *given* that faults are noticed reliably (and, for
      omissions, that senders retry; for timing, that there is something to fall back on).
    - the same with `agreement=True`: 2f + 1. Where no timeout can be trusted, replicas that must *agree* go on as soon
      as a majority has answered: the f that are silent may be alive, so any two groups that go on must share a member.
    - byzantine: 2f + 1 for a trusted voter that asks replicas which all hold the same: the lies are outvoted.
    - byzantine with `agreement=True`: 3f + 1 to agree among themselves on what to hold (Lamport, Shostak, Pease 1982:
      oral messages).

    Args:
        fault: "crash", "omission", "timing" or "byzantine".
        f: how many of the replicas may be faulty at the same time; 0 or more.
        agreement: whether the replicas must agree among themselves, as in consensus.

    Raises:
        TypeError: a wrong type.
        LookupError: an unknown fault.
        ValueError: a negative f.
    """
    kind = fault_type(fault).name
    count = whole("f", f, at_least=0)
    if not isinstance(agreement, bool):
        raise TypeError(f"agreement must be True or False, got {agreement!r}")
    if kind == "byzantine":
        return 3 * count + 1 if agreement else 2 * count + 1
    return 2 * count + 1 if agreement else count + 1
