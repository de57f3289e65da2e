"""A cell that is run again and again keeps only what it has shown last."""

import gc
import weakref
from types import SimpleNamespace

import ipywidgets
import pytest

from dscourse.consensus import NaiveFailoverNode
from dscourse.simulation import Network, Scenario, always, topology
from dscourse.views import adversary, interactive_figure, live_figure, play, shown

slider = ipywidgets.FloatSlider(min=0, max=1)
one_leads = always(lambda now: True, name="one leads")


def draw(figure, load):
    figure.subplots().plot([0, load])
    return "a line"


KINDS = {
    "player": lambda: play(Scenario(NaiveFailoverNode, Network(topology.full_mesh(2))).run(until=1.0)),
    "figure": lambda: interactive_figure(draw, load=(0.0, 1.0)),
    "live figure": lambda: live_figure(
        lambda figure: figure.subplots(), lambda axes, load: "axes", load=slider
    ),
    "adversary": lambda: adversary(NaiveFailoverNode, ["n0", "n1"], [one_leads]),
}


class Shell:
    """Stands for IPython: it runs cells that end with a widget, and keeps what they give."""

    def __init__(self):
        self.user_ns = {"_oh": {}}
        self.user_ns_hidden = {}
        self.kernel = SimpleNamespace(get_parent=lambda: self.parent)
        self.count = 0

    def run(self, cell, *results):
        self.count += 1
        self.parent = {"metadata": {"cellId": cell}, "header": {"msg_id": self.count}}
        for result in results:
            result._repr_mimebundle_()
            self.user_ns["_oh"][self.count] = result
            self.user_ns[f"_{self.count}"] = self.user_ns_hidden[f"_{self.count}"] = result


@pytest.fixture
def shell(monkeypatch):
    one = Shell()
    monkeypatch.setattr(shown, "get_ipython", lambda: one)
    return one


def alive():
    gc.collect()
    return len(ipywidgets.widgets.widget._instances)


@pytest.mark.parametrize("kind", KINDS)
def test_run_again_and_again_a_cell_keeps_one(kind, shell):
    shell.run("cell", KINDS[kind]())
    once = alive()
    earlier = weakref.ref(shell.user_ns["_oh"][1])
    for _ in range(5):
        shell.run("cell", KINDS[kind]())
    assert alive() == once
    assert list(shell.user_ns["_oh"]) == [6]
    assert earlier() is None


def test_all_that_one_execution_has_shown_stays_and_so_does_what_other_cells_show(shell):
    first, second, elsewhere = (KINDS["figure"]() for _ in range(3))
    shell.run("elsewhere", elsewhere)
    shell.run("cell", first, second)
    assert all(one.comm for one in (first, second, elsewhere))
    shell.run("cell", second)
    assert first.comm is None
    assert second.comm
    assert elsewhere.comm


def test_what_is_shown_in_two_cells_lives_until_both_have_let_go(shell):
    figure, other = KINDS["figure"](), KINDS["figure"]()
    shell.run("one", figure)
    shell.run("two", figure)
    shell.run("one", other)
    assert figure.comm
    shell.run("two", other)
    assert figure.comm is None


def test_a_slider_of_somebody_else_goes_on(shell):
    shell.run("cell", KINDS["live figure"]())
    shell.run("cell", KINDS["live figure"]())
    slider.value = 0.5
    assert slider.comm
    assert slider.layout.comm


def test_where_nobody_says_which_cell_is_run_all_are_kept(shell):
    first, second = KINDS["figure"](), KINDS["figure"]()
    shell.run(None, first)
    shell.run(None, second)
    assert first.comm
    assert second.comm
