"""The usual clusters: who is linked to whom, where they are drawn, how far apart regions are."""

import networkx as nx
import pytest

from dscourse import datasets
from dscourse.simulation import Constant, Network, Node, Request, Scenario, Uniform, topology

ALL = {
    "full_mesh": topology.full_mesh(5),
    "complete": topology.full_mesh(150),
    "ring": topology.ring(5),
    "star": topology.star(5),
    "tree": topology.tree(2, 3),
    "two_data_centers": topology.two_data_centers(3),
    "regions": topology.regions(),
    "regions of three": topology.regions(["London", "Tokyo"], 3),
}


@pytest.mark.parametrize("name", ALL)
def test_ids_count_from_n0_and_every_node_has_a_place_of_its_own(name):
    graph = ALL[name]
    assert list(graph) == [f"n{i}" for i in range(len(graph))]
    places = [graph.nodes[node]["pos"] for node in graph]
    assert all(
        type(x) is float and type(y) is float and -1.2 <= x <= 1.2 and -1.2 <= y <= 1.2 for x, y in places
    )
    assert len(set(places)) == len(graph)


def test_shapes():
    assert nx.is_isomorphic(ALL["full_mesh"], nx.complete_graph(5))
    assert nx.is_isomorphic(ALL["ring"], nx.cycle_graph(5))
    assert nx.is_isomorphic(ALL["star"], nx.star_graph(4))
    assert nx.is_isomorphic(ALL["tree"], nx.balanced_tree(2, 3))
    assert sorted(ALL["tree"]["n1"]) == ["n0", "n3", "n4"]
    assert nx.is_isomorphic(ALL["two_data_centers"], nx.complete_graph(6))
    assert ALL["complete"].graph["complete"]
    assert ALL["complete"].number_of_edges() == 0
    assert "complete" not in ALL["full_mesh"].graph


def test_two_data_centers_are_near_inside_and_far_from_each_other():
    graph = topology.two_data_centers(2, within=0.001, between=Uniform(0.02, 0.03))
    assert [graph.nodes[node]["center"] for node in graph] == ["west", "west", "east", "east"]
    assert graph.edges["n0", "n1"]["latency"] == Constant(0.001)
    assert graph.edges["n1", "n2"]["latency"] == Uniform(0.02, 0.03)


def test_regions_are_as_far_apart_as_measured():
    graph = ALL["regions"]
    table = datasets.load("latency/region_rtt")
    assert len(table) == graph.number_of_edges() == 28
    where = {graph.nodes[node]["region"]: node for node in graph}
    for row in table.to_dict("records"):
        latency = graph.edges[where[row["from"]], where[row["to"]]]["latency"]
        assert (latency.low + latency.high) * 1000 == pytest.approx(
            row["rtt_ms"]
        )  # there and back: twice the mean


def test_a_message_between_regions_takes_half_of_the_measured_round_trip():
    class Sends(Node):
        def __init__(self, node_id, peers):
            self._first = node_id == "n0"

        def on_start(self, ctx):
            if self._first:
                ctx.send("n1", Request(0, "hello"))

    graph = topology.regions(["London", "Frankfurt"], jitter=0)
    run = Scenario(Sends, Network(graph)).run(1.0)
    assert run.trace.select(kind="deliver").times == [0.0065]


def test_regions_of_several_nodes_are_near_inside():
    graph = ALL["regions of three"]
    assert [graph.nodes[node]["region"] for node in graph] == ["London"] * 3 + ["Tokyo"] * 3
    assert graph.edges["n0", "n2"]["latency"] == Uniform(0.0002, 0.0008)
    assert graph.edges["n0", "n3"]["latency"].low > 0.05


@pytest.mark.parametrize(
    ("make", "kind", "words"),
    [
        (lambda: topology.full_mesh(0), ValueError, "n must be at least 1"),
        (lambda: topology.full_mesh(2.5), TypeError, "n must be a whole number"),
        (lambda: topology.ring(2), ValueError, "at least 3"),
        (lambda: topology.star(1), ValueError, "at least 2"),
        (lambda: topology.tree(0, 1), ValueError, "branching must be at least 1"),
        (lambda: topology.regions(["Atlantis"]), LookupError, "there is no region 'Atlantis'"),
        (lambda: topology.regions(["London", "London"]), ValueError, "different regions"),
        (lambda: topology.regions([]), ValueError, "at least one"),
        (lambda: topology.regions(jitter=1.0), ValueError, "jitter must be below 1"),
        (lambda: topology.regions(nodes_per_region=0), ValueError, "nodes_per_region must be at least 1"),
    ],
)
def test_what_makes_no_cluster_is_refused(make, kind, words):
    with pytest.raises(kind, match=words):
        make()
