"""The still pictures: they say in words what they show, and they show it."""

from dataclasses import dataclass

import numpy as np
import pytest
from matplotlib.figure import Figure

from dscourse.consensus import NaiveFailoverNode
from dscourse.simulation import Crash, Network, Node, Partition, Pause, Scenario, topology
from dscourse.views import Picture, cluster_map, new_axes, palette, space_time
from dscourse.views.cluster import run_picture
from dscourse.views.player.fault_intervals import bands

SPLIT = Partition([["n0", "n1"], ["n2", "n3", "n4"]], at=3.0, until=6.0)


@pytest.fixture(scope="module")
def split(calm):
    return calm.fork(3.0, SPLIT)


def lines_with(axes, marker):
    return [line for line in axes.lines if line.get_marker() == marker]


def test_the_map_tells_and_shows_two_leaders(split):
    axes = new_axes()
    picture = cluster_map(split, at=5.9, ax=axes)
    assert isinstance(picture, Picture)
    assert "n0 leader (I lead)" in picture.alt
    assert "n2 leader (I lead)" in picture.alt
    assert "In force: n0, n1 | n2, n3, n4" in picture.alt
    stars = [line for line in lines_with(axes, "*") if line.get_color() == palette.STATES["leader"].colour]
    assert len(stars) == 2
    [cuts] = lines_with(axes, "s")
    assert len(cuts.get_xdata()) == 6  # the six links between the sides are cut
    assert {"n0", "n1", "n2", "n3", "n4", "I lead", "follows n0", "follows n2"} <= {
        text.get_text() for text in axes.texts
    }


def test_the_map_shows_messages_on_their_way(calm):
    axes = new_axes()
    at = calm.trace.select(kind="send", between=(2.0, 3.0)).times[0] + 0.01
    picture = cluster_map(calm, at=at, ax=axes)
    count = len(calm.at(at).in_flight)
    assert f"{count} messages under way" in picture.alt
    [moving] = [line for line in lines_with(axes, "o") if line.get_markeredgecolor() == "white"]
    assert len(moving.get_xdata()) == count > 0


def test_the_map_shows_crash_and_pause_by_shape_and_word(calm):
    run = calm.fork(2.0, Crash("n1", at=2.0), Pause("n2", at=2.0))
    axes = new_axes()
    picture = cluster_map(run, at=3.0, ax=axes)
    assert "n1 crashed; n2 paused" in picture.alt
    assert len(lines_with(axes, "X")) == 1
    assert {"crashed", "paused"} <= {text.get_text() for text in axes.texts}


def test_the_diagram_counts_what_it_shows(split):
    axes = new_axes()
    picture = space_time(split, between=(2.5, 4.0), ax=axes)
    sends = [event for event in split.trace.select(kind="send") if event.time < 4.0]
    ends = {event.message_id: event for event in split.trace.select(kind=["deliver", "drop"])}
    shown = [ends.get(send.message_id) for send in sends]
    shown = [end for end in shown if end is None or end.time >= 2.5]
    dropped = sum(end is not None and end.kind == "drop" for end in shown)
    assert picture.alt.startswith(
        f"Space-time diagram of 5 nodes from 2.5 to 4 s: {len(shown)} messages, {dropped} of them dropped"
    )
    assert [tick.get_text() for tick in axes.get_yticklabels()] == ["n0", "n1", "n2", "n3", "n4"]
    arrows = [text for text in axes.texts if text.get_text() == "" and text.arrow_patch is not None]
    assert len(arrows) == len(shown) - dropped
    for arrow in arrows:  # nothing sticks out of the window
        assert 2.5 <= arrow.xyann[0] <= arrow.xy[0] <= 4.0


def test_the_diagram_shows_downtime(calm):
    run = calm.fork(1.0, Crash("n3", at=1.0, restart_at=2.0))
    picture = space_time(run, between=(0.5, 3.0))
    assert "Faults: n3 crashed" in picture.alt


def test_drawing_is_deterministic(split):
    assert cluster_map(split, at=4.5).png() == cluster_map(split, at=4.5).png()
    assert space_time(split, between=(3, 4)).png() == space_time(split, between=(3, 4)).png()


def test_every_run_can_be_drawn(run):
    last = run.until
    for at in (0, 0.9, last):
        assert cluster_map(run, at=at).alt
    assert space_time(run, between=(1.0, 2.0)).alt
    assert run_picture(run).alt


def test_axes_may_be_part_of_a_larger_figure(split):
    figure = Figure(figsize=(10, 4))
    left, right = figure.subplots(1, 2)
    cluster_map(split, at=2.9, ax=left)
    picture = cluster_map(split, at=5.9, ax=right)
    assert picture.figure is figure


@pytest.mark.parametrize(
    ("at", "error"),
    [(-0.1, ValueError), (8.1, ValueError), (float("nan"), ValueError), ("3", TypeError), (True, TypeError)],
)
def test_the_map_refuses_moments_outside_the_run(calm, at, error):
    with pytest.raises(error, match="at must"):
        cluster_map(calm, at=at)


@pytest.mark.parametrize(
    ("between", "error"),
    [((3.0, 3.0), ValueError), ((4.0, 3.0), ValueError), ((0, 9), ValueError), (3.0, TypeError), ((1, "2"), TypeError),
     ((np.nan, 2), ValueError)],
)  # fmt: skip
def test_the_diagram_refuses_intervals_that_make_no_sense(calm, between, error):
    with pytest.raises(error, match="between must"):
        space_time(calm, between=between)


def test_both_refuse_what_is_no_run():
    with pytest.raises(TypeError, match="run must be a Run"):
        cluster_map("run", at=1.0)
    with pytest.raises(TypeError, match="run must be a Run"):
        space_time(None, between=(0, 1))


def test_a_diagram_too_crowded_to_read_is_refused(calm, monkeypatch):
    monkeypatch.setattr("dscourse.views.cluster._LARGEST_DIAGRAM", 50)
    with pytest.raises(ValueError, match="too many to tell apart; choose a shorter interval"):
        space_time(calm, between=(0, 8))


def test_the_legend_of_a_diagram_names_what_it_shows():
    @dataclass(frozen=True)
    class Early:
        pass

    @dataclass(frozen=True)
    class Late:
        pass

    class Speaker(Node):
        def __init__(self, node_id, peers):
            self._peers = peers

        def on_start(self, ctx):
            ctx.set_timer("late", 2.0)
            for peer in self._peers:
                ctx.send(peer, Early())

        def on_timer(self, ctx, name):
            for peer in self._peers:
                ctx.send(peer, Late())

    run = Scenario(Speaker, Network(topology.full_mesh(3), latency=0.1)).run(4.0)

    def legend(between):
        axes = new_axes(6, 3)
        space_time(run, between=between, ax=axes)
        found = axes.get_legend()
        return [] if found is None else [text.get_text() for text in found.get_texts()]

    assert legend((0.0, 1.0)) == ["Early"]
    assert legend((1.9, 3.0)) == ["Late"]
    assert legend((0.0, 4.0)) == ["Early", "Late"]
    assert legend((1.0, 1.5)) == []


def test_a_partition_lists_its_nodes_in_natural_order():
    run = Scenario(
        NaiveFailoverNode,
        Network(topology.full_mesh(12)),
        faults=[Partition([["n11", "n3", "n10"], ["n2", "n1", "n0"]], at=1.0)],
    ).run(2.0)
    (band,) = bands(run)
    assert band.label == "n0, n1, n2 | n3, n10, n11"
    (event,) = run.trace.select(kind="fault")
    assert event.text == "1 s: the network is cut into n0, n1, n2 | n3, n10, n11"
