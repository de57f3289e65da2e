"""What a search has found: the shortest run that breaks a property, and how to see it again."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from typing import Any

from dscourse.simulation.errors import NodeError, SimulationError
from dscourse.simulation.faults import Fault
from dscourse.simulation.properties import Property, holds
from dscourse.simulation.run import Run
from dscourse.simulation.trace import Event

NO_CODE = "# This run has settings that can't be written as code; .run holds it."
NO_ERROR = holds(
    lambda run: run.stopped is None, name="every handler ends without an error, and so does the run"
)


@dataclass(frozen=True)
class Counterexample:
    """A run in which a property does not hold, made as short as could be.

    Attributes:
        run: the run, to look at, fork and play.
        property: what does not hold.
        explanation: what happened, in words; it begins with the property's name.
        code: lines that make the run again.
        faults: what must go wrong for it.
        steps: of a run that was chosen step by step; empty for a run in time.
    """

    run: Run
    property: Property
    explanation: str
    code: str
    faults: tuple[Fault, ...] = ()
    steps: tuple[Any, ...] = ()

    def __repr__(self) -> str:
        return self.explanation


def explained(run: Run, broken: Property) -> str:
    """What happened, in words: what broke and when, and what went wrong before."""
    if run.stopped is not None:
        return _joined(f"{broken.name}: broken.", _told(run, run.stopped), _why_stopped(run))
    verdict = run.check(broken)[0]
    if verdict.time is None:
        said = verdict.text.partition("violated")[2].lstrip(". ")
        return _joined(f"{broken.name}: broken.", _told(run, run.until), said)
    told = _told(run, verdict.time)
    if verdict.index is not None:
        last = run.trace[verdict.index]
        if not any(event.time == last.time and event.node == last.node for event in told):
            told.append(last)
    return _joined(f"{broken.name}: broken at {verdict.time:.4g} s.", told, "")


def factory_code(factory: Any) -> str:
    """A node factory as it would be typed."""
    if not isinstance(factory, partial):
        return str(getattr(factory, "__name__", "node_factory"))
    settings = [*map(repr, factory.args), *(f"{name}={value!r}" for name, value in factory.keywords.items())]
    return f"partial({', '.join([factory_code(factory.func), *settings])})"


def from_json_code(scenario: Any, kind: str) -> str:
    """Code that makes a scenario again; empty if its settings, or its samples of latency, have no form in JSON."""
    try:
        text = scenario.to_json()
    except (TypeError, ValueError):
        return ""
    return f"{kind}.from_json({text!r}, {factory_code(scenario.node_factory)}, insist=True)"


def unreached(run: Run, wanted: Iterable[Property]) -> tuple[str, ...]:
    """The names of the `sometimes` that did not come true in a run."""
    return tuple(item.name for item in wanted if not run.check(item))


def _told(run: Run, time: float) -> list[Event]:
    """The faults up to a time, and what nodes decided since the first of them; of many the first and the last."""
    events = [
        event
        for event in run.trace.select(kind=("fault", "record"))
        if event.time <= time and not event.detail.get("moot")
    ]
    first = next((event.time for event in events if event.kind == "fault"), 0.0)
    events = [event for event in events if event.time >= first]
    return events if len(events) <= _MOST else [*events[:2], *events[2 - _MOST :]]


def _joined(head: str, told: list[Event], tail: str) -> str:
    return " ".join(
        [head, *(f"At {event.time:.4g} s {_words(event)}." for event in told), *([tail] if tail else [])]
    )


def _words(event: Event) -> str:
    if event.kind == "fault" and event.detail["phase"] == "end":
        return f"this ends: {event.text.partition('end of: ')[2]}"
    if event.kind == "record" and event.name == "status":
        return f"{event.node} says: {event.detail.get('label') or event.detail.get('status')}"
    if event.kind == "record" and event.name in ("suspect", "trust"):
        return f"{event.node} {event.name}s {event.detail.get('peer')}"
    return event.text.partition(" s: ")[2]


def _why_stopped(run: Run) -> str:
    """What ended a run before its time: the error that a node raised, or that there was no end of events."""
    try:
        run.scenario.run(run.until, trace=False, event_limit=max(1, len(run.trace)))
    except SimulationError as error:
        return str(error).partition("\n")[0] if isinstance(error, NodeError) else "It never came to an end."
    return ""


_MOST = 8  # events that are told
