"""What the learner does in the player, as faults."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from typing import Any

from dscourse.simulation import (
    Byzantine,
    Crash,
    CutLink,
    DelayMessage,
    Fault,
    Heal,
    LoseMessage,
    Lossy,
    Partition,
    Pause,
    RepeatMessage,
    Restart,
    Resume,
    Run,
    Slow,
)
from dscourse.simulation.behaviours import Behaviour

SLOWER = 10.0  # how many times as slow a node or a link becomes
LOSS = 0.5  # share of the messages that a lossy link loses

Ending = Slow | Lossy  # faults that no other fault ends: they get their ``until``
_ENDS: dict[str, tuple[type[Slow] | type[Lossy], str]] = {
    "full speed": (Slow, "slow"),
    "no loss": (Lossy, "losing messages"),
}


def fault_for(
    act: dict[str, Any],
    at: float,
    run: Run,
    hidden: Collection[Fault] = (),
    lies: Sequence[Behaviour] = (),
) -> Fault:
    """Return the fault that an act of the learner stands for.

    Args:
        act: what the browser sent: ``{"do": "crash", "node": "n0"}``; restart, pause, resume and slow likewise;
            ``{"do": "cut", "a": "n0", "b": "n1"}``; slow, lossy and heal likewise, the last two also without ends, for
            every link; ``{"do": "lie", "node": "n0", "number": 0}`` gives it the first of `lies_of` the run;
            ``{"do": "partition", "nodes": ["n0", "n1"]}`` parts these from all others; and
            ``{"do": "lose", "a": "n0", "b": "n1", "number": 3}``, repeat likewise, delay with ``"by"`` (seconds),
            befall one message.
        at: time of the cursor, seconds.
        run: the run that it is done to.
        hidden: faults of that run of which the learner must hear nothing.
        lies: behaviours that `play` was given.

    Raises:
        LookupError: for an act or a node that doesn't exist.
        ValueError: for a partition that parts nobody, an act at or after the end of the run, one that ends what
            begins at the same moment, or any act on a run that is a script.

    An act that ends a slowness or a loss isn't here, since no fault does that: see `ended`.
    """
    if run.scenario.is_script:
        raise ValueError("This run is a script of single steps: change its steps, faults have no time in it.")
    if not run.scenario.takes_faults:
        raise ValueError("This run was live, and what has happened can't happen otherwise.")
    fault = _fault_for(act, at, run, lies)
    told = [other for other in run.faults if other not in hidden]
    if fault.ends_others and any(other.begins == at and fault.ends(other) for other in told):
        raise ValueError(
            "At one moment, what ends a fault comes before what begins one, so here "
            f"{fault!r} would change nothing. Move the cursor on first (→)."
        )
    return fault


def lies_of(run: Run, given: Sequence[Behaviour] = ()) -> list[Behaviour]:
    """Return the behaviours that any node may be given: those that `play` was given, and those that the run names."""
    named = (fault.behaviour for fault in run.faults if isinstance(fault, Byzantine))
    return list(dict.fromkeys((*given, *named)))


def ended(
    act: dict[str, Any], at: float, run: Run, faults: Sequence[Fault], hidden: Collection[Fault] = ()
) -> tuple[int, Ending] | None:
    """Return which of the learner's faults ends earlier by an act, and what becomes of it; None if none does.

    The act ``{"do": "full speed", "node": "n0"}`` ends a slow node's slowness, ``{"do": "no loss"}`` a loss; a link is
    given by ``"a"`` and ``"b"``. A crash, a pause or a cut is ended by a fault of its own (`Restart`, `Resume`,
    `Heal`), which leaves the first in the list. For these two there is none: they get their ``until``.

    Args:
        act: what the browser sent.
        at: time of the cursor, seconds.
        run: the run that it is done to.
        faults: what the learner has added by hand.
        hidden: faults of that run of which the learner must hear nothing.

    Raises:
        LookupError: for a node that doesn't exist.
        ValueError: if it isn't slow (or lossy) then, was so from the start, or has become so at this very moment.
    """
    if act.get("do") not in _ENDS:
        return None
    kind, word = _ENDS[act["do"]]
    node = None if act.get("node") is None else _known(act["node"], run)
    link = None if act.get("a") is None else _link(act, run)
    found = [
        fault
        for fault in run.faults
        if isinstance(fault, kind)
        and fault not in hidden
        and _is_about(fault, node, link)
        and _holds(fault, at)
    ]
    own = [fault for fault in found if fault in faults]
    where = node or (" – ".join(link) if link else "the network")
    if not found:
        raise ValueError(f"{where} isn't {word} at {at:g} s.")
    if not own:
        raise ValueError(
            f"{where} is {word} in the run that play() was given, and the player changes only what you did here. "
            f"Give {found[-1]!r} its end in the scenario: until=…"
        )
    if own[-1].at == at:
        raise ValueError(
            f"It must last for some time before it can end, and {own[-1]!r} begins at this very moment. "
            "Move the cursor on first (→)."
        )
    return len(faults) - 1 - list(reversed(faults)).index(own[-1]), replace(own[-1], until=at)


def _is_about(fault: Ending, node: str | None, link: tuple[str, str] | None) -> bool:
    about = None if fault.link is None else set(fault.link)
    return getattr(fault, "node", None) == node and about == (None if link is None else set(link))


def _holds(fault: Ending, at: float) -> bool:
    return fault.at <= at and (fault.until is None or at < fault.until)


def _fault_for(act: dict[str, Any], at: float, run: Run, lies: Sequence[Behaviour]) -> Fault:
    what = str(act.get("do"))
    if at >= run.until:
        raise ValueError(
            f"The run ends at {run.until:g} s: nothing that happens then can change it. Move the cursor back first."
        )
    if what in _ON_NODES and act.get("a") is None:
        return _ON_NODES[what](_known(act.get("node"), run), at)
    if what in _ON_LINKS:
        return _ON_LINKS[what](None if act.get("a") is None else _link(act, run), at)
    if what in _ON_MESSAGES:
        return _ON_MESSAGES[what](*_link(act, run), act)
    if what == "cut":
        return CutLink(*_link(act, run), at=at)
    if what == "lie":
        return Byzantine(_known(act.get("node"), run), lies_of(run, lies)[int(act["number"])], at=at)
    if what == "partition":
        return _partition([_known(node, run) for node in act.get("nodes", ())], at, run)
    known = [*_ON_NODES, *_ON_LINKS, *_ON_MESSAGES, "cut", "lie", "partition"]
    raise LookupError(f"the player can't {what!r}; it can {', '.join(dict.fromkeys(known))}")


_ON_NODES: dict[str, Callable[[str, float], Fault]] = {
    "crash": lambda node, at: Crash(node, at=at),
    "restart": lambda node, at: Restart(node, at=at),
    "pause": lambda node, at: Pause(node, at=at),
    "resume": lambda node, at: Resume(node, at=at),
    "slow": lambda node, at: Slow(SLOWER, at=at, node=node),
}
_ON_LINKS: dict[str, Callable[[tuple[str, str] | None, float], Fault]] = {
    "heal": lambda link, at: Heal(at=at, link=link),
    "slow": lambda link, at: Slow(SLOWER, at=at, link=link),
    "lossy": lambda link, at: Lossy(LOSS, at=at, link=link),
}
_ON_MESSAGES: dict[str, Callable[[str, str, dict[str, Any]], Fault]] = {
    "lose": lambda sender, to, act: LoseMessage(sender, to, int(act["number"])),
    "repeat": lambda sender, to, act: RepeatMessage(sender, to, int(act["number"])),
    "delay": lambda sender, to, act: DelayMessage(sender, to, int(act["number"]), by=float(act["by"])),
}


def _known(node: object, run: Run) -> str:
    if node not in (*run.nodes, *run.clients):
        raise LookupError(f"there is no node {node!r}; this run has {', '.join(run.nodes[:12])}")
    return str(node)


def _link(act: dict[str, Any], run: Run) -> tuple[str, str]:
    return _known(act.get("a"), run), _known(act.get("b"), run)


def _partition(chosen: list[str], at: float, run: Run) -> Partition:
    here = [node for node in run.nodes if node in chosen]
    there = [node for node in run.nodes if node not in chosen]
    if not here or not there:
        raise ValueError(
            f"A partition needs nodes on both sides; the line holds {len(here)} of {len(run.nodes)}. "
            "Draw it around some of them."
        )
    return Partition([here, there], at=at)
