"""A learner's node is examined in a cluster: schedules with names first, then a search for others.

Three layers, since random schedules alone miss what is rare: what each schedule is to show is known; rules are asked
of each step and not only of the end; and then come schedules that nobody has thought of.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dscourse.exercises._breach import Breach
from dscourse.exercises._exercise import Unfit
from dscourse.exercises._learner_code import told
from dscourse.exercises._line_limit import limited_function, with_line_limit
from dscourse.exercises._outside_state import kept_outside, mentions, outside_help, told_of
from dscourse.exercises._report import Factory, Report
from dscourse.exploration import Counterexample, FaultMix, search
from dscourse.exploration.counterexample import NO_ERROR
from dscourse.exploration.scripts import ScriptScenario
from dscourse.exploration.search import first_broken
from dscourse.exploration.shrink import shrink_scenario, whole_run
from dscourse.exploration.steps import Down, Lose, Repeat, Step
from dscourse.exploration.untimed_search import shrink_scripted
from dscourse.simulation import Event, Fault, Network, Node, NodeError, Property, Run, Scenario, Workload
from dscourse.simulation.run import describe_difference

LINES = 50_000  # of one handler
EVENTS = 4_000  # of one run
LARGE = 400  # events of a load that is left as it is: a shorter one would be no such load
OTHER_NAMES = ("ba", "de", "fi", "go", "ku", "la", "me", "ni")  # beginnings of other names for the nodes
SEARCHED = "a search"


@dataclass(frozen=True)
class Requirement:
    """What must hold, and the section of the notebook that says why."""

    property: Property
    section: str


@dataclass(frozen=True)
class Schedule:
    """Something that may go wrong, and what it shows, in words.

    Attributes:
        name: what it shows.
        faults: what goes wrong in a run in time; or
        steps: all that happens, step by step, in a run without time. A step that can't be done is passed over.
        cluster: makes of an answer a cluster of this schedule's own, without faults, where it is a load that shows
            something.
    """

    name: str
    faults: tuple[Fault, ...] = ()
    steps: tuple[Step, ...] = ()
    cluster: Callable[[Any], Scenario] | None = None


def node_class(answer: object) -> type[Node]:
    """Return an answer that is a class of nodes, or raise `Unfit`."""
    if isinstance(answer, type) and issubclass(answer, Node) and answer is not Node:
        return answer
    if isinstance(answer, Node):
        raise Unfit(f"{told(type(answer))} is meant, not a node made of it; leave out the brackets")
    raise Unfit


class ClusterExamination:
    """Examines nodes of a class in a cluster.

    Args:
        network: in which they stand.
        until: seconds of each run.
        requirements: what must hold, the first first.
        schedules: what is tried in any case; the first should be one without faults.
        faults: what a search may draw besides: what the node promises to survive, and no more.
        seeds: how many schedules the search draws; 0 where only loads with names can tell.
        clients: who asks the nodes for something.
        others: factories of the nodes that are none of the learner's, by id.
        as_node: makes of an answer a class or factory of nodes, where the answer is a part of one.
    """

    def __init__(
        self,
        *,
        network: Network,
        until: float,
        requirements: Sequence[Requirement],
        schedules: Sequence[Schedule],
        faults: FaultMix,
        seeds: int = 200,
        clients: Sequence[Workload] = (),
        others: Mapping[str, Callable[..., Node]] | None = None,
        as_node: Callable[[Any], Callable[..., Node]] = node_class,
    ) -> None:
        self.until = until
        self.requirements = tuple(requirements)
        self.schedules = tuple(schedules)
        self.faults = faults
        self.seeds = seeds
        self._network = network
        self._clients = tuple(clients)
        self._others = dict(others or {})
        self._as_node = as_node

    @property
    def properties(self) -> tuple[Property, ...]:
        """What must hold, without the sections."""
        return tuple(requirement.property for requirement in self.requirements)

    def read(self, answer: object) -> Any:
        """Return an answer as it is tried, or raise `Unfit`."""
        self._as_node(answer)
        return answer

    def scenario(self, written: Any, faults: Sequence[Fault] = (), *, limited: bool = False) -> Scenario:
        """A cluster in which the learner's nodes stand, where they can be stopped if they never end."""
        factory = self._as_node(written)
        if limited:
            factory = with_line_limit(factory, LINES)
        return Scenario(self._cluster(factory), self._network, faults=faults, clients=self._clients)

    def scheduled(self, written: Any, schedule: Schedule, *, limited: bool = False) -> tuple[Scenario, float]:
        """The cluster under a schedule, and until when it runs."""
        if schedule.cluster is not None:
            is_node = isinstance(written, type) and issubclass(written, Node)
            stoppable = with_line_limit if is_node else limited_function
            answer = stoppable(written, LINES) if limited else written
            return schedule.cluster(answer).with_faults(*schedule.faults), self.until
        scenario = self.scenario(written, schedule.faults, limited=limited)
        if not schedule.steps:
            return scenario, self.until
        script = ScriptScenario(scenario.node_factory, self._network, schedule.steps, skip=True)
        return script, script.until

    def broken(self, written: Any) -> tuple[tuple[str, str], ...]:
        """Return what breaks in which schedule; if nothing does, what the search finds."""
        found = self._broken_in_schedules(written)
        if found:
            return found
        counterexample = self._searched(self.scenario(written, limited=True), self.seeds)
        return ((SEARCHED, counterexample.property.name),) if counterexample else ()

    def survives(self, written: Any, seeds: int) -> Counterexample | None:
        """Return what breaks it in so many schedules of the search, or None; code of our own needs no limit of lines."""
        return self._searched(self.scenario(written), seeds)

    def examine(self, written: Any) -> Report:
        """Try it: first whether it stays within its node, then the schedules, then the search."""
        outside = outside_help(written) or self._unsteady(written)
        if outside:
            return Report(outside=outside)
        broken = self._broken_in_schedules(written)
        if broken:
            name, wanted = broken[0]
            schedule = next(schedule for schedule in self.schedules if schedule.name == name)
            scenario, until = self.scheduled(written, schedule, limited=True)
            if isinstance(scenario, ScriptScenario):
                counterexample = shrink_scripted(scenario, self._named(wanted))
            elif len((run := whole_run(scenario, until, EVENTS)).trace) > LARGE:
                counterexample = _cut(run, self._named(wanted))
            else:
                counterexample = shrink_scenario(scenario, until, self._named(wanted), event_limit=EVENTS)
            plain, _ = self.scheduled(written, schedule)
            return self._report(plain, broken, counterexample, f"Schedule “{name}”. ")
        found = self._searched(self.scenario(written, limited=True), self.seeds)
        if found is not None:
            broken = ((SEARCHED, found.property.name),)
            return self._report(self.scenario(written), broken, found, "Found by a search. ")
        order = self._depends_on_names(written)
        return Report(held=self._held(()), outside=order)

    # ── The layers ────────────────────────────────────────────────────────────────────────────────────────────────

    def _broken_in_schedules(self, written: Any) -> tuple[tuple[str, str], ...]:
        return tuple(
            (schedule.name, broken.name)
            for schedule in self.schedules
            for broken in self._all_broken(*self.scheduled(written, schedule, limited=True))
        )

    def _all_broken(self, scenario: Scenario, until: float) -> list[Property]:
        """Every property that breaks: a run ends at the first, so the others are asked once more."""
        asked, found = list(self.properties), list[Property]()
        while asked:
            broken = first_broken(scenario, until, asked, EVENTS)
            found += broken
            asked = [item for item in asked if item not in broken] if broken else []
            if NO_ERROR in broken:
                break
        return sorted(found, key=lambda item: self.properties.index(item) if item in self.properties else -1)

    def _searched(self, scenario: Scenario, seeds: int) -> Counterexample | None:
        if not seeds:
            return None
        return search(
            scenario, self.properties, until=self.until, seeds=seeds, faults=self.faults, event_limit=EVENTS
        ).counterexample

    # ── What a node must not do ───────────────────────────────────────────────────────────────────────────────────

    def _unsteady(self, written: Any) -> str:
        """What is said to code that does otherwise the second time, or after other schedules, or keeps something outside."""
        before = kept_outside(written)
        first = {schedule: self._run(written, schedule) for schedule in self.schedules}
        after = kept_outside(written)
        changed = next((place for place, value in after.items() if before.get(place) != value), None)
        if changed is not None:
            return told_of(changed)
        for schedule in reversed(self.schedules):
            one, other = first[schedule].trace, self._run(written, schedule).trace
            place = one.first_difference(other)
            if place is not None:
                return f"Your code is not deterministic: {describe_difference(one, other, place)}"
        return ""

    def _depends_on_names(self, written: Any) -> str:
        """What is said to code that does otherwise when the nodes have other names in the same order."""
        if mentions(written, "rng"):  # its luck is keyed by its name
            return ""
        original = self.scenario(written, limited=True)
        wanted = _told_without_names(whole_run(original, self.until, EVENTS), original.node_ids)
        for beginning in OTHER_NAMES:
            new = {old: f"{beginning}{place}" for place, old in enumerate(original.node_ids)}
            factory = self._cluster(with_line_limit(self._as_node(written), LINES), new)
            scenario = Scenario.from_json(_renamed(original.to_json(), new), factory, insist=True)
            found = _told_without_names(whole_run(scenario, self.until, EVENTS), scenario.node_ids)
            if found != wanted:
                return (
                    "Every requirement holds, but your node does otherwise when the nodes are called "
                    f"{', '.join(new.values())}. Does it go through a set, or sort by something that Python makes up? "
                    "The order of a set differs from one start of Python to the next; use `sorted(…)` or a list."
                )
        return ""

    def _run(self, written: Any, schedule: Schedule) -> Run:
        return whole_run(*self.scheduled(written, schedule, limited=True), EVENTS)

    # ── Words ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def _report(
        self, unlimited: Scenario, broken: tuple[tuple[str, str], ...], found: Counterexample, where: str
    ) -> Report:
        sections = {requirement.property.name: requirement.section for requirement in self.requirements}
        scenario = found.run.scenario
        factory = unlimited.node_factory
        if isinstance(scenario, ScriptScenario):
            plain: Scenario = ScriptScenario(factory, self._network, scenario.steps, skip=scenario.skip)
        else:
            plain = scenario.changed(node_factory=factory)
        error = _error_of(scenario, found.run.until)
        endless = error is not None and type(error.__cause__).__name__ == "EndlessHandlerError"
        return Report(
            held=self._held(broken),
            broken=broken,
            counterexample=found.run if endless else whole_run(plain, found.run.until, EVENTS),
            faults=len(found.faults) + sum(isinstance(step, Down | Lose | Repeat) for step in found.steps),
            explanation=f"{where}{_sentence(found)}",
            section=sections.get(found.property.name, ""),
            error=error,
        )

    def _held(self, broken: Sequence[tuple[str, str]]) -> tuple[tuple[str, bool], ...]:
        names = {name for _, name in broken}
        if NO_ERROR.name in names:
            return ()
        return tuple((item.name, item.name not in names) for item in self.properties)

    def _named(self, name: str) -> Property:
        return next(item for item in (*self.properties, NO_ERROR) if item.name == name)

    def _cluster(self, factory: Callable[..., Node], new_names: Mapping[str, str] | None = None) -> Factory:
        others = {(new_names or {}).get(name, name): make for name, make in self._others.items()}

        def node(node_id: str, peers: tuple[str, ...]) -> Node:
            return others.get(node_id, factory)(node_id, peers)

        node.__name__ = node.__qualname__ = getattr(factory, "__name__", "node")
        return node


