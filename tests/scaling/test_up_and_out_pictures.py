"""Pictures of notebook 02: they show what the models say, and tell it in words, too."""

import re

import numpy as np
import pytest

from dscourse.scaling import LOADS, Autoscaler, WebApplication, machines, scale_up_cost, simulate_autoscaling
from dscourse.views import new_axes, scaling_up_and_out as views


@pytest.mark.parametrize(("per", "most"), [("core", "0.0529"), ("GiB", "0.0132")])
def test_price_curves_have_a_line_for_each_family(per, most):
    picture = views.draw_price_curves(per)
    lines = [line for line in picture.figure.axes[0].lines if len(line.get_xdata())]
    families = {machine.family for machine in machines()}
    assert {line.get_label() for line in lines} == families
    assert f"m8i from {most} to {most}" in picture.alt
    assert picture.caption == f"Dollars an hour for each {per}, by the size of the machine"


def test_the_break_even_explorer_shows_both_prices_and_the_ceiling():
    figure = views.explore_break_even()
    up, out = figure.figure.axes[0].lines
    assert np.nanmax(np.where(np.isfinite(up.get_ydata()), up.get_xdata(), np.nan)) < 896
    assert up.get_ydata()[0] == pytest.approx(scale_up_cost(2, spare=1).price)
    assert np.isfinite(out.get_ydata()).all()
    assert (
        "several are cheaper from about 5 cores on; one machine can do 896 at the most" in figure.picture.alt
    )
    figure.controls["people"].value = 50.0
    figure.controls["contention"].value = 0.05
    figure._redraw()
    assert "one machine can do 20 at the most" in figure.picture.alt
    assert not figure.picture.problem


def test_each_step_of_the_growth_names_what_gave_out_then_what_was_changed_and_its_price():
    figure = views.explore_growth()
    step = figure.controls["step"]
    told = []
    for place in range(step.max + 1):
        step.value = place
        figure._redraw()
        told.append(figure.picture.alt)
        assert not figure.picture.problem
    steps = list(WebApplication().grow(10, 100_000, factor=10**0.5))
    assert len(told) == 1 + 2 * len(steps)
    for place, one in enumerate(steps):
        assert f"{one.gave_out}: would have to work" in told[1 + 2 * place]
        assert f"changed: {one.change}." in told[2 + 2 * place]
        price = f"{one.price_per_month:,.0f}".replace(",", " ")
        assert f"{price} dollars a month" in told[2 + 2 * place]
    assert "web servers: 167 × m8i.2xlarge" in told[-1]


def test_a_growth_may_begin_with_cheaper_requests():
    cheap = views.explore_growth(web=0.004)
    cheap.controls["step"].value = cheap.controls["step"].max
    cheap._redraw()
    assert "web servers: 84 × m8i.2xlarge" in cheap.picture.alt


def test_bills_add_up():
    before = WebApplication().sized_for(10_000)
    picture = views.draw_bills({"now": before})
    bars = picture.figure.axes[0].patches
    assert sum(bar.get_width() for bar in bars) == pytest.approx(before.price * 730)
    assert "now 7 388" in picture.alt


def test_a_fleet_over_time():
    result = simulate_autoscaling(Autoscaler(), LOADS["step"])
    picture = views.draw_autoscaling(LOADS["step"], {"ours": result})
    assert "ours: at most 38 machines, waiting for 213 s" in picture.alt
    assert [axes.get_ylabel() for axes in picture.figure.axes] == ["machines at work", "requests that wait"]
    ax = new_axes()
    views.draw_autoscaling(LOADS["step"], {"ours": result}, ax)
    assert len(ax.lines) == 2


def test_the_day_shows_as_many_machines_as_there_are_and_goes_on_when_it_is_played():
    figure = views.explore_autoscaling()
    play = figure.children[0].children[0]
    for tenths in (30, 120, 121, 200):
        play.value = tenths
        figure._redraw()
        hour = tenths / 10
        assert figure.controls["hour"].value == hour
        assert f"The fleet at {hour:.1f} h" in figure.picture.alt
        working, starting = map(int, re.findall(r"(\d+) machines work, (\d+) start", figure.picture.alt)[0])
        squares = [line for line in figure.figure.axes[0].lines if line.get_marker() == "s"]
        assert [len(line.get_xdata()) for line in squares] == [working, starting]
    figure.controls["aim"].value = 1.0
    figure._redraw()
    assert not figure.picture.problem
