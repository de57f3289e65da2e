"""Every notebook as a learner meets it: it runs from top to bottom, its sliders redraw, it asks and it answers."""

import re
from pathlib import Path

import pytest

from dscourse.exercises import scaling_metrics

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


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_it_runs_from_top_to_bottom_and_every_slider_redraws(open_notebook, name):
    page = open_notebook(name)
    failed = page.locator(FAILED).all_text_contents()
    assert not failed, failed
    assert page.locator(BROKEN_WIDGET).count() == 0
    for output in page.locator(".jp-OutputArea-output:has(.dscourse-figure):has([role=slider])").all():
        for slider in output.get_by_role("slider").all():
            move_until_it_redraws(page, output, slider)
            assert output.locator(".dscourse-figure img").get_attribute("alt")
            assert not output.locator(".dscourse-problem").inner_text().strip()


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


def test_notebook_01_asks_and_answers(open_notebook):
    page = open_notebook("01-scaling-metrics.ipynb")

    prediction, asked = scaling_metrics.a_shared_lock, page.locator(".dscourse-prediction").nth(1)
    option = next(iter(prediction.options.values()))
    asked.wait_for(timeout=PATIENCE)
    assert plain(prediction.question) in plain(asked.inner_text())
    told = [plain(option.explanation) for option in prediction.options.values()]
    assert not any(explanation in plain(asked.inner_text()) for explanation in told)
    asked.get_by_role("radio").first.check()
    assert not any(explanation in plain(asked.inner_text()) for explanation in told)
    asked.get_by_role("button", name="Commit").click()
    asked.get_by_text(re.compile(re.escape(option.explanation.split("`")[0][:40]))).wait_for(timeout=PATIENCE)
    assert plain(option.explanation) in plain(asked.inner_text())

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
