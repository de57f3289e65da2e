"""A partitioned store on the simulated cluster, with its requests routed in one of three ways.

- `"client"`: the application's own library knows who owns what and asks the owner (Cassandra's and Redis Cluster's
  drivers);
- `"proxy"`: the application knows one proxy, which asks the owner (twemproxy, mongos);
- `"any"`: the application asks any node, which forwards to the owner (Cassandra's coordinators with a plain driver).

        factory = partial(partitioned_node, storage=("n0", "n1", "n2"), way="proxy")
        network = store_network(("n0", "n1", "n2"), latency=LogNormal(0.001, 0.5))
        Scenario(factory, network, clients=[OpenLoop(operations, rate=50, to="app", timeout=1.0)])
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from dscourse.arguments import one_of, real, whole
from dscourse.partitioning.fleet import Fleet, checked_name, checked_names
from dscourse.partitioning.ring import MOST_POINTS, ConsistentHashRing
from dscourse.partitioning.store.deduplication import Saved, remember
from dscourse.partitioning.store.messages import Answer, Ask, Decided, Outcome, Pass, Result
from dscourse.partitioning.store.operations import DECISIONS, TOLD, UNKNOWN, Answers, Operations, Steps
from dscourse.partitioning.store.shard import Shard
from dscourse.simulation import Constant, Context, LatencyModel, Network, Node, Reply, Request
from dscourse.simulation.pending_requests import PendingRequest, PendingRequests

APPLICATION, PROXY = "app", "proxy"
WAYS = ("client", "proxy", "any")
INDEXES = ("local", "global")


@dataclass(eq=False)
class _Work:
    """How far an operation has come."""

    steps: Steps
    step: int = 0  # answers to an earlier one are out of date
    then: Answer | None = None  # what to answer when it is done, if it is part of another operation


class CoordinatingNode(Node):
    """A machine that carries out operations, on behalf of clients or of machines that pass theirs on.

    A request that is delivered twice is carried out once, as long as fewer than `deduplication.MEMORY` others have come
    between.

    Args:
        node_id: its name.
        peers: those it is linked with.
        owners: who owns which key, as far as it knows.
        index: "local" or "global".
        patience: seconds to wait for the answers of one step.
    """

    def __init__(
        self, node_id: str, peers: Sequence[str], owners: ConsistentHashRing, index: str, patience: float
    ) -> None:
        super().__init__(node_id, peers)
        self._operations = Operations(owners, index)
        self._pending = PendingRequests(patience, timer="")
        self._patience = patience
        self._heard: dict[str, None] = {}

    @property
    def committed(self) -> list[str]:
        """The transactions that this machine has decided to commit, and that not all concerned have confirmed."""
        return list(self._operations.committed)

    def on_start(self, ctx: Context) -> None:
        """Take up what survived a crash."""
        if ctx.stored is not None:
            self._operations.committed = dict(ctx.stored["committed"])
            self._operations.begun = dict(ctx.stored["begun"])

    def on_message(self, ctx: Context, sender: str, message: Any) -> None:
        """Begin an operation, take in an answer, or say how a transaction ended."""
        match message:
            case Request(number, what):
                self._begin(ctx, f"{sender}/{number}", sender, what)
            case Pass(operation, what):
                self._begin(ctx, operation, sender, what)
            case Answer():
                self._hear(ctx, sender, message)
            case Outcome(operation):
                commit = self._outcome(operation)
                if commit is not None:
                    ctx.send(sender, Decided(operation, commit))

    def on_timer(self, ctx: Context, name: str) -> None:
        """Go on without the answers that are missing."""
        request = self._pending.expired(name)
        if request is not None:
            self._go_on(ctx, request, request.answers)

    def _begin(self, ctx: Context, operation: str, asker: str, what: tuple[Any, ...]) -> None:
        if operation in self._heard or operation in self._operations.begun:
            return  # the network delivered the request twice
        work = _Work(self._operations.steps(operation, what))
        request = self._pending.open(asker, int(operation.rpartition("/")[2]), operation, work)
        if request is not None:
            remember(self._heard, operation, None)
            self._go_on(ctx, request, None)

    def _hear(self, ctx: Context, sender: str, answer: Answer) -> None:
        request = self._pending.get(answer.operation)
        if request is None or answer.step != request.state.step:
            return
        if self._pending.answer(request.key, sender, answer) and not request.waiting:
            self._go_on(ctx, request, request.answers)

    def _go_on(self, ctx: Context, request: PendingRequest, answers: Answers | None) -> None:
        try:
            asks = request.state.steps.send(answers)
        except StopIteration as ended:
            self._end(ctx, request, *ended.value)
            return
        request.state.step = asks[0][1].step
        self._save(ctx)  # a decision must be on the disk before anybody hears of it
        if asks[0][1].do in DECISIONS:
            self._tell_client(ctx, request, DECISIONS[asks[0][1].do], None)
        self._pending.ask(ctx, request, [node for node, _ in asks], afresh=True)
        for node, ask in asks:
            if node != self.node_id:
                ctx.send(node, ask)
        for node, ask in asks:
            if node == self.node_id:
                self._tell(ctx, node, self._answer(ctx, node, ask))

    def _tell(self, ctx: Context, asker: str, answer: Answer | None) -> None:
        if answer is not None and asker == self.node_id:
            self._hear(ctx, asker, answer)
        elif answer is not None:
            ctx.send(asker, answer)

    def _end(self, ctx: Context, request: PendingRequest, outcome: str, value: Any) -> None:
        self._pending.close(ctx, request)
        if outcome not in (UNKNOWN, TOLD):  # what nobody knows, whoever asked must find out by waiting
            self._tell_client(ctx, request, outcome, value)

    def _tell_client(self, ctx: Context, request: PendingRequest, outcome: str, value: Any) -> None:
        itself = request.key == f"{request.client}/{request.number}"
        told = Reply(request.number, outcome, value) if itself else Result(request.key, outcome, value)
        ctx.send(request.client, told)

    def _outcome(self, operation: str) -> bool | None:
        """Return whether a transaction was committed; None if that isn't decided yet.

        A transaction of which nothing is known was open when the coordinator crashed: nobody can have been told to
        commit it, so it counts as aborted (presumed abort).
        """
        if operation in self._operations.committed:
            return True
        return None if self._pending.get(operation) else False

    def _answer(self, ctx: Context, sender: str, ask: Ask) -> Answer | None:
        raise LookupError(f"{self.node_id} holds no data, so it can't {ask.do}")

    def _save(self, ctx: Context) -> None:
        if self._operations.begun:
            ctx.save(self._decisions())

    def _decisions(self) -> dict[str, Any]:
        """Return what a coordinator must not forget: which transactions it has begun, and which it has committed."""
        return {"committed": Saved(self._operations.committed), "begun": Saved(self._operations.begun)}


class Proxy(CoordinatingNode):
    """Knows who owns what, so that the applications needn't."""


