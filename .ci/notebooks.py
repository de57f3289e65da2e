"""Run the stored notebooks again and tidy them, so that a second run changes nothing.

    python .ci/notebooks.py                 # all of them (`make notebooks`)
    python .ci/notebooks.py 01 04           # some, by number, name or path
    python .ci/notebooks.py --fresh 01      # also outputs that differ from run to run (tagged nbval-ignore-output)

A stored notebook keeps text and static pictures, and drops what only lives as long as its kernel: widget views and
state, timestamps, versions, real execution counts. Outputs of cells tagged `nbval-ignore-output` (they hold times of
this machine) stay as they were while the cell's source is the same. A notebook in which a cell fails is left alone.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import sys
import tempfile
import time
from datetime import datetime
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

ROOT = Path(__file__).resolve().parents[1]
NOTEBOOKS = ROOT / "notebooks"
LARGEST = 2_000_000  # bytes
CELL_TIMEOUT = 120  # seconds
WIDGET_TYPES = ("application/vnd.jupyter.widget-view+json", "application/vnd.jupyter.widget-state+json")
TRANSIENT_METADATA = ("execution", "collapsed", "scrolled", "trusted", "ExecuteTime")
IGNORED = "nbval-ignore-output"


def main(arguments: list[str] | None = None) -> int:
    """Carry out the command line; the result is the exit status."""
    parser = argparse.ArgumentParser(description="Run the stored notebooks again and tidy them.")
    parser.add_argument("names", nargs="*", help="numbers, names or paths; all notebooks if none is given")
    parser.add_argument(
        "--fresh", action="store_true", help=f"also replace outputs of cells tagged {IGNORED}"
    )
    options = parser.parse_args(arguments)
    try:
        paths = find(options.names, NOTEBOOKS)
    except LookupError as error:
        print(error.args[0], file=sys.stderr)
        return 2
    failed = [path.name for path in paths if not rerun(path, options.fresh)]
    if failed:
        print(f"Left as they were, since a cell failed: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


def find(names: list[str], folder: Path) -> list[Path]:
    """Return the notebooks that are meant, in order; LookupError if there is none of that name."""
    there = sorted(folder.glob("*.ipynb"))
    if not names:
        return there
    found = []
    for name in names:
        wanted = Path(name).name.removesuffix(".ipynb")
        matching = [path for path in there if path.stem == wanted or path.stem.split("-")[0] == wanted]
        matching = [Path(name).resolve()] if name.endswith(".ipynb") and Path(name).is_file() else matching
        if not matching:
            raise LookupError(
                f"There is no notebook {name!r}. There are: {', '.join(p.stem for p in there)}."
            )
        found += matching
    return list(dict.fromkeys(found))


def rerun(path: Path, fresh: bool = False) -> bool:
    """Run and tidy one notebook in its place; False if a cell failed."""
    before = path.read_text(encoding="utf-8")
    notebook = nbformat.reads(before, as_version=4)
    start = time.monotonic()
    problem = execute(notebook, path.parent)
    if problem:
        print(f"{path.name}: {problem}", file=sys.stderr, flush=True)
        return False
    slowest = seconds_by_cell(notebook)
    normalise(notebook)
    if not fresh:
        keep_ignored_outputs(notebook, nbformat.reads(before, as_version=4))
    after = as_text(notebook)
    if after != before:
        replace(path, after)
    word = "changed" if after != before else "unchanged"
    print(
        f"{path.name}: {time.monotonic() - start:.1f} s, {len(after) / 1e6:.2f} MB, {word}; {slowest}",
        flush=True,
    )
    for warning in warnings(notebook, after):
        print(f"  {warning}", flush=True)
    return True


def execute(notebook: Any, folder: Path) -> str:
    """Run all cells with a new kernel and a progress file of its own; the result is what went wrong."""
    with tempfile.TemporaryDirectory() as temporary:
        environment = {**os.environ, "DSCOURSE_PROGRESS": str(Path(temporary) / "progress.json")}
        client = NotebookClient(
            notebook,
            timeout=CELL_TIMEOUT,
            kernel_name="python3",
            resources={"metadata": {"path": str(folder)}},
            store_widget_state=False,
            extra_arguments=["--log-level=40"],  # errors only: it warns of loopback sockets otherwise
        )
        try:
            client.execute(env=environment)
        except (CellExecutionError, CellTimeoutError, DeadKernelError) as error:
            return str(error).strip()
    return ""


def seconds_by_cell(notebook: Any) -> str:
    """Say which cells take longest."""
    seconds = {}
    for cell in notebook.cells:
        times = cell.metadata.get("execution", {})
        if "iopub.status.busy" in times and "iopub.status.idle" in times:
            start, end = (timestamp(times[f"iopub.status.{word}"]) for word in ("busy", "idle"))
            seconds[cell.id] = end - start
    slow = sorted(seconds, key=lambda cell: -seconds[cell])[:3]
    return "slowest: " + ", ".join(f"{cell} {seconds[cell]:.1f} s" for cell in slow)


def timestamp(text: str) -> float:
    """Return a timestamp of the kernel in seconds."""
    return datetime.fromisoformat(text).timestamp()


def normalise(notebook: Any) -> None:
    """Drop whatever would differ in the next run or say nothing to a reader without a kernel."""
    notebook.metadata.pop("widgets", None)
    notebook.metadata["kernelspec"] = {
        "display_name": "Python 3 (ipykernel)",
        "language": "python",
        "name": "python3",
    }
    notebook.metadata["language_info"] = {"name": "python"}
    count = 0
    for cell in notebook.cells:
        for key in TRANSIENT_METADATA:
            cell.metadata.pop(key, None)
        if cell.cell_type != "code":
            continue
        count += 1
        cell.execution_count = count
        cell.outputs = tidy_outputs(cell.outputs)
        for output in cell.outputs:
            if output.output_type == "execute_result":
                output.execution_count = count


def tidy_outputs(outputs: list[Any]) -> list[Any]:
    """Take widget views out, join what was printed, and write pictures in one way."""
    tidied: list[Any] = []
    for output in outputs:
        if output.output_type == "stream":
            if tidied and tidied[-1].output_type == "stream" and tidied[-1].name == output.name:
                tidied[-1].text += output.text
                continue
        elif "data" in output:
            for kind in WIDGET_TYPES:
                output.data.pop(kind, None)
            for kind, value in output.data.items():
                if kind.startswith("image/") and isinstance(value, str) and kind != "image/svg+xml":
                    output.data[kind] = re.sub(r"\s", "", value)
            output.metadata = {key: value for key, value in output.metadata.items() if key in output.data}
            if not output.data:
                continue
        tidied.append(output)
    return tidied


def keep_ignored_outputs(notebook: Any, before: Any) -> None:
    """Keep the outputs of cells that are tagged to differ, while their source is the same."""
    old = {cell.id: cell for cell in before.cells if cell.cell_type == "code" and cell.outputs}
    for cell in notebook.cells:
        kept = old.get(cell.id)
        if kept is None or IGNORED not in cell.metadata.get("tags", []) or kept.source != cell.source:
            continue
        cell.outputs = tidy_outputs(kept.outputs)
        for output in cell.outputs:
            if output.output_type == "execute_result":
                output.execution_count = cell.execution_count


def as_text(notebook: Any) -> str:
    """Return the file: keys in order, one form for every run."""
    nbformat.validate(notebook)
    text: str = nbformat.writes(notebook, version=4)
    return json.dumps(json.loads(text), indent=1, ensure_ascii=False, sort_keys=True) + "\n"


def replace(path: Path, text: str) -> None:
    """Write the file as a whole or not at all, with the same line ends on every system."""
    part = path.with_suffix(".part")
    part.write_text(text, encoding="utf-8", newline="\n")
    part.replace(path)


def warnings(notebook: Any, text: str) -> list[str]:
    """Say what a stored notebook should not hold."""
    found = [f"warning: {len(text) / 1e6:.1f} MB is more than 2 MB"] if len(text) > LARGEST else []
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            words = json.dumps(
                {k: v for k, v in output.get("data", {}).items() if not k.startswith("image/")}
            )
            words += output.get("text", "")
            if output.output_type == "stream" and output.name == "stderr":
                found.append(f"warning: cell {cell.id} writes to stderr: {output.text.strip()[:200]}")
            if output.output_type == "error":
                found.append(f"warning: cell {cell.id} stores an error: {output.ename}")
            if re.search(r"0x[0-9a-f]{6,}", words):
                found.append(f"warning: cell {cell.id} shows a memory address, which differs in every run")
            if str(ROOT) in words:
                found.append(f"warning: cell {cell.id} shows a path of this machine")
    return found


if __name__ == "__main__":
    sys.exit(main())
