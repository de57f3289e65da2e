"""What is drawn on a kept background looks as if the whole had been drawn, whatever changes."""

import io
import threading
import time

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from PIL import Image

from dscourse.detection import drawn_delays, replay_heartbeat, seattle_delays
from dscourse.views import (
    detection,
    fault_tolerance,
    live_figure,
    new_figure,
    partitioner_comparison,
    partitioning,
    scaling,
)
from dscourse.views.drawing import DrawnAnew, Updated

BACKGROUNDS = "_draw_background"


def pixels(png):
    return np.asarray(Image.open(io.BytesIO(png)))


def whole(figure):
    """Draw a figure as if nothing of it were animated, on a canvas of its own."""
    animated = [artist for artist in figure.findobj() if artist.get_animated()]
    canvas = figure.canvas
    for artist in animated:
        artist.set_animated(False)
    drawn = FigureCanvasAgg(figure)
    drawn.draw()
    for artist in animated:
        artist.set_animated(True)
    figure.set_canvas(canvas)
    figure.stale = False
    return np.asarray(drawn.buffer_rgba())[:, :, :3]


def timeouts():
    curves = [replay_heartbeat(drawn_delays(0.1, 0.05, links=4, messages=300), np.arange(0.6, 7.0, 0.1))]
    return detection.explore_timeout(
        {"drawn": curves, "measured": [replay_heartbeat(seattle_delays(), np.arange(0.6, 7, 0.1))]}
    )


EXPLORERS = {
    "bottlenecks": scaling.explore_bottlenecks,
    "waiting": scaling.explore_waiting,
    "usl": scaling.explore_usl,
    "ring": partitioning.explore_ring,
    "hot keys": partitioning.explore_hot_keys,
    "generals": fault_tolerance.explore_generals,
    "standbys": fault_tolerance.explore_standby,
    "availability": fault_tolerance.explore_availability,
    "timeout": timeouts,
    "partitioners": partitioner_comparison.explore_partitioners,
}


def another(control):
    options = [
        option[1] if isinstance(option, tuple) else option for option in getattr(control, "options", ())
    ]
    if options:
        return options[0] if control.value != options[0] else options[1]
    return control.min + 2 * control.step


@pytest.mark.parametrize("name", EXPLORERS)
def test_every_explorer_looks_after_each_change_as_if_drawn_whole(name):
    explorer = EXPLORERS[name]()
    for control in explorer.controls.values():
        if isinstance(control, fault_tolerance.Lies):
            control.toggle(1, 2)
        else:
            control.value = another(control)
        assert explorer.picture.problem == ""
        seen = pixels(explorer.picture.png)
        assert_same(seen, whole(explorer.figure), err_msg=control.description)


@pytest.mark.parametrize("name", EXPLORERS)
def test_every_explorer_shows_the_same_whatever_was_shown_before(name):
    explorer = EXPLORERS[name]()
    plain = [one for one in explorer.controls.values() if not isinstance(one, fault_tolerance.Lies)]
    first = {control: control.value for control in plain}
    before, still = explorer.picture.png, explorer._drawing.still()
    for control in first:
        control.value = another(control)
    for control, value in first.items():
        control.value = value
    assert explorer.picture.png == before
    assert explorer._drawing.still() == still


def assert_same(seen, wanted, err_msg=""):
    """Layers are blended in whole numbers of their own: a colour of 0 to 255 may be off by 2, never by what is seen."""
    np.testing.assert_allclose(seen.astype(int), wanted.astype(int), rtol=0, atol=2, err_msg=err_msg)


def counted(monkeypatch):
    drawn = []
    before = Updated._draw_background
    monkeypatch.setattr(Updated, BACKGROUNDS, lambda self: drawn.append(1) or before(self))
    return drawn


def set_up(figure):
    axes = figure.subplots()
    axes.set(xlim=(0, 10), ylim=(0, 10))
    (line,) = axes.plot([], [], "o-")
    axes.plot([0, 10], [10, 0], label="in front of the line")
    axes.legend(loc="upper left")
    return {"line": line, "title": axes.set_title("")}


def update(artists, top):
    artists["line"].set_data([0, 5], [0, top])
    artists["title"].set_text(f"up to {top}")
    if top > 9:
        artists["line"].axes.set_ylim(0, top + 1)
    return f"a line up to {top}"


def test_the_background_is_drawn_once_while_it_stays_and_anew_where_limits_move(monkeypatch):
    backgrounds = counted(monkeypatch)
    shown = live_figure(set_up, update, top=(0, 20))
    assert len(backgrounds) == 1  # top is 10
    for top in (9, 8, 7):
        shown.controls["top"].value = top
        assert_same(pixels(shown.picture.png), whole(shown.figure))
    assert len(backgrounds) == 1
    shown.controls["top"].value = 15
    assert len(backgrounds) == 2
    assert_same(pixels(shown.picture.png), whole(shown.figure))


