"""Pictures of notebook 11: they show what the models say, also at the ends of every control."""

import numpy as np
import pytest

from dscourse.exercises import resilience as exercises
from dscourse.resilience import (
    ablation,
    defense_in_depth,
    dynamodb_scenario,
    incident_scenario,
    overload_run,
    run_incident,
)
from dscourse.resilience.incidents.metastable_map import MAP_DESIGNS
from dscourse.views import resilience as views
from dscourse.views.incident_room import STEP, lab_incident_room


@pytest.fixture(scope="module")
def room():
    return lab_incident_room("retry storm", "timeout", load=25.0)


def test_the_room_says_what_the_run_says_and_tells_nothing_of_what_is_to_come(room):
    assert "all is calm" in room.picture.alt
    room.controls["moment"].value = round(20 / STEP)
    assert "the database stands still" in room.picture.alt
    assert "retry" in room.picture.alt
    goodput = next(line for line in room.figure.axes[1].lines if line.get_label() == "answered within 2 s")
    assert goodput.get_xdata().tolist() == list(range(21))
    from dscourse.resilience import Design

    outage = run_incident("retry storm", Design(timeout=True), load=25.0, seconds=42.0)
    assert goodput.get_ydata().tolist() == outage.goodput[:21].tolist()


def test_every_control_of_the_room_moves_and_breakers_are_seen(room):
    room.controls["breaker"].value = True
    room.controls["moment"].value = round(13 / STEP)
    assert room.picture.problem == ""
    assert "breakers open: none" not in room.picture.alt
    for name in ("moment", "load"):
        for end in ("min", "max"):
            control = room.controls[name]
            control.value = getattr(control, end)
            assert room.picture.problem == "", (name, end)
    room.controls["load"].value = 10
    room.controls["incident"].value = "dead zone"
    room.controls["moment"].value = round(12 / STEP)
    assert "crashed" in room.figure.axes[0].texts[1].get_text()


def test_the_map_has_a_point_that_is_a_run_of_its_own():
    figure = views.explore_metastable_map()
    assert "25 requests a second and a trigger of 1 s, serves again by itself" in figure.picture.alt
    figure.controls["trigger"].value = 4.0
    assert figure.picture.alt.endswith("stays down.")
    figure.controls["retry_budget"].value = True
    assert figure.picture.alt.endswith("serves again by itself.")
    for name in MAP_DESIGNS:
        figure.controls["map_of"].value = name
        assert figure.picture.problem == ""
    assert "with a retry budget: of 64 combinations of load and trigger 0 stay down" in figure.picture.alt


def test_a_timeout_is_told_with_the_share_that_it_cuts_off():
    figure = views.explore_timeout(np.arange(1, 101) / 1e3)
    assert figure.picture.alt.endswith("50 ms cuts off 50.00 %.")
    for value in (10, 600):
        figure.controls["timeout"].value = value
        assert figure.picture.problem == ""
    assert figure.picture.alt.endswith("cuts off 0.00 %.")


def test_tables_are_drawn_with_their_numbers():
    table = defense_in_depth(("poison request",), ("application",))
    assert f"poison request {100 * table.iloc[0, 0]:.0f} %" in views.draw_defense(table).alt
    drawn = views.draw_ablation(ablation("poison request", ("validation",), seeds=2, load=20.0))
    assert "validation alone +" in drawn.alt


def test_lanes_tell_what_the_runs_are():
    storm = overload_run(20.0, 5.0, capacity=30.0, settled=10.0).run
    goodput, attempts, queue = views.overload_lanes()
    assert max(count for _, count in attempts.points(storm, None)) > 25
    assert max(count for _, count in queue.points(storm, None)) > 80
    assert goodput.points(storm, None)[0][1] is not None
    out, waiting = views.dynamodb_lanes()
    run = dynamodb_scenario(pause=False).run(60.0)
    assert out.points(run, None)[-1][1] >= 10
    assert max(count for _, count in waiting.points(run, None)) > 10


def test_a_run_of_the_services_can_be_played_and_its_losses_are_in_the_player():
    from dscourse.views import play

    run = incident_scenario("poison request", load=8.0).run(14.0)
    player = play(run)
    assert player.run is run
    lost = run.trace.select(kind="record", name="lost")
    assert {"poison", "crashed"} <= {event.detail["reason"] for event in lost} | {"crashed"}
    assert all("reason" in event.text or event.detail["reason"] in event.text for event in lost)


def test_the_exercises_runs_are_what_they_say():
    calm = exercises.calm_day()
    assert calm.goodput_share == 1
    assert exercises.try_design("no retry")[0].amplification < 1
