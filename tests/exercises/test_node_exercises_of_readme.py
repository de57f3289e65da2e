"""The code that README and the simulation's docstring show runs as it stands there."""

import re
import textwrap
from pathlib import Path

import dscourse.simulation
from dscourse.simulation import Run

ROOT = Path(__file__).resolve().parents[2]


def python_blocks(path):
    return re.findall(r"```python\n(.*?)```", path.read_text(encoding="utf-8"), re.DOTALL)


def test_the_node_of_the_readme_runs_and_is_broken_as_it_says():
    readme, package = (python_blocks(ROOT / name) for name in ("README.md", "docs/package.md"))
    scope = {"__name__": "__main__"}
    for block in [*readme, *(block for block in package if "Greeter" in block)]:
        exec(block, scope)
    assert scope["run"].trace.select(kind="record")
    found = scope["search"](
        scope["Scenario"](scope["Greeter"], scope["network"]), scope["all_greeted"], until=1.0
    )
    assert found.counterexample.faults


def test_the_node_of_the_docstring_is_complete_and_of_ten_lines():
    code = textwrap.dedent("\n".join(re.findall(r"^    .*$|^$", dscourse.simulation.__doc__, re.MULTILINE)))
    scope = {"__name__": "__main__"}
    exec(code, scope)
    assert isinstance(scope["run"], Run)
    assert scope["run"].trace.select(kind="record")
    node = code.partition("topology\n")[2].partition("network =")[0]
    assert len([line for line in node.splitlines() if line.strip()]) <= 10
