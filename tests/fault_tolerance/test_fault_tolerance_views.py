"""Pictures of notebook 07: they show what the models say, also at the ends of every slider."""

import re

import pytest

from dscourse import datasets
from dscourse.fault_tolerance import (
    Standby,
    down_together,
    find_treason,
    nines,
    oral_messages,
    product_rule,
    replicated_service,
    system_availability,
)
from dscourse.views import fault_tolerance as views
from dscourse.views.axes import new_axes


@pytest.fixture(scope="module")
def lanl():
    return datasets.load("failures/lanl")


def test_the_builder_shows_the_model_at_the_ends_of_its_sliders():
    builder = views.explore_availability()
    for name, control in builder.controls.items():
        ends = (
            (control.min, control.max)
            if hasattr(control, "max")
            else (control.options[0], control.options[-1])
        )
        for value in ends:
            control.value = value
            assert builder.picture.problem == "", (name, value)
    # every control was left at its upper end
    structure = replicated_service(
        6,
        needed=6,
        availability=0.99999,
        racks=4,
        rack_availability=0.99999,
        power_availability=0.99999,
        front_availability=0.99999,
    )
    assert f"{nines(product_rule(structure)):.2f} nines" in builder.picture.alt
    assert f"it is {nines(system_availability(structure)):.2f} nines" in builder.picture.alt
    assert "load balancer" in builder.picture.alt


def test_the_builder_says_when_more_replicas_are_wanted_than_there_are():
    builder = views.explore_availability()
    builder.controls["replicas"].value = 2
    assert "k = " not in builder.picture.alt
    builder.controls["needed"].value = 5
    assert builder.picture.alt.startswith(
        "k = 5 is more than there are replicas: shown for k = 2. A service that"
    )
    assert "needs 2 of 2 replicas" in builder.picture.alt


def test_every_control_of_the_builder_changes_the_picture():
    changes = {"replicas": 5, "needed": 2, "replica": "99.9 %", "racks": 2, "rack": "99 %", "power": "99 %"}
    builder = views.explore_availability()
    for name, value in {**changes, "load_balancer": "99 %"}.items():
        before = builder.picture.png
        builder.controls[name].value = value
        assert builder.picture.png != before, name


def test_every_control_of_the_generals_changes_the_picture():
    for name, value in {
        "generals": 4,
        "traitor": "commander",
        "order": "retreat",
        "messages": "signed",
    }.items():
        explorer = views.explore_generals()
        before = explorer.picture.alt
        explorer.controls[name].value = value
        assert explorer.picture.problem == ""
        assert explorer.picture.alt != before, name
    explorer = views.explore_generals()
    seen = set()
    for seed in range(16):
        explorer.controls["lies"].value = seed
        seen.add(explorer.picture.alt)
    assert len(seen) == 2  # with three generals and a lying lieutenant the lie hurts or it doesn't


def test_generals_are_drawn_with_their_lies():
    broken = views.draw_generals(find_treason(3, 1).found)
    assert "IC2 broken" in broken.alt
    letters = [text.get_text() for text in broken.figure.axes[0].texts if text.get_text() in ("A", "R")]
    assert sorted(letters) == ["A", "A", "A", "R"]
    assert views.draw_generals(oral_messages(7, {1, 2}, "attack")).png().startswith(b"\x89PNG")


def test_single_points_of_failure_are_marked_by_more_than_colour():
    picture = views.draw_structure(replicated_service(3, racks=1))
    labels = [text.get_text() for text in picture.figure.axes[0].texts]
    assert [label for label in labels if "(!)" in label] == ["rack\nA\n(!)"]
    assert views.draw_structure(replicated_service(2), ax=new_axes()).alt.endswith(
        "Single points of failure: none."
    )


def test_recoveries_show_what_was_measured():
    result = Standby("warm", takeover_time=0.5).measure(crash_at=12.0)
    picture = views.draw_recoveries([result])
    assert (
        f"{result.lost_work} acknowledged requests lost, {result.failed_requests} not answered" in picture.alt
    )
    fates = [kind for _, _, kind in views._stretches(result)]
    assert fates == ["answered", "answered, then lost", "not answered", "answered"]


def test_pictures_of_the_record_tell_its_numbers(lanl):
    assert "Hardware 60.4 %" in views.draw_causes(lanl).alt
    assert "median 59 minutes, mean 352" in views.draw_repair_times(lanl).alt
    assert "shape 0.738" in views.draw_failure_gaps(lanl, 2).alt
    together = views.draw_down_together(down_together(lanl, 2)).alt
    assert re.search(r"recorded 0\.35 %, independent 2\.0e-06, 1 7\d\d times less", together)
    assert "Causes of 23 739 failures" in views.draw_causes(lanl).alt
    assert "Times to repair of 23 739 failures" in views.draw_repair_times(lanl).alt


def test_what_never_happens_is_not_said_to_happen_so_many_times_less_often(lanl):
    more_than_there_are = down_together(lanl, 2, counts=(1, 2, 50))
    picture = views.draw_down_together(more_than_there_are)
    assert picture.alt.endswith("At least 50: recorded 0.00 %, independent 0.0e+00.")
    assert not any("nan" in text.get_text() for text in picture.figure.axes[0].texts)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(5.6e-5, "56 µs"), (0.004, "4 ms"), (0.0, "0 seconds"), (0.5, "0.5 seconds"), (41.9, "41.9 seconds")],
)
def test_the_shortest_downtimes_are_told_in_units_that_people_use(seconds, words):
    assert views._duration(seconds) == words
