"""A picture drawn in a hurry stands in the layout of the last one; at rest it gets its own."""

import io

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from PIL import Image

from dscourse.views import new_figure
from dscourse.views.kept_layout import KeptLayout
from dscourse.views.live_canvas import LiveCanvas


def curve(highest, *, title="", rows=1, label="load"):
    figure = new_figure()
    for axes in np.atleast_1d(figure.subplots(rows)):
        axes.plot([0, 1, 2], [0, highest / 2, highest])
        axes.set_xlabel(label)
        axes.set_title(title)
    return figure


def boxes(figure):
    return np.array([axes.get_position(original=True).extents for axes in figure.axes]) * ([672, 345.6] * 2)


def size(png):
    return Image.open(io.BytesIO(png)).size


def test_without_wider_labels_haste_changes_not_a_byte():
    canvas = LiveCanvas()
    canvas.png(curve(9))
    assert canvas.hurried_png(curve(8.5)) == LiveCanvas().png(curve(8.5))


def test_wider_labels_get_their_room_once_there_is_time():
    canvas, figure = LiveCanvas(), curve(1_000_000)
    canvas.png(curve(10))
    in_a_hurry = canvas.hurried_png(figure)
    fresh = curve(1_000_000)
    proper = LiveCanvas().png(fresh)
    assert in_a_hurry != proper
    assert size(in_a_hurry) == size(proper) == (672, 345)
    assert canvas.laid_out_anew(figure) is not None
    np.testing.assert_allclose(boxes(figure), boxes(fresh), atol=0.5)


def test_where_nobody_would_see_a_difference_nothing_is_drawn_again():
    canvas, figure = LiveCanvas(), curve(9)
    canvas.png(curve(8.5))
    canvas.hurried_png(figure)
    assert canvas.laid_out_anew(figure) is None


@pytest.mark.parametrize("before", [curve(9), new_figure()], ids=["after a curve", "after nothing"])
def test_a_figure_without_axes_has_nothing_to_lay_out(before):
    canvas, empty = LiveCanvas(), new_figure()
    empty.text(0.5, 0.5, "nothing yet")
    canvas.png(before)
    assert canvas.hurried_png(empty) == LiveCanvas().png(empty)
    assert canvas.laid_out_anew(empty) is None


def with_its_own_title(highest):
    figure = curve(highest)
    figure.suptitle("over all")
    return figure


def placed_by_hand(highest):
    figure = curve(highest)
    figure.axes[0].set_position((0.3, 0.3, 0.01 * highest, 0.5))
    return figure


def without_layout(highest):
    figure = curve(highest)
    figure.set_layout_engine(None)
    figure.subplots_adjust(left=0.01 * highest)
    return figure


def with_a_colour_bar(highest):
    figure = new_figure()
    axes = figure.subplots()
    figure.colorbar(axes.imshow([[0, highest]]))
    return figure


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (curve(10), curve(10, title="a title")),
        (curve(10), curve(10, label="two\nlines")),
        (curve(10), curve(10, label="")),
        (curve(10), curve(10, rows=2)),
        (curve(10), new_figure()),
        (new_figure(), curve(10)),
        (with_its_own_title(10), with_its_own_title(1_000_000)),
        (placed_by_hand(20), placed_by_hand(60)),
        (without_layout(20), without_layout(60)),
        (with_a_colour_bar(2), with_a_colour_bar(2_000_000)),
    ],
    ids=lambda figure: "",
)
def test_another_plan_is_laid_out_at_once(before, after):
    canvas = LiveCanvas()
    canvas.png(before)
    in_a_hurry = canvas.hurried_png(after)
    at_once = boxes(after) if after.axes else None
    assert in_a_hurry == LiveCanvas().png(after)
    if at_once is not None:
        np.testing.assert_allclose(boxes(after), at_once, atol=0.5)


def test_a_figure_keeps_its_layout_engine():
    canvas, figure = LiveCanvas(), curve(10)
    engine = figure.get_layout_engine()
    canvas.png(curve(10))
    canvas.hurried_png(figure)
    assert KeptLayout(figure).fits(curve(3))
    assert figure.get_layout_engine() is engine


def test_a_figure_that_lets_the_page_shine_through_still_does():
    figure = curve(10)
    figure.set_facecolor("none")
    assert Image.open(io.BytesIO(LiveCanvas().png(figure))).mode == "RGBA"
    assert Image.open(io.BytesIO(LiveCanvas().png(curve(10)))).mode == "RGB"


@settings(max_examples=15, deadline=None)
@given(
    st.lists(
        st.tuples(st.floats(0.001, 1e9), st.sampled_from(["", "title"]), st.integers(1, 2)),
        min_size=1,
        max_size=4,
    )
)
def test_after_any_row_of_hurried_pictures_the_last_one_stands_as_if_drawn_alone(pictures):
    canvas = LiveCanvas()
    canvas.png(curve(10))
    for highest, title, rows in pictures:
        last = curve(highest, title=title, rows=rows)
        canvas.hurried_png(last)
    canvas.laid_out_anew(last)
    alone = curve(highest, title=title, rows=rows)
    LiveCanvas().png(alone)
    np.testing.assert_allclose(boxes(last), boxes(alone), atol=1)
