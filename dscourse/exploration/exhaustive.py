"""All schedules of a tiny cluster: every order of deliveries, timers, crashes, losses and copies within a budget.

A state is what all nodes hold, what waits on the links, and what is left of the budget. From each state every step is
taken, breadth first, and no state is gone into twice; so the first one that breaks a property is reached by as few
steps as any (explicit-state model checking: Holzmann, The Model Checker SPIN, IEEE TSE 1997).

What makes it fast is that a step touches one node: see `node_states`. A state of the cluster is a handful of numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from dscourse.arguments import items as checked_items, real, whole
from dscourse.exploration.counterexample import NO_ERROR, Counterexample
from dscourse.exploration.node_states import Effect, NodeStates
from dscourse.exploration.process import CRASHED, UP
from dscourse.exploration.scripts import ScriptScenario, network_of
from dscourse.exploration.state_moment import StateMoment
from dscourse.exploration.steps import Ask, Deliver, Down, Fire, Lose, Repeat, Step, Up
from dscourse.exploration.untimed import UntimedCluster
from dscourse.exploration.untimed_search import broken_of, counterexample
from dscourse.simulation.errors import NodeError, NotDeterministic
from dscourse.simulation.messages import Reply, Request, encode
from dscourse.simulation.network import Network
from dscourse.simulation.node_state import public_fields, same_value
from dscourse.simulation.properties import Property
from dscourse.simulation.recorder import Recorder

if TYPE_CHECKING:
    from dscourse.exploration.scripts import Cluster

_BYTES_OF_STATE = 420  # of what is kept of a state, besides two bytes or so for each number in it
_MEGABYTE = 1_000_000
_CHECKED = 8  # states that are come to again, with whole nodes
_ADVICE = "A node must keep nothing outside itself: in a global, in its class, in a default argument."


@dataclass(frozen=True)
class Exploration:
    """What an exploration came to; true if no property is broken and nothing was left out.

    Attributes:
        outcome: "none": no schedule within the budget breaks a property; "found": one does; "stopped": a limit was
            reached before all were tried.
        states: how many different states were come to.
        depth: every schedule of up to so many steps was tried.
        memory: megabytes that the states take, roughly.
        counterexample: the shortest schedule that breaks a property, or none that is shorter; None if none was found.
        never_reached: names of the `sometimes` that came true in no state.
        covered: what was tried, in words.
        not_covered: what was not, in words.
    """

    outcome: str
    states: int
    depth: int
    memory: float
    counterexample: Counterexample | None
    never_reached: tuple[str, ...]
    covered: str
    not_covered: str

    def __bool__(self) -> bool:
        return self.outcome == "none"

    def __repr__(self) -> str:
        head = {
            "none": f"None: of {self.states} states none breaks a property.",
            "found": f"Found after {self.states} states: {self.counterexample!r}",
            "stopped": f"Stopped after {self.states} states ({self.memory:.0f} MB): nothing found so far.",
        }[self.outcome]
        lines = [head, f"Tried: {self.covered}", f"Not tried: {self.not_covered}"]
        lines += [f"Never reached: {name}." for name in self.never_reached]
        return "\n".join(lines)


class Budget(NamedTuple):
    """What may still be done, and which question comes next."""

    fires: int
    crashes: int
    losses: int
    repeats: int
    asked: int = 0
    history: int = 0  # what the clients have seen so far, by number; 0 as long as nobody asks for it


class State(NamedTuple):
    """A state of the cluster: the number of each node's state, the numbers of the waiting messages, what is left."""

    nodes: tuple[int, ...]
    mails: tuple[int, ...]
    left: Budget


