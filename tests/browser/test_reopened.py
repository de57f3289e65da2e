"""A notebook that was saved, and is opened again after its kernel has ended, still shows what it showed."""

PATIENCE = 60_000  # milliseconds
CELLS = [
    "from dscourse.exercises import start_here as exercises\n"
    "from dscourse.views import live_figure, play\n"
    "exercises.crash_the_leader",
    "play(exercises.shop.run(until=2.0), hide_future=False)",
    "def set_up(figure):\n    return figure.subplots().axvline(0)\n"
    "def update(line, load):\n    line.set_xdata([load, load])\n    return 'a line'\n"
    "live_figure(set_up, update, load=(0.1, 0.9, 0.1))",
]
SHOWN = [".dscourse-prediction", ".dp-play", ".dscourse-figure img"]
GONE = "belongs to a kernel that is gone. Run this cell again"


def assert_all_are_shown(page):
    for selector in SHOWN:
        page.locator(selector).first.wait_for(timeout=PATIENCE)


def test_widgets_come_back_without_their_kernel_and_say_what_to_do(open_notebook):
    page = open_notebook(CELLS)
    assert_all_are_shown(page)
    page.evaluate("async () => { await jupyterapp.commands.execute('docmanager:save'); }")
    page.evaluate(
        "async () => { await jupyterapp.shell.currentWidget.sessionContext.session.kernel.restart(); }"
    )
    page.reload()
    assert_all_are_shown(page)
    assert page.get_by_text("not found").count() == 0
    page.locator(".dp-node").first.click()
    page.get_by_role("menuitem", name="Crash", exact=False).first.click()
    page.get_by_role("radio").first.check()
    page.get_by_role("button", name="Commit").click()
    page.get_by_text(f"This player {GONE}").wait_for(timeout=PATIENCE)
    page.get_by_text(f"This {GONE}").wait_for(timeout=PATIENCE)
    page.get_by_text(f"This figure {GONE}").wait_for(timeout=PATIENCE)
