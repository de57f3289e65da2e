"""The cluster player in a real JupyterLab: what the page shows, and what Python knows of it."""

import pytest
from page_driver import PageDriver

CLUSTER = """
from dscourse.consensus import NaiveFailoverNode
from dscourse.simulation import *
from dscourse.views import play
network = Network(topology.full_mesh(5), latency=Uniform(0.02, 0.2))
calm = Scenario(NaiveFailoverNode, network, seed=1).run(until=8.0)
"""
END = 8_000_000  # µs
SCREEN = {"width": 1280, "height": 1400}


class Driver(PageDriver):
    """A player in a page, with the few things that a learner does."""

    selector = ".dscourse-player"

    def faults(self):
        return self.python("print(json.dumps([repr(fault) for fault in player.faults]))")

    @property
    def time(self):
        return int(self.root.get_attribute("data-time"))

    @property
    def line(self):
        return self.root.locator(".dp-line").inner_text()

    def press(self, *keys):
        super().press(*keys)
        self.page.wait_for_timeout(80)

    def scrub_to(self, t):
        box = self.root.locator(".dp-timeline").bounding_box()
        x = box["x"] + 8 + (box["width"] - 16) * t / END
        self.page.mouse.move(box["x"] + 40, box["y"] + 12)
        self.page.mouse.down()
        self.page.mouse.move(x, box["y"] + 12, steps=4)
        self.page.mouse.up()
        self.page.wait_for_timeout(80)

    def status(self, node):
        return self.root.locator(f'.dp-cluster [data-node="{node}"]').first.get_attribute("data-status")

    def place(self, node):
        box = self.root.locator(f'.dp-cluster [data-node="{node}"] .dp-hit').first.bounding_box()
        return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2

    def choose(self, item):
        self.root.get_by_role("menuitem", name=item, exact=True).click()
        self.settled()

    def settled(self):
        """Wait until Python has answered."""
        self.page.wait_for_selector('.dscourse-player[aria-busy="false"]')
        self.page.wait_for_timeout(150)

    def lasso(self, *nodes):
        places = [self.place(node) for node in nodes]
        left, right = min(x for x, _ in places) - 34, max(x for x, _ in places) + 34
        top, bottom = min(y for _, y in places) - 34, max(y for _, y in places) + 34
        self.page.mouse.move(left, top)
        self.page.mouse.down()
        for corner in [(right, top), (right, bottom), (left, bottom), (left, top + 3)]:
            self.page.mouse.move(*corner, steps=4)
        self.page.mouse.up()


@pytest.fixture
def drive(open_notebook):
    """Return a function that opens a notebook with a player and gives its driver."""

    def open_(expression, setup="", **options):
        page = open_notebook([CLUSTER + setup, f"player = {expression}\nplayer"], **options)
        return Driver(page)

    return open_


def test_a_learner_plays_scrubs_breaks_undoes_and_copies(drive):
    player = drive("play(calm)", viewport=SCREEN, permissions=["clipboard-read", "clipboard-write"])
    page = player.page

    player.root.get_by_role("button", name="▶ Play").click()
    page.wait_for_timeout(700)
    player.root.get_by_role("button", name="❚❚ Pause").click()
    assert 100_000 < player.time < 2_000_000  # half speed, for about 0.7 s

    player.scrub_to(2_000_000)
    assert abs(player.time - 2_000_000) < 20_000
    assert player.status("n0") == "leader"
    before = player.time
    player.press("ArrowRight", "ArrowRight")
    times = player.python("print(json.dumps([int(t) for t in calm.trace.time_us]))")
    assert player.time == sorted({t for t in times if t > before})[1]
    player.press("ArrowLeft", "ArrowLeft")
    assert player.time == max(t for t in times if t <= before)

    player.scrub_to(3_000_000)
    at = player.time
    page.mouse.click(*player.place("n0"))
    player.choose("Crash")
    assert player.time == at  # the cursor stays
    assert player.status("n0") == "crashed"
    assert player.faults() == [f"Crash('n0', at={at / 1e6!r})"]
    player.press("End")
    assert player.status("n1") == "leader"
    assert "n0 crashed" in player.python("print(json.dumps(player.picture().alt))")

    player.scrub_to(1_000_000)
    assert player.status("n0") == "leader"  # the past is as it was
    at = player.time
    player.lasso("n3", "n4")
    assert player.root.locator(".dp-marked-bar").inner_text().startswith("Marked: n3, n4")
    player.root.get_by_role("button", name="Partition from the rest").click()
    player.settled()
    assert player.faults()[1] == f"Partition((('n0', 'n1', 'n2'), ('n3', 'n4')), at={at / 1e6!r})"
    player.press("End")
    assert player.status("n3") == "leader"  # split brain
    assert player.status("n1") == "leader"

    player.root.get_by_role("button", name="Copy as code").click()
    page.wait_for_timeout(200)
    code = page.evaluate("navigator.clipboard.readText()")
    assert code.count("fork(") == 2
    assert player.python(f"exec({code!r})\nprint(json.dumps(forked.digest() == player.run.digest()))") is True

    player.root.get_by_role("button", name="Undo").click()
    player.settled()
    assert len(player.faults()) == 1
    assert player.status("n3") == "follower"
    player.root.get_by_role("button", name="take back Crash").click()
    player.settled()
    assert player.faults() == []
    assert player.python("print(json.dumps(player.run is calm))") is True
    assert player.root.locator(".dp-problem").is_hidden()


