"""Controls beside a figure: redrawn on change, honest about errors, with a picture where no widget can be shown."""

import base64
import gc
import json
import shutil
import subprocess
import threading
import time

import ipywidgets as widgets
import pytest

from dscourse.views import interactive_figure
from dscourse.views.interactive import LivePicture

NODE = shutil.which("node")


def parabola(figure, power, grid=False):
    axes = figure.subplots()
    axes.plot([1, 2, 3], [value**power for value in (1, 2, 3)])
    axes.grid(visible=grid)
    if power == 4:
        raise ValueError("the fourth power is out of stock")
    return f"x to the power of {power}"


def test_a_change_of_a_control_gives_a_new_picture_and_a_new_alt_text():
    shown = interactive_figure(parabola, power=(1, 5), grid=True)
    before = shown.picture.png
    shown.controls["power"].value = 2
    assert shown.picture.alt == "x to the power of 2"
    assert shown.picture.png != before
    assert shown.picture.png.startswith(b"\x89PNG")
    assert shown.values() == {"power": 2, "grid": True}


def test_an_error_is_told_in_the_widget_and_the_last_picture_stays():
    shown = interactive_figure(parabola, power=(1, 5))
    before = shown.picture.png
    shown.controls["power"].value = 4
    assert shown.picture.problem == "No picture for power=4. ValueError: the fourth power is out of stock"
    assert shown.picture.png == before
    shown.controls["power"].value = 5
    assert shown.picture.problem == ""
    assert shown.picture.alt == "x to the power of 5"


def test_a_slider_moved_beside_a_running_cell_waits_for_the_picture_of_the_cell():
    drawing, at_once = [], []

    def draw(figure, load):
        drawing.append(load)
        at_once.append(len(drawing))
        time.sleep(0.02)
        drawing.remove(load)
        figure.subplots().plot([0, load])
        return f"load {load}"

    shown = interactive_figure(draw, load=(0, 100))

    def move():
        for load in range(5):
            shown.controls["load"].value = load

    mover = threading.Thread(target=move)
    mover.start()
    for load in range(50, 55):
        shown.controls["load"].value = load
        shown._repr_mimebundle_()
    mover.join()
    assert max(at_once) == 1
    assert shown.picture.problem == ""


def test_a_picture_may_move_another_control_of_its_own():
    def draw(figure, load):
        shown.get("figure") and setattr(shown["figure"].controls["load"], "value", min(load, 10))
        return f"load {load}"

    shown = {}
    shown["figure"] = interactive_figure(draw, load=(0, 100))
    shown["figure"].controls["load"].value = 70
    assert shown["figure"].controls["load"].value == 10


@pytest.mark.parametrize("wanted", [True, False])
def test_the_garbage_collector_is_as_it_was_even_after_an_interrupt(wanted):
    def draw(figure, load):
        assert not gc.isenabled()
        if load == 7:
            raise KeyboardInterrupt
        return f"load {load}"

    before = gc.isenabled()
    try:
        (gc.enable if wanted else gc.disable)()
        shown = interactive_figure(draw, load=(0, 100))
        assert gc.isenabled() is wanted
        with pytest.raises(KeyboardInterrupt):
            shown.controls["load"].value = 7
        assert gc.isenabled() is wanted
        shown.controls["load"].value = 8  # and nothing is locked
        assert shown.picture.alt == "load 8"
    finally:
        (gc.enable if before else gc.disable)()


def test_an_error_at_the_first_drawing_is_raised_in_the_cell():
    with pytest.raises(ValueError, match="out of stock"):
        interactive_figure(parabola, power=widgets.IntSlider(value=4, min=1, max=5))


def test_without_widgets_the_static_picture_and_its_alt_text_stand_in():
    bundle, metadata = interactive_figure(parabola, power=(1, 5))._repr_mimebundle_()
    assert bundle["text/plain"] == "x to the power of 3"
    assert base64.b64decode(bundle["image/png"]).startswith(b"\x89PNG")
    assert "application/vnd.jupyter.widget-view+json" in bundle
    assert metadata == {"image/png": {"width": 672}}


def test_text_goes_into_the_page_as_text():
    source = interactive_figure(parabola, power=(1, 5)).picture._esm
    assert "innerHTML" not in source
    assert "insertAdjacentHTML" not in source


def test_every_control_has_a_label_and_ready_made_controls_keep_theirs():
    shown = interactive_figure(
        lambda figure, **values: str(values),
        servers_per_rack=(1, 9),
        policy=["random", "round robin"],
        load=widgets.FloatSlider(description="load ρ"),
    )
    assert [control.description for control in shown.controls.values()] == [
        "servers per rack",
        "policy",
        "load ρ",
    ]


def test_nothing_of_pyplot_is_left_behind():
    import matplotlib.pyplot as plt

    interactive_figure(parabola, power=(1, 5))
    assert plt.get_fignums() == []


@pytest.mark.parametrize(
    ("draw", "controls", "words"),
    [
        ("draw", {"power": (1, 5)}, "draw must be a function"),
        (parabola, {}, "at least one control"),
        (parabola, {"power": object()}, "can't be made into a control"),
        (parabola, {"power": widgets.fixed(3)}, "can't be made into a control"),
        (lambda figure, power: None, {"power": (1, 5)}, "alt must be a text"),
    ],
)
def test_unfit_arguments_are_refused(draw, controls, words):
    with pytest.raises(TypeError, match=words):
        interactive_figure(draw, **controls)


@pytest.mark.skipif(NODE is None, reason="node is not installed")
def test_no_line_of_a_caption_ends_in_the_middle_of_a_number():
    script = """
        const source = process.argv[1];
        const { numbersKeptWhole } = await import(`data:text/javascript,${encodeURIComponent(source)}`);
        const given = ["users at once 641 600", "1 to 64 nodes, 97 % wait", "in 2024 1000 of 5 6"];
        console.log(JSON.stringify(given.map(numbersKeptWhole)));
    """
    source = str(LivePicture._esm)
    command = [str(NODE), "--input-type=module", "-e", script, source]
    told = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    assert told == ["users at once 641\u00a0600", "1 to 64 nodes, 97\u00a0% wait", "in 2024 1000 of 5 6"]
