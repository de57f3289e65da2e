"""A learner's first minutes: the course opens, widgets show, predictions and exercises answer."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 60_000  # milliseconds
ERRORS = '[data-mime-type="application/vnd.jupyter.error"], [data-mime-type="application/vnd.jupyter.stderr"]'


def no_cell_failed(page):
    failed = page.locator(ERRORS).all_text_contents()
    return not failed or pytest.fail(f"cells failed: {failed}")


def test_the_start_page_runs_from_top_to_bottom(open_notebook):
    page = open_notebook("00-start-here.ipynb")
    no_cell_failed(page)
    page.get_by_text("All is well: the course runs here.").wait_for(timeout=PATIENCE)
    page.locator(".dscourse-widgets-work").wait_for(timeout=PATIENCE)
    assert page.get_by_text("No widgets here").count() == 0


def test_a_prediction_explains_itself_only_after_a_choice(open_notebook):
    page = open_notebook("00-start-here.ipynb")
    told = page.get_by_text("becomes of the chances when they have to come true together")
    page.get_by_label("about 99.9 %, like each of them").first.wait_for(timeout=PATIENCE)
    assert told.count() == 0
    assert "come true together" not in page.content()
    page.get_by_label("about 99.9 %, like each of them").first.check()
    assert told.count() == 0
    page.get_by_role("button", name=re.compile("commit", re.IGNORECASE)).first.click()
    told.first.wait_for(timeout=PATIENCE)
