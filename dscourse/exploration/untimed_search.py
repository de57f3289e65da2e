"""The untimed adversary of `search`, and how its schedules are shrunk to the fewest steps."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from random import Random
from typing import NamedTuple

from dscourse.exploration.counterexample import (
    NO_CODE,
    NO_ERROR,
    Counterexample,
    explained,
    factory_code,
    from_json_code,
    unreached,
)
from dscourse.exploration.fault_mix import FaultMix
from dscourse.exploration.random_steps import Allowance, RandomSteps
from dscourse.exploration.scripts import ChosenScenario, ScriptScenario
from dscourse.exploration.steps import Ask, MailStep, Step
from dscourse.exploration.untimed import UntimedCluster
from dscourse.simulation.errors import EventLimit, NodeError, SimulationError
from dscourse.simulation.properties import Property
from dscourse.simulation.random_streams import key_of
from dscourse.simulation.run import Run, judged_run
from dscourse.simulation.scenario import Scenario

BUDGET = 2000  # runs that one shrinking may take
EVENT_LIMIT = 200_000
_STEPS_OF_KINDS = ("crashes", "loss", "duplicates")


class UntimedSearch(NamedTuple):
    """What came of it; see `dscourse.exploration.search.Search`."""

    tried: int
    seed: int | None
    never_reached: tuple[str, ...]
    counterexample: Counterexample | None


def search_untimed(
    scenario: Scenario,
    properties: Sequence[Property],
    *,
    until: int,
    seeds: Iterable[int],
    faults: FaultMix,
    advance: Callable[[int, int], None] = lambda _tried, _found: None,
) -> UntimedSearch:
    """Look for a schedule in which a property does not hold, by steps at random, and shrink the first one found.

    Args:
        scenario: of it are used: the nodes, who may send to whom, and the clients' operations, the first of each
            client, then the second of each, and so on.
        properties: what ought to hold; a `sometimes` in one of the runs.
        until: steps of each run.
        seeds: which runs to make.
        faults: its crashes, loss and duplicates become `Down` and `Up`, `Lose` and `Repeat`, ``most`` of them in all.
        advance: told after each run.

    Raises:
        ValueError: the mix asks for a kind of fault that no step can do.
    """
    _check_kinds(faults)
    asks = asks_of(scenario)
    must = [item for item in properties if item.kind != "sometimes"]
    not_yet = [item for item in properties if item.kind == "sometimes"]
    tried = 0
    for tried, seed in enumerate(seeds, start=1):
        chosen = random_scenario(scenario, asks, until, faults, seed)
        broken = broken_of(chosen, [*must, *not_yet])
        found = [item for item in broken if item.kind != "sometimes"]
        if found:
            example = shrink_scripted(chosen.as_script(), found[0])
            run = _run_of(random_scenario(scenario, asks, until, faults, seed))
            return UntimedSearch(tried, seed, unreached(run, not_yet), example)
        not_yet = [item for item in not_yet if item in broken]
        if tried == 1:  # judged runs show the nodes themselves: does a property change what it sees?
            chosen.as_script().run(event_limit=EVENT_LIMIT).check(*properties)
        advance(1, 0)
    return UntimedSearch(tried, None, tuple(item.name for item in not_yet), None)


def random_scenario(
    scenario: Scenario, asks: tuple[Ask, ...], until: int, faults: FaultMix, seed: int
) -> ChosenScenario:
    """The random schedule of one seed."""

    def choose(cluster: UntimedCluster) -> Iterator[Step]:
        return RandomSteps(seed, allowance_of(faults, asks, seed)).all(cluster, until)

    return ChosenScenario(scenario.node_factory, scenario.network, choose, until, len(asks))


def allowance_of(faults: FaultMix, asks: tuple[Ask, ...], seed: int) -> Allowance:
    """What may go wrong in the run of a seed; which of the kinds are on is drawn, too."""
    random = Random(key_of(seed, "faults of steps")).random
    left = {name: _most_of(faults, name) for name in _STEPS_OF_KINDS}
    allowed = [name for name in _STEPS_OF_KINDS if left[name] > 0]
    on = [name for name in allowed if random() < 0.5] or allowed
    drawn = dict.fromkeys(_STEPS_OF_KINDS, 0)
    for _ in range(faults.most if random() < 0.5 else int(random() * faults.most)):
        may = [name for name in on if drawn[name] < left[name]]
        if may:
            drawn[may[int(random() * len(may))]] += 1
    return Allowance(asks, drawn["crashes"], drawn["loss"], drawn["duplicates"])


def asks_of(scenario: Scenario) -> tuple[Ask, ...]:
    """What the clients of a scenario ask: the first operation of each, then the second of each, and so on."""
    longest = max((len(client.operations) for client in scenario.clients), default=0)
    return tuple(
        Ask(client.to[number % len(client.to)], client.operations[number])
        for number in range(longest)
        for client in scenario.clients
        if number < len(client.operations)
    )


def broken_of(scenario: ScriptScenario, properties: Sequence[Property]) -> tuple[Property, ...]:
    """The properties that don't hold in its run, or `NO_ERROR` if a handler failed or the run did not end."""
    try:
        return judged_run(scenario, scenario.until, properties, event_limit=EVENT_LIMIT)[1]
    except (NodeError, EventLimit):
        return (NO_ERROR,)


