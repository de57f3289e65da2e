"""Single points of failure found by crashing, held against what the graph alone says."""

import networkx as nx
import pytest
from hypothesis import given, settings, strategies as st

from dscourse.exercises import faults_and_redundancy as exercises
from dscourse.fault_tolerance import reach_scenario, single_points_by_crashing, still_served
from dscourse.simulation import check_determinism


def by_the_book(graph, front, copies):
    """Nodes without which no copy can be reached from the front end, by search in the graph."""
    found = []
    for node in set(graph) - {front}:
        rest = graph.subgraph(set(graph) - {node})
        if not nx.node_connected_component(rest, front) & (set(copies) - {node}):
            found.append(node)
    return sorted(found)


def test_the_notebooks_network():
    points = single_points_by_crashing(exercises.network, "f", ["e"])
    assert sorted(points) == ["c", "d", "e"] == by_the_book(exercises.network, "f", ["e"])
    assert set(nx.articulation_points(exercises.network)) == {"b", "c", "d"}


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10_000), st.integers(4, 7))
def test_crashing_finds_what_a_search_in_the_graph_finds(seed, count):
    graph = nx.relabel_nodes(nx.gnp_random_graph(count, 0.45, seed=seed), lambda one: f"n{one}")
    copies = [f"n{count - 1}", f"n{count - 2}"][: 1 + seed % 2]
    if still_served(reach_scenario(graph, "n0", copies).run(8.0)):
        assert sorted(single_points_by_crashing(graph, "n0", copies)) == by_the_book(graph, "n0", copies)


def test_without_faults_the_client_is_served_from_wherever_a_copy_is():
    assert still_served(reach_scenario(nx.path_graph("fab"), "f", ["b"]).run(8.0))
    assert still_served(reach_scenario(nx.path_graph("fab"), "f", ["f"]).run(8.0))
    check_determinism(reach_scenario(exercises.network, "f", ["e"]), 4.0)


def test_a_client_that_nobody_can_serve_is_told_nothing():
    island = nx.Graph([("f", "a"), ("b", "c")])
    run = reach_scenario(island, "f", ["b"]).run(8.0)
    assert {op.outcome for op in run.history()} == {"unknown"}
    assert not still_served(run)


@pytest.mark.parametrize("copies", [["d"], ["c", "d"]])
def test_a_second_copy_behind_the_same_bridge_changes_nothing_but_the_end(copies):
    points = single_points_by_crashing(nx.path_graph("fabcd"), "f", copies)
    assert points == ("a", "b", "c", "d")[: 4 if len(copies) == 1 else 3]
