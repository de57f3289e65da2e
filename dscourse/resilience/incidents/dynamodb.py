"""DynamoDB, 20 September 2015: a network trouble of a few minutes, and an overload that stayed for hours.

A storage server must know which partitions are its own (its membership), and asks a metadata service for that after a
network disruption. If it gets no answer in time, it takes itself out of service and asks again. Answers had grown with
the use of global secondary indexes, until the servers of one disruption, all asking at once, couldn't be answered
within the time that each of them waited. What is known: the disruption began at 2:19 a.m. PDT; from 2:37 on the error
rate stood at about 55 %; capacity could be added only when requests to the metadata service were paused, at 5:06; at
7:10 all was normal (Amazon Web Services, "Summary of the Amazon DynamoDB Service Disruption and Related Impacts in the
US-East Region", 2015, aws.amazon.com/message/5467D2). How many servers there were, how long an answer took and how long
they waited, isn't; these numbers are ours.

One second of a run stands for a minute, and second 0 for 2:15 a.m.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from dscourse.arguments import real, truth
from dscourse.resilience.incidents.graph import Answer, Ask
from dscourse.resilience.policies.retries import exponential_backoff
from dscourse.simulation import (
    Context,
    Crash,
    Network,
    Node,
    OpenLoop,
    Partition,
    Reply,
    Request,
    Run,
    Scenario,
    Slow,
)

METADATA = "metadata"
SERVERS, HIT = 20, 13  # storage servers; those that the disruption hits
DISRUPTION, BACK = 4.0, 6.0  # 2:19, 2:21
PAUSE, CAPACITY_ADDED = 171.0, 201.0  # 5:06, and half an hour later: ours
END = 300.0  # 7:15
PATIENCE = 0.5  # minutes for which a server waits for its membership
SMALL = 0.025  # minutes that an answer takes while it is small
GROWN = 8.0  # times as long
CONFIRM_EVERY = 30.0  # minutes between two questions of a server that has its membership
_MORE_CAPACITY = 8.0  # times


class StorageServer(Node):
    """Serves its partitions as long as it knows which they are.

    Args:
        node_id: its name.
        peers: the metadata service.
        is_hit: whether the disruption makes it ask for its membership.
        backoff: whether it waits longer after each question without an answer, up to a quarter of an hour.
    """

    def __init__(self, node_id: str, peers: Sequence[str], *, is_hit: bool, backoff: bool = False) -> None:
        super().__init__(node_id, peers)
        self.has_membership = True
        self._is_hit, self._backoff = is_hit, backoff
        self._asked = self._tries = 0

    def on_start(self, ctx: Context) -> None:
        """Confirm the membership now and then; and when the network is back."""
        ctx.set_timer("confirm", CONFIRM_EVERY * (0.2 + 0.8 * ctx.rng.random()))
        if self._is_hit:
            ctx.set_timer("network is back", BACK)
        self._show(ctx)

    def on_message(self, ctx: Context, sender: str, message: object) -> None:
        """Serve a client, or learn the membership."""
        if isinstance(message, Request):
            outcome = "ok" if self.has_membership else "fail"
            ctx.send(sender, Reply(message.number, outcome, None if self.has_membership else "no membership"))
        elif isinstance(message, Answer) and message.number == self._asked:
            ctx.cancel_timer("no answer")
            self._tries = 0
            self.has_membership = True
            self._show(ctx)

    def on_timer(self, ctx: Context, name: str) -> None:
        """Ask, or give up waiting for an answer."""
        if name == "confirm":
            ctx.set_timer("confirm", CONFIRM_EVERY)
            if self._tries == 0:
                self._ask(ctx)
        elif name == "network is back":
            self.has_membership = False
            self._show(ctx)
            self._ask(ctx)
        elif name == "no answer" and self.has_membership:
            self._tries = 0  # it keeps the membership that it knows, and asks again in half an hour
        elif name == "no answer" and self._backoff:
            wait = exponential_backoff(self._tries, base=1.0, cap=15.0, jitter="full", rng=ctx.rng)
            ctx.set_timer("again", wait)
        else:
            self._ask(ctx)

    def _ask(self, ctx: Context) -> None:
        self._asked += 1
        self._tries += 1
        ctx.send(METADATA, Ask(self._asked, self._asked, "membership", 0))
        ctx.set_timer("no answer", PATIENCE)

    def _show(self, ctx: Context) -> None:
        status, label = ("up", "serves") if self.has_membership else ("off", "out of service")
        ctx.record("status", status=status, label=label)


class MetadataService(Node):
    """Tells each server its membership, after its turn in the simulator's queue."""

    def on_message(self, ctx: Context, sender: str, message: object) -> None:
        """Answer, whether or not somebody still waits."""
        if isinstance(message, Ask):
            ctx.send(sender, Answer(message.number, ok=True))


