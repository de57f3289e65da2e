"""A history made by hand in a real JupyterLab: by mouse, by keyboard, as text; and what all models say of it."""

import os

import pytest

START = """
from dscourse.views.consistency import explore_models
widget = explore_models(
    "a write x=1 0-1; b read x=1 2-3; b read x=1 4-5", allowed="sequential", forbidden="linearizable"
)
widget
"""
SCREEN = {"width": 1280, "height": 800}


@pytest.fixture
def page(open_notebook):
    page = open_notebook([START], viewport=SCREEN)
    page.wait_for_selector(".dscourse-history[data-ready=yes]")
    return page


def allowed(page):
    return page.locator(".dh-model.dh-ok span:nth-child(2)").all_text_contents()


def test_by_keyboard_then_by_mouse(page):
    assert len(allowed(page)) == 7
    first_read = page.locator('[data-place="1"]')
    first_read.focus()
    page.keyboard.press("-")  # b reads nothing
    page.wait_for_selector(".dh-model.dh-illegal")
    assert page.locator(".dh-model.dh-illegal span:nth-child(2)").all_text_contents() == ["linearizable"]
    page.wait_for_selector(".dh-goal.dh-done")
    assert page.locator('[data-place="1"]').get_attribute("aria-label") == "b: read x = nothing, 2 to 3"
    page.locator(".dh-model", has_text="linearizable").click()
    assert page.locator(".dh-culprit").get_attribute("data-place") == "1"
    assert page.locator(".dh-decides").count() == 2
    assert "No order explains b's read of x" in page.locator(".dh-why").text_content()
    if shots := os.environ.get("SHOTS"):
        page.locator(".dscourse-history").screenshot(path=f"{shots}/history.png")
    # drag the read to before the end of the write: now they overlap
    box = page.locator('[data-place="1"] rect').first.bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.down()
    page.mouse.move(box["x"] - 1.4 * box["width"], box["y"] + box["height"] / 2, steps=6)
    page.mouse.up()
    page.wait_for_function("() => document.querySelectorAll('.dh-model.dh-ok').length === 7")
    assert page.locator('[data-place="1"]').get_attribute("aria-label") == "b: read x = nothing, 0 to 1"
    assert not page.locator(".dh-goal.dh-done").count()


def test_adding_deleting_and_writing(page):
    page.locator('[data-place="2"]').focus()
    page.keyboard.press("n")
    assert page.locator('[data-place="3"]').get_attribute("aria-label") == "b: write x = 2, 6 to 7"
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Shift+ArrowRight")
    page.keyboard.press("y")
    page.keyboard.press("?")
    assert page.locator('[data-place="3"]').get_attribute("aria-label") == "a: write y = 2, 6 to unknown"
    page.keyboard.press("Delete")
    assert page.locator("[data-place]").count() == 3
    page.get_by_text("As text").click()
    text = page.locator(".dh-text")
    text.fill("a write x=1 0-1; a read x=- 2-3")
    page.locator(".dh-goal").click()
    text.blur()
    page.wait_for_function("() => document.querySelectorAll('.dh-model.dh-illegal').length === 4")
    assert page.locator("[data-place]").count() == 2
    text.fill("a write x=1 0-1; nonsense")
    text.blur()
    page.wait_for_function("() => document.querySelector('.dh-problem').textContent !== ''")
    assert "an operation is written like" in page.locator(".dh-problem").text_content()


def test_shift_enter_runs_the_cell_and_the_keys_are_not_jupyterlabs(page):
    page.locator('[data-place="1"]').focus()
    page.keyboard.press("-")
    page.wait_for_selector(".dh-goal.dh-done")
    page.keyboard.press("Shift+Enter")  # the cell is run again: the history is the first again
    page.wait_for_function("() => document.querySelectorAll('.dh-model.dh-ok').length === 7")
