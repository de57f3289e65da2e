"""Every notebook as a learner meets it: it runs from top to bottom, its sliders redraw, it asks and it answers."""

import importlib
import json
from pathlib import Path

import pytest

from dscourse.exercises import Prediction, scaling_metrics

Error = pytest.importorskip("playwright.sync_api").Error

ROOT = Path(__file__).resolve().parents[2]
NOTEBOOKS = sorted(path.name for path in (ROOT / "notebooks").glob("*.ipynb"))
PATIENCE = 60_000  # milliseconds
FAILED = '[data-mime-type="application/vnd.jupyter.error"], [data-mime-type="application/vnd.jupyter.stderr"]'
BROKEN_WIDGET = "text=/Error displaying widget|Failed to load model class|No widgets here/"

# Another picture, or the same one with something else to say.
REDRAWN = """
([figure, turn, alt]) => figure.dataset.turn !== turn || figure.querySelector('img').alt !== alt
"""

# Put other source into a cell, found by its id, and run it.
RUN_CELL = """
async ([id, source]) => {
  const notebook = jupyterapp.shell.currentWidget.content;
  const place = notebook.widgets.findIndex(cell => cell.model.id === id);
  notebook.activeCellIndex = place;
  if (source !== null) notebook.widgets[place].model.sharedModel.setSource(source);
  await jupyterapp.commands.execute('notebook:run-cell');
  return notebook.widgets[place].outputArea.node.innerText;
}
"""


def plain(text):
    return " ".join(text.replace("`", "").split())


def move_until_it_redraws(page, output, slider):
    """Press an arrow key up to five times: one step alone may rightly change nothing that is seen."""
    figure = output.locator(".dscourse-figure").element_handle()
    before = [figure, figure.get_attribute("data-turn"), figure.query_selector("img").get_attribute("alt")]
    at_its_end = slider.get_attribute("aria-valuenow") == slider.get_attribute("aria-valuemax")
    for _ in range(5):
        slider.press("ArrowLeft" if at_its_end else "ArrowRight")
        try:
            page.wait_for_function(REDRAWN, arg=before, timeout=PATIENCE / 6)
        except Error:  # nothing to be seen yet
            continue
        return
    row = slider.locator("xpath=ancestor::*[contains(@class, 'widget-inline-hbox')]")
    pytest.fail(f"the control {row.inner_text()!r} changes nothing")


# What a learner sees: [{id, text, ran}] of the cells that are at least partly in the window, in order.
IN_VIEW = """
() => {
  const panel = '.jp-NotebookPanel:not(.lm-mod-hidden) .jp-WindowedPanel-outer';
  const { top, bottom } = document.querySelector(panel).getBoundingClientRect();
  const inside = (node) => {
    const box = node.getBoundingClientRect();
    return box.height > 0 && box.bottom > top && box.top < bottom;
  };
  const parts = (cell, wanted) => [...cell.node.querySelectorAll(wanted)].filter(inside);
  const cells = jupyterapp.shell.currentWidget.content.widgets.filter((cell) => inside(cell.node));
  return cells.map((cell) => ({
    id: cell.model.id,
    text: parts(cell, '.jp-RenderedHTMLCommon, .jp-OutputArea-output').map((part) => part.innerText).join(' '),
    open: cell.node.querySelectorAll('details[open]').length,
    outputs: parts(cell, '.jp-OutputArea-output').length,
  }));
}
"""
IDLE = "() => jupyterapp.shell.currentWidget.sessionContext.session.kernel.status === 'idle'"
ACTIVE = "() => jupyterapp.shell.currentWidget.content.activeCell.model.id"
NEXT = """
async () => {
  await jupyterapp.commands.execute('notebook:run-cell-and-select-next');  // what Shift + Enter does
  await new Promise((done) => setTimeout(done, 150));
}
"""


