"""A failing run, made as short as can be: the two or three faults that matter, and nothing else.

The simplest of all: try something shorter, keep it if the same property still breaks, until nothing shorter does
(Zeller and Hildebrandt, Simplifying and Isolating Failure-Inducing Input, IEEE TSE 2002). What counts as shorter is a
number for each scenario (`_size`), and only what is smaller is taken; so it comes to an end, and a second
shrinking changes nothing.
"""

from __future__ import annotations

import contextlib
import dataclasses
import math
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from dscourse.arguments import instance
from dscourse.exploration.counterexample import (
    NO_CODE,
    NO_ERROR,
    Counterexample,
    explained,
    from_json_code,
)
from dscourse.exploration.untimed_search import shrink_script
from dscourse.simulation.errors import EventLimit, NodeError, SimulationError
from dscourse.simulation.faults import (
    Crash,
    Duplicate,
    Fault,
    LoseMessage,
    Lossy,
    MessageFault,
    RepeatMessage,
)
from dscourse.simulation.properties import Property
from dscourse.simulation.recorder import INVOKE
from dscourse.simulation.run import Run, judged_run
from dscourse.simulation.scenario import Scenario

BUDGET = 1_000_000  # events that one shrinking may take
EVENT_LIMIT = 50_000  # of one run; one that has more is taken for endless
_PRICE = 100  # events that a run costs before its first

Step = Callable[["Case"], Iterator["Case"]]


@dataclasses.dataclass(frozen=True)
class Case:
    """A scenario and how long it runs; what breaks later without some fault may take as long as ``longest``."""

    scenario: Scenario
    until: float
    longest: float


def shrink(run: Run, property: Property) -> Counterexample:  # noqa: A002 - the word of the field
    """Make a run in which a property does not hold as short as can be.

    Faults are removed, ended earlier and rounded; random losses and copies become exact messages, of which most are
    removed; clients and operations go, and the time after the property is broken. After each step the same property
    is asked again, of the shorter run.

    Args:
        run: in which the property does not hold.
        property: which one.

    Raises:
        ValueError: it does hold in that run.
    """
    instance("run", run, Run, "a run, such as scenario.run(10.0)")
    instance("property", property, Property, "a property, such as always(lambda now: …)")
    if run.scenario.is_script:
        return shrink_script(run, property)
    limit = max(EVENT_LIMIT, 2 * run.event_count)
    return shrink_scenario(run.scenario, run.until, property, event_limit=limit)


def shrink_scenario(
    scenario: Scenario,
    until: float,
    property: Property,  # noqa: A002
    *,
    event_limit: int = EVENT_LIMIT,
) -> Counterexample:
    """The same for a scenario that has not been run to its end."""
    shrinker = _Shrinker(property, event_limit)
    case = Case(scenario, until, until)
    if not shrinker.breaks(case):
        raise ValueError(f"{property.name} holds in this run, so there is nothing to shrink")
    case = shrinker.shrunk(case)
    run = whole_run(case.scenario, case.until, event_limit)
    return Counterexample(run, property, explained(run, property), _code(run), case.scenario.faults)


class _Shrinker:
    """Tries shorter cases of one failure, within a budget."""

    def __init__(self, wanted: Property, event_limit: int) -> None:
        self._wanted = wanted
        self._event_limit = event_limit
        self._left = BUDGET
        self._known: dict[str, bool] = {}
        self._open: int | None = None  # operations that are open at the end of the first run

    def breaks(self, case: Case) -> bool:
        """Whether the property is broken in a case."""
        scenario = case.scenario
        key = repr(
            (case.until, scenario.network, scenario.network.is_lucky, scenario.faults, scenario.clients)
        )
        if key not in self._known:
            if self._left <= 0:
                return False
            self._known[key] = self._broken(case)
        return self._known[key]

    def _broken(self, case: Case) -> bool:
        try:
            limit = self._event_limit
            run, broken = judged_run(case.scenario, case.until, [self._wanted], event_limit=limit)
        except (NodeError, EventLimit) as error:
            self._left -= _PRICE + (self._event_limit if isinstance(error, EventLimit) else 0)
            return self._wanted is NO_ERROR
        except Exception:
            if not self._known:
                raise
            self._left -= _PRICE
            return False  # of so short a run the property can't be asked: it has no first operation, say
        self._left -= _PRICE + run.event_count
        return bool(broken) and self._wanted is not NO_ERROR and self._is_fair(case, run)

    def _is_fair(self, case: Case, run: Run) -> bool:
        """Whether a run is long enough to be asked: it must not end before an answer that a longer one brings."""
        if self._wanted.kind in ("eventually", "sometimes"):
            return case.until >= case.longest
        if self._wanted.kind != "holds":
            return True
        kinds = run.trace.kind_code
        still_open = int((kinds == INVOKE).sum()) - int((kinds > INVOKE).sum())
        if self._open is None:
            self._open = still_open
        return still_open <= self._open

    def shrunk(self, case: Case) -> Case:
        """The smallest case that is found, to a fixpoint."""
        before = None
        while before != _size(case) and self._left > 0:
            before = _size(case)
            for step in _STEPS:
                case = self._take(case, step)
        return case

    def _take(self, case: Case, step: Step) -> Case:
        """Go on with one kind of step as long as it makes the case smaller."""
        while True:
            smaller = (
                other
                for other in step(case)
                if other.until > 0 and _size(other) < _size(case) and self.breaks(other)
            )
            found = next(smaller, None)
            if found is None:
                return case
            case = found


