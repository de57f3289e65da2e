"""Colours that can be told apart, on text that can be read."""

import itertools

import numpy as np
import pytest
from matplotlib.colors import to_rgb

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


# G. M. Machado, M. M. Oliveira, L. A. F. Fernandes, A Physiologically-based Model for Simulation of Color Vision
# Deficiency, IEEE TVCG 15(6), 2009: matrices of full severity, for linear RGB.
DEFICIENCIES = {
    "none": np.eye(3),
    "protanopia": np.array(
        [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]
    ),
    "deuteranopia": np.array(
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]
    ),
    "tritanopia": np.array(
        [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]]
    ),
}
TO_XYZ = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])  # sRGB, D65
WHITE = TO_XYZ.sum(axis=1)


def as_lab(colour, deficiency):
    """Return a colour as somebody with a deficiency sees it, in CIE Lab."""
    encoded = np.array(to_rgb(colour))
    linear = np.where(encoded <= 0.04045, encoded / 12.92, ((encoded + 0.055) / 1.055) ** 2.4)
    seen = np.clip(DEFICIENCIES[deficiency] @ linear, 0, 1)
    x, y, z = np.cbrt(TO_XYZ @ seen / WHITE)
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


@pytest.mark.parametrize("deficiency", DEFICIENCIES)
def test_neighbours_in_the_series_are_told_apart_with_every_kind_of_colour_blindness(deficiency):
    seen = [as_lab(colour, deficiency) for colour in palette.SERIES]
    apart = [float(np.linalg.norm(one - other)) for one, other in itertools.pairwise(seen)]
    assert min(apart) > 20, apart  # about 2.3 is the least difference that is noticed


@pytest.mark.parametrize("deficiency", DEFICIENCIES)
def test_states_of_one_shape_are_told_apart_with_every_kind_of_colour_blindness(deficiency):
    for one, other in itertools.combinations(palette.STATES.values(), 2):
        if one.shape == other.shape and one.colour != other.colour:
            apart = np.linalg.norm(as_lab(one.colour, deficiency) - as_lab(other.colour, deficiency))
            assert apart > 15, (one.label, other.label)  # beside the label, which says it anyway
