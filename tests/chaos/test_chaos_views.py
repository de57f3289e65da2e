"""Pictures of the game day: what they tell, and what the lab does when its dials are turned."""

import pytest

from dscourse.chaos import NAIVE, Design, GameDay
from dscourse.exercises.game_day import CAREFUL, ONE_MACHINE
from dscourse.views.chaos import draw_compared, draw_day, lab_game_day, shop_lanes
from dscourse.views.picture import Picture


@pytest.fixture(scope="module")
def dark():
    day = GameDay(1, 3, rehearsal=["power failure"])
    designs = {"naive": NAIVE, "careful": CAREFUL, "one machine": ONE_MACHINE}
    return {name: day.play(design) for name, design in designs.items()}


def test_a_day_is_drawn_with_its_trouble(dark):
    picture = draw_day(dark["naive"])
    assert isinstance(picture, Picture)
    assert picture.caption == "The orders of a day, second by second"
    assert "sold twice" in picture.alt
    assert "Trouble: 15 to" in picture.alt or "Trouble: 16 to" in picture.alt
    assert "Trouble: none" in draw_day(GameDay(1, 1, rehearsal=[]).play(CAREFUL)).alt


def test_a_bar_is_as_high_as_the_orders_of_its_second(dark):
    axes = draw_day(dark["careful"]).figure.axes[0]
    drawn = sum(patch.get_height() for patch in axes.patches)
    assert drawn == len(dark["careful"].orders)


def test_designs_are_compared_each_with_its_numbers(dark):
    picture = draw_compared(dark)
    assert len(picture.figure.axes) == 3
    for name, result in dark.items():
        assert f"{name}: {result.taken} of {len(result.orders)} taken" in picture.alt
    assert picture.caption == "3 designs on the same day"


def test_lanes_show_full_as_full(dark):
    run = dark["naive"].run
    served, *busy = (lane.drawn(run) for lane in shop_lanes())
    assert served["most"] > 3
    assert [lane["most"] for lane in busy] == [100.0, 100.0]


def test_the_lab_plays_what_its_dials_say_and_tells_only_when_asked():
    lab = lab_game_day(level=1, seed=4)
    assert lab.design == NAIVE
    assert lab.result.score == GameDay(1, 4).play(NAIVE).score
    assert lab.name_button.disabled
    assert "GitHub" not in lab._words.value
    for name, value in CAREFUL.choices().items():
        lab.dials[name].value = value
    assert len(lab.results) == 1, "a dial plays nothing by itself"
    assert "The dials say" in lab._picture.alt
    assert "at most 15.5 of 20: not played yet" in lab._picture.alt
    lab.play_button.click()
    assert lab.design == CAREFUL
    assert "not played yet" not in lab._picture.alt
    assert lab.result.score > lab.results[0].score
    assert f"had {lab.results[0].score} points" in lab._words.value
    lab.guesses[0].value = "sites apart"
    lab.name_button.click()
    assert lab.naming.right == 1
    assert "GitHub" in lab._told.value


def test_the_lab_can_be_begun_with_another_design_and_two_incidents():
    lab = lab_game_day(level=2, seed=1, design=Design(store="one machine", servers=3))
    assert len(lab.guesses) == 2
    assert lab.dials["store"].value == "one machine"
    lab.name()
    assert lab.naming is None, "nothing was named"


def test_what_is_stored_of_the_lab_is_a_picture():
    bundle, _ = lab_game_day(1, 4)._repr_mimebundle_()
    assert bundle["image/png"]
    assert bundle["text/plain"].startswith("The orders of a day")