def test_everything_can_be_done_by_keyboard_and_jupyterlab_stays_out(drive):
    player = drive("play(calm)", viewport=SCREEN)
    page = player.page
    cells = page.locator(".jp-Cell").count()
    player.root.focus()
    player.press("Home", "PageDown", "PageDown")
    assert player.time == 1_600_000
    player.press("ArrowDown")  # the first node has the focus
    assert page.evaluate("document.activeElement.dataset.node") == "n0"
    player.press("m", "ArrowDown", "m", "p")  # mark n0 and n1, part them from the rest
    player.settled()
    assert player.faults() == ["Partition((('n0', 'n1'), ('n2', 'n3', 'n4')), at=1.6)"]
    player.press("Shift+ArrowRight")
    change = player.python(
        "e = next(e for e in player.run.trace.select(kind='record', name='status') if e.time > 1.6)\n"
        "print(json.dumps([e.time_us, e.node, e.detail['status'], e.detail['label']]))"
    )
    assert player.time == change[0]
    assert f"{change[1]} is now {change[2]} ({change[3]})" in player.line
    player.press("h")
    player.settled()
    assert player.faults()[1].startswith("Heal(at=")
    player.press("Enter")  # the menu of the node that has the focus
    assert page.evaluate("document.activeElement.textContent") == "Crash"
    player.press("ArrowDown", "Enter")
    player.settled()
    assert player.faults()[2].startswith("Pause('n1', at=")
    player.press("u", "u")
    player.settled()
    assert len(player.faults()) == 1
    player.press("c")
    assert player.root.locator(".dp-told").inner_text().startswith("Causal past of")
    player.press("Escape", "?")
    assert player.root.locator(".dp-help").is_visible()
    start = player.time
    player.root.focus()  # on a node, Space opens its menu
    player.press(" ")
    page.wait_for_timeout(400)
    player.press(" ")
    assert player.time > start
    small = page.evaluate(
        """() => [...document.querySelectorAll(".dscourse-player :is(button, select, summary, .dp-hit, .dp-check)")]
            .filter((one) => one.getClientRects().length > 0).map((one) => one.getBoundingClientRect())
            .filter((box) => box.width < 24 || box.height < 24).length"""
    )
    assert small == 0  # every target is large enough for an unsteady hand
    # a, b, d d and x insert, delete and cut cells in JupyterLab's command mode; here they must not
    player.press("a", "b", "d", "d", "x", "z", "y")
    assert page.locator(".jp-Cell").count() == cells
    assert page.evaluate("document.activeElement.closest('.dscourse-player') !== null")


def test_the_insides_of_nodes_follow_the_cursor_and_nothing_glides_if_that_is_not_wanted(drive):
    player = drive("play(calm.fork(3.0, Crash('n0', at=3.0)))", viewport=SCREEN, reduced_motion="reduce")
    seen = player.page.evaluate(
        """async () => {
            const root = document.querySelector(".dscourse-player"), line = root.querySelector(".dp-line");
            const seen = new Set();
            root.querySelector(".dp-play").click();
            const end = performance.now() + 1300;
            while (performance.now() < end) {
                seen.add(root.dataset.time);
                await new Promise(requestAnimationFrame);
            }
            const live = line.getAttribute("aria-live");
            root.querySelector(".dp-play").click();
            return [seen.size, live, line.getAttribute("aria-live")];
        }"""
    )
    assert 2 <= seen[0] <= 4  # two pictures a second, not sixty
    assert seen[1:] == ["off", "polite"]  # a screen reader is told where it stops, not every frame
    player.root.get_by_role("button", name="Inside").click()
    player.scrub_to(4_000_000)
    player.press("Shift+ArrowRight")
    fields = player.root.locator(".dp-fields")
    player.page.wait_for_function(
        "() => document.querySelector('.dp-fields').textContent.includes(\"was 'n0'\")"
    )
    assert "crashed: its memory is gone" in fields.inner_text()
    assert "'n1'" in fields.inner_text()


