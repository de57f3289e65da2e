"""What a machine can find of what keeps somebody out: contrast, names, roles, focus, zoom, motion.

axe-core is asked about everything of ours; of JupyterLab's own page only what we put into it.
"""

import pytest

Axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe

PATIENCE = 60_000  # milliseconds
RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}

EVERYTHING = [
    "from dscourse.exercises import split_brain as exercises\nfrom dscourse.views import play\n"
    "from dscourse.views import consensus as views",
    "exercises.cut_in_halves",
    "exercises.half_of_the_elections",
    "exercises.members_needed",
    "exercises.cut_in_halves.choose('a')\nexercises.cut_in_halves.compare()",
    "exercises.members_needed.check(3)",
    "views.explore_sides()",
    "play(exercises.split, tasks=exercises.see_the_split)",
]
OURS = [
    ".dscourse-player",
    ".dscourse-prediction",
    ".dscourse-exercise",
    ".dscourse-figure",
    ".jp-OutputArea-output[data-mime-type='text/html']",
]


def found_by_axe(page, context=None):
    """Return what axe finds, a line each: the rule, what it asks for, and where."""
    violations = Axe().run(page, context=context, options=RULES).response["violations"]
    return [
        f"{one['id']}: {one['help']}: {[node['html'][:160] for node in one['nodes']][:3]}"
        for one in violations
    ]


def test_player_predictions_exercises_and_figures_pass(open_notebook):
    page = open_notebook(EVERYTHING, viewport={"width": 1280, "height": 800})
    page.wait_for_selector(".dscourse-player[data-ready=yes]", timeout=PATIENCE)
    page.wait_for_selector(".dscourse-figure img[src]", timeout=PATIENCE)
    there = [selector for selector in OURS if page.locator(selector).count()]
    assert {".dscourse-player", ".dscourse-prediction", ".dscourse-figure"} <= set(there)
    player = page.locator(".dscourse-player")
    player.get_by_role("button", name="Diagram").click()
    player.get_by_role("button", name="Inside").click()
    player.get_by_role("button", name="keys").click()
    assert found_by_axe(page, [[selector] for selector in there]) == []


@pytest.mark.parametrize("name", ["index.html", "gallery.html", "teaching.html", "00-start-here.html"])
def test_pages_of_the_site_pass(site, new_page, name):
    page = new_page(viewport={"width": 1280, "height": 800})
    page.goto((site / name).as_uri())
    if name == "gallery.html":
        page.wait_for_selector(".dscourse-player[data-ready=yes]")
    assert found_by_axe(page) == []


def test_at_200_percent_nothing_is_cut_off(open_notebook):
    page = open_notebook(EVERYTHING[:1] + EVERYTHING[-1:], viewport={"width": 640, "height": 400})
    player = page.locator(".dscourse-player")
    page.wait_for_selector(".dscourse-player[data-ready=yes]", timeout=PATIENCE)
    page.evaluate("() => document.querySelector('.jp-WindowedPanel-outer').scrollTo(0, 1e6)")
    wide = player.evaluate("(root) => [root.scrollWidth, root.clientWidth]")
    assert wide[0] <= wide[1] + 1, "the player is cut off"
    for button in player.get_by_role("button").all():
        if button.is_visible():
            box, frame, name = (
                button.bounding_box(),
                player.bounding_box(),
                button.evaluate("(one) => one.outerHTML"),
            )
            assert box["x"] >= frame["x"] - 1, name
            assert box["x"] + box["width"] <= frame["x"] + frame["width"] + 1, name


IDLE = "() => jupyterapp.shell.currentWidget.sessionContext.session.kernel.status === 'idle'"
FOCUSED_IN = """
(selector) => {
  const shown = [...document.querySelectorAll(`.jp-NotebookPanel:not(.lm-mod-hidden) ${selector}`)];
  return shown.some((one) => one.contains(document.activeElement));
}
"""


def tab_into(page, selector):
    """Press Tab until the focus is in such a thing, as somebody would who can't use a mouse."""
    for _ in range(60):
        if page.evaluate(FOCUSED_IN, selector):
            return
        page.keyboard.press("Tab")
    pytest.fail(f"Tab doesn't reach {selector}")


def run_cells_until(page, selector):
    """Press Shift + Enter until such a thing is on the page."""
    for _ in range(40):
        page.keyboard.press("Shift+Enter")
        page.wait_for_timeout(300)
        page.wait_for_function(IDLE, timeout=PATIENCE)
        if page.locator(selector).count():
            page.wait_for_selector(selector, timeout=PATIENCE)
            return
    pytest.fail(f"no cell shows {selector}")


def test_notebook_00_can_be_worked_by_keyboard_alone(open_notebook):
    page = open_notebook("00-start-here.ipynb", run_all=False, viewport={"width": 1280, "height": 800})
    page.evaluate("() => jupyterapp.shell.currentWidget.content.node.focus()")

    run_cells_until(page, ".dscourse-player")
    page.wait_for_selector(".dscourse-player[data-ready=yes]", timeout=PATIENCE)
    tab_into(page, ".dscourse-player")
    page.keyboard.press("Space")
    page.wait_for_selector(".dscourse-player[data-playing=yes]", timeout=PATIENCE)
    page.keyboard.press("Space")
    page.wait_for_selector(".dscourse-player[data-playing=no]", timeout=PATIENCE)

    run_cells_until(page, ".dscourse-prediction")
    tab_into(page, ".dscourse-prediction")
    page.keyboard.press("ArrowDown")
    for _ in range(10):
        page.keyboard.press("Tab")
        if page.evaluate("() => document.activeElement.innerText") == "Commit":
            break
    page.keyboard.press("Enter")
    page.get_by_text("The run decides.").first.wait_for(timeout=PATIENCE)
    page.keyboard.press("Shift+Enter")  # from within the question, on to the next cell
    page.wait_for_function(
        "() => document.activeElement.closest('.jp-Cell') || document.activeElement.closest('.jp-Notebook')"
    )
