"""Predictions, exercises and figures with controls, as a learner meets them: by mouse, by keyboard, by mistake."""

PATIENCE = 60_000  # milliseconds

PREDICTIONS = """\
from dscourse.exercises import ChoicePrediction, Expectation

right, wrong = Expectation("it goes on", "Explained A."), (Expectation("it stops", "Explained B."),)
first = ChoicePrediction("rings.first", question="What will it do?", right=right, wrong=wrong)
"""


EXERCISE = """\
from dscourse.exercises import Rule, TrialExercise

def read(answer):
    return answer(4) if callable(answer) else answer

wrong = Rule(lambda count: f"Not {count}: count the links.", lambda count: count != 4, "answer = 3")
texts = {"task": "How many?", "expects": "a number", "success": "One per node.", "hints": ("Draw <i>it</i>.",)}
exercise = TrialExercise("rings.link_count", **texts, solution="answer = 4", read=read, rules=(wrong,))
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
    prediction.get_by_label("it stops").check()
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
            "exercise",
            "link_count = ...\nexercise.check(link_count)",
            "exercise.check('<b>three</b>')",
            "exercise.check(4)",
            "def ring(n):\n    links = n / 0\n    return links\n\nexercise.check(ring)",
            "exercise.hint()",
            "exercise.solution()",
        ]
    )
    page.get_by_text("link_count = 4", exact=True).last.wait_for(timeout=PATIENCE)
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