class Application(CoordinatingNode):
    """The machine on which the application runs: it asks the owners itself, or passes operations on.

    Args:
        *given: as for every `CoordinatingNode`.
        passes_to: machines to pass operations to, one of them at random; none if it asks the owners itself.
    """

    def __init__(self, *given: Any, passes_to: tuple[str, ...]) -> None:
        super().__init__(*given)
        self._passes_to = passes_to
        self._passed: dict[str, None] = {}

    def on_start(self, ctx: Context) -> None:
        """Take up what survived a crash."""
        super().on_start(ctx)
        if ctx.stored is not None:
            self._passed = dict(ctx.stored["passed"])

    def on_message(self, ctx: Context, sender: str, message: Any) -> None:
        """Pass a client's request on, once even if it is delivered twice, or its result back."""
        match message:
            case Request(number, what) if self._passes_to:
                operation = f"{sender}/{number}"
                if operation not in self._passed:
                    remember(self._passed, operation, None)
                    ctx.save(self._decisions())
                    ctx.send(ctx.rng.choice(self._passes_to), Pass(operation, what))
            case Result(operation, outcome, value):
                client, _, place = operation.rpartition("/")
                ctx.send(client, Reply(int(place), outcome, value))
            case _:
                super().on_message(ctx, sender, message)

    def _decisions(self) -> dict[str, Any]:
        return {**super()._decisions(), "passed": Saved(self._passed)}


