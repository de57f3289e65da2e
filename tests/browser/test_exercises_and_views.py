"""Predictions, exercises and figures with controls, as a learner meets them: by mouse, by keyboard, by mistake."""

PATIENCE = 60_000  # milliseconds

PREDICTIONS = """\
from dscourse.exercises import Option, Prediction

def make(name):
    stops = Option(f"{name} stops", f"Explained {name} A.")
    goes_on = Option(f"{name} goes on", f"Explained {name} B.")
    options = {"a": stops, "b": goes_on}
    return Prediction(f"rings.{name}", question="What <b>will</b> it do?", options=options, right="b")

first, second = make("first"), make("second")
"""


def test_a_prediction_by_mouse_by_keyboard_and_after_a_restart(open_notebook):
    page = open_notebook([PREDICTIONS, "first", "second"])
    first, second = (page.locator(".dscourse-prediction").nth(number) for number in (0, 1))
    second.wait_for(timeout=PATIENCE)
    assert first.get_by_text("What <b>will</b> it do?").count() == 1
    assert first.get_by_role("button", name="Commit").is_disabled()

    first.get_by_label("a) first stops").check()
    second.get_by_label("a) second stops").focus()
    page.keyboard.press("Space")
    page.keyboard.press("ArrowDown")  # JupyterLab would go to the next cell
    assert second.get_by_label("b) second goes on").is_checked()
    assert first.get_by_label("a) first stops").is_checked()
    assert "Explained" not in page.locator(".jp-Notebook").inner_text().replace("Explained {name}", "")

    first.get_by_role("button", name="Commit").click()
    first.get_by_text("Explained first A.").wait_for(timeout=PATIENCE)
    assert first.get_by_text("Explained first B.").count() == 0
    first.get_by_role("button", name="What about the other options?").click()
    first.get_by_text("Explained first B.").wait_for(timeout=PATIENCE)

    assert second.get_by_text("Explained").count() == 0
    second.get_by_label("b) second goes on").focus()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    second.get_by_text("Explained second B.").wait_for(timeout=PATIENCE)
    assert second.locator("[role=status]").evaluate("told => told === document.activeElement")

    # What was committed is still there after a restart.
    page.evaluate("async () => { await jupyterapp.shell.currentWidget.sessionContext.restartKernel(); }")
    page.evaluate("async () => { await jupyterapp.commands.execute('notebook:clear-all-cell-outputs'); }")
    assert page.locator(".dscourse-prediction").count() == 0
    page.evaluate("async () => { await jupyterapp.commands.execute('notebook:run-all-cells'); }")
    first.get_by_text("Explained first A.").wait_for(timeout=PATIENCE)
    assert first.get_by_label("a) first stops").is_checked()
    assert first.get_by_label("a) first stops").is_disabled()
    second.get_by_text("Explained second B.").wait_for(timeout=PATIENCE)


EXERCISE = """\
from dscourse.exercises import Rule, TrialExercise

def read(answer):
    return answer(4) if callable(answer) else answer

wrong = Rule(lambda count: f"Not {count}: count the links.", lambda count: count != 4, "answer = 3")
texts = {"task": "How many?", "expects": "a number", "success": "One per node.", "hints": ("Draw <i>it</i>.",)}
links = TrialExercise("rings.links", **texts, solution="answer = 4", read=read, rules=(wrong,))
"""


PLAYER = """\
from dscourse.consensus import NaiveFailoverNode
from dscourse.simulation import Network, Scenario, topology
from dscourse.views import play

play(Scenario(NaiveFailoverNode, Network(topology.full_mesh(3))).run(until=1.0))
"""


def test_what_a_gone_kernel_left_in_the_page_says_so(open_notebook):
    page = open_notebook([PREDICTIONS, "first", PLAYER])
    page.wait_for_selector(".dscourse-player[data-ready=yes]", timeout=PATIENCE)
    page.evaluate("async () => { await jupyterapp.shell.currentWidget.sessionContext.restartKernel(); }")

    prediction = page.locator(".dscourse-prediction")
    prediction.get_by_label("a) first stops").check()
    prediction.get_by_role("button", name="Commit").click()
    prediction.get_by_text("Run this cell again").wait_for(timeout=PATIENCE)

    player = page.locator(".dscourse-player")
    player.locator(".dp-hit").first.click()
    player.get_by_role("menuitem", name="Crash", exact=True).click()
    player.get_by_text("Run this cell again").wait_for(timeout=PATIENCE)
    assert player.get_attribute("aria-busy") == "false"


def test_an_exercise_answers_and_shows_the_learners_own_line(open_notebook):
    page = open_notebook(
        [
            EXERCISE,
            "links",
            "links.check(...)",
            "links.check('<b>three</b>')",
            "links.check(4)",
            "def ring(n):\n    links = n / 0\n    return links\n\nlinks.check(ring)",
            "links.hint()",
            "links.solution()",
        ]
    )
    page.get_by_text("answer = 4", exact=True).last.wait_for(timeout=PATIENCE)
    outputs = [text.strip() for text in page.locator(".jp-OutputArea-output").all_inner_texts()]
    assert outputs[0].startswith("Exercise. How many?")
    assert outputs[1].startswith("○ Not attempted yet.")
    assert outputs[2] == "✗ Not yet. Not <b>three</b>: count the links."
    assert outputs[3] == "✓ Solved. One per node."
    assert "ZeroDivisionError: division by zero (line 2 of your cell, in ring):" in outputs[4]
    assert "links = n / 0" in outputs[4]
    assert "Draw <i>it</i>." in outputs[5]


FIGURE = """\
import time
from dscourse.views import interactive_figure

def draw(figure, load):
    if load == 100:
        raise ValueError("a load of <b>100</b>")
    time.sleep(0.05)
    figure.subplots().plot([0, load])
    return f"a line up to {load}"

interactive_figure(draw, load=(0, 100))
"""


def test_a_slider_that_is_held_down_ends_at_its_last_value_without_drawing_them_all(open_notebook):
    page = open_notebook([FIGURE])
    page.get_by_alt_text("a line up to 50").wait_for(timeout=PATIENCE)
    slider = page.get_by_role("slider")
    slider.focus()
    for _ in range(30):
        page.keyboard.press("ArrowRight")
    page.get_by_alt_text("a line up to 80").wait_for(timeout=PATIENCE)
    turns = int(page.locator(".dscourse-figure").get_attribute("data-turn"))
    assert turns < 20, turns

    # An error in draw is told beside the last picture, and goes away.
    slider.press("End")
    problem = page.get_by_role("alert")
    problem.get_by_text("No picture for load=100. ValueError: a load of <b>100</b>").wait_for(
        timeout=PATIENCE
    )
    assert page.get_by_alt_text("a line up to 80").is_visible()
    slider.press("ArrowLeft")
    page.get_by_alt_text("a line up to 99").wait_for(timeout=PATIENCE)
    assert not problem.is_visible()