def test_filters_are_clicked_closed_and_kept(drive):
    player = drive("play(calm)", viewport=SCREEN)
    page = player.page
    player.root.get_by_role("button", name="Diagram").click()
    player.press("End", "Home")
    nodes, messages = player.root.locator(".dp-filter").all()
    shown = player.root.locator(".dp-scroller")
    all_shown = shown.get_attribute("aria-label")
    nodes.locator("summary").click()
    for name in ("n0", "n1", "n2", "n3"):
        nodes.get_by_label(name, exact=True).click()
    assert shown.get_attribute("aria-label").endswith("0 messages between 1 nodes")
    last = nodes.get_by_label("n4").bounding_box()  # few rows are left, but the list has room
    frame = player.root.bounding_box()
    assert last["y"] + last["height"] < frame["y"] + frame["height"]
    messages.locator("summary").click()
    assert (nodes.get_attribute("open"), messages.get_attribute("open")) == (None, "")
    page.keyboard.press("Escape")
    assert messages.get_attribute("open") is None
    assert page.evaluate("document.activeElement.textContent") == "Messages"

    player.scrub_to(3_000_000)
    page.mouse.click(*player.place("n0"))
    player.choose("Crash")
    assert shown.get_attribute("aria-label").endswith("between 1 nodes")  # what was hidden stays hidden
    player.root.get_by_role("button", name="Undo").click()
    player.settled()
    nodes.locator("summary").click()
    for name in ("n0", "n1", "n2", "n3"):
        nodes.get_by_label(name, exact=True).click()
    messages.locator("summary").click()
    messages.get_by_label("Heartbeat").click()
    assert shown.get_attribute("aria-label").endswith("0 messages between 5 nodes")
    messages.get_by_label("Heartbeat").click()
    player.root.locator(".dp-line").click()
    assert messages.get_attribute("open") is None
    player.press("Home")
    assert shown.get_attribute("aria-label") == all_shown
    player.root.get_by_label("kind of event to jump to").select_option("change of state")
    player.root.get_by_role("button", name="next of this kind").click()
    page.wait_for_timeout(80)  # it is written with the next frame
    assert player.line == "No change of state after 0.00 s."


def test_two_runs_stand_side_by_side_with_the_moment_they_part(drive):
    split = (
        "from dscourse.exercises import start_here\ncalm = start_here.shop.run(until=8.0)\n"  # has customers
    )
    split += "split = calm.fork(3.0, Partition([['n0', 'n1'], ['n2', 'n3', 'n4']], at=3.0, until=6.0))\n"
    split += "from dscourse.views import Task, Visit\n"
    tasks = "[Task('test.seen', 'Look at the end', Visit(7, 8))]"  # the list makes the pictures narrow
    player = drive(f"play(split, calm, tasks={tasks})", split, viewport={**SCREEN, "height": 800})
    player.scrub_to(5_900_000)
    graphs = player.root.locator(".dp-cluster").all()
    both = [graph.locator('[data-node="n2"]').get_attribute("data-status") for graph in graphs]
    assert both == ["leader", "follower"]
    covered = player.page.evaluate(
        """() => [...document.querySelectorAll(".dp-cluster")].flatMap((cluster) => {
            const legend = cluster.querySelector(".dp-legend").getBoundingClientRect();
            return [...cluster.querySelectorAll(".dp-label, .dp-shape, .dp-name")]
                .filter((one) => !one.closest(".dp-legend") && one.getClientRects().length > 0)
                .filter((one) => {
                    const box = one.getBoundingClientRect();
                    return box.left < legend.right && legend.left < box.right
                        && box.top < legend.bottom && legend.top < box.bottom;
                }).map((one) => one.textContent || one.getAttribute("class"));
        })"""
    )
    assert covered == []  # by the legend
    player.root.get_by_role("button", name="Compare").click()
    assert not player.root.locator(".dp-cluster").nth(1).is_visible()


