"""Colours that can be told apart, on text that can be read."""

import pytest

from dscourse.views import palette


def test_text_on_every_state_can_be_read():
    for look in palette.STATES.values():
        assert palette.contrast(look.colour, look.text) >= 4.5, look  # WCAG 2.2, success criterion 1.4.3


def test_no_two_states_look_alike():
    looks = [(look.colour, look.shape) for name, look in palette.STATES.items() if name != "follower"]
    assert len(set(looks)) == len(looks)


def test_there_is_a_marker_and_a_dash_for_every_series():
    assert len(palette.SERIES) == len(palette.MARKERS) == len(palette.DASHES) == len(set(palette.SERIES))


def test_an_invented_status_keeps_its_look_and_shows_its_name():
    assert palette.look("draining") == palette.look("draining")
    assert palette.look("draining").label == "draining"
    assert palette.look("leader").shape == "*"


@pytest.mark.parametrize(
    ("first", "second", "ratio"), [("#000000", "#FFFFFF", 21.0), ("#777777", "#777777", 1.0)]
)
def test_contrast_of_known_pairs(first, second, ratio):
    assert palette.contrast(first, second) == pytest.approx(ratio)