def explore(
    node_factory: Callable[..., Any],
    node_ids: Cluster,
    properties: Property | Iterable[Property],
    *,
    asks: Iterable[Ask] = (),
    crashes: int = 0,
    losses: int = 0,
    repeats: int = 0,
    fires: int = 4,
    states: int = 100_000,
    megabytes: float = 500,
) -> Exploration:
    """Try every schedule of a tiny cluster: all orders of delivery, and all that may happen in between.

    The nodes live as in `script`. A node's state includes its clock, its timers, what it has saved and how many random
    numbers it has drawn. A property is asked of every state; it can't know how the state was reached, so there is no
    ``now.event``, ``now.trace`` or ``now.time`` here. A `holds` is asked of the run to each state in which nothing more
    can be done; with one, states in which clients have seen different things are different.

    Args:
        node_factory: called with ``(node_id, peers)``.
        node_ids: names of the nodes, each linked with all others; or a graph, whose links say who may send to whom.
        properties: made by `always`, `never`, `sometimes` or `holds`.
        asks: what clients ask, in this order, at any moments.
        crashes: how often a node may go down, in all; it may come up again at any moment.
        losses: how many messages may get lost, in all.
        repeats: how many messages may be doubled, in all.
        fires: how often a timer may go off, in all.
        states: how many states may be come to before it stops.
        megabytes: how much memory they may take, roughly.

    Returns:
        "none", "found" or "stopped", with what was tried and what was not.

    Raises:
        ValueError: an `eventually` is among the properties: with messages that need never arrive, nothing is certain
            to come.
    """
    asked = (properties,) if isinstance(properties, Property) else properties
    wanted = checked_items(
        "properties", asked, "a list of properties, such as [always(lambda now: …)]", Property
    )
    for item in wanted:
        if item.kind == "eventually":
            raise ValueError(
                f"explore takes always, never, sometimes and holds, got eventually({item.name}); a message need never "
                "arrive, so nothing must come true in the end"
            )
    questions = checked_items("asks", asks, 'a list such as [Ask("n0", ("put", "x", 1))]', Ask)
    budget = Budget(*(
        whole(name, value, at_least=0)
        for name, value in (("fires", fires), ("crashes", crashes), ("losses", losses), ("repeats", repeats))
    ))  # fmt: skip
    explorer = _Explorer(node_factory, network_of(node_ids), wanted, questions)
    return explorer.explored(
        budget, whole("states", states, at_least=1), real("megabytes", megabytes, above=0.0)
    )


class _Found(Exception):  # noqa: N818
    """A property is broken: the place of the state, a further step that a node failed at, and which property."""

    def __init__(self, place: int, last: Any, broken: Property) -> None:
        super().__init__()
        self.place, self.last, self.broken = place, last, broken