def test_a_slow_node_is_sped_up_again_by_keyboard(drive):
    player = drive("play(calm)", viewport=SCREEN)
    player.root.focus()
    player.press("PageDown", "PageDown", "ArrowDown", "Enter", "ArrowDown", "ArrowDown", "Enter")
    player.settled()
    assert player.faults() == ["Slow(10.0, at=1.6, node='n0')"]
    assert player.page.evaluate("document.activeElement.dataset.node") == "n0"  # it keeps the focus
    player.press("PageDown", "Enter", "ArrowDown", "ArrowDown")
    assert player.page.evaluate("document.activeElement.textContent") == "Back to full speed"
    player.press("Enter")
    player.settled()
    assert player.faults() == ["Slow(10.0, at=1.6, until=2.4, node='n0')"]
    assert "end of" in player.line


def test_a_paused_node_is_resumed_by_keyboard(drive):
    player = drive("play(calm)", viewport=SCREEN)
    player.root.focus()
    player.press("PageDown", "PageDown", "ArrowDown", "Enter", "ArrowDown", "Enter")
    player.settled()
    assert player.faults() == ["Pause('n0', at=1.6)"]
    player.press("PageDown", "Enter", "ArrowDown")
    assert player.page.evaluate("document.activeElement.textContent") == "Resume"
    player.press("Enter")
    player.settled()
    assert player.faults() == ["Pause('n0', at=1.6)", "Resume('n0', at=2.4)"]


TWELVE = """
wide = Scenario(NaiveFailoverNode, Network(topology.full_mesh(12), latency=Uniform(0.02, 0.2)), seed=1).run(until=8.0)
"""
LAYOUT = """() => {
    const root = document.querySelector(".dscourse-player"), frame = root.getBoundingClientRect();
    const box = (name) => root.querySelector(name).getBoundingClientRect();
    const labels = [...root.querySelectorAll(".dp-label")].map((one) => one.textContent).filter((text) => text !== "");
    const outside = [...root.querySelectorAll("*")].filter((one) => one.getClientRects().length > 0)
        .filter((one) => one.getBoundingClientRect().right > frame.right + 1).length;
    const names = [...root.querySelectorAll(".dp-fields strong")].map((one) => one.textContent);
    return {
        labels, outside, names, root: frame.width, height: box(".dp-controls").bottom - frame.top,
        graphs: box(".dp-graphs").width, inside: box(".dp-inspector").width,
    };
}"""


def test_two_runs_of_twelve_nodes_and_their_insides_fit_on_a_small_screen(drive):
    player = drive(
        "play(wide.fork(3.0, Crash('n3', at=3.0)), wide)", TWELVE, viewport={"width": 1280, "height": 720}
    )
    player.root.get_by_role("button", name="Inside").click()
    player.scrub_to(2_000_000)
    player.page.wait_for_selector(".dp-fields strong")
    found = player.page.evaluate(LAYOUT)
    assert found["height"] < 598  # what JupyterLab leaves of 720
    assert found["graphs"] > found["root"] - 20
    assert found["inside"] > found["root"] - 20
    assert found["names"] == [f"n{number}" for number in range(12)]
    assert set(found["labels"]) == {"I lead", "follows n0"}  # not cut short
    assert found["outside"] == 0


def test_the_list_of_keys_stands_in_pairs_however_narrow_the_page(drive):
    for viewport in ({"width": 1280, "height": 720}, {"width": 640, "height": 360}):
        player = drive("play(calm)", viewport=viewport)
        player.root.get_by_role("button", name="keys").click()
        apart = player.page.evaluate(
            """() => [...document.querySelectorAll(".dp-help dt")].map((one) => {
                const key = one.getBoundingClientRect(), words = one.nextElementSibling.getBoundingClientRect();
                return [Math.abs(key.top - words.top), words.left - key.right];
            })"""
        )
        assert len(apart) > 10
        assert all(down < 2 and 0 < right < 30 for down, right in apart)