def _cut(run: Run, broken: Property) -> Counterexample:
    """A run up to a second after a property breaks, otherwise as it is."""
    verdict = broken.predicate(run) if broken.kind == "holds" else run.check(broken)[0]
    time = getattr(verdict, "time", None)
    if time is not None and time + 1.0 < run.until:
        run = whole_run(run.scenario, time + 1.0, EVENTS)
    return Counterexample(run, broken, "", "", run.faults)


def _error_of(scenario: Scenario, until: float) -> NodeError | None:
    try:
        scenario.run(until, event_limit=EVENTS)
    except NodeError as error:
        return error
    except Exception:  # noqa: BLE001 - the limit of events, of which the explanation tells
        return None
    return None


def _sentence(found: Counterexample) -> str:
    """What broke, when and with whom, and what went wrong before."""
    run, broken = found.run, found.property
    head, time = f"“{broken.name}” breaks", run.until
    if run.stopped is not None:
        return f"At {run.stopped:.4g} s the run ends. {_before(run, run.stopped)}".strip()
    if broken.kind == "holds":
        verdict = broken.predicate(run)
        if isinstance(verdict, Breach):
            head, time = f"{head} at {verdict.time:.4g} s: {verdict.words}", verdict.time
        elif getattr(verdict, "explanation", ""):
            head = f"{head}: {verdict.explanation.rstrip('.')}"
    else:
        told = run.check(broken)[0]
        if told.time is None:
            head = f"{head}: it never comes true in {run.until:.4g} s"
        else:
            head, time = f"{head} at {told.time:.4g} s, with {', '.join(told.nodes)} taking part", told.time
    return f"{head}. {_before(run, time)}".strip()