def _size(case: Case) -> tuple[float, ...]:
    """What is to become small: first what goes wrong, then what is asked, then time, then the digits to read."""
    scenario = case.scenario
    lasting = sum(
        (case.until if fault.end is None else min(fault.end, case.until)) - fault.begins
        for fault in scenario.faults
        if fault.begins is not None and fault.begins < case.until and not fault.is_instant
    )
    by_luck = sum(isinstance(fault, Lossy | Duplicate) for fault in scenario.faults)
    return (
        by_luck + scenario.network.is_lucky,
        len(scenario.faults),
        len(scenario.clients),
        sum(len(client.operations) for client in scenario.clients),
        sum(client.repeat for client in scenario.clients),
        sum(fault.number for fault in scenario.faults if isinstance(fault, MessageFault)),
        sum(_digits(fault) for fault in scenario.faults),
        round(case.until, 6),
        round(lasting, 6),
    )


# ── Steps: shorter cases to try, the boldest first ──


def _end_early(case: Case) -> Iterator[Case]:
    """Stop soon after the property breaks, at a time that can be read."""
    for share in (0.25, 0.5, 0.75, 0.9):
        yield dataclasses.replace(case, until=_rounded_up(case.until * share, case.until))
    for less in (1.0, 0.1):
        yield dataclasses.replace(case, until=round(case.until - less, 3))


def _drop_faults(case: Case) -> Iterator[Case]:
    """All of them, halves, quarters, single ones."""
    for faults in _subsets(case.scenario.faults):
        yield from _other(case, faults=faults)


def _make_luck_exact(case: Case) -> Iterator[Case]:
    """Random losses and copies become the messages that were in fact lost or doubled."""
    network = case.scenario.network
    lucky = [fault for fault in case.scenario.faults if isinstance(fault, Lossy | Duplicate)]
    if not lucky and not network.is_lucky:
        return
    run = whole_run(case.scenario, case.until)
    others = [fault for fault in case.scenario.faults if fault not in lucky]
    exact = [fault for fault in _exact_messages(run) if fault not in others]
    yield from _other(case, network=network.without_luck(), faults=[*others, *exact])
    for fault in lucky:  # one at a time, where copies by luck come at another time than exact ones
        kind = LoseMessage if isinstance(fault, Lossy) else RepeatMessage
        rest = [one for one in case.scenario.faults if one is not fault]
        yield from _other(case, faults=[*rest, *(one for one in exact if isinstance(one, kind))])


def _drop_clients(case: Case) -> Iterator[Case]:
    clients = case.scenario.clients
    for place in range(len(clients)):
        faults = [_without_client(fault, place) for fault in case.scenario.faults]
        left = [fault for fault in faults if fault is not None]
        yield from _other(case, clients=[*clients[:place], *clients[place + 1 :]], faults=left)


def _without_client(fault: Fault, gone: int) -> Fault | None:
    """The fault once a client has gone and those after it have moved up; None if it was about that client."""
    if f"c{gone}" in fault.nodes:
        return None
    later = {f"c{number}": f"c{number - 1}" for number in range(gone + 1, gone + 1000)}
    changes: dict[str, Any] = {}
    for name, value in vars(fault).items():
        if name == "link" and value is not None:
            changes[name] = tuple(later.get(end, end) for end in value)
        elif name == "groups":
            changes[name] = [[later.get(one, one) for one in group] for group in value]
        elif name in ("a", "b", "sender", "to"):
            changes[name] = later.get(value, value)
    return dataclasses.replace(fault, **changes) if changes else fault  # type: ignore[type-var]


def _drop_operations(case: Case) -> Iterator[Case]:
    clients = case.scenario.clients
    for place, client in enumerate(clients):
        shorter: list[Any] = [{"operations": kept} for kept in _subsets(client.operations) if kept]
        if client.repeat:
            shorter.append({"repeat": False})
        for change in shorter:
            changed = [*clients]
            changed[place] = dataclasses.replace(client, **change)  # type: ignore[type-var]
            yield from _other(case, clients=changed)