def test_the_tab_key_visits_every_control_shows_where_it_is_and_leaves(drive):
    player = drive("play(calm.fork(3.0, Crash('n0', at=3.0)), calm)", viewport=SCREEN)
    player.root.get_by_role("button", name="Inside").click()
    player.root.get_by_role("button", name="Diagram").click()
    player.root.focus()
    visited = []
    for _ in range(40):
        player.page.keyboard.press("Tab")
        at = player.page.evaluate(
            """() => {
                const one = document.activeElement, style = getComputedStyle(one);
                const shape = one.querySelector?.(".dp-shape");
                if (!one.closest(".dscourse-player")) return null;
                const ring = style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2;
                const name = one.getAttribute("aria-label") || one.labels?.[0]?.textContent || one.textContent;
                return [name, ring || (shape && parseFloat(getComputedStyle(shape).strokeWidth) >= 4)];
            }"""
        )
        if at is None:
            break
        visited.append(at)
    else:
        pytest.fail(f"the focus does not leave the player: {visited}")
    assert all(name and shown for name, shown in visited), visited
    names = [name for name, _ in visited]
    assert names[0].startswith("n0: ")
    for name in (
        "inside the nodes",
        "time",
        "speed",
        "Compare",
        "keys",
        "Nodes",
        "Messages",
        "show less time",
    ):
        assert name in names


