"""What the learner does in the player, as faults."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from dscourse.simulation import Crash, CutLink, Fault, Heal, Partition, Pause, Restart, Resume, Run, Slow

SLOWER = 10.0  # how many times as slow a node becomes


def fault_for(act: dict[str, Any], at: float, run: Run) -> Fault:
    """Return the fault that an act of the learner stands for.

    Args:
        act: what the browser sent: ``{"do": "crash", "node": "n0"}``; restart, pause, resume and slow likewise;
            ``{"do": "cut", "a": "n0", "b": "n1"}``; heal likewise, or without ends for every cut;
            ``{"do": "partition", "nodes": ["n0", "n1"]}`` parts these from all others.
        at: time of the cursor, seconds.
        run: the run that it is done to.

    Raises:
        LookupError: for an act or a node that doesn't exist.
        ValueError: for a partition that parts nobody, an act at or after the end of the run, or one that ends what
            begins at the same moment.

    An act that ends a slowness isn't here, since no fault does that: see `ended`.
    """
    fault = _fault_for(act, at, run)
    if fault.ends_others and any(other.begins == at and fault.ends(other) for other in run.faults):
        raise ValueError(
            "At one moment, what ends a fault comes before what begins one, so here "
            f"{fault!r} would change nothing. Move the cursor on first (→)."
        )
    return fault


def ended(act: dict[str, Any], at: float, run: Run, faults: Sequence[Fault]) -> tuple[int, Slow] | None:
    """Return which of the learner's faults ends earlier by an act, and what becomes of it; None if none does.

    The act ``{"do": "full speed", "node": "n0"}`` ends a slow node's slowness. A crash, a pause or a cut is ended by a
    fault of its own (`Restart`, `Resume`, `Heal`), which leaves the first in the list. For a slowness there is none:
    it gets its ``until``.

    Args:
        act: what the browser sent.
        at: time of the cursor, seconds.
        run: the run that it is done to.
        faults: what the learner has added by hand.

    Raises:
        LookupError: for a node that doesn't exist.
        ValueError: if the node isn't slow then, was slow from the start, or has become slow at this very moment.
    """
    if act.get("do") != "full speed":
        return None
    node = _known(act.get("node"), run)
    slow = [
        fault for fault in run.faults if isinstance(fault, Slow) and fault.node == node and _holds(fault, at)
    ]
    own = [fault for fault in slow if fault in faults]
    if not slow:
        raise ValueError(f"{node} isn't slow at {at:g} s.")
    if not own:
        raise ValueError(
            f"{node} is slow in the run that play() was given, and the player changes only what you did here. "
            f"Give {slow[-1]!r} its end in the scenario: until=…"
        )
    if own[-1].at == at:
        raise ValueError(
            f"A slowness must last for some time before it can end, and {own[-1]!r} begins at this very moment. "
            "Move the cursor on first (→)."
        )
    return len(faults) - 1 - list(reversed(faults)).index(own[-1]), replace(own[-1], until=at)


def _holds(fault: Slow, at: float) -> bool:
    return fault.at <= at and (fault.until is None or at < fault.until)


def _fault_for(act: dict[str, Any], at: float, run: Run) -> Fault:
    what = str(act.get("do"))
    if at >= run.until:
        raise ValueError(
            f"The run ends at {run.until:g} s: nothing that happens then can change it. Move the cursor back first."
        )
    if what in _ON_NODES:
        return _ON_NODES[what](_known(act.get("node"), run), at)
    if what == "cut":
        return CutLink(_known(act.get("a"), run), _known(act.get("b"), run), at=at)
    if what == "heal":
        return (
            Heal(at=at)
            if act.get("a") is None
            else Heal(at=at, link=(_known(act["a"], run), _known(act.get("b"), run)))
        )
    if what == "partition":
        return _partition([_known(node, run) for node in act.get("nodes", ())], at, run)
    raise LookupError(
        f"the player can't {what!r}; it can {', '.join([*_ON_NODES, 'cut', 'heal', 'partition'])}"
    )


_ON_NODES: dict[str, Callable[[str, float], Fault]] = {
    "crash": lambda node, at: Crash(node, at=at),
    "restart": lambda node, at: Restart(node, at=at),
    "pause": lambda node, at: Pause(node, at=at),
    "resume": lambda node, at: Resume(node, at=at),
    "slow": lambda node, at: Slow(SLOWER, at=at, node=node),
}


def _known(node: object, run: Run) -> str:
    if node not in run.nodes:
        raise LookupError(f"there is no node {node!r}; this run has {', '.join(run.nodes[:12])}")
    return str(node)


def _partition(chosen: list[str], at: float, run: Run) -> Partition:
    here = [node for node in run.nodes if node in chosen]
    there = [node for node in run.nodes if node not in chosen]
    if not here or not there:
        raise ValueError(
            f"A partition needs nodes on both sides; the line holds {len(here)} of {len(run.nodes)}. "
            "Draw it around some of them."
        )
    return Partition([here, there], at=at)
