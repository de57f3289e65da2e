"""The pictures of notebook 08 tell in words what they show, with numbers that are those of the run."""

import math

import numpy as np
import pytest

from dscourse.detection import (
    HeartbeatDetector,
    PingDetector,
    SwimMember,
    TradeOff,
    drawn_delays,
    phi_history,
    preset,
    replay_heartbeat,
    seattle_delays,
    service_report,
    try_preset,
    worker_service,
)
from dscourse.detection.silences import Answerer, silence
from dscourse.readable import readable_number
from dscourse.simulation import Crash, Pause, topology
from dscourse.views.axes import new_axes
from dscourse.views.detection import (
    WATCHES,
    draw_phi,
    draw_presets,
    draw_silences,
    explore_patience,
    explore_timeout,
    explore_watchers,
    mistakes_at,
    rumour_lanes,
)


def curve(times, rates, name="timeout from arrival"):
    count = len(times)
    hours = np.array(rates) / 3600
    return TradeOff(
        name, "timeout", np.arange(count) + 1.0, np.array(times), hours, np.ones(count), np.ones(count)
    )


def test_silences_that_look_alike_are_told_alike():
    picture = draw_silences({cause: silence(cause) for cause in ("crashed", "overloaded")})
    assert "after 20 seconds" in picture.alt
    assert (
        "crashed: 11 answers, 9 pings without one; overloaded: 11 answers, 9 pings without one" in picture.alt
    )
    assert picture.png().startswith(b"\x89PNG")


def test_lanes_count_who_has_heard_and_who_is_convinced(simulate):
    run = simulate(SwimMember, 8, 40.0, faults=[Pause("n7", at=5.0, until=8.0), Crash("n3", at=15.0)])
    heard, convinced = (lane.points(run, None) for lane in rumour_lanes("n3"))
    assert [points[-1][1] for points in (heard, convinced)] == [7, 7]
    assert heard[1][0] < convinced[1][0]
    asleep, wronged = (lane.points(run, None) for lane in rumour_lanes("n7"))
    assert max(count for _, count in asleep) > 0 == asleep[-1][1]
    assert wronged == [(0.0, 0.0)]


def one_monitor(node_id, peers):
    return PingDetector(node_id, peers) if node_id == "n0" else Answerer(node_id, peers)


@pytest.mark.parametrize(
    ("who_watches", "factory", "graph"),
    [
        ("one monitor", one_monitor, topology.star),
        ("a ring", HeartbeatDetector, topology.ring),
        ("everybody", HeartbeatDetector, topology.full_mesh),
        ("SWIM", SwimMember, topology.full_mesh),
    ],
)
def test_messages_are_counted_as_a_run_counts_them(simulate, who_watches, factory, graph):
    run = simulate(factory, 8, 100.0, graph=graph(8))
    each, most, total = WATCHES[who_watches](8)
    sent = [len(run.trace.select(kind="send", node=node)) / run.until for node in run.nodes]
    assert sum(sent) == pytest.approx(total, rel=0.02)
    assert max(sent) == pytest.approx(most, rel=0.05)
    assert sent[3] == pytest.approx(each, rel=0.05)


def test_every_way_to_watch_can_be_chosen():
    figure = explore_watchers()
    for who_watches in WATCHES:
        figure.controls["who_watches"].value = who_watches
        for members in (3, 8, 1000):
            figure.controls["members"].value = members
            total = readable_number(WATCHES[who_watches](members)[2])
            assert (
                f"{members} members, watched by {who_watches}. messages a second: {total};"
                in figure.picture.alt
            )
            assert figure.picture.problem == ""


def test_the_price_of_patience_is_that_of_the_run():
    runs = {
        timeout: worker_service(timeout, Pause("w2", at=5.0, until=8.0)).run(20.0) for timeout in (2.0, 4.0)
    }
    figure = explore_patience(runs)
    for timeout, run in runs.items():
        figure.controls["timeout"].value = timeout
        report = service_report(run)
        assert f"Timeout {timeout:g} s: {report.failed} requests fail" in figure.picture.alt
        assert f"given up {report.given_up} times, {report.wrongly} of them wrongly" in figure.picture.alt
    assert figure.picture.problem == ""


def test_phi_counts_how_often_it_passes_the_threshold():
    alt = draw_phi(phi_history(seattle_delays(), 12, (480.0, 510.0))).alt
    assert "30 heartbeats" in alt
    assert "φ for normal gaps passes 8 once, φ for exponential gaps never" in alt


def test_mistakes_are_read_between_two_settings_on_a_logarithmic_scale():
    known = curve([1.0, 2.0, 3.0], [100.0, 1.0, 0.0])
    assert mistakes_at(known, 1.0) == pytest.approx(100.0)
    assert mistakes_at(known, 1.5) == pytest.approx(10.0)
    assert mistakes_at(known, 2.7) == 0.0
    assert math.isnan(mistakes_at(known, 0.5))
    assert math.isnan(mistakes_at(known, 3.5))
    shuffled = curve([3.0, 1.0, 2.0], [0.0, 100.0, 1.0])
    assert mistakes_at(shuffled, 1.5) == pytest.approx(10.0)


def test_the_slider_tells_what_its_timeout_costs():
    recording = drawn_delays(0.1, 0.05, links=4, messages=300)
    curves = [replay_heartbeat(recording, np.arange(0.6, 7.0, 0.1))]
    explorer = explore_timeout(
        {"drawn": curves, "measured": [replay_heartbeat(seattle_delays(), np.arange(0.6, 7, 0.1))]}
    )
    assert "as quick as a timeout of 2 s (drawn). It notices a crash after 1.6 s" in explorer.picture.alt
    explorer.controls["timeout"].value = 4.0
    assert "as quick as a timeout of 4 s (drawn). It notices a crash after 3.6 s" in explorer.picture.alt
    explorer.controls["delays"].value = "measured"
    assert "as quick as a timeout of 4 s (measured). It" in explorer.picture.alt
    assert explorer.picture.problem == ""


def test_presets_are_told_with_their_pauses():
    trials = [try_preset(preset(name), nodes=3) for name in ("etcd", "mongodb")]
    alt = draw_presets(trials).alt
    assert "etcd: 1.0 s, forgives none of these pauses; MongoDB replica set: 9.3 s, forgives 5 s" in alt


def test_pictures_can_be_drawn_on_given_axes():
    axes = new_axes()
    assert draw_silences({"A": silence("paused")}, ax=axes).figure is axes.figure
