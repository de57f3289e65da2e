"""The bar of a sweep: seen to move by who waits, and gone afterwards."""

import importlib.util
import io
import json
import sys
import time
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

from dscourse.exploration import sweep

ROOT = Path(__file__).resolve().parents[2]


def slow(seed):
    time.sleep(0.25)
    return {"x": seed}


def test_who_waits_less_than_two_seconds_sees_no_bar(capsys):
    assert len(sweep(lambda seed: {"x": seed}, {}, seeds=300, progress=True).rows) == 300
    assert capsys.readouterr() == ("", "")


def test_a_terminal_shows_a_bar_that_moves_and_takes_itself_away(monkeypatch):
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    first = sweep(slow, {}, seeds=2)
    sweep(slow, {}, seeds=13, progress=True, resume=first)
    lines = [line for line in sys.stderr.getvalue().split("\r") if line.strip()]
    assert len(set(lines)) >= 2
    assert "/13" in lines[0]
    assert int(lines[0].split("|")[-1].split("/")[0]) >= 8  # those of `resume` are counted
    assert sys.stderr.getvalue().endswith("\r")


NOTEBOOK = """
import multiprocessing
import time
from concurrent.futures import ProcessPoolExecutor
from dscourse.exploration import sweep

def slow(seed):
    time.sleep(0.25)
    if seed == 1:
        raise ValueError
    return {"x": seed}

import warnings
warnings.simplefilter("ignore")
"""


class Watching(NotebookClient):
    """Keeps what the front end is told, as well as the outputs that the notebook ends up with."""

    def process_message(self, message, cell, cell_index):
        if message["msg_type"] in ("display_data", "update_display_data"):
            self.seen.append(message["content"]["data"])
        return super().process_message(message, cell, cell_index)


SPAWNED = "ProcessPoolExecutor(1, mp_context=multiprocessing.get_context('spawn'))"


@pytest.mark.parametrize("executor", ["None", SPAWNED], ids=["here", "processes"])
def test_in_a_notebook_the_bar_is_seen_to_move_and_nothing_of_it_is_stored(executor):
    cells = [
        NOTEBOOK,
        f"result = sweep(slow, {{}}, seeds=13, executor={executor}, progress=True)",
        "len(result.rows)",
    ]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in cells])
    client = Watching(
        notebook, kernel_name="python3", resources={"metadata": {"path": str(ROOT)}}, timeout=60
    )
    client.seen = []
    client.execute()
    bars = [data["text/plain"] for data in client.seen if "text/plain" in data]
    assert len(set(bars)) >= 3
    assert all("/13" in bar and "failed=1" in bar for bar in bars)
    assert client.seen[-1] == {}
    stored = [output for output in notebook.cells[1].outputs if output.get("data") or output.get("text")]
    assert stored == []
    assert notebook.cells[2].outputs[0]["data"]["text/plain"] == "12"
    tidy(notebook)
    assert notebook.cells[1].outputs == []
    assert "/13" not in json.dumps(notebook)


def tidy(notebook):
    specification = importlib.util.spec_from_file_location("notebooks", ROOT / ".ci" / "notebooks.py")
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    module.normalise(notebook)