def _end_faults_early(case: Case) -> Iterator[Case]:
    for place, fault in enumerate(case.scenario.faults):
        if fault.is_instant or fault.begins is None:
            continue
        name = "restart_at" if isinstance(fault, Crash) else "until"
        if not any(field.name == name for field in dataclasses.fields(fault)):  # type: ignore[arg-type]
            continue
        if fault.end is not None and fault.end >= case.until:
            yield from _with_fault(case, place, {name: None})
        last = case.until if fault.end is None else min(fault.end, case.until)
        for share in (0.1, 0.25, 0.5, 0.75, 0.9):
            end = _rounded_up(fault.begins + share * (last - fault.begins), last)
            if end > fault.begins:
                yield from _with_fault(case, place, {name: end})


def _round_faults(case: Case) -> Iterator[Case]:
    """Times and amounts with fewer digits."""
    for place, fault in enumerate(case.scenario.faults):
        for digits in (0, 1, 2, 3):
            numbers = {name: value for name, value in vars(fault).items() if type(value) is float}
            rounded = {name: round(value, digits) for name, value in numbers.items()}
            yield from _with_fault(case, place, rounded)
            for name, value in rounded.items():
                yield from _with_fault(case, place, {name: value})


def _name_earlier_messages(case: Case) -> Iterator[Case]:
    for place, fault in enumerate(case.scenario.faults):
        if isinstance(fault, MessageFault):
            for number in sorted({1, fault.number // 2, fault.number - 1} - {0}):
                yield from _with_fault(case, place, {"number": number})


_STEPS: tuple[Step, ...] = (
    _drop_faults,
    _make_luck_exact,
    _drop_faults,
    _name_earlier_messages,
    _drop_clients,
    _drop_operations,
    _round_faults,
    _end_early,
    _end_faults_early,
)


# ── Odds and ends ──


def _subsets(items: Sequence[Any]) -> Iterator[list[Any]]:
    """None of them, then all but ever smaller parts (Zeller's ddmin)."""
    if items:
        yield []
    size = len(items) // 2
    while size >= 1:
        for start in range(0, len(items), size):
            yield [*items[:start], *items[start + size :]]
        size //= 2


def _other(case: Case, **changes: Any) -> Iterator[Case]:
    """The case with a scenario changed, if there can be one: a fault may name a client that is gone."""
    with contextlib.suppress(LookupError):
        changed = dataclasses.replace(case, scenario=case.scenario.changed(**changes))
        yield changed
        if case.until < case.longest:
            yield dataclasses.replace(changed, until=case.longest)


def _with_fault(case: Case, place: int, change: dict[str, Any]) -> Iterator[Case]:
    """The case with one fault changed, if there can be one: rounded, it might end before it begins."""
    faults = [*case.scenario.faults]
    with contextlib.suppress(ValueError):
        faults[place] = dataclasses.replace(faults[place], **change)  # type: ignore[type-var]
        yield from _other(case, faults=faults)


def _exact_messages(run: Run) -> list[MessageFault]:
    """The messages of a run that were lost or doubled by luck, as faults."""
    sent: Counter[tuple[str, str]] = Counter()
    numbers: dict[int, tuple[str, str, int]] = {}
    found: list[MessageFault] = []
    for event in run.trace.select(kind=("send", "drop")):
        if event.node is None or event.peer is None or event.message_id is None:
            continue
        if event.kind == "send":
            link = event.node, event.peer
            sent[link] += 1
            numbers[event.message_id] = (*link, sent[link])
            found += [RepeatMessage(*link, sent[link])] * (event.detail.get("copies", 1) > 1)
        elif event.name == "lost":
            found.append(LoseMessage(*numbers[event.message_id]))
    return found


def whole_run(scenario: Scenario, until: float, event_limit: int = EVENT_LIMIT) -> Run:
    """The run of a scenario, or as much of it as there is before an error or the limit of events ends it."""
    try:
        return scenario.run(until, event_limit=event_limit)
    except SimulationError as error:
        if not isinstance(error.run, Run):
            raise
        return error.run


def _rounded_up(seconds: float, below: float) -> float:
    """A time not before ``seconds`` with as few digits as stay below ``below``, or that if it takes more than three."""
    for digits in (0, 1, 2, 3):
        rounded = math.ceil(seconds * 10**digits) / 10**digits
        if rounded < below:
            return rounded
    return below


def _digits(fault: Fault) -> int:
    """How many digits there are to read in a fault's numbers."""
    return sum(
        len(repr(value).rstrip("0").rstrip(".")) for value in vars(fault).values() if type(value) is float
    )


def _code(run: Run) -> str:
    made = from_json_code(run.scenario, "Scenario")
    return f"{made}.run(until={run.until!r})" if made else NO_CODE