def test_what_nodes_say_is_shown_as_text_and_what_fails_is_said(drive):
    shouting = """
class Shouting(Node):
    def __init__(self, node_id, peers):
        self.note = "<img src=x onerror=alert(1)>"
    def on_start(self, ctx):
        ctx.record("status", status="<b>odd</b>", label="<img src=x onerror=alert(2)>")
loud = Scenario(Shouting, Network(topology.full_mesh(3))).run(until=1.0)
"""
    player = drive("play(loud)", shouting, viewport=SCREEN)
    page = player.page
    dialogs = []
    page.on("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.dismiss()))
    player.root.get_by_role("button", name="Inside").click()
    page.wait_for_function("() => document.querySelector('.dp-fields').textContent.includes('onerror')")
    assert "<img src=x onerror=alert(2)>" in player.root.locator(".dp-nodes").first.text_content()
    assert page.locator(".dscourse-player img, .dscourse-player b").count() == 0
    assert dialogs == []
    player.root.focus()
    player.press("End", "ArrowDown", "Enter")
    player.choose("Crash")
    assert "The run ends at 1 s" in player.root.locator(".dp-problem").inner_text()
    assert player.faults() == []


SMALL = {"width": 1280, "height": 800}
TASKS = """
from dscourse.views import Task, Visit, lanes
from dscourse.simulation import Crash
tasks = [
    Task("test.crash_it", "Crash n0", lambda run: any(isinstance(fault, Crash) for fault in run.faults)),
    Task("test.look_back", "See the end, then go back before 3 s", [Visit(7.5, 9), Visit(0, 3)]),
]
split = calm.fork(3.0, Partition([["n0", "n1"], ["n2", "n3", "n4"]], at=3.0, until=6.0))
"""
SCREEN_OF = """() => {
    const root = document.querySelector(".dscourse-player"), frame = root.getBoundingClientRect();
    const row = root.querySelector(".dp-controls");
    return {
        height: frame.height, overflows: row.scrollWidth - row.clientWidth, row: row.getBoundingClientRect().height,
        places: [".dp-graph", ".dp-line", ".dp-timeline", ".dp-lanes", ".dp-controls", ".dp-bar"]
            .map((name) => root.querySelector(name)).filter((one) => one.getClientRects().length > 0)
            .map((one) => Math.round(one.getBoundingClientRect().top - frame.top)),
    };
}"""


@pytest.mark.parametrize(
    ("call", "most"),
    [
        ("play(calm, tasks=tasks)", 430),
        ("play(split, calm, tasks=tasks)", 430),
        ("play(split, calm, hide_faults=True)", 430),
        ("play(calm, tasks=tasks, lanes=[lanes.throughput()] * 4)", 580),
    ],
)
def test_one_act_fits_on_one_screen_and_nothing_moves_under_the_mouse(drive, call, most):
    player = drive(call, TASKS, viewport=SMALL)
    player.page.evaluate("() => jupyterapp.shell.expandLeft()")
    player.page.wait_for_timeout(600)
    begun = player.page.evaluate(SCREEN_OF)
    assert begun["height"] <= most
    assert begun["overflows"] <= 0
    assert begun["row"] < 40  # one row of buttons
    player.root.focus()
    player.press("PageDown", "PageDown", "ArrowDown", "Enter", "Enter")  # crash n0
    player.settled()
    player.press("End", "m")
    for _ in range(12):
        player.press("Shift+ArrowLeft")
    assert player.page.evaluate(SCREEN_OF) == begun


def test_the_player_comes_into_view_and_shift_enter_runs_the_next_cell(open_notebook):
    page = open_notebook(
        [CLUSTER, *["print('line')"] * 6, "play(calm)", "after = 1"], run_all=False, viewport=SMALL
    )
    for _ in range(8):
        page.evaluate(
            "async () => { await jupyterapp.commands.execute('notebook:run-cell-and-select-next'); }"
        )
    player = Driver.__new__(Driver)
    player.page, player.root = page, page.locator(".dscourse-player")
    page.wait_for_selector(".dscourse-player[data-ready=yes]")
    page.wait_for_timeout(300)
    frame = page.locator(".jp-WindowedPanel-outer, .jp-Notebook").first.bounding_box()
    box = player.root.bounding_box()
    assert frame["y"] - 1 <= box["y"]
    assert box["y"] + box["height"] <= frame["y"] + frame["height"] + 1
    player.root.get_by_role("button", name="next event").click()
    cells = page.locator(".jp-Cell").count()
    page.keyboard.press("Shift+Enter")
    # as in any output: its own cell is the active one, so that it is run again, and the next one is chosen
    page.wait_for_function(
        "() => jupyterapp.shell.currentWidget.content.widgets[7].model.executionCount === 9"
    )
    assert page.evaluate("() => jupyterapp.shell.currentWidget.content.activeCellIndex") == 8
    page.keyboard.press("Shift+Enter")
    page.wait_for_function(
        "() => jupyterapp.shell.currentWidget.content.widgets[8].model.executionCount === 10"
    )
    assert page.locator(".jp-Cell").count() >= cells


def test_the_future_stays_unseen_and_tasks_tick_themselves(drive):
    player = drive("play(split, tasks=tasks)", TASKS, viewport=SMALL)
    page = player.page
    inks = """() => {
        const canvas = document.querySelectorAll(".dp-timeline canvas")[1];
        const cut = parseFloat(canvas.style.clipPath.split(" ")[1] ?? 0);
        return Math.round((canvas.clientWidth - cut - 8) / (canvas.clientWidth - 16) * 8e6);
    }"""
    ticked = "() => [...document.querySelectorAll('.dp-done')].map((one) => one.dataset.task)"
    assert page.evaluate(inks) < 50_000
    player.scrub_to(2_000_000)
    assert abs(page.evaluate(inks) - 2_000_000) < 60_000
    player.press("Home")
    assert abs(page.evaluate(inks) - 2_000_000) < 60_000  # what has been seen stays
    assert page.evaluate(ticked) == []
    player.press("End", "Home")
    page.wait_for_function("() => document.querySelectorAll('.dp-done').length === 1")
    assert page.evaluate(ticked) == ["test.look_back"]
    player.press("PageDown", "ArrowDown", "Enter", "Enter")
    player.settled()
    assert page.evaluate(ticked) == ["test.crash_it", "test.look_back"]
    assert player.python("print(json.dumps(player.done))") == ["test.crash_it", "test.look_back"]
    assert abs(page.evaluate(inks) - 800_000) < 60_000  # it is another future
    player.press("w")
    assert page.evaluate(inks) > 7_900_000
    kept = "from dscourse.progress import tasks_done\nprint(json.dumps(tasks_done()))"
    assert player.python(kept) == ["test.crash_it", "test.look_back"]


def test_a_message_under_way_is_lost_and_a_mystery_is_solved(drive):
    setup = TASKS + "mystery = calm.fork(3.0, Crash('n2', at=3.0))\n"
    player = drive("play(mystery, hide_faults=True)", setup, viewport=SMALL)
    player.root.focus()
    player.press("End")
    assert player.status("n2") != "crashed"
    assert "crash" not in player.root.inner_text()
    assert not player.root.get_by_role("button", name="Inside").is_visible()
    player.root.get_by_role("button", name="Reveal the faults").click()
    player.settled()
    assert player.status("n2") == "crashed"

    player.scrub_to(520_000)
    player.press("g")
    title = player.root.locator(".dp-menu-title").inner_text()
    assert title.startswith("Heartbeat")
    assert title.endswith("under way")
    player.press("Enter")
    player.settled()
    (lost,) = player.faults()
    assert lost.startswith("LoseMessage(")
    assert (
        player.python("print(json.dumps([e.name for e in player.run.trace.select(kind='drop')][0]))")
        == "lost"
    )
