"""The tool behind `make notebooks`: a second run changes nothing, and what is stored can be shown without a kernel."""

import base64
import importlib.util
import json
import os
from pathlib import Path

import nbformat
import pytest

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="module")
def tool():
    specification = importlib.util.spec_from_file_location("rerun_notebooks", ROOT / ".ci" / "notebooks.py")
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


def notebook(folder: Path, *sources: str, tags: dict | None = None) -> Path:
    cells = [nbformat.v4.new_markdown_cell("# A title", id="title")]
    for number, text in enumerate(sources):
        metadata = {"tags": tags[number]} if tags and number in tags else {}
        cells.append(nbformat.v4.new_code_cell(text, id=f"cell-{number}", metadata=metadata))
    path = folder / "01-one.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=cells), path)
    return path


def cells(path: Path) -> list[dict]:
    return [cell for cell in json.loads(path.read_text())["cells"] if cell["cell_type"] == "code"]


def test_a_second_run_changes_nothing_and_keeps_only_what_lasts(tool, tmp_path, capsys):
    path = notebook(
        tmp_path,
        "from dscourse.views import interactive_figure\n\nprint('one')\nprint('two')",
        "def draw(figure, load):\n    figure.subplots().plot([0, load])\n    return f'a line up to {load}'",
        "interactive_figure(draw, load=(0.1, 0.9, 0.1))",
        "import time\n\ntime.perf_counter_ns()",
        "import ipywidgets\n\nipywidgets.IntSlider(3)",
        "import os\n\nos.path.exists(os.environ['DSCOURSE_PROGRESS'])",
        tags={3: ["nbval-ignore-output"]},
    )
    assert tool.main([str(path)]) == 0
    first = path.read_bytes()
    assert "changed" in capsys.readouterr().out
    assert tool.main([str(path)]) == 0
    assert path.read_bytes() == first
    assert "unchanged" in capsys.readouterr().out

    stored = json.loads(first)
    code = cells(path)
    assert [cell["execution_count"] for cell in code] == [1, 2, 3, 4, 5, 6]
    assert [cell["id"] for cell in code] == [f"cell-{number}" for number in range(6)]
    assert code[0]["outputs"] == [{"name": "stdout", "output_type": "stream", "text": ["one\n", "two\n"]}]
    figure = code[2]["outputs"][0]
    assert set(figure["data"]) == {"image/png", "text/plain"}
    assert "".join(figure["data"]["text/plain"]).startswith("a line up to 0.")
    assert base64.b64decode(figure["data"]["image/png"]).startswith(b"\x89PNG")
    assert figure["execution_count"] == 3
    assert set(code[4]["outputs"][0]["data"]) == {"text/plain"}
    assert code[5]["outputs"][0]["data"]["text/plain"] == ["False"]  # a progress file of its own
    assert all(cell["metadata"].keys() <= {"tags"} for cell in code)
    assert "widgets" not in stored["metadata"]
    assert stored["metadata"]["language_info"] == {"name": "python"}
    assert not (tmp_path / "01-one.part").exists()


def test_outputs_that_differ_are_kept_until_the_source_changes_or_fresh_ones_are_asked_for(tool, tmp_path):
    path = notebook(tmp_path, "import time\n\ntime.perf_counter_ns()", tags={0: ["nbval-ignore-output"]})
    seen = []
    for arguments in ([], [], ["--fresh"]):
        assert tool.main([*arguments, str(path)]) == 0
        seen.append(cells(path)[0]["outputs"][0]["data"]["text/plain"])
    assert seen[0] == seen[1] != seen[2]


def test_a_notebook_with_a_failing_cell_is_left_alone(tool, tmp_path, capsys):
    path = notebook(tmp_path, "1 + 1", "1 / 0")
    before = path.read_bytes()
    assert tool.main([str(path)]) == 1
    assert path.read_bytes() == before
    shown = capsys.readouterr().err
    assert "ZeroDivisionError" in shown
    assert "Left as they were, since a cell failed: 01-one.ipynb" in shown


def test_what_should_not_be_stored_is_warned_of(tool):
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("x", id="noisy")])
    stream = nbformat.v4.new_output("stream", name="stderr", text="careful")
    address = nbformat.v4.new_output("stream", name="stdout", text="<object at 0x7f00aa11bb22>")
    path = nbformat.v4.new_output("display_data", {"text/plain": os.fspath(ROOT / "x")})
    error = nbformat.v4.new_output("error", ename="ValueError", evalue="", traceback=[])
    book.cells[0].outputs = [stream, address, path, error]
    told = "\n".join(tool.warnings(book, "x" * 2_500_000))
    for words in (
        "2.5 MB is more than 2 MB",
        "stderr: careful",
        "memory address",
        "path of this machine",
        "ValueError",
    ):
        assert words in told
    assert tool.warnings(nbformat.v4.new_notebook(), "short") == []


def test_notebooks_are_found_by_number_name_or_path(tool, tmp_path):
    for name in ("00-a.ipynb", "01-b.ipynb", "04-c.ipynb"):
        (tmp_path / name).write_text("{}")
    found = [path.name for path in tool.find(["04", "01-b", str(tmp_path / "04-c.ipynb")], tmp_path)]
    assert found == ["04-c.ipynb", "01-b.ipynb"]
    assert len(tool.find([], tmp_path)) == 3
    with pytest.raises(LookupError, match=r"There are: 00-a, 01-b, 04-c"):
        tool.find(["07"], tmp_path)
