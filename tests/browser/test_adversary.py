"""The learner as the adversary in a real JupyterLab: a schedule by mouse, one by keyboard, and what becomes of it."""

import pytest
from page_driver import PageDriver

NODES = """
from dataclasses import dataclass
from dscourse.exploration import *
from dscourse.simulation import *
from dscourse.views import adversary

@dataclass(frozen=True)
class Ask_:
    text: str

@dataclass(frozen=True)
class Yes:
    pass

class EagerNode(Node):
    def on_start(self, ctx):
        self.leads = False
        ctx.set_timer("stand", 1.0)

    def on_message(self, ctx, sender, message):
        if isinstance(message, Ask_):
            ctx.send(sender, Yes())  # to anybody who asks: this is the mistake
        else:
            self.leads = True
            ctx.record("status", status="leader", label="<i>I lead</i>")

    def on_timer(self, ctx, name):
        for peer in self.peers:
            ctx.send(peer, Ask_("<img src=x onerror=alert(1)>"))

one_leads = never(lambda now: sum(f["leads"] for f in now.nodes.values()) > 1, name="two lead <b>at once</b>")
widget = adversary(EagerNode, ["n0", "n1", "n2"], [one_leads])
widget
"""
SCREEN = {"width": 1280, "height": 800}


class Driver(PageDriver):
    """An adversary in a page."""

    selector = ".dscourse-adversary"

    def steps(self):
        return self.python("print(json.dumps([repr(step) for step in widget.steps]))")

    def settled(self, count):
        self.page.wait_for_selector(f'.dscourse-adversary[data-steps="{count}"][aria-busy="false"]')

    def node(self, name):
        return self.root.locator(f'.da-node[data-node="{name}"]')

    def click(self, name, text, count):
        self.node(name).get_by_role("button", name=text).first.click()
        self.settled(count)


@pytest.fixture
def driver(open_notebook):
    options = {"viewport": SCREEN, "permissions": ["clipboard-read", "clipboard-write"]}
    cells = NODES.rpartition("widget = ")
    return Driver(open_notebook([cells[0], cells[1] + cells[2]], **options))


def test_a_schedule_by_mouse_breaks_a_property_is_copied_and_played(driver):
    page, root = driver.page, driver.root
    assert driver.root.bounding_box()["height"] < 700
    assert "class EagerNode" in root.locator(".da-source").inner_text()
    driver.click("n0", "stand", 1)
    driver.click("n1", "from n0", 2)
    driver.click("n0", "from n1", 3)
    assert driver.node("n0").locator(".da-state").inner_text() == "<i>I lead</i>"
    assert driver.node("n0").locator(".da-changed").inner_text().split() == ["leads", "True"]
    driver.click("n1", "stand", 4)
    driver.node("n2").get_by_role("button", name="double").last.click()
    driver.settled(5)
    assert driver.node("n2").get_by_text("(copy)").count() == 1
    driver.node("n2").get_by_role("button", name="lose").first.click()
    driver.settled(6)
    driver.node("n2").get_by_role("button", name="crash").click()
    driver.settled(7)
    assert "down" in driver.node("n2").locator(".da-state").inner_text()
    root.get_by_role("button", name="Undo").click()
    driver.settled(6)
    driver.click("n2", "from n1", 7)
    assert root.locator(".da-broken").count() == 0
    driver.click("n1", "from n2", 8)
    assert root.locator(".da-broken").inner_text() == "✗two lead <b>at once</b> broken at step 8"
    root.get_by_role("button", name="shorter").click()
    page.wait_for_selector(".da-score:not([hidden])")
    assert root.locator(".da-score").inner_text() == "You took 8 steps; by the same means 6 steps would do."

    root.get_by_role("button", name="Copy as script").click()
    page.wait_for_timeout(200)
    copied = page.evaluate("() => navigator.clipboard.readText()")
    same = driver.python(f"exec({copied!r})\nprint(json.dumps(run.digest() == widget.run.digest()))")
    assert same is True
    root.get_by_role("button", name="Open in the player").click()
    page.wait_for_selector(".dscourse-player[data-ready=yes]")
    assert driver.python("print(json.dumps(widget.player.run.digest() == widget.run.digest()))") is True
    assert page.locator("img[src=x]").count() == 0
    player = page.locator(".dscourse-player")
    assert "exact steps" in player.inner_text()
    player.locator('.dp-cluster [data-node="n0"] .dp-hit').first.click()
    assert player.get_by_role("menuitem").all_inner_texts() == ["Mark"]


def test_the_same_by_keyboard(driver):
    page = driver.page
    driver.node("n0").locator("[data-key]").last.focus()
    driver.press("Enter")
    driver.settled(1)
    driver.press("ArrowRight")
    focused = page.evaluate("() => document.activeElement.dataset.key")
    assert focused.startswith("n1 ")
    driver.press("ArrowUp", "ArrowUp", "ArrowUp")
    while not page.evaluate("() => document.activeElement.dataset.key").startswith("n1 mail"):
        driver.press("ArrowDown")
    driver.press("Enter")
    driver.settled(2)
    assert page.evaluate("() => document.activeElement.closest('.da-node')?.dataset.node") == "n1"
    driver.press("ArrowLeft")
    while not page.evaluate("() => document.activeElement.dataset.key").startswith("n0 mail"):
        driver.press("ArrowDown")
    driver.press("d")
    driver.settled(3)
    driver.press("l")
    driver.settled(4)
    driver.press("Enter")
    driver.settled(5)
    driver.press("c")
    driver.settled(6)
    driver.press("u")
    driver.settled(5)
    assert driver.steps() == [
        "Fire('n0', 'stand')",
        "Deliver('n0', 'n1')",
        "Repeat('n1', 'n0')",
        "Lose('n1', 'n0')",
        "Deliver('n1', 'n0')",
    ]
    assert "leads" in driver.node("n0").inner_text()
    cells = driver.python("print(json.dumps(len(In)))")
    driver.press("Shift+Enter")  # runs the cell again, and presses no button
    page.wait_for_selector('.dscourse-adversary[data-steps="0"]')
    assert driver.python("print(json.dumps(len(In)))") == cells + 2  # the cell, and this question
    assert driver.steps() == []
