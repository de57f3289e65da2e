"""Incidents with a public account, replayed with the same nodes: what is modelled of each stands at its function."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from itertools import combinations
from typing import TYPE_CHECKING, Any

from dscourse.consensus.fencing import FencedStorage
from dscourse.consensus.leases import lock_cluster
from dscourse.consensus.raft.cluster import raft_cluster, raft_machine
from dscourse.consensus.raft.store import KeyValueNode
from dscourse.consensus.shop import ShopNode
from dscourse.simulation.node import Context, Node

if TYPE_CHECKING:
    from dscourse.simulation import Scenario


def half_broken_switch(*, deaf: bool = False, seed: int = 0, **settings: Any) -> Scenario:
    """A switch that fails in part: one of three members and the leader lose each other, the third reaches both.

    Cloudflare, "A Byzantine failure in the real world" (2020-11-27): on 2 November 2020 etcd elected again and again,
    and could not be written to. Modelled: the cut, from 2 s on, between the leader and the follower n0; a client that
    writes by way of a gateway which all members reach.

    Args:
        deaf: n0 is heard by both others, and hears neither.
        seed: of the run.
        settings: of the members, such as ``pre_vote=True``.
    """
    from dscourse.simulation import ClosedLoop, CutLink

    client = ClosedLoop(tuple(("put", "x", number) for number in range(200)), 0.05, "g0", 1.0)
    cuts = [CutLink("n0", "n2", at=2.0)]
    if deaf:
        cuts = [CutLink(other, "n0", at=2.0, one_way=True) for other in ("n1", "n2")]
    return raft_cluster(
        3,
        1,
        node=FirstLeads,
        clients=[client],
        faults=cuts,
        seed=seed,
        first="n2",
        **settings,
    )


class FirstLeads(KeyValueNode):
    """A member of a cluster in which ``first`` stands for election as soon as it boots for the first time.

    Those in ``patient`` wait half as long again as others before they stand.
    """

    def __init__(
        self,
        node_id: str,
        peers: Sequence[str],
        *,
        first: str = "n0",
        patient: Sequence[str] = (),
        **settings: Any,
    ) -> None:
        super().__init__(node_id, peers, **settings)
        self._is_patient = node_id in patient
        self._is_first = node_id == first

    def on_start(self, ctx: Context) -> None:
        """Stand at once, if it is the first and this is its first life."""
        is_new = ctx.stored is None
        super().on_start(ctx)
        self._heard = {}
        if self._is_first and is_new:
            self.stand_for_election(ctx)

    def reset_election_timer(self, ctx: Context) -> None:
        """Wait, the patient longer."""
        super().reset_election_timer(ctx)
        if self._is_patient:
            ctx.set_timer("election", 1.5 * self._election_timeout[1])


class ChecksByTimer(FirstLeads):
    """A leader that looks every five seconds whether a majority still answers, and believes in its lease meanwhile.

    As a Raft library did until its lease was checked at each read (sofa-jraft, pull request 34, 2019).
    """

    _looked = -3.0

    def has_lease(self, ctx: Context) -> bool:
        """Whoever leads has a lease, it thinks."""
        return True

    def hears_majority(self, ctx: Context) -> bool:
        """Looked at every five seconds."""
        if ctx.now - self._looked < 5.0:
            return True
        self._looked = ctx.now
        return super().hears_majority(ctx)


def lease_by_timer(node: type[FirstLeads] = ChecksByTimer) -> Scenario:
    """Two leaders for two seconds, one of them reading under a lease that is over.

    The schedule of sofa-jraft's pull request 34, one second later: the election timeout is 10 s; n2 is cut off at
    0.1 s, n0 from both others at 8 s; n2 asks in vain at 10 s, since n1 has just heard of n0, and is elected at 20 s.
    A client on n0's side reads, one on the other side writes.

    Args:
        node: the class of the members; `FirstLeads` is right.
    """
    from dscourse.simulation import ClosedLoop, Network, Partition, Scenario, topology

    members = ("n0", "n1", "n2")
    settings: dict[str, Any] = {
        "election_timeout": (10.0, 10.0),
        "heartbeat_interval": 0.5,
        "reads": "lease",
        "patient": ("n1",),
    }
    factory = partial(raft_machine, members=members, node=node, pre_vote=True, check_quorum=True, **settings)
    reads = ClosedLoop((("get", "x"),) * 60, 0.5, "n0", 0.4)
    writes = ClosedLoop(tuple(("put", "x", number) for number in range(60)), 0.5, "n2", 0.4)
    early = Partition([["n0", "n1"], ["n2"]], 0.1, until=8.0)
    late = Partition([["n0"], ["n1", "n2"]], 8.0)
    network = Network(topology.full_mesh(3), latency=0.01)
    return Scenario(factory, network, clients=[reads, writes], faults=[early, late])


def late_plan(storage: Callable[[dict[str, Any]], Any] = FencedStorage) -> Scenario:
    """A plan that is carried out late, over a newer one.

    Amazon Web Services, summary of the DynamoDB disruption of 19 and 20 October 2025: one of several workers that apply
    DNS plans was held up, and then put an old plan in the place of a newer one; that it was the newest had been
    checked long before. Modelled: two workers with a lease, of which the first is held up between its check and its
    write. What came after, the clean-up that deleted the plan in use, is `late_clean_up`.

    Args:
        storage: what decides about a write: `Storage` believes everybody.
    """
    from dscourse.simulation import Pause

    return lock_cluster(storage=storage, faults=[Pause("h0", 1.3, until=6.0)])


def two_coasts(*, quorum: bool, seed: int = 0) -> Scenario:
    """Two coasts that don't hear each other for 43 seconds.

    GitHub, "October 21 post-incident analysis" (2018-10-30): the primaries stood on the East Coast and were copied
    asynchronously; the network between the coasts was cut for 43 s; West Coast and cloud elected, promoted copies on
    the West Coast, and writes of the last seconds in the East were on no other disk. Modelled: five machines, two in
    the East (e0, e1), two in the West (w0, w1), one elsewhere (z0); 30 ms one way between the
    coasts; one customer on each coast. MySQL and its copies are not; the shop stands for them.

    Args:
        quorum: whether these are members of one Raft cluster; else it is the shop, each of whose machines follows the
            first that it hears of.
        seed: of the run.
    """
    import networkx as nx

    from dscourse.simulation import ClosedLoop, Network, Partition, Scenario

    sites = {
        "e0": (0.0, 0.6),
        "e1": (0.0, -0.6),
        "w0": (3.0, 0.6),
        "w1": (3.0, -0.6),
        "z0": (1.5, 1.6),
    }
    if quorum:
        sites |= {"eg": (-1.0, 0.0), "wg": (4.0, 0.0)}
    graph: nx.Graph[str] = nx.Graph()
    for name, position in sites.items():
        graph.add_node(name, pos=position)
    names = list(sites)
    for place, a in enumerate(names):
        for b in names[place + 1 :]:
            graph.add_edge(a, b, latency=0.0005 if a[0] == b[0] else 0.03)
    node: Callable[..., Node] = partial(ShopNode, stock=400)
    if quorum:
        node = partial(
            raft_machine, members=tuple(names[:5]), node=FirstLeads, first="e0", election_timeout=(1.0, 2.0),
            heartbeat_interval=0.2, attempts=3,
        )  # fmt: skip
    customers = [
        ClosedLoop(
            tuple(("put", f"{coast} {number}", number) for number in range(400)),
            0.2,
            f"{coast[0]}g" if quorum else (f"{coast[0]}0", f"{coast[0]}1"),
            1.0,
        )
        for coast in ("east", "west")
    ]
    west = [name for name in names if not name.startswith("e")]
    cut = Partition([[name for name in names if name not in west], west], 10.0, until=53.0)
    return Scenario(node, Network(graph), clients=customers, faults=[cut], seed=seed)


def promoted_in_the_west(mode: str = "async", *, acknowledgements: int = 1, seed: int = 0) -> Scenario:
    """The same two coasts with what GitHub had: databases with one primary, and somebody who replaces it.

    GitHub, "October 21 post-incident analysis" (2018-10-30). Modelled: e0 leads and is copied to e1 beside it, and to
    w0, w1 and w2 in the West; Orchestrator's majority, in the West and in the cloud, is one operator that the East
    can't hear for 43 s, and that promotes although writes may be lost; an application on each coast. GitHub kept what
    the East had written, and reconciled it by hand; a replaced leader here throws away what nobody else has.

    Args:
        mode: of `SingleLeaderReplica`: what the leader waits for before a write is done.
        acknowledgements: how many followers it waits for if that is "semi-sync".
        seed: of the run.
    """
    import networkx as nx

    from dscourse.replication.single_leader.cluster import OPERATOR, store_node
    from dscourse.simulation import ClosedLoop, Network, Partition, Scenario

    sites = {
        "e0": (0.0, 0.7), "e1": (0.0, -0.7), "eg": (-1.2, 0.0), "w0": (3.0, 0.9), "w1": (3.6, 0.0), "w2": (3.0, -0.9),
        "wg": (4.8, 0.0), OPERATOR: (1.5, 1.6),
    }  # fmt: skip
    graph: nx.Graph[str] = nx.Graph()
    for name, position in sites.items():
        graph.add_node(name, pos=position)
    for a, b in combinations(sites, 2):
        graph.add_edge(a, b, latency=0.0005 if a[0] == b[0] else 0.03)
    node = partial(
        store_node, replicas=("e0", "e1", "w0", "w1", "w2"), mode=mode, acknowledgements=acknowledgements,
        accept_loss=True, attempts=3,
    )  # fmt: skip
    users = [
        ClosedLoop(tuple(("put", f"{gate} {number}", number) for number in range(400)), 0.2, gate, 1.0)
        for gate in ("eg", "wg")
    ]
    east = Partition([["e0", "e1", "eg"]], 10.0, until=53.0)
    return Scenario(node, Network(graph), clients=users, faults=[east], seed=seed)
