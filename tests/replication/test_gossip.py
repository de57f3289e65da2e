"""What a broadcast costs, how long it takes, and what it stands."""

import math
from functools import partial

import networkx as nx
import pytest

from dscourse.replication import Broadcaster, Told, broadcast_quality
from dscourse.simulation import topology


def grid():
    graph = nx.grid_2d_graph(5, 5)
    return nx.relabel_nodes(graph, {place: f"n{5 * place[0] + place[1]}" for place in graph})


def test_a_star_passes_the_public_challenge_and_falls_apart_without_its_hub():
    found = broadcast_quality(partial(Broadcaster, interval=0.1), topology.star(25))
    assert found.messages_per_operation < 20
    assert found.median_latency < 0.5
    assert found.longest_latency < 0.6 + 0.1
    assert found.heals
    assert not found.survives_hub
    assert "falls apart without its hub" in repr(found)


def test_a_grid_costs_more_takes_longer_and_survives():
    star = broadcast_quality(partial(Broadcaster, interval=0.1), topology.star(25))
    found = broadcast_quality(partial(Broadcaster, interval=0.1), grid())
    assert (found.heals, found.survives_hub) == (True, True)
    assert found.messages_per_operation > star.messages_per_operation
    assert found.median_latency > star.median_latency


class TellsOnce(Broadcaster):
    def on_timer(self, ctx, name):
        super().on_timer(ctx, name)
        self.owed = {peer: [] for peer in self.peers}


def test_who_tells_once_does_not_heal():
    found = broadcast_quality(TellsOnce, topology.star(5), rate=20.0)
    assert math.isfinite(found.longest_latency)
    assert not found.heals


def test_messages_are_counted_between_nodes_alone():
    """Two nodes, one value at a time: each is told once, and confirmed once; half of the operations are reads."""
    found = broadcast_quality(
        partial(Broadcaster, interval=0.3), topology.full_mesh(2), rate=2.0, latency=0.01
    )
    assert found.messages_per_operation == pytest.approx(1.0)
    assert found.longest_latency < 0.3 + 0.01 + 0.1 + 0.01


def test_news_is_a_message():
    assert Told((1, 2)) == Told((1, 2), heard=False)