def _check_kinds(faults: FaultMix) -> None:
    for name in ("pauses", "partitions", "cuts", "messages", "slow", "clocks"):
        if type(getattr(faults, name)) is not bool:
            raise ValueError(
                f"the untimed adversary knows crashes, loss and duplicates, got {name}={getattr(faults, name)}; "
                "it delivers late, or not at all, whatever it likes"
            )
    if faults.victims is not None or faults.spared:
        given = (
            f"victims={faults.victims}" if faults.victims is not None else f"spared={list(faults.spared)!r}"
        )
        raise ValueError(f"the untimed adversary spares nobody, got {given}")
    if faults.byzantine or faults.heal_at is not None:
        given = f"byzantine={faults.byzantine!r}" if faults.byzantine else f"heal_at={faults.heal_at:g}"
        raise ValueError(f"the untimed adversary has no time and tells no lies, got {given}")


def _most_of(faults: FaultMix, name: str) -> int:
    most = getattr(faults, name)
    return int(most) if type(most) is int else faults.most if most else 0


# ── Shrinking ──


class _Wanted(NamedTuple):
    """A step of a longer schedule, to be taken again in a shorter one, where other messages may wait before its own."""

    step: Step
    text: str = ""  # canonical JSON of its message
    kind: str = ""  # its type

    @classmethod
    def of(cls, step: Step, cluster: UntimedCluster) -> _Wanted:
        """A step that is about to be taken."""
        if not isinstance(step, MailStep):
            return cls(step)
        mails, place = cluster.waiting(step)
        return cls(step, mails[place].text, type(mails[place].message).__name__)

    def found_in(self, cluster: UntimedCluster) -> Step | None:
        """The step that does the same now: to the same message, or else to the first of its type; None if none does."""
        step = self.step
        if not isinstance(step, MailStep) or not self.kind:
            return step if cluster.can_take(step) else None
        mails = cluster.links.get((step.sender, step.to), [])
        for fits in (
            lambda mail: mail.text == self.text,
            lambda mail: type(mail.message).__name__ == self.kind,
        ):
            for place, mail in enumerate(mails, start=1):
                if fits(mail):
                    return type(step)(step.sender, step.to, place)  # type: ignore[call-arg]
        return None


def shrink_script(run: Run, wanted: Property) -> Counterexample:
    """Make a run of steps in which a property does not hold as short as can be; see `dscourse.exploration.shrink`.

    Steps are taken out, many and then fewer at a time, as long as the same property still breaks. A step that can
    then not be done any more goes, too; one that delivers a message follows that message to its new place.

    Raises:
        ValueError: the property holds in that run.
    """
    scenario = run.scenario
    if not isinstance(scenario, ScriptScenario):
        raise TypeError(f"run must be a run of steps, got one of {scenario!r}")
    return shrink_scripted(scenario, wanted)


