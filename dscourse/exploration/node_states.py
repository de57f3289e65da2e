"""The states that one node has come to in an exhaustive exploration, numbered, and what each thing does to it.

What a handler does depends on the node's own state and on what comes in, on nothing else. So it is run once for each
pair of the two, on a copy, and what it did is remembered.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any, NamedTuple, Protocol

from dscourse.exploration.process import UP, Process, UntimedContext
from dscourse.exploration.state_key import state_key
from dscourse.simulation.errors import NodeError
from dscourse.simulation.moment import Beliefs, Status
from dscourse.simulation.network import Network
from dscourse.simulation.node_state import public_fields, same_value
from dscourse.simulation.recorder import RECORD


class Post(Protocol):
    """What numbers the messages."""

    def number_of(self, sender: str, to: str, message: Any, text: str) -> int:
        """The number of a message, the same for all that say the same on the same link."""


class NodeState(NamedTuple):
    """One state of one node.

    Attributes:
        node: its object; not to be changed. None while it is down.
        timers: pending ones and their delays, in µs.
        clock: µs.
        saved: in stable storage.
        rng: its stream; None if it hasn't drawn yet.
        condition: "up" or "crashed".
        incarnation: how often it has booted again.
        status: how it asked to be shown; None if it didn't.
        suspected: whom it suspects.
    """

    node: Any
    timers: dict[str, int]
    clock: int
    saved: Any
    rng: Any
    condition: str
    incarnation: int
    status: Status | None
    suspected: tuple[str, ...]


class Effect(NamedTuple):
    """What something does to a node: its state then, and the messages it has sent, by number."""

    state: int
    sent: tuple[int, ...]
    replies: tuple[tuple[str, Any], ...]  # to clients
    has_failed: bool = False


class NodeStates:
    """All states of one node that were come to so far.

    Args:
        name: of the node.
        node_factory: makes it.
        network: who may send to whom.
        known: ids of all nodes and clients.
        post: numbers its messages.

    Attributes:
        name: of the node.
        states: by number.
        size: of what is kept, in bytes, roughly.
    """

    now = 0

    def __init__(
        self,
        name: str,
        node_factory: Callable[..., Any],
        network: Network,
        known: dict[str, bool],
        post: Post,
    ) -> None:
        self.states: list[NodeState] = []
        self.size = 0
        self.name = name
        self._node_factory = node_factory
        self._peers = network.peers(name)
        self._is_client = known
        self._post = post
        self._numbers: dict[bytes, int] = {}
        self._effects: list[dict[Any, Effect]] = []
        self._fields: dict[int, dict[str, Any]] = {}
        self._process = Process(0, name)
        self._process.context = UntimedContext(self, self._process, network, known)
        self._beliefs = Beliefs()
        self._sent: list[int] = []
        self._replies: list[tuple[str, Any]] = []

    def booted(self) -> Effect:
        """What the start of the whole cluster does to it.

        Raises:
            NodeError: its handler failed.
        """
        self._load(NodeState(None, {}, 0, None, None, UP, 0, None, ()))
        self._process.boot(self._node_factory, self._peers, 0)
        return self._effect()

    def effect_of(self, number: int, what: Any, act: Callable[[Process], None]) -> Effect:
        """What ``act`` does to the node in state ``number``; it is called once for each ``what``."""
        known = self._effects[number].get(what)
        if known is None:
            self._load(self.states[number])
            try:
                act(self._process)
                known = self._effect()
            except NodeError:
                known = Effect(number, (), (), has_failed=True)
            self._effects[number][what] = known
            self.size += 400
        return known

    def fire(self, number: int, timer: str) -> Effect:
        """What a timer does."""
        return self.effect_of(number, timer, lambda process: process.fire(timer, 0))

    def receive(self, number: int, what: int, sender: str, message: Any) -> Effect:
        """What a message does."""
        return self.effect_of(number, what, lambda process: process.call("on_message", 0, sender, message))

    def crash(self, number: int) -> Effect:
        """What a crash does."""

        def act(process: Process) -> None:
            process.crash()
            self._beliefs = Beliefs()

        return self.effect_of(number, None, act)

    def restart(self, number: int) -> Effect:
        """What booting again does."""

        def act(process: Process) -> None:
            process.rise()
            process.boot(self._node_factory, self._peers, 0)

        return self.effect_of(number, None, act)

    def fields(self, number: int) -> dict[str, Any]:
        """Public fields in a state; copies, to be looked at."""
        if number not in self._fields:
            self._fields[number] = public_fields(self.states[number].node)
        return self._fields[number]

    def check_unchanged(self) -> None:
        """Raise ValueError if somebody who looked has changed what was shown."""
        for number, shown in self._fields.items():
            if not same_value(shown, public_fields(self.states[number].node)):
                raise ValueError(
                    f"a property changed what it was shown of {self.name}; it may only look, or the next one would "
                    "judge something that never was; let it work on a copy (sorted(...), list(...), dict(...))"
                )

    # ── What the node does ────────────────────────────────────────────────────────────────────────────────

    def sent(self, process: Process, to: str, message: Any, text: str) -> None:
        """It has sent a message."""
        if self._is_client[to]:
            self._replies.append((to, message))
        else:
            self._sent.append(self._post.number_of(self.name, to, message, text))

    def recorded(self, process: Process, kind: str, detail: dict[str, Any]) -> None:
        """It has recorded something."""
        self._beliefs.take(RECORD, self.name, (kind, detail))

    def _load(self, state: NodeState) -> None:
        process = self._process
        # Together: the node may hold its stream of random numbers, too.
        process.node, process.rng = copy.deepcopy((state.node, state.rng))
        process.timers = dict(state.timers)
        process.clock, process.saved = state.clock, state.saved
        process.condition, process.incarnation = state.condition, state.incarnation
        self._beliefs = Beliefs()
        if state.status is not None:
            self._beliefs.status[self.name] = state.status
        if state.suspected:
            self._beliefs.suspected[self.name] = list(state.suspected)
        self._sent, self._replies = [], []

    def _effect(self) -> Effect:
        process = self._process
        state = NodeState(
            process.node, process.timers, process.clock, process.saved, process.rng, process.condition,
            process.incarnation, self._beliefs.status.get(self.name),
            tuple(self._beliefs.suspected.get(self.name, ())),
        )  # fmt: skip
        return Effect(self._number_of(state), tuple(self._sent), tuple(self._replies))

    def _number_of(self, state: NodeState) -> int:
        timers = sorted(state.timers.items())
        key, length = state_key((*state._replace(timers={}), timers), self._peers)
        number = self._numbers.setdefault(key, len(self.states))
        if number == len(self.states):
            self.states.append(state)
            self._effects.append({})
            self.size += 8 * length + 1500
        return number
