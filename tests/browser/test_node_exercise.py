"""A node exercise in a real JupyterLab: write it wrong, read what broke, play it, mend it, pass."""

PATIENCE = 60_000  # milliseconds

HEAD = "from dscourse.exercises.nodes import start_here as exercises\nfrom dscourse.views import play"
CHECK = "exercises.greet_and_count.check(greet_and_count)"
PLAY = "play(exercises.greet_and_count.counterexample)"

WRONG = [
    "from dataclasses import dataclass",
    "from dscourse.simulation import Node",
    "",
    "@dataclass(frozen=True)",
    "class Hello: pass",
    "",
    "@dataclass(frozen=True)",
    "class Welcome: pass",
    "",
    "class Greeter(Node):",
    "    def on_start(self, ctx):",
    "        self.answered = []",
    "        for peer in self.peers: ctx.send(peer, Hello())",
    "",
    "    def on_message(self, ctx, sender, message):",
    "        if isinstance(message, Hello): ctx.send(sender, Welcome())",
    "        else: self.answered.append(sender)",
    "        ctx.record('status', status='up', label=f'{len(self.answered)} answered')",
    "",
    "greet_and_count = Greeter",
]
MENDED = "elif sender not in self.answered: self.answered.append(sender)"


def edit(page, cell, text):
    """Type a text into a cell in place of what stands there, as it is: no brackets closed, nothing indented for us."""
    editor = page.locator(".jp-CodeCell").nth(cell).locator(".cm-content")
    editor.click()
    page.keyboard.press("Control+a")
    page.keyboard.insert_text(text)


def run(page, cell):
    """Run one cell with Shift + Enter."""
    page.locator(".jp-CodeCell").nth(cell).locator(".cm-content").click()
    page.keyboard.press("Shift+Enter")


def test_a_learner_writes_a_wrong_node_plays_what_broke_it_mends_it_and_passes(open_notebook):
    page = open_notebook(
        [HEAD, "exercises.greet_and_count.stub", "greet_and_count = ...", CHECK, PLAY], run_all=False
    )
    cells = page.locator(".jp-CodeCell")
    output = [cells.nth(number).locator(".jp-OutputArea-output") for number in range(5)]
    run(page, 0)
    run(page, 1)
    stub = output[1].locator(".dscourse-stub")
    stub.get_by_role("button", name="Copy").click(timeout=PATIENCE)
    stub.get_by_role("status").filter(has_text="opi").or_(stub.get_by_text("Marked")).first.wait_for(
        timeout=PATIENCE
    )
    assert "class Greeter(Node):" in stub.locator("pre").inner_text()

    run(page, 2)
    run(page, 3)
    output[3].get_by_text("Not attempted yet.").wait_for(timeout=PATIENCE)

    edit(page, 2, "\n".join(WRONG))
    run(page, 2)
    run(page, 3)
    output[3].get_by_text("a message may arrive twice").wait_for(timeout=PATIENCE)
    said = output[3].inner_text()
    assert "“nobody stands in self.answered twice” breaks at 0.2 s, with n1, n0 taking part" in said
    assert "message 1 from n1 to n0 arrives twice" in said
    assert "Section “Write a node”" in said
    assert "✓ holds: each greeting is answered" in said

    run(page, 4)
    player = output[4].locator(".dscourse-player[data-ready=yes]")
    player.wait_for(timeout=PATIENCE)
    assert player.get_by_text("n0").count()

    edit(page, 2, "\n".join(WRONG).replace("else: self.answered.append(sender)", MENDED))
    run(page, 2)
    run(page, 3)
    output[3].get_by_text("Solved.").wait_for(timeout=PATIENCE)
    assert "also when messages get lost, arrive twice, or a node crashes" in output[3].inner_text()
