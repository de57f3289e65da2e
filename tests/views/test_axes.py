"""What pictures share: scales that are read as people write numbers, rows from top to bottom, fixed places."""

import numpy as np
import pytest

from dscourse.views.axes import (
    given_or_new,
    label_point,
    legend_above,
    logarithmic,
    named_rows,
    new_axes,
    new_figure,
    number_axis,
    panels,
    percent_axis,
    placed_axes,
    sample,
    tail_curves,
    wiped,
)


def labels(axis):
    axis.axes.figure.canvas.draw()
    return [label.get_text() for label in axis.get_ticklabels() if label.get_text()]


def test_axes_are_those_given_or_new_ones_of_the_size_asked_for():
    given = new_axes()
    assert given_or_new(given, 3.0, 2.0) is given
    assert panels(given, 1, 3.0, 2.0) == [given]
    assert tuple(given_or_new(None, 3.0, 2.0).figure.get_size_inches()) == (3.0, 2.0)
    first, second = panels(None, 2, 6.0, 2.0)
    first.set_xlim(0, 7)
    assert second.get_xlim() == (0, 7)
    assert second.get_ylim() != (0, 7)
    assert not first.spines["top"].get_visible()


def test_thousands_and_per_cents_are_written_as_people_write_them():
    axes = new_axes()
    axes.set(xlim=(0, 2000), xticks=[0.5, 1000, 1500], ylim=(0, 1), yticks=[0, 0.2, 1])
    number_axis(axes.xaxis)
    percent_axis(axes.yaxis)
    assert labels(axes.xaxis) == ["0.5", "1 000", "1 500"]
    assert labels(axes.yaxis) == ["0 %", "20 %", "100 %"]


@pytest.mark.parametrize("minor", [True, False])
def test_a_logarithmic_axis_names_its_powers_and_no_value_between(minor):
    axes = new_axes()
    axes.plot([1, 64], [10, 10_000])
    logarithmic(axes, x=2, minor=minor)
    assert {"1", "4", "16", "64"} <= set(labels(axes.xaxis))
    assert {"10", "100", "1 000", "10 000"} <= set(labels(axes.yaxis))
    assert not any(label.get_text() for label in axes.yaxis.get_minorticklabels())
    assert bool(len(axes.yaxis.get_minorticklocs())) is minor
    untouched = new_axes()
    logarithmic(untouched, x=None)
    assert (untouched.get_xscale(), untouched.get_yscale()) == ("linear", "log")


def test_rows_are_named_from_top_to_bottom():
    axes = new_axes()
    named_rows(axes, ["first", "second"], above=0.75, below=0.5)
    assert labels(axes.yaxis) == ["first", "second"]
    assert axes.get_ylim() == (1.5, -0.75)


def test_axes_at_a_fixed_place_stay_there_whatever_their_labels():
    figure = new_figure()
    axes = placed_axes(figure, 0.1, 0.2, 0.9, 0.8, size=(5.0, 2.0))
    axes.set_ylabel("a label of\nthree\nlines")
    figure.canvas.draw()
    np.testing.assert_allclose(axes.get_position().extents, (0.1, 0.2, 0.9, 0.8))
    assert tuple(figure.get_size_inches()) == (5.0, 2.0)


def test_wiped_axes_keep_what_stands_still():
    axes = new_axes()
    axes.set(xlim=(0, 5), xlabel="time", title="kept")
    axes.legend(handles=[sample("entry", marker="o")])
    axes.plot([1, 2], [1, 2])
    axes.bar([1], [2])
    axes.scatter([1], [2])
    axes.text(1, 1, "words")
    assert wiped(axes) is axes
    assert not (*axes.lines, *axes.patches, *axes.collections, *axes.texts)
    assert (axes.get_xlim(), axes.get_xlabel(), axes.get_title()) == ((0, 5), "time", "kept")
    assert axes.get_legend() is not None


def test_a_legend_above_covers_no_curve():
    axes = new_axes()
    axes.plot([0, 1], [0, 1], label="curve")
    legend_above(axes)
    legend_above(axes, [sample("only this", marker="s")])
    axes.figure.canvas.draw()
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["only this"]
    assert axes.get_legend().get_window_extent().y0 >= axes.bbox.y1


def test_a_label_stands_beside_its_point():
    axes = new_axes()
    words = label_point(axes, "here", (0.5, 0.5), (0, 20), ha="center")
    axes.figure.canvas.draw()
    assert words.get_window_extent().y0 > axes.transData.transform((0.5, 0.5))[1]


def test_a_tail_tells_which_share_takes_longer():
    axes = new_axes()
    tail_curves(axes, {"a": np.arange(1, 1001) / 1000, "b": [0.5]})
    (line, single) = axes.lines
    milliseconds, share = line.get_data()
    longer = {round(x): y for x, y in zip(milliseconds, share, strict=True)}
    assert longer[990] == pytest.approx(0.010)
    assert longer[999] == pytest.approx(0.001)
    assert single.get_xdata().tolist() == [500]
    assert [line.get_label(), single.get_label()] == ["a", "b"]
