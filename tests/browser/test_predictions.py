"""Each kind of prediction and an exercise, as a learner meets them: by mouse and, separately, by keyboard alone."""

import pytest

pytest.importorskip("playwright.sync_api")

PATIENCE = 30_000  # milliseconds
SET_UP = """
import networkx as nx
from dscourse.exercises import (
    ChoicePrediction, CurvePrediction, Expectation, Mistake, NodePrediction, NumberExercise, NumberPrediction
)

one = Expectation("it goes on", "Explained right.")
stops = ChoicePrediction("rings.stops", question="What does `n0` do?", right=one, wrong=[
    Expectation("it stops", "Explained stop."), Expectation("it waits", "Explained wait.")])
share = NumberPrediction("rings.share", question="Which share moves?", scale=(0, 1), step=0.05, near=0.05,
    unit="of the keys", right="Explained right.", typical={0.2: Expectation("a fifth", "Explained fifth.")},
    otherwise="Explained other.")
curve = CurvePrediction("rings.curve", question="How does it run?", at=(1, 2, 4), scale=(0, 10), step=0.5,
    across="nodes", along="requests/s", near=1, right="Explained right.",
    otherwise=Expectation("a line", "Explained line."))
first = NodePrediction("rings.first", question="Who is first?", graph=nx.cycle_graph(["n0", "n1", "n2", "n3"]),
    right="Explained right.", otherwise="Explained other.")
task = NumberExercise("rings.ring_links", task="How many `links` has a ring of four?", expects="a number of links",
    success="Yes.", hints=("Draw it.", "Count."), solution="answer = 4", mistakes=(Mistake("answer = 3", "Hops."),),
    otherwise="Not {answer}.")
"""
CELLS = [SET_UP, "stops", "share", "curve", "first", "task", "ring_link = 3"]
COUNTS = "() => jupyterapp.shell.currentWidget.content.widgets.map((cell) => cell.model.executionCount)"
RAN_AGAIN = """
([place, before]) => {
  const count = jupyterapp.shell.currentWidget.content.widgets[place].model.executionCount;
  return count && count !== before;
}
"""


@pytest.fixture
def page(open_notebook):
    page = open_notebook(CELLS, viewport={"width": 1280, "height": 1800})
    page.locator(".dscourse-exercise").wait_for(timeout=PATIENCE)
    return page


def asked(page, number):
    return page.locator(".dscourse-prediction").nth(number)


def expects(part, words):
    part.get_by_text(f"You expect: {words}. The run decides.").wait_for(timeout=PATIENCE)
    assert part.get_by_role("button", name="Commit").count() == 0
    assert "Explained" not in part.inner_text()


def test_by_mouse(page):
    part = asked(page, 0)
    assert part.get_by_role("button", name="Commit").is_disabled()
    part.get_by_label("it stops").check()
    part.get_by_role("button", name="Commit").click()
    expects(part, "it stops")

    part = asked(page, 1)
    assert part.get_by_role("button", name="Commit").is_disabled()
    box = part.get_by_role("slider").bounding_box()
    page.mouse.click(box["x"] + box["width"] * 0.98, box["y"] + box["height"] / 2)
    part.get_by_role("button", name="Commit").click()
    expects(part, "1 of the keys")

    part = asked(page, 2)
    for number, rise in enumerate((-40, 0, 30)):
        dot = part.get_by_role("slider").nth(number).bounding_box()
        x, y = dot["x"] + dot["width"] / 2, dot["y"] + dot["height"] / 2
        assert part.get_by_role("button", name="Commit").is_disabled()
        page.mouse.move(x, y)
        page.mouse.down()
        page.mouse.move(x, y + rise + 1)
        page.mouse.move(x, y + rise)
        page.mouse.up()
    values = [float(value) for value in part.locator("output").inner_text().split(", ")]
    assert values[0] > 5 == values[1] > values[2]
    part.get_by_role("button", name="Commit").click()
    expects(part, ", ".join(f"{value:g}" for value in values))

    part = asked(page, 3)
    part.get_by_role("radio", name="n2").click()
    part.get_by_role("button", name="Commit").click()
    expects(part, "n2")

    part = page.locator(".dscourse-exercise")
    part.get_by_role("button", name="Check").click()
    part.get_by_text("did you mean").wait_for(timeout=PATIENCE)
    part.get_by_role("button", name="Hint").click()
    part.get_by_text("Draw it.").wait_for(timeout=PATIENCE)
    part.get_by_role("button", name="Solution").click()
    part.get_by_text("ring_links = 4").wait_for(timeout=PATIENCE)


def test_by_keyboard_alone(page):
    """Every key stays with its control, and Shift + Enter runs the cell."""
    for number, words, keys in (
        (0, None, [" "]),
        (1, "0.55 of the keys", ["ArrowRight"]),
        (2, "5.5, 4.5, 10", ["ArrowUp", "Tab", "ArrowDown", "Tab", "End"]),
        (3, "n1", ["ArrowRight"]),
    ):
        part = asked(page, number)
        role = "slider" if number in (1, 2) else "radio"
        part.get_by_role(role).first.focus()
        for key in keys:
            page.keyboard.press(key)
        page.keyboard.press("Enter")
        expects(part, words or page.locator(".dscourse-chosen span").first.inner_text()[3:])
    before = page.evaluate(COUNTS)
    for number in range(4):
        page.evaluate(
            "(place) => { jupyterapp.shell.currentWidget.content.activeCellIndex = place; }", number + 1
        )
        asked(page, number).locator(".dscourse-told").focus()
        page.keyboard.press("Shift+Enter")
        page.wait_for_function(RAN_AGAIN, arg=[number + 1, before[number + 1]], timeout=PATIENCE)


def test_shift_enter_goes_through_every_control(page):
    before = page.evaluate(COUNTS)
    for number, role in ((0, "radio"), (1, "slider"), (2, "slider"), (3, "radio")):
        page.evaluate(
            "(place) => { jupyterapp.shell.currentWidget.content.activeCellIndex = place; }", number + 1
        )
        asked(page, number).get_by_role(role).first.focus()
        page.keyboard.press("Shift+Enter")
        page.wait_for_function(RAN_AGAIN, arg=[number + 1, before[number + 1]], timeout=PATIENCE)
    page.evaluate("() => { jupyterapp.shell.currentWidget.content.activeCellIndex = 5; }")
    page.get_by_role("button", name="Hint").focus()
    page.keyboard.press("Shift+Enter")
    page.wait_for_function(RAN_AGAIN, arg=[5, before[5]], timeout=PATIENCE)
