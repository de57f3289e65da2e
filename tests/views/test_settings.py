"""A picture is the same whatever somebody has set in matplotlib, and leaves that as it was."""

import ast
import threading
from pathlib import Path

import matplotlib as mpl
import matplotlib.pyplot as plt
import pytest

import dscourse.views
from dscourse.consensus import NaiveFailoverNode
from dscourse.simulation import Crash, Network, Scenario, topology
from dscourse.views import Picture, cluster_map, interactive_figure, live_figure, new_axes, space_time
from dscourse.views.cluster import run_picture
from dscourse.views.partitioning import draw_twitter_skew
from dscourse.views.settings import default_settings

ODD = {
    "text.usetex": True,
    "font.size": 30,
    "axes.prop_cycle": plt.cycler(color=["#FF0000"]),
    "figure.dpi": 40,
    "savefig.dpi": 30,
    "savefig.bbox": "tight",
    "path.sketch": (1, 100, 2),
    "xtick.direction": "in",
    "legend.frameon": False,
}


def run():
    return Scenario(NaiveFailoverNode, Network(topology.full_mesh(3)), faults=[Crash("n0", at=1.0)]).run(
        until=2.0
    )


def curve(figure, load):
    axes = figure.subplots()
    axes.plot([0, load], label="a curve")
    axes.legend()
    axes.set_title("$x^2$")
    return "a curve"


def set_up(figure):
    curve(figure, 1.0)
    return figure.axes[0].axvline(0)


def update(line, load):
    line.set_xdata([load, load])
    line.axes.set_xlim(0, 2 * load)  # ticks come and go
    return "a line"


def own_axes():
    return Picture(new_axes(), "empty axes").png()


def every_way():
    """Yield pictures made and drawn in each way there is."""
    for make in (interactive_figure(curve, load=(0.0, 1.0)), live_figure(set_up, update, load=(0.1, 1.0))):
        make.controls["load"].value = 0.7
        make._redraw_or_raise()
        yield make.picture.png
        yield make._drawing.still()
    played = run()
    for picture in (
        cluster_map(played, 1.5),
        space_time(played, (0.5, 1.5)),
        run_picture(played),
        draw_twitter_skew(),
    ):
        yield picture.png()
    yield own_axes()


@pytest.fixture(scope="module")
def usual():
    return list(every_way())


def test_pictures_take_nothing_from_settings_of_matplotlib(usual):
    with mpl.rc_context(ODD):
        assert list(every_way()) == usual


def test_pictures_are_white_in_a_dark_style(usual):
    with plt.style.context("dark_background"):
        assert list(every_way()) == usual


def goes_wrong():
    with default_settings:
        plt.style.use("dark_background")
        raise ZeroDivisionError


def test_settings_are_afterwards_what_they_were_also_after_an_error():
    with mpl.rc_context({"font.size": 30}):
        before = dict(mpl.rcParams)
        own_axes()
        with pytest.raises(ZeroDivisionError):
            goes_wrong()
        assert dict(mpl.rcParams) == before


def test_two_threads_leave_the_settings_of_the_reader():
    inside, out = threading.Event(), threading.Event()

    def draw():
        with default_settings:
            inside.set()
            out.wait(10)

    with mpl.rc_context({"font.size": 30}):
        thread = threading.Thread(target=draw)
        with default_settings:
            thread.start()
            inside.wait(10)
        assert mpl.rcParams["font.size"] == 10  # the other one still draws
        out.set()
        thread.join(10)
        assert mpl.rcParams["font.size"] == 30


def test_every_function_that_returns_a_picture_is_under_the_default_settings():
    functions = [
        (path.name, item)
        for path in sorted(Path(dscourse.views.__file__).parent.rglob("*.py"))
        for item in ast.parse(path.read_text(encoding="utf-8")).body
        if isinstance(item, ast.FunctionDef) and item.returns is not None
    ]
    drawing = [(name, item) for name, item in functions if ast.unparse(item.returns) == "Picture"]
    bare = [
        f"{name}: {item.name}"
        for name, item in drawing
        if "default_settings" not in map(ast.unparse, item.decorator_list)
    ]
    assert drawing
    assert bare == [], "put @default_settings (of views/settings.py) above"