class _Explorer:
    """Tries all schedules of one cluster."""

    def __init__(
        self,
        node_factory: Callable[..., Any],
        network: Network,
        properties: Sequence[Property],
        asks: Sequence[Ask],
    ) -> None:
        self._node_factory = node_factory
        self.network = network
        self._asks = asks
        self._every_state = [item for item in properties if item.kind in ("always", "never")]
        self._not_yet = [item for item in properties if item.kind == "sometimes"]
        self._at_the_end = [item for item in properties if item.kind == "holds"]
        ScriptScenario(node_factory, network, asks)  # refuses an Ask of a node that isn't there
        known = dict.fromkeys(network.node_ids, False) | {f"c{k}": True for k in range(len(asks))}
        self.nodes = [NodeStates(name, node_factory, network, known, self) for name in network.node_ids]
        self.mails: list[tuple[int, int, Any, str]] = []  # places of sender and addressee, message, its JSON
        self._mail_numbers: dict[tuple[str, str, str], int] = {}
        self._places = {name: place for place, name in enumerate(network.node_ids)}
        self._requests = [Request(0, ask.operation) for ask in asks]
        self._histories: dict[tuple[Any, ...], int] = {(): 0}
        self._history_list: list[tuple[Any, ...]] = [()]
        self._states: list[State] = []
        self._seen: dict[State, int] = {}
        self._ways: list[tuple[int, Any]] = []  # of each state: from which it was reached, by what
        self._size = 0
        self._moment = StateMoment(network.node_ids, self.nodes, self.mails)

    def number_of(self, sender: str, to: str, message: Any, text: str) -> int:
        """The number of a message, the same for all that say the same on the same link."""
        key = (sender, to, text)
        number = self._mail_numbers.setdefault(key, len(self.mails))
        if number == len(self.mails):
            self.mails.append((self._places[sender], self._places[to], message, text))
            self._size += 600
        return number

    def explored(self, budget: Budget, most_states: int, megabytes: float) -> Exploration:
        """Go breadth first from the start until all is tried, something is found, or a limit is reached."""
        most_bytes = megabytes * _MEGABYTE
        found: Counterexample | None = None
        outcome, depth = "none", 0
        try:
            self._start(budget)
            place, level_end = 0, len(self._states)
            while place < len(self._states):
                if place == level_end:
                    depth, level_end = depth + 1, len(self._states)
                if len(self._states) >= most_states or self._bytes() > most_bytes:
                    outcome = "stopped"
                    break
                self._go_into(place)
                place += 1
        except _Found as stop:
            outcome, found = "found", self._counterexample(stop)
        for node in self.nodes:
            node.check_unchanged()
        self._check_some()
        return Exploration(
            outcome,
            len(self._states),
            depth,
            self._bytes() / _MEGABYTE,
            found,
            tuple(item.name for item in self._not_yet),
            _covered(outcome, depth, budget, len(self._asks)),
            _not_covered(outcome, depth, budget),
        )

    # ── States ────────────────────────────────────────────────────────────────────────────────────────────

    def _start(self, budget: Budget) -> None:
        numbers: list[int] = []
        mails: list[int] = []
        for node in self.nodes:
            try:
                effect = node.booted()
            except NodeError:
                raise _Found(-1, None, NO_ERROR) from None
            numbers.append(effect.state)
            mails += effect.sent
        self._reached(State(tuple(numbers), tuple(sorted(mails)), budget), -1, None)

    def _go_into(self, place: int) -> None:
        """Take every step that can be taken in a state."""
        seen, is_last = self._seen, True
        for way, state in self._steps_from(place, self._states[place]):
            is_last = False
            if state not in seen:
                self._reached(state, place, way)
        if is_last and self._at_the_end:
            run = self._script_to(place).run()
            for item in self._at_the_end:
                if not item.holds(run):
                    raise _Found(place, None, item)

    def _reached(self, state: State, origin: int, way: Any) -> None:
        """Note a new state and ask the properties of it."""
        place = self._seen[state] = len(self._states)
        self._states.append(state)
        self._ways.append((origin, way))
        self._size += _BYTES_OF_STATE + 8 * (len(state.nodes) + len(state.mails))
        moment = self._moment
        moment.show(state.nodes, state.mails)
        for item in self._every_state:
            if item.holds(moment) != (item.kind == "always"):
                raise _Found(place, None, item)
        if self._not_yet:
            self._not_yet = [item for item in self._not_yet if not item.holds(moment)]

    def _bytes(self) -> int:
        return self._size + sum(node.size for node in self.nodes)

    # ── Steps ─────────────────────────────────────────────────────────────────────────────────────────────

    def _steps_from(self, place: int, state: State) -> Iterator[tuple[Any, State]]:
        """Each step that can be taken in a state, and the state that it leads to."""
        numbers, mails, left = state
        for i, node in enumerate(self.nodes):
            here = node.states[numbers[i]]
            if here.condition == CRASHED:
                yield self._after(place, state, i, node.restart(numbers[i]), mails, left, (Up, i))
                continue
            if left.crashes:
                less = left._replace(crashes=left.crashes - 1)
                yield self._after(place, state, i, node.crash(numbers[i]), mails, less, (Down, i))
            if left.fires and here.timers:
                less = left._replace(fires=left.fires - 1)
                for timer in sorted(here.timers):
                    effect = node.fire(numbers[i], timer)
                    yield self._after(place, state, i, effect, mails, less, (Fire, i, timer))
        for mail in dict.fromkeys(mails):
            yield from self._steps_of_mail(place, state, mail)
        if left.asked < len(self._asks):
            yield self._asking(place, state)

    def _steps_of_mail(self, place: int, state: State, mail: int) -> Iterator[tuple[Any, State]]:
        numbers, mails, left = state
        sender, to, message, _ = self.mails[mail]
        where = mails.index(mail)
        others = mails[:where] + mails[where + 1 :]
        node = self.nodes[to]
        if node.states[numbers[to]].condition == UP:
            effect = node.receive(numbers[to], mail, self.network.node_ids[sender], message)
            yield self._after(place, state, to, effect, others, left, (Deliver, mail))
        else:
            yield (Deliver, mail), State(numbers, others, left)
        if left.losses:
            yield (Lose, mail), State(numbers, others, left._replace(losses=left.losses - 1))
        if left.repeats:
            less = left._replace(repeats=left.repeats - 1)
            yield (Repeat, mail), State(numbers, (*mails[:where], mail, *mails[where:]), less)

    def _asking(self, place: int, state: State) -> tuple[Any, State]:
        number = state.left.asked
        to = self._places[self._asks[number].node]
        node = self.nodes[to]
        left = state.left._replace(asked=number + 1)
        if self._at_the_end:
            left = left._replace(history=self._history_after(left.history, ("ask", number)))
        if node.states[state.nodes[to]].condition == CRASHED:
            return (Ask, number), State(state.nodes, state.mails, left)
        effect = node.receive(state.nodes[to], -1 - number, f"c{number}", self._requests[number])
        return self._after(place, state, to, effect, state.mails, left, (Ask, number))

    def _after(
        self, place: int, state: State, i: int, effect: Effect, mails: tuple[int, ...], left: Budget, way: Any
    ) -> tuple[Any, State]:
        """The state after something has happened to one node."""
        if effect.has_failed:
            raise _Found(place, way, NO_ERROR)
        if effect.sent:
            mails = tuple(sorted((*mails, *effect.sent)))
        numbers = state.nodes
        if effect.state != numbers[i]:
            numbers = (*numbers[:i], effect.state, *numbers[i + 1 :])
        if effect.replies and self._at_the_end:
            for client, message in effect.replies:
                if isinstance(message, Reply):
                    seen = (client, encode(message))
                    left = left._replace(history=self._history_after(left.history, seen))
        return way, State(numbers, mails, left)

    def _history_after(self, number: int, seen: tuple[Any, ...]) -> int:
        """The number of what clients have seen, once they have seen one thing more."""
        history = (*self._history_list[number], seen)
        known = self._histories.setdefault(history, len(self._history_list))
        if known == len(self._history_list):
            self._history_list.append(history)
            self._size += 300
        return known

    # ── The way to a state ────────────────────────────────────────────────────────────────────────────────

    def _counterexample(self, found: _Found) -> Counterexample:
        scenario = self._script_to(found.place, found.last)
        if found.broken not in broken_of(scenario, [found.broken]):
            raise NotDeterministic(
                f"the same steps broke {found.broken.name!r} once and not again. {_ADVICE} A property may look only at "
                "what nodes hold, have saved and recorded, and at what waits."
            )
        return counterexample(scenario, found.broken)

    def _check_some(self) -> None:
        """Take the steps to some of the states again, with whole nodes, and see whether they hold what they held."""
        count = len(self._states)
        for place in sorted(
            {count * part // _CHECKED for part in range(_CHECKED)} | {count - 1} if count else ()
        ):
            cluster, _ = self._cluster_at(place)
            for node, number in zip(self.nodes, self._states[place].nodes, strict=True):
                now = cluster.processes[node.name].node
                if not same_value(node.fields(number), public_fields(now)):
                    raise NotDeterministic(
                        f"{node.name} came to hold something else when the same steps were taken again. {_ADVICE}"
                    )

    def _script_to(self, place: int, last: Any = None) -> ScriptScenario:
        """The steps that lead to a state, and perhaps one more."""
        return ScriptScenario(self._node_factory, self.network, self._cluster_at(place, last)[1])

    def _cluster_at(self, place: int, last: Any = None) -> tuple[UntimedCluster, list[Step]]:
        """The cluster in a state, and the steps that have led to it, perhaps with one more."""
        ways = [] if last is None else [last]
        while place >= 0:
            place, way = self._ways[place]
            ways.append(way)
        ways = [way for way in reversed(ways) if way is not None]
        cluster = UntimedCluster(self._node_factory, self.network, len(self._asks), Recorder(keep=False))
        steps: list[Step] = []
        try:
            cluster.boot()
            for way in ways:
                steps.append(self._step_of(way, cluster))
                cluster.take(steps[-1])
        except NodeError:  # the last step is one that a node fails at
            pass
        return cluster, steps

    def _step_of(self, way: Any, cluster: UntimedCluster) -> Step:
        kind, what, *more = way
        step: Step
        names = self.network.node_ids
        if kind is Ask:
            step = self._asks[what]
            return step
        if kind in (Deliver, Lose, Repeat):
            sender, to, _, text = self.mails[what]
            waiting = cluster.links[names[sender], names[to]]
            nth = 1 + next(place for place, mail in enumerate(waiting) if mail.text == text)
            what, more = names[sender], [names[to], nth]
        else:
            what = names[what]
        step = kind(what, *more)
        return step


# ── Words ──


def _covered(outcome: str, depth: int, budget: Budget, asks: int) -> str:
    counts = [*_counts(budget), f"{asks} question{'s' * (asks != 1)}"]
    steps = "all" if outcome == "none" else f"those of up to {depth} step{'s' * (depth != 1)}"
    return f"of the schedules with up to {', '.join(counts)}, {steps}."


def _not_covered(outcome: str, depth: int, budget: Budget) -> str:
    more = f"more than {', '.join(_counts(budget))}."
    if outcome == "none":
        return more
    return f"schedules of {depth + 1} steps or more, but for some of {depth + 1}; {more}"


def _counts(budget: Budget) -> list[str]:
    words = (("fired timer", "s"), ("crash", "es"), ("loss", "es"), ("repeat", "s"))
    return [
        f"{count} {word}{more * (count != 1)}" for count, (word, more) in zip(budget, words, strict=False)
    ]