def test_what_comes_and_goes_is_seen(monkeypatch):
    backgrounds = counted(monkeypatch)

    def change(artists, count):
        for point in artists["points"]:
            point.remove()
        axes = artists["axes_of"].axes
        artists["points"] = [axes.plot(place, place, "o")[0] for place in range(count)]
        return f"{count} points"

    def frame(figure):
        axes = figure.subplots()
        axes.set(xlim=(-1, 10), ylim=(-1, 10))
        return {"axes_of": axes.axhline(0), "points": []}

    shown = live_figure(frame, change, count=(0, 9))
    for count in (9, 1, 0):
        shown.controls["count"].value = count
        assert_same(pixels(shown.picture.png), whole(shown.figure))
    assert len(backgrounds) == 4


def test_whole_axes_may_change(monkeypatch):
    backgrounds = counted(monkeypatch)

    def repaint(axes, count):
        for text in list(axes.texts):
            text.remove()
        for place in range(count):
            axes.text(place / 10, 0.5, str(place))
        return f"{count} numbers"

    shown = live_figure(lambda figure: figure.subplots(1, 2)[1], repaint, count=(0, 9))
    for count in (9, 1):
        shown.controls["count"].value = count
        assert_same(pixels(shown.picture.png), whole(shown.figure))
    assert len(backgrounds) == 1


def test_after_an_error_the_still_picture_is_the_last_one_without(monkeypatch):
    def failing(line, top):
        line.set_data([0, 1], [0, top])
        if top == 4:
            raise ValueError("out of stock")
        return f"up to {top}"

    shown = live_figure(lambda figure: figure.subplots().plot([], [])[0], failing, top=(1, 5))
    before = shown._drawing.still()
    shown.controls["top"].value = 4
    assert shown.picture.problem == "No picture for top=4. ValueError: out of stock"
    assert shown.picture.alt == "up to 3"
    assert shown._drawing.still() == before
    shown.controls["top"].value = 5
    assert shown.picture.problem == ""
    assert_same(pixels(shown.picture.png), whole(shown.figure))


def test_a_still_picture_is_whole_as_if_drawn_anew():
    shown = live_figure(set_up, update, top=(0, 20))
    shown.controls["top"].value = 15
    anew = DrawnAnew(lambda figure, top: update(set_up(figure), top))
    anew.draw({"top": 15})
    assert shown._drawing.still() == anew.still()


def test_a_still_picture_in_between_changes_nothing():
    shown = live_figure(set_up, update, top=(0, 9))
    shown.controls["top"].value = 3
    before = shown.picture.png
    shown._repr_mimebundle_()
    shown.controls["top"].value = 5
    shown.controls["top"].value = 3
    assert shown.picture.png == before


def draw(figure, top):
    figure.subplots().plot([0, 1], [0, top])
    return f"up to {top}"


def test_one_canvas_serves_figures_of_all_sizes_and_changes_nothing():
    def draw_wide(figure, inches):
        figure.set_size_inches(inches, 3)
        return draw(figure, inches)

    drawing = DrawnAnew(draw_wide)
    for inches in (5, 8, 5):
        assert drawing.draw({"inches": inches}) == DrawnAnew(draw_wide).draw({"inches": inches})


@pytest.mark.parametrize(("colour", "mode"), [("none", "RGBA"), ("white", "RGB")])
def test_a_figure_that_lets_the_page_shine_through_still_does(colour, mode):
    def coloured(figure, top):
        figure.set_facecolor(colour)
        return draw(figure, top)

    _, png = DrawnAnew(coloured).draw({"top": 1})
    assert Image.open(io.BytesIO(png)).mode == mode


@pytest.mark.parametrize(
    ("arguments", "controls", "words"),
    [
        (("set_up", update), {"top": (1, 5)}, "set_up must be a function"),
        ((set_up, None), {"top": (1, 5)}, "update must be a function"),
        ((set_up, update), {}, "at least one control"),
        ((set_up, lambda artists, top: None), {"top": (1, 5)}, "alt must be a text"),
    ],
)
def test_unfit_arguments_are_refused(arguments, controls, words):
    with pytest.raises(TypeError, match=words):
        live_figure(*arguments, **controls)


def test_an_empty_figure_can_be_updated():
    shown = live_figure(lambda figure: None, lambda artists, top: f"nothing but {top}", top=(1, 5))
    shown.controls["top"].value = 5
    assert shown.picture.alt == "nothing but 5"
    assert pixels(shown.picture.png).shape == (345, 672, 3)
    assert new_figure().axes == []


def test_updates_from_a_slider_and_stills_of_a_running_cell_take_turns():
    inside, at_once = [], []

    def slow(line, top):
        inside.append(top)
        at_once.append(len(inside))
        time.sleep(0.005)
        line.set_data([0, 1], [0, top])
        inside.remove(top)
        return f"up to {top}"

    shown = live_figure(lambda figure: figure.subplots().plot([], [])[0], slow, top=(0, 99))

    def move():
        for top in range(10):
            shown.controls["top"].value = top

    mover = threading.Thread(target=move)
    mover.start()
    for top in range(50, 55):
        shown._repr_mimebundle_()
        shown.controls["top"].value = top
    mover.join()
    assert max(at_once) == 1
    assert shown.picture.problem == ""
    assert shown.picture.alt == f"up to {shown.controls['top'].value}"
    assert_same(pixels(shown.picture.png), whole(shown.figure))
