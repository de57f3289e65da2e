"""Pictures of notebook 01: they draw where they are told, say what they show, and stand every setting of a control."""

import itertools
import math

import numpy as np
import pytest
from matplotlib.text import Text

from dscourse import datasets
from dscourse.scaling import System, find_capacity, fit_usl, mmc
from dscourse.views import Picture, new_axes, scaling as views


@pytest.fixture(scope="module")
def raytracer():
    frame = datasets.load("scaling/raytracer")
    return frame.processors.tolist(), frame.throughput.tolist()


def statement(measure):
    return find_capacity(measure, workload="reads", objective=0.1, highest=1000)


PICTURES = {
    "latency_tails": (lambda ax: views.draw_latency_tails({"a": np.full(50, 0.02)}, ax=ax), ["a 20 ms"]),
    "capacity found": (
        lambda ax: views.draw_capacity_evidence(statement(lambda load: [0.001 * load]), ax=ax),
        ["scales to", "under reads"],
    ),
    "capacity always": (
        lambda ax: views.draw_capacity_evidence(statement(lambda load: [0.01]), ax=ax),
        ["at least 1 000"],
    ),
    "capacity never": (
        lambda ax: views.draw_capacity_evidence(statement(lambda load: [9.0]), ax=ax),
        ["does not meet"],
    ),
}


@pytest.mark.parametrize("name", PICTURES)
def test_a_picture_draws_where_it_is_told_and_says_what_it_shows(name):
    make, words = PICTURES[name]
    ax = new_axes()
    picture = make(ax)
    assert isinstance(picture, Picture)
    assert picture.figure is ax.figure
    for word in words:
        assert word in picture.alt
    assert make(None).alt == picture.alt


def test_a_fit_is_drawn_with_and_without_measurements_it_has_not_seen(raytracer):
    processors, throughput = raytracer
    fit = fit_usl(processors[:6], throughput[:6])
    told = views.draw_fitted_law(fit, (processors[6:], throughput[6:])).alt
    assert "peak 203.5 at 24.5" in told
    assert "At 64 the law says 146.7; measured: 310" in told
    assert "no peak" in views.draw_fitted_law(fit_usl(processors, throughput)).alt


@pytest.mark.parametrize("make", [views.explore_bottlenecks, views.explore_waiting, views.explore_usl])
def test_no_corner_of_the_controls_breaks_an_explorer(make):
    explorer = make()
    for (
        control
    ) in explorer.controls.values():  # one after the other to its ends, where it stays: it redraws by itself
        choices = [value for _, value in getattr(control, "options", [])] or [control.min, control.max]
        before = explorer.picture.alt
        for end in {choices[0], choices[-1]} - {control.value}:
            control.value = end
            assert explorer.picture.problem == ""
        assert explorer.picture.alt != before, f"{control.description} does nothing"


def turned(explorer, **values):
    for name, value in values.items():
        explorer.controls[name].value = value
    assert explorer.picture.problem == ""
    return explorer.picture.alt


def test_a_turned_knob_is_named_and_what_falls_behind_is_marked():
    told = turned(views.explore_bottlenecks(), pause_probability=0.05)
    assert "Turned: pauses." in told  # as on the slider
    assert [part for part in told.split(";") if "(behind)" in part] == [" 99th percentile, ms 287.7 (behind)"]
    assert "(behind)" not in turned(views.explore_bottlenecks(), workers=32)


def test_a_slider_and_the_caption_call_a_knob_the_same_and_say_its_value_as_people_write_it():
    explorer = views.explore_bottlenecks()
    for control in explorer.controls.values():
        control.index = (control.index + 1) % len(control.options)
        assert f"Turned: {control.description}." in explorer.picture.alt
        control.index = (control.index - 1) % len(control.options)
    assert explorer.controls["connections"].label == "5 000"
    assert explorer.controls["refill_rate"].label == "1 000 MB/s"
    assert [name for name, _ in explorer.controls["lock_seconds"].options][1] == "0.05 ms"


def test_the_first_control_settings_are_a_healthy_system():
    explorer = views.explore_bottlenecks()
    healthy = System()
    assert {name: getattr(healthy, name) for name in explorer.controls} == explorer.values()


def test_the_law_is_drawn_with_its_peak_wherever_that_is():
    explorer = views.explore_usl()
    for contention, coherency, words in (
        (0.1, 0.0, "no peak"),
        (0.01, 0.0001, "at 99"),
        (0.0, 0.0001, "at 100"),
        (0.03, 0.0005, "at 44"),
    ):
        assert words in turned(explorer, contention=contention, coherency=coherency)
    explorer.controls["coherency"].step = 1e-5
    assert "beyond 128" in turned(explorer, contention=0.01, coherency=1e-5)


@pytest.mark.parametrize(
    ("contention", "coherency"), [(0.2, 0.0005), (0.1, 0.004), (0.0, 0.004), (0.2, 0.004), (0.03, 0.0005)]
)
def test_the_peak_is_named_inside_the_axes(contention, coherency):
    explorer = views.explore_usl()
    turned(explorer, contention=contention, coherency=coherency)
    ax = explorer.figure.axes[0]
    words = next(text for text in ax.texts if "peak" in text.get_text()).get_window_extent()
    assert ax.bbox.y0 + 2 < words.y0 < words.y1 < ax.bbox.y1
    assert ax.bbox.x0 <= words.x0


@pytest.mark.parametrize("busy", [5, 45, 80, 97])
def test_what_the_hockey_stick_says_lies_on_no_curve_and_is_not_cut(busy):
    explorer = views.explore_waiting()
    turned(explorer, busy=busy)
    figure, ax = explorer.figure, explorer.figure.axes[0]
    words = next(text for text in ax.findobj(Text) if "busy" in text.get_text()).get_window_extent()
    assert ax.get_title("left").startswith(f"{busy} % busy")
    assert words.y0 >= ax.bbox.y1
    assert 0 <= words.x0 < words.x1 <= figure.bbox.x1
    assert words.y1 <= figure.bbox.y1


@pytest.mark.parametrize("servers", [1, 2, 16])
def test_every_simulated_point_of_the_hockey_stick_is_seen_and_lies_on_its_curve(servers):
    explorer = views.explore_waiting()
    turned(explorer, servers=servers)
    ax = explorer.figure.axes[0]
    means, tails = (next(line for line in ax.lines if line.get_marker() == mark) for mark in "os")
    for busy, mean, tail in zip(means.get_xdata(), means.get_ydata(), tails.get_ydata(), strict=True):
        formula = mmc(busy / 100 * servers, 1.0, servers)
        assert mean == pytest.approx(formula.sojourn_time, rel=0.02)
        assert tail == pytest.approx(formula.sojourn_quantile(0.99), rel=0.06)
        assert tail < ax.get_ylim()[1]


def test_the_hockey_stick_tells_what_the_formula_says():
    assert (
        "mean is 5.0 service times, the 99th percentile 23.0, and 80 % have to wait"
        in views.explore_waiting().picture.alt
    )


def test_panels_keep_points_outside_their_limits_at_the_edge():
    panel = views._Panel(0.1, 0.1, (1.0, 100.0))
    for value, edge in itertools.product((1e-9, 0.5), (0.1,)):
        assert math.isclose(panel.at((1,), (value,))[1][0], edge)
    assert math.isclose(panel.at((1,), (1e9,))[1][0], 0.1 + panel.height)
