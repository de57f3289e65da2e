"""The pictures of notebook 08 tell in words what they show, with numbers that are those of the run."""

import math

import numpy as np
import pytest

from dscourse.detection import (
    SwimMember,
    TradeOff,
    drawn_delays,
    phi_history,
    preset,
    replay_heartbeat,
    seattle_delays,
    try_preset,
)
from dscourse.detection.silences import silence
from dscourse.simulation import Crash, Pause, Restart
from dscourse.views.axes import new_axes
from dscourse.views.detection import (
    draw_load,
    draw_phi,
    draw_presets,
    draw_rumour,
    draw_silences,
    draw_suspicions,
    draw_trade_off,
    explore_timeout,
    mistakes_at,
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


def test_suspicions_are_told_beside_the_truth(simulate):
    faults = [Pause("n7", at=10.0, until=13.0), Crash("n3", at=20.0), Restart("n3", at=55.0)]
    run = simulate(SwimMember, 12, 70.0, faults=faults)
    paused = draw_suspicions(run, "n7").alt
    assert "n7 is paused from 10 to 13 s" in paused
    assert "0 declared it faulty" in paused
    crashed = draw_suspicions(run, "n3", between=(15.0, 70.0)).alt
    assert "n3 is crashed from 20 to 55 s" in crashed
    assert "11 of 11 others suspected it" in crashed
    assert "11 declared it faulty" in crashed
    assert "n5 is up all the time. 0 of 11 others suspected it" in draw_suspicions(run, "n5").alt


def test_a_rumour_is_told_from_the_first_to_the_last(simulate):
    run = simulate(SwimMember, 12, 60.0, faults=[Crash("n3", at=10.0)])
    heard = run.trace.select(kind="record", peer="n3", name="suspect").times
    alt = draw_rumour(run, "n3").alt
    assert f"11 of 11 others suspect it: the first {min(heard) - 10:.1f} s after the crash" in alt
    assert f"the last after {max(heard) - 10:.1f} s" in alt
    assert "11 of 11 others have declared it faulty" in alt


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


def test_the_trade_off_is_told_at_two_seconds():
    curves = [curve([1.0, 3.0], [100.0, 1.0]), curve([2.5, 4.0], [5.0, 0.0], "SWIM")]
    assert "timeout from arrival: 10.0; SWIM: not at this speed" in draw_trade_off(curves).alt


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


def test_load_names_every_point():
    alt = draw_load({"all-to-all heartbeats": {10: 9.0, 100: 99.0}, "SWIM": {10: 2.0, 100: 2.0}}).alt
    assert "all-to-all heartbeats: 9 with 10 members, 99 with 100 members; SWIM: 2 with 10 members" in alt
    assert "SWIM: 1 234 with 1 000 members" in draw_load({"SWIM": {1000: 1234.4}}).alt


def test_presets_are_told_with_their_pauses():
    trials = [try_preset(preset(name), nodes=3) for name in ("etcd", "mongodb")]
    alt = draw_presets(trials).alt
    assert "etcd: 1.0 s, forgives none of these pauses; MongoDB replica set: 9.3 s, forgives 5 s" in alt


def test_pictures_can_be_drawn_on_given_axes(simulate):
    axes = new_axes()
    assert draw_load({"SWIM": {10: 2.0}}, ax=axes).figure is axes.figure
    run = simulate(SwimMember, 5, 30.0, faults=[Crash("n3", at=5.0)])
    assert draw_suspicions(run, "n3", ax=new_axes()).png()
