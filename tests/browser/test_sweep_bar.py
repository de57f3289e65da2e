"""The bar of a sweep in JupyterLab: it moves while you wait, and the saved notebook holds nothing of it."""

import json

SWEEP = """
import time
from dscourse.exploration import sweep

def slow(seed):
    time.sleep(0.25)
    return {"x": seed}

result = sweep(slow, {}, seeds=14, progress=True)
len(result.rows)
"""


def test_the_bar_moves_and_is_gone_from_the_page_and_from_the_file(open_notebook, lab):
    before = set(lab.folder.glob("test-*.ipynb"))
    page = open_notebook([SWEEP], run_all=False)
    (path,) = set(lab.folder.glob("test-*.ipynb")) - before
    page.evaluate("() => { window.ran = jupyterapp.commands.execute('notebook:run-all-cells'); }")
    output = page.locator(".jp-Cell-outputArea")
    page.wait_for_function("() => document.querySelector('.jp-Cell-outputArea')?.innerText.includes('/14')")
    seen = {output.inner_text()}
    for _ in range(8):
        page.wait_for_timeout(100)
        seen.add(output.inner_text())
    page.evaluate("async () => { await window.ran; }")
    assert len([text for text in seen if "/14" in text]) >= 2
    shown = output.inner_text()
    assert "14" in shown
    assert "/14" not in shown
    page.evaluate("async () => { await jupyterapp.shell.currentWidget.context.save(); }")
    stored = json.loads(path.read_text(encoding="utf-8"))["cells"][0]["outputs"]
    assert [output["data"] for output in stored if output.get("data")] == [{"text/plain": ["14"]}]
    assert "/14" not in json.dumps(stored)