def dynamodb_scenario(
    growth: float = GROWN, *, pause: bool = True, backoff: bool = False, seed: int = 0
) -> Scenario:
    """Return the outage as a scenario, to be run for `END` seconds, each of which stands for a minute.

    Args:
        growth: how many times as long as once an answer of the metadata service takes.
        pause: whether requests to it are paused at 5:06, and capacity is added meanwhile.
        backoff: whether storage servers wait longer and longer before they ask again.
        seed: of the scenario.
    """
    import networkx as nx

    from dscourse.simulation import topology

    times = real("growth", growth, above=0.0)
    mended = truth("pause", pause)
    servers = [f"s{number}" for number in range(SERVERS)]
    graph: nx.Graph[str] = nx.Graph()
    graph.add_node(METADATA, pos=(0.0, 0.0), service_time=SMALL)
    places = topology.ring(SERVERS)
    for number, server in enumerate(servers):
        graph.add_node(server, pos=places.nodes[f"n{number}"]["pos"])
        graph.add_edge(METADATA, server)
    hit = servers[:HIT]
    others = [node for node in graph if node not in hit]
    faults = [
        Slow(times, at=0.0, until=CAPACITY_ADDED if mended else None, node=METADATA),
        Partition((tuple(hit), tuple(others)), at=DISRUPTION, until=BACK),
    ]
    if mended:
        faults.append(Crash(METADATA, at=PAUSE, restart_at=CAPACITY_ADDED))  # with it goes what waited there
        faults.append(Slow(1.0 / _MORE_CAPACITY * times, at=CAPACITY_ADDED, node=METADATA))
    client = OpenLoop(("get",), 10.0, to=tuple(servers), timeout=1.0, repeat=True, arrivals="regular")
    factory = partial(_storage_or_metadata, hit=tuple(hit), backoff=truth("backoff", backoff))
    return Scenario(factory, Network(graph, latency=0.001), clients=[client], faults=faults, seed=seed)


def _storage_or_metadata(node_id: str, peers: Sequence[str], *, hit: tuple[str, ...], backoff: bool) -> Node:
    if node_id == METADATA:
        return MetadataService(node_id, peers)
    return StorageServer(node_id, peers, is_hit=node_id in hit, backoff=backoff)


@dataclass(frozen=True)
class DynamoDBReport:
    """What became of the requests of a run of `dynamodb_scenario`.

    Attributes:
        error_rate: share of the requests that failed from 2:37 to 5:06.
        minutes: from the end of the disruption until the last request failed; inf: they still fail at the end.
        questions: how often the metadata service was asked, a minute, from 2:37 to 5:06.
    """

    error_rate: float
    minutes: float
    questions: float


def dynamodb_report(run: Run) -> DynamoDBReport:
    """Read from a run of `dynamodb_scenario` what it came to."""
    window = (22.0, PAUSE)
    done = [one for one in run.history() if one.invoked < run.until - 2.0]
    stable = [one.outcome != "ok" for one in done if window[0] <= one.invoked < window[1]]
    failed = [one.invoked for one in done if one.outcome != "ok"]
    last = max(failed, default=BACK)
    still = last > run.until - 10.0
    asked = len(run.trace.select(kind="send", peer=METADATA, between=window))
    return DynamoDBReport(
        sum(stable) / len(stable),
        float("inf") if still else max(0.0, last - BACK),
        asked / (window[1] - window[0]),
    )
