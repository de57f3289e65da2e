"""Pictures of notebook 07: they show what the models say, also at the ends of every slider."""

import re

import pytest

from dscourse import datasets
from dscourse.fault_tolerance import (
    Standby,
    down_together,
    nines,
    oral_messages,
    product_rule,
    read_scenario,
    replicated_service,
    system_availability,
)
from dscourse.simulation import Crash
from dscourse.views import fault_tolerance as views


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
    for name, value in {"generals": 4, "order": "retreat", "messages": "signed"}.items():
        explorer = views.explore_generals()
        before = explorer.picture.alt
        explorer.controls[name].value = value
        assert explorer.picture.problem == ""
        assert explorer.picture.alt != before, name


def test_the_learner_chooses_traitors_and_lies():
    explorer = views.explore_generals()
    lies = explorer.controls["lies"]
    assert "traitors: 1" in explorer.picture.alt
    assert "IC2 broken" in explorer.picture.alt
    lies.toggle(1, 2)  # now he tells the truth
    assert lies.value == ((1,), ((1, 2),))
    assert "Both conditions hold" in explorer.picture.alt
    lies.toggle(1)
    lies.toggle(0)
    lies.toggle(0, 1)
    assert lies.value == ((0,), ((0, 1),))
    decided = oral_messages(3, {0}, "attack", lies={((0,), 1): "attack", ((0,), 2): "retreat"}).decided
    assert all(f"eneral {one} decides {said}" in explorer.picture.alt for one, said in decided.items())
    letters = [text.get_text() for text in explorer.figure.axes[0].texts if text.get_text() in ("A", "R")]
    assert sorted(letters) == ["A", "A", "R", "R"]  # two orders, and what each lieutenant says he heard


@pytest.mark.parametrize("generals", range(1, 8))
@pytest.mark.parametrize("messages", ["oral", "signed"])
def test_one_to_seven_generals_and_two_traitors_are_drawn(generals, messages):
    explorer = views.explore_generals()
    explorer.controls["messages"].value = messages
    explorer.controls["lies"].toggle(2)
    explorer.controls["lies"].toggle(2, 4)
    explorer.controls["generals"].value = generals
    assert explorer.picture.problem == ""
    assert explorer.picture.alt.startswith(f"{generals} general")
    if generals == 7 or (messages == "signed" and generals > 1):
        assert "Both conditions hold" in explorer.picture.alt
    shown = [row for row in explorer.controls["lies"].children if row.layout.display != "none"]
    assert len(shown) == generals
    assert explorer.controls["lies"].value[0] == tuple(one for one in (1, 2) if one < generals)


def test_reads_are_shown_with_their_fates():
    forgets = read_scenario(2, attempts=2, on_disk=False)
    runs = {"calm": forgets.run(6.0), "back": forgets.with_faults(Crash("r1", 1.0, restart_at=2.0)).run(6.0)}
    explorer = views.explore_reads(runs, "what r1 does")
    assert explorer.picture.alt == "40 reads, calm: 40 right, at most 0.02 s."
    explorer.controls["which"].value = "back"
    assert explorer.picture.alt == "40 reads, back: 16 right, at most 0.12 s; 24 wrong, at most 0.02 s."
    right, wrong = (dict(lane.points(runs["back"], None)) for lane in views.read_lanes())
    assert (right[1.5], wrong[1.5], right[3.0], wrong[3.0]) == (8.0, 0.0, 0.0, 8.0)


def test_every_slider_of_the_standbys_moves_what_it_should():
    explorer = views.explore_standby()
    assert "warm: back after 2.6 s, 15 acknowledged requests lost" in explorer.picture.alt
    for name, value, words in (
        ("copy_interval", 10.0, "warm: back after 2.6 s, 40 acknowledged"),
        ("timeout", 4.0, "warm: back after 4.6 s"),
        ("boot_time", 1.0, "cold: back after 4.6 s"),
    ):
        explorer.controls[name].value = value
        assert explorer.picture.problem == ""
        assert words in explorer.picture.alt
    fates = [
        kind for _, _, kind in views._stretches(Standby("warm", takeover_time=0.5).measure(crash_at=12.0))
    ]
    assert fates == ["answered", "answered, then lost", "not answered", "answered"]


def test_single_points_of_failure_are_marked_by_more_than_colour():
    builder = views.explore_availability()
    labels = [text.get_text() for text in builder.figure.axes[0].texts]
    assert [label for label in labels if "(!)" in label] == ["rack\nA\n(!)"]
    builder.controls["racks"].value = 0
    assert builder.picture.alt.endswith("Single points of failure: none.")


def test_nodes_down_at_once_tell_their_numbers(lanl):
    together = views.draw_down_together(down_together(lanl, 2)).alt
    assert re.search(r"recorded 0\.35 %, independent 2\.0e-06, 1 7\d\d times less", together)


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