class StorageNode(CoordinatingNode):
    """Holds a part of the data, and carries out operations for whoever asks it to.

    Having promised to commit a transaction, it holds the locks until it hears the decision. If it doesn't, it asks,
    again and again: it must not decide alone.

    Under a global index it has the entries of its records written, again and again until they are, and says only then
    that a record is written.
    """

    def __init__(
        self, node_id: str, peers: Sequence[str], owners: ConsistentHashRing, index: str, patience: float
    ) -> None:
        super().__init__(node_id, peers, owners, index, patience)
        self._owners = owners
        self._shard = Shard(node_id, owners, index)

    @property
    def values(self) -> dict[int | str, Any]:
        """The records of this node."""
        return self._shard.values

    @property
    def in_doubt(self) -> list[str]:
        """Transactions it has promised to commit and knows no more of."""
        return list(self._shard.promises)

    @property
    def locked(self) -> list[int | str]:
        """Keys that nobody may write at the moment."""
        return sorted(self._shard.locked(), key=str)

    def on_start(self, ctx: Context) -> None:
        """Take up what survived a crash: ask what became of promises, and have the entries made that may be missing."""
        super().on_start(ctx)
        if ctx.stored is not None:
            self._shard.restore(ctx.stored["shard"])
            for operation in self._shard.promises:
                ctx.set_timer(f"doubt {operation}", self._patience)
            for version in dict.fromkeys(version for version, _ in self._shard.due.values()):
                self._make_entries(ctx, version)
            self._show(ctx)

    def on_message(self, ctx: Context, sender: str, message: Any) -> None:
        """Do what is asked of this node's part of the data."""
        match message:
            case Ask():
                self._tell(ctx, sender, self._answer(ctx, sender, message))
            case Decided(operation, commit):
                self._shard.decide(sender, operation, commit=commit)
                self._settled(ctx, operation)
            case _:
                super().on_message(ctx, sender, message)

    def on_timer(self, ctx: Context, name: str) -> None:
        """Ask the coordinator what became of a promise."""
        if not name.startswith("doubt "):
            super().on_timer(ctx, name)
            return
        operation = name.removeprefix("doubt ")
        coordinator = self._shard.promises[operation]["coordinator"]
        if coordinator != self.node_id:
            ctx.send(coordinator, Outcome(operation))
        else:
            commit = self._outcome(operation)
            if commit is not None:
                self._shard.decide(coordinator, operation, commit=commit)
                self._settled(ctx, operation)
                return
        ctx.set_timer(name, self._patience)

    def _answer(self, ctx: Context, sender: str, ask: Ask) -> Answer | None:
        """Return the answer, or None if it must wait until the entries of a record are where they belong."""
        answer = self._shard.answer(sender, ask)
        if ask.do not in ("get", "find", "look up"):
            self._save(ctx)
        if ask.do == "prepare" and answer.ok:
            ctx.set_timer(f"doubt {ask.operation}", 2 * self._patience)
            self._show(ctx)
        elif ask.do in ("commit", "abort"):
            self._settled(ctx, ask.operation)
        elif ask.do == "put" and self._shard.due_with(answer.version):
            self._make_entries(ctx, answer.version, sender, answer)
            return None
        return answer

    def _make_entries(self, ctx: Context, version: int, asker: str = "", then: Answer | None = None) -> None:
        operation = f"entries of {self.node_id}, {version}"
        work = _Work(self._entries(operation, version), then=then)
        request = self._pending.open(asker, version, operation, work)
        if request is not None:  # else they are on their way already, and whoever asked first will be told
            self._go_on(ctx, request, None)

    def _entries(self, operation: str, version: int) -> Steps:
        """Have the new entry of a record made, then the old one taken away; whoever doesn't answer is asked again."""
        for step, (entry, has) in enumerate(self._shard.due_with(version), start=1):
            value, key = entry
            node = self._owners.owner(value)
            ask = Ask(operation, step, "index" if has else "unindex", value, key, version=version)
            answers: Answers = {}
            while node not in answers:
                answers = yield [(node, ask)]
            self._shard.entry_made(entry, version)
        return "ok", None

    def _end(self, ctx: Context, request: PendingRequest, outcome: str, value: Any) -> None:
        if not request.key.startswith("entries of "):
            super()._end(ctx, request, outcome, value)
            return
        self._save(ctx)
        self._pending.close(ctx, request)
        self._tell(ctx, request.client, request.state.then)

    def _settled(self, ctx: Context, operation: str) -> None:
        if operation not in self._shard.promises:
            ctx.cancel_timer(f"doubt {operation}")
        self._save(ctx)
        self._show(ctx)

    def _show(self, ctx: Context) -> None:
        if self._shard.promises:
            ctx.record("status", status="in doubt", label=f"locked: {', '.join(map(str, self.locked))}")
        else:
            ctx.record("status", status="up", label="")

    def _save(self, ctx: Context) -> None:
        ctx.save({**self._decisions(), "shard": self._shard.to_save()})