TEXT = """
(id) => jupyterapp.shell.currentWidget.content.widgets.find((cell) => cell.model.id === id).node.innerText
"""
HAS_BUTTONS = """
(id) => jupyterapp.shell.currentWidget.content.widgets.find((cell) => cell.model.id === id).node
  .querySelector('.dscourse-prediction')
"""


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_a_learner_walks_through_it_answers_unseen_and_moves_every_slider(open_notebook, lab, name):
    """Walk a learner's copy in the order of Shift + Enter; look at each question before and after its cell is run."""
    page = open_notebook(name, run_all=False, viewport={"width": 1280, "height": 800})
    cells = json.loads((lab.folder / name).read_text(encoding="utf-8"))["cells"]
    module = importlib.import_module(
        f"dscourse.exercises.{name.removesuffix('.ipynb')[3:].replace('-', '_')}"
    )
    shown = {
        cell["id"]: vars(module).get("".join(cell["source"]).removeprefix("exercises.")) for cell in cells
    }
    questions = {cell: thing for cell, thing in shown.items() if isinstance(thing, Prediction)}
    assert questions
    before = None
    for cell in list(shown)[:-1]:
        assert page.evaluate(ACTIVE) == cell
        if before in questions:
            page.wait_for_function(HAS_BUTTONS, arg=before, timeout=PATIENCE)
        for question in {before, cell} & set(questions):
            words = plain(questions[question].question)[:60]
            assert words in plain(page.evaluate(TEXT, question)), f"{question} can't be read"
            look_at(page.evaluate(IN_VIEW), cells, question, questions[question])
        if before in questions:  # before it is run, JupyterLab may show no more than the cell's first line
            words = plain(questions[before].question)[:60]
            assert words in plain(seen(page.evaluate(IN_VIEW), before)), f"{before} is not on the screen"
        page.evaluate(NEXT)
        before = cell
    page.wait_for_function(IDLE, timeout=PATIENCE)
    failed = page.locator(FAILED).all_text_contents()
    assert not failed, failed
    assert page.locator(BROKEN_WIDGET).count() == 0
    for output in page.locator(".jp-OutputArea-output:has(.dscourse-figure):has([role=slider])").all():
        for slider in output.get_by_role("slider").all():
            move_until_it_redraws(page, output, slider)
            assert output.locator(".dscourse-figure img").get_attribute("alt")
            assert not output.locator(".dscourse-problem").inner_text().strip()


def seen(view, cell):
    return " ".join(one["text"] for one in view if one["id"] == cell)


def look_at(view, cells, question, prediction):
    """Assert that nothing in view answers the question."""
    copies = {cell["id"]: cell for cell in cells}
    below = list(copies)[list(copies).index(question) + 1 :]
    for cell in view:
        text, copy = plain(cell["text"]), copies[cell["id"]]
        for expectation in prediction.expectations:
            assert plain(expectation.explanation) not in text, cell["id"]
        if cell["id"] in below and copy["cell_type"] == "code":
            assert not cell["outputs"] or copy["outputs"], f"the result of {cell['id']} is in view"
        if cell["id"] in below and "explanation" in copy["metadata"].get("tags", []):
            assert not cell["open"], cell["id"]
            assert text in ("", "What happened?"), cell["id"]


def test_notebook_01_asks_and_answers(open_notebook):
    page = open_notebook("01-scaling-metrics.ipynb")

    prediction, asked = scaling_metrics.a_shared_lock, page.locator(".dscourse-prediction").nth(1)
    asked.wait_for(timeout=PATIENCE)
    assert plain(prediction.question) in plain(asked.inner_text())
    key, option = next((key, one) for key, one in prediction.options.items() if one is not prediction.right)
    asked.get_by_role("radio").nth("abc".index(key)).check()
    asked.get_by_role("button", name="Commit").click()
    asked.get_by_text(f"You expect: {option.text}. The run decides.").wait_for(timeout=PATIENCE)
    explanations = [plain(one.explanation) for one in prediction.expectations]
    assert not any(explanation in plain(asked.inner_text()) for explanation in explanations)
    told = plain(page.evaluate(RUN_CELL, ["compare-lock", None]))
    assert f"You expected: {option.text}." in told
    assert plain(option.explanation) in told
    assert plain(prediction.right.explanation) not in told

    exercise = scaling_metrics.busy_threads
    assert "Not attempted yet" in page.evaluate(RUN_CELL, ["answer-threads", None])
    for code, message in [
        *((mistake.code, mistake.message) for mistake in exercise.mistakes),
        (exercise.solution_code, exercise.success),
    ]:
        answered = page.evaluate(
            RUN_CELL, ["answer-threads", f"{code}\nexercises.busy_threads.check(answer)"]
        )
        assert plain(message) in plain(answered)