def _before(run: Run, time: float) -> str:
    """The faults up to a time, in words."""
    faults = [event for event in run.trace.select(kind="fault") if event.time <= time]
    if isinstance(run.scenario, ScriptScenario):
        return f"The steps (step k at k s): {', '.join(map(repr, run.scenario.steps))}."
    words = [f"at {event.time:.4g} s {_fault_in_words(event)}" for event in faults]
    return f"Before that, {'; '.join(words)}." if words else ""


def _fault_in_words(event: Event) -> str:
    if event.detail["phase"] != "end":
        return event.text.partition(" s: ")[2]
    if event.name == "Crash":
        return f"{event.node} is up again"
    return f"this ends: {event.text.partition('end of: ')[2]}"


def _renamed(text: str, new: Mapping[str, str]) -> str:
    """A scenario's JSON with other names for the nodes."""

    def renamed(value: Any) -> Any:
        if isinstance(value, str):
            return new.get(value, value)
        if isinstance(value, list):
            return [renamed(item) for item in value]
        if isinstance(value, dict):
            return {new.get(key, key): renamed(item) for key, item in value.items()}
        return value

    return json.dumps(renamed(json.loads(text)))


def _told_without_names(run: Run, nodes: Sequence[str]) -> list[str]:
    """What happened, with the place of each node instead of its name."""
    places = {name: f"\N{SECTION SIGN}{place}" for place, name in enumerate(nodes)}
    names = re.compile("|".join(rf"\b{re.escape(name)}\b" for name in nodes))
    return [names.sub(lambda found: places[found[0]], event.text) for event in run.trace]