def partitioned_node(
    node_id: str,
    peers: Sequence[str],
    *,
    storage: Sequence[str],
    way: str = "client",
    index: str = "local",
    virtual_nodes: int = 64,
    patience: float = 1.0,
    known: Sequence[str] | None = None,
) -> Node:
    """Make one machine of a partitioned store; give it to a scenario with `functools.partial`.

    Args:
        node_id: "app", "proxy" or one of `storage`.
        peers: those it is linked with.
        storage: names of the nodes that hold the data.
        way: how requests are routed: "client", "proxy" or "any".
        index: the secondary index over the values: "local" or "global".
        virtual_nodes: points of each node on the ring.
        patience: seconds to wait for answers, before a step goes on without them.
        known: what the application believes `storage` to be, if it is out of date: some of them.

    Raises:
        LookupError: if `node_id` is none of these, or `known` names a node that isn't in `storage`.
        ValueError: for an unknown way or index.
    """
    points = whole("virtual_nodes", virtual_nodes, at_least=1, at_most=MOST_POINTS)
    owners = _ring(checked_names(storage), points)
    kind, seconds = one_of("index", index, INDEXES), real("patience", patience, above=0.0)
    passes_to = {"client": (), "proxy": (PROXY,), "any": owners.nodes}[one_of("way", way, WAYS)]
    believed = owners if known is None else _ring(checked_names(known), points)
    for node in believed.nodes:
        if node not in owners.nodes:
            raise LookupError(f"known names {node!r}, but the storage nodes are {', '.join(owners.nodes)}")
    if checked_name(node_id) == APPLICATION:
        return Application(node_id, peers, believed, kind, seconds, passes_to=passes_to)
    if node_id == PROXY:
        return Proxy(node_id, peers, owners, kind, seconds)
    if node_id not in owners.nodes:
        raise LookupError(
            f"{node_id!r} is neither {APPLICATION!r}, {PROXY!r} nor a storage node: {owners.nodes}"
        )
    return StorageNode(node_id, peers, owners, kind, seconds)


def store_network(
    storage: Sequence[str],
    latency: LatencyModel | float = Constant(0.001),  # noqa: B008 - frozen
    service_time: LatencyModel | float | None = None,
) -> Network:
    """Return a network that links application, proxy and all storage nodes with each other.

    Args:
        storage: names of the nodes that hold the data.
        latency: of every link, one way.
        service_time: how long a storage node works on a message, one after the other; no time if None.
    """
    import networkx as nx

    graph: nx.Graph[str] = nx.Graph()
    names = Fleet.of(storage).nodes
    for place, name in enumerate(names):
        attributes = {} if service_time is None else {"service_time": service_time}
        graph.add_node(name, pos=(float(place), 0.0), **attributes)
    middle = (len(names) - 1) / 2
    graph.add_node(PROXY, pos=(middle + 0.5, -1.0))
    graph.add_node(APPLICATION, pos=(middle - 0.5, -1.0))
    graph.graph["complete"] = True  # everybody is linked with everybody; no need to list it
    return Network(graph, latency=latency)


@lru_cache(maxsize=64)
def _ring(storage: tuple[str, ...], virtual_nodes: int) -> ConsistentHashRing:
    """Return the ring that all machines agree on; nobody changes it, so they may share it."""
    return ConsistentHashRing(storage, virtual_nodes)