def shrink_scripted(scenario: ScriptScenario, wanted: Property) -> Counterexample:
    """The same for a script that has not been run."""
    shrinker = _Shrinker(scenario, wanted)
    steps = shrinker.steps_that_break([_Wanted(step) for step in scenario.steps])
    if steps is None:
        raise ValueError(f"{wanted.name} holds in this run, so there is nothing to shrink")
    return counterexample(
        ScriptScenario(scenario.node_factory, scenario.network, shrinker.shrunk(steps)), wanted
    )


def counterexample(scenario: ScriptScenario, broken: Property) -> Counterexample:
    """What is told of a schedule that breaks a property."""
    run = _run_of(scenario)
    return Counterexample(run, broken, explained(run, broken), code_of(scenario), steps=scenario.steps)


def _run_of(scenario: ScriptScenario) -> Run:
    """Its run, or as much of it as there is before an error ends it."""
    try:
        return scenario.run(event_limit=EVENT_LIMIT)
    except SimulationError as error:
        run: Run = error.run
        return run


def code_of(scenario: ScriptScenario) -> str:
    """The lines that run a script."""
    network = scenario.network
    if any(len(network.peers(node)) < len(network.node_ids) - 1 for node in network.node_ids):
        made = from_json_code(scenario, "ScriptScenario")
        return f"{made}.run()" if made else NO_CODE
    steps = "".join(f"    {step!r},\n" for step in scenario.steps)
    return f"script({factory_code(scenario.node_factory)}, {list(scenario.node_ids)!r}, [\n{steps}])"


class _Shrinker:
    """Tries shorter schedules of one failure, within a budget."""

    def __init__(self, scenario: ScriptScenario, wanted: Property) -> None:
        self._scenario = scenario
        self._wanted = wanted
        self._left = BUDGET

    def shrunk(self, steps: list[_Wanted]) -> list[Step]:
        """The fewest steps that are found, to a fixpoint."""
        size = len(steps)
        while size > 0:
            shorter = self._without_some(steps, size)
            if shorter is not None:
                steps = shorter
            size = min(len(steps), size if shorter is not None else size // 2)
        while (found := self._without_some(steps, 1)) is not None:
            steps = found
        return [wanted.step for wanted in steps]

    def _without_some(self, steps: list[_Wanted], size: int) -> list[_Wanted] | None:
        """Take out a stretch of ``size`` steps, the later ones first."""
        for end in range(len(steps), 0, -size):
            kept = [*steps[: max(0, end - size)], *steps[end:]]
            if (found := self.steps_that_break(kept)) is not None and len(found) < len(steps):
                return found
        return None

    def steps_that_break(self, steps: Sequence[_Wanted]) -> list[_Wanted] | None:
        """The steps that can be taken, up to the one that breaks the property; None if it does not break."""
        if self._left == 0:
            return None
        self._left -= 1
        taken: list[_Wanted] = []

        def choose(cluster: UntimedCluster) -> Iterator[Step]:
            taken.clear()
            for wanted in steps:
                step = wanted.found_in(cluster)
                if step is not None:
                    taken.append(_Wanted.of(step, cluster))
                    yield step

        scenario = self._scenario
        clients = sum(isinstance(wanted.step, Ask) for wanted in steps)
        chosen = ChosenScenario(scenario.node_factory, scenario.network, choose, len(steps), clients)
        return taken if self._breaks(chosen) else None

    def _breaks(self, chosen: ChosenScenario) -> bool:
        try:
            return bool(judged_run(chosen, chosen.until, [self._wanted], event_limit=EVENT_LIMIT)[1])
        except (NodeError, EventLimit):
            return self._wanted is NO_ERROR
        except Exception:
            if self._left == BUDGET - 1:  # it is the run itself
                raise
            return False  # of so short a run the property can't be asked
