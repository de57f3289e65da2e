"""What tests of widgets in a page share."""

import json


class PageDriver:
    """A widget of ours in a page, found by its ``selector`` once it is ready, and what a learner does with it."""

    selector = ""

    def __init__(self, page):
        self.page = page
        self.root = page.locator(self.selector)
        page.wait_for_selector(f"{self.selector}[data-ready=yes]")
        self.root.scroll_into_view_if_needed()

    def press(self, *keys):
        for key in keys:
            self.page.keyboard.press(key)

    def python(self, code):
        """Run code in the notebook's kernel and return what it prints, read as JSON."""
        return json.loads(
            self.page.evaluate(
                """async (code) => {
                    let text = "";
                    const kernel = jupyterapp.shell.currentWidget.sessionContext.session.kernel;
                    const future = kernel.requestExecute({ code });
                    future.onIOPub = ({ header, content }) => {
                        if (header.msg_type === "stream") text += content.text;
                        if (header.msg_type === "error") throw new Error(content.evalue);
                    };
                    const reply = await future.done;
                    if (reply.content.status !== "ok") throw new Error(reply.content.evalue);
                    return text;
                }""",
                f"import json\n{code}",
            )
        )
