"""A number on several replicas, a front end that asks for it, and clients who want it right and in time.

The smallest service in which the kinds of fault can be told apart, and in which one replica more or less decides. The
front end asks one replica; if no good answer comes within `patience`, it asks the next, up to `attempts` times in all.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from random import Random
from typing import TYPE_CHECKING, Any, ClassVar

from dscourse.arguments import instance, real, truth, whole
from dscourse.simulation import Context, Node, Request, register_behaviour
from dscourse.simulation.pending_requests import PendingRequest, PendingRequests

if TYPE_CHECKING:
    import networkx as nx

    from dscourse.simulation import Run, Scenario

VALUE = 100
_ONE_WAY = 0.010  # seconds, each way between front end and replica
_TOLD = "told of "


@dataclass(frozen=True)
class Get:
    """The front end asks a replica for the value, and may have it raised first."""

    ticket: int
    add: int = 0


@dataclass(frozen=True)
class Answer:
    """A replica tells the value, with the checksum that was made when it was written."""

    ticket: int
    value: int
    checksum: int


def checksum_of(value: int) -> int:
    """Return a checksum of a value."""
    return zlib.crc32(str(value).encode())


@register_behaviour
@dataclass(frozen=True)
class FlipBit:
    """A bit of the value has flipped where it is stored; the checksum, kept apart from it, is as it was."""

    words: ClassVar[str] = "has a bad sector: a bit of its value has flipped"

    def rewrite(self, rng: Random, to: str, message: Any) -> Any:
        """Flip a bit of the value."""
        return replace(message, value=message.value ^ 64) if isinstance(message, Answer) else message


@register_behaviour
@dataclass(frozen=True)
class SayAnotherValue:
    """Says another value than it holds, and makes a checksum to go with it."""

    words: ClassVar[str] = "says another value"

    def rewrite(self, rng: Random, to: str, message: Any) -> Any:
        """Lie."""
        if not isinstance(message, Answer):
            return message
        return replace(message, value=message.value + 1, checksum=checksum_of(message.value + 1))


class Replica(Node):
    """Holds the value from the beginning, in memory or on a disk, and tells it.

    Args:
        on_disk: whether it has the value again after a crash.
    """

    def __init__(self, on_disk: bool) -> None:
        self._on_disk = on_disk
        self.value = 0

    def on_start(self, ctx: Context) -> None:
        """Begin with the value; after a crash with what is on the disk, or with nothing."""
        self._hold(ctx, VALUE if ctx.now == 0 else int(ctx.stored or 0))

    def on_message(self, ctx: Context, sender: str, message: object) -> None:
        """Answer a question."""
        if isinstance(message, Get):
            if message.add:
                self._hold(ctx, self.value + message.add)
            ctx.send(sender, Answer(message.ticket, self.value, checksum_of(self.value)))

    def _hold(self, ctx: Context, value: int) -> None:
        self.value = value
        if self._on_disk:
            ctx.save(value)
        ctx.record("status", status="up", label=f"holds {value}")


class FrontEnd(Node):
    """Asks the replicas on behalf of clients: one after the other, each for `patience` seconds.

    Args:
        replicas: whom to ask, in this order, over and over.
        patience: seconds to wait for an answer before the next replica is asked.
        attempts: questions in all, before the client is told that it failed.
        checksums: whether an answer that doesn't match its checksum is taken for none.
        stops: of which replica it is told at which time that it has stopped; it never asks that one again.
    """

    def __init__(
        self,
        replicas: Sequence[str],
        patience: float,
        attempts: int,
        checksums: bool = False,
        stops: Mapping[str, float] | None = None,
    ) -> None:
        self._replicas, self._attempts = list(replicas), attempts
        self._checksums, self._stops = checksums, dict(stops or {})
        self._pending = PendingRequests(patience)
        self.tickets = 0
        self.retries = 0

    def on_start(self, ctx: Context) -> None:
        """Make ready to be told."""
        for replica, at in self._stops.items():
            ctx.set_timer(f"{_TOLD}{replica}", at)

    def on_message(self, ctx: Context, sender: str, message: object) -> None:
        """Take a client's question, or a replica's answer."""
        if isinstance(message, Request):
            self.tickets += 1
            add = int(message.operation[1]) if message.operation[0] == "add" else 0
            request = self._pending.open(sender, message.number, key=self.tickets, state=add)
            if request is not None:
                self._ask(ctx, request)
        elif isinstance(message, Answer):
            if self._checksums and message.checksum != checksum_of(message.value):
                request = self._pending.get(message.ticket)
                if request is not None and sender in request.waiting:
                    request.waiting.remove(sender)
                    self._ask_again_or_fail(ctx, request)
                return
            request = self._pending.answer(message.ticket, sender, message.value)
            if request is not None:
                self._pending.reply(ctx, request, "ok", message.value)

    def on_timer(self, ctx: Context, name: str) -> None:
        """Lose patience with one replica, and turn to the next; or hear that one has stopped."""
        if name.startswith(_TOLD):
            self._replicas.remove(name.removeprefix(_TOLD))
            return
        request = self._pending.expired(name)
        if request is not None:
            self._ask_again_or_fail(ctx, request)

    def _ask_again_or_fail(self, ctx: Context, request: PendingRequest) -> None:
        if request.attempts < self._attempts:
            self.retries += 1
            self._ask(ctx, request)
        else:
            self._pending.reply(ctx, request, "fail")

    def _ask(self, ctx: Context, request: PendingRequest) -> None:
        replica = self._replicas[request.attempts % len(self._replicas)]
        ctx.send(replica, Get(request.key, request.state))
        self._pending.ask(ctx, request, [replica])


def read_scenario(
    replicas: int,
    *,
    attempts: int = 3,
    patience: float = 0.1,
    deadline: float = 0.5,
    reads: int = 40,
    rate: float = 8.0,
    checksums: bool = False,
    on_disk: bool = True,
    stops: Mapping[str, float] | None = None,
    add: int = 0,
    seed: int = 0,
) -> Scenario:
    """Return a scenario: clients read a value from replicas "r1", "r2" … through a front end "front".

    Args:
        replicas: how many, at least 1.
        attempts: questions that the front end asks for one client, at least 1.
        patience: seconds it waits for each answer.
        deadline: seconds after which an answer is of no use to the client.
        reads: how many reads, evenly spaced.
        rate: reads a second.
        checksums: whether the front end looks at checksums.
        on_disk: whether a replica that comes back after a crash still has the value.
        stops: fail-stop: of which replica the front end is told, and when, that it has stopped for good.
        add: what each client's request adds to the value, on the replica that is asked; 0 only reads.
        seed: of the scenario.
    """
    from dscourse.simulation import Constant, Network, OpenLoop, Scenario

    names = tuple(f"r{number}" for number in range(1, whole("replicas", replicas, at_least=1) + 1))
    factory = partial(
        _read_node,
        replicas=names,
        patience=real("patience", patience, above=0.0),
        attempts=whole("attempts", attempts, at_least=1),
        checksums=truth("checksums", checksums),
        on_disk=truth("on_disk", on_disk),
        stops=tuple((stops or {}).items()),
    )
    asks = (("add", add) if add else ("get",),) * whole("reads", reads, at_least=1)
    pace, limit = real("rate", rate, above=0.0), real("deadline", deadline, above=0.0)
    client = OpenLoop(asks, rate=pace, to="front", timeout=limit, arrivals="regular")
    network = Network(_star("front", names), latency=Constant(_ONE_WAY))
    return Scenario(factory, network, clients=(client,), seed=seed)


def reads_answered(run: Run) -> str:
    """Say which reads weren't answered rightly and in time; "" if all were.

    The promise of the experiments, to be given to `tolerates`. Reads whose time wasn't up at the end don't count.
    """
    from dscourse.simulation import Run

    if not instance("run", run, Run, "a run, such as read_scenario(2).run(10.0)").scenario.clients:
        raise ValueError("nobody reads in this run; take a run of read_scenario")
    fates = [fate for _, fate, _ in read_fates(run)]
    words = {"wrong": "answered wrongly", "refused": "refused", "late": "not answered in time"}
    return ", ".join(
        f"{fates.count(fate)} of {len(fates)} reads {what}" for fate, what in words.items() if fate in fates
    )


def read_fates(run: Run) -> list[tuple[float, str, float]]:
    """Return (when it was asked, "right", "wrong", "refused" or "late", after how many seconds) of each read.

    A read is late if no answer has come by the client's deadline; whose deadline comes after the end isn't in it.
    """
    deadline = max(client.timeout for client in run.scenario.clients)
    found = []
    for op in run.history():
        if op.outcome == "unknown":
            if op.invoked + deadline < run.until:
                found.append((op.invoked, "late", deadline))
        elif op.completed is not None:
            fate = "refused" if op.outcome == "fail" else "right" if op.value == VALUE else "wrong"
            found.append((op.invoked, fate, op.completed - op.invoked))
    return found


def _read_node(
    node_id: str,
    _peers: Sequence[str],
    *,
    replicas: tuple[str, ...],
    patience: float,
    attempts: int,
    checksums: bool,
    on_disk: bool,
    stops: tuple[tuple[str, float], ...],
) -> Node:
    if node_id == "front":
        return FrontEnd(replicas, patience, attempts, checksums, dict(stops))
    return Replica(on_disk)


def _star(centre: str, others: Sequence[str]) -> nx.Graph[str]:
    import networkx as nx

    graph: nx.Graph[str] = nx.Graph()
    graph.add_node(centre, pos=(0.0, 0.0))
    for place, other in enumerate(others):
        graph.add_node(other, pos=(1.0, (len(others) - 1) / 2 - place))
        graph.add_edge(centre, other)
    return graph
