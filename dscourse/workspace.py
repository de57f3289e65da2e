"""Lay out a learner's own copies of the notebooks, without answers.

    python -m dscourse.workspace                 # make the copies, or bring them up to date
    python -m dscourse.workspace --reset 04      # start notebook 04 afresh; the old copy is kept beside it
    from dscourse import workspace               # the same in a cell
    workspace.reset("04")

A prediction is worth nothing when the answer already stands below it, so the copies have no claim cells and no outputs
but the questions of predictions and exercises, to be read before anything is run. They live in `workspace/`, which git
ignores. What a learner has touched is never overwritten: a newer version from the course is laid beside it. A small
hidden file there remembers which version each copy was made from (a digest of its cells' sources) and how it was laid;
without it nothing is lost, there are only a few more versions laid beside.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import re
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from dscourse.commands import until_nobody_reads

__all__ = ["course_notebooks", "lay_out", "learners_copy", "main", "reset"]

RECORD = ".dscourse-workspace.json"
_QUESTION = re.compile(r"exercises\.\w+")  # the last line of a cell that shows a prediction or an exercise
_PACKAGE = Path(__file__).resolve().parent
_RELOAD = (
    "If it is open in JupyterLab, that still shows the old cells: choose File → Reload from Disk there, and *Revert* "
    "if it asks as it saves. *Overwrite* would write the old cells back."
)


class Told(list[str]):
    """What happened, a line for each thing; a cell shows them as lines."""

    def __repr__(self) -> str:
        return "\n".join(self)


def course_notebooks() -> Path:
    """Return the folder of the course's own notebooks: in an installed wheel, or beside the package in a clone.

    Raises:
        LookupError: if they are in neither place.
    """
    for folder in (_PACKAGE / "_notebooks", _PACKAGE.parent / "notebooks"):
        if (folder / "00-start-here.ipynb").is_file():
            return folder
    raise LookupError(
        f"The course's notebooks are missing: neither {_PACKAGE / '_notebooks'} nor {_PACKAGE.parent / 'notebooks'} "
        "holds 00-start-here.ipynb. Get them back with `git checkout -- notebooks`, or install the package again."
    )


def default_folder() -> Path:
    """Return where the copies go: DSCOURSE_WORKSPACE, or `workspace` in a clone, else in the current folder."""
    chosen = os.environ.get("DSCOURSE_WORKSPACE", "").strip()
    if chosen:
        return Path(chosen).expanduser()
    if (Path.cwd() / RECORD).is_file():  # called from within, as from a cell of a copy
        return Path.cwd()
    source = course_notebooks()
    return (Path.cwd() if source.parent == _PACKAGE else source.parent) / "workspace"


def learners_copy(notebook: bytes) -> bytes:
    """Return a notebook file as a learner gets it: no cell was run, claims are left out, questions can be read.

    Raises:
        ValueError: if it is no notebook.
    """
    content = _parsed(notebook)
    content["metadata"].pop("widgets", None)
    content["cells"] = [cell for cell in content["cells"] if "claim" not in cell["metadata"].get("tags", [])]
    for cell in content["cells"]:
        if cell["cell_type"] == "code":
            cell["execution_count"] = None
            cell["outputs"] = cell["outputs"] if _asks(cell) else []
            for output in cell["outputs"]:
                if "execution_count" in output:
                    output["execution_count"] = None
    return (json.dumps(content, indent=1, ensure_ascii=False, sort_keys=True) + "\n").encode("utf-8")


def _asks(cell: dict[str, Any]) -> bool:
    last = "".join(cell["source"]).strip().rpartition("\n")[2]
    return _QUESTION.fullmatch(last) is not None


def lay_out(folder: Path, source: Path | None = None) -> Told:
    """Make the copies in `folder`, or bring them up to date, and tell what happened.

    A copy that nobody touched is replaced by a newer version. A touched one stays; the newer version is laid beside.

    Args:
        folder: where the copies go; it is made if it isn't there.
        source: the course's notebooks; by default those of this installation.

    Raises:
        OSError: if the folder can't be made or written to.
        LookupError: if the course's notebooks are missing.
    """
    workspace = _Workspace(folder, source or course_notebooks())
    told = workspace.told
    for name in workspace.names:
        told += workspace.attempt(name, workspace.bring_up_to_date)
    workspace.remember()
    return told


def reset(wanted: str | Sequence[str], folder: Path | None = None, source: Path | None = None) -> Told:
    """Start a notebook or several afresh and tell where the old copies are.

    Args:
        wanted: notebooks by number or name: "04", "4", "04-partitioning".
        folder: the workspace; by default the one that you are in, or that of the course.
        source: the course's notebooks; by default those of this installation.

    Raises:
        LookupError: if the course has no such notebook; nothing is reset then.
        OSError: if the folder can't be made or written to.
    """
    workspace = _Workspace(folder or default_folder(), source or course_notebooks())
    names = [workspace.find(str(text)) for text in ([wanted] if isinstance(wanted, str) else wanted)]
    told = workspace.told
    for name in dict.fromkeys(names):
        told += workspace.attempt(name, workspace.start_afresh)
    workspace.remember()
    return told


def lay_in(files: Mapping[str, bytes], folder: Path) -> Told:
    """Bring files of another workspace into this one, and tell what became of them.

    A copy that nobody has touched gives way, one that was worked in stays, and what comes is laid beside it.

    Args:
        files: by name, from the workspace's folder; its record among them tells which of them nobody has touched.
        folder: the workspace; it is made if it isn't there.

    Raises:
        OSError: if the folder can't be made or written to.
    """
    workspace = _Workspace(folder, course_notebooks())
    theirs = _as_record(files.get(RECORD, b"{}"))
    for name, file in files.items():
        if name != RECORD:
            workspace.told += workspace.bring_in(name, file, theirs.get(name, {}))
    workspace.remember()
    return workspace.told


class _Workspace:
    """The learner's folder, the course's folder, and the record that ties them together."""

    def __init__(self, folder: Path, source: Path) -> None:
        self.folder = folder
        self.source = source
        self.names = sorted(path.name for path in source.iterdir() if path.suffix in (".ipynb", ".md"))
        self.told = Told()
        folder.mkdir(parents=True, exist_ok=True)
        self.record = self._read_record()

    def attempt(self, name: str, action: Any) -> list[str]:
        """Do it for one notebook; what is wrong with that one must not keep the others away."""
        if (self.folder / name).is_dir():
            return [
                f"{name}: there is a folder of that name in {self.folder}. Rename it, and you get the notebook."
            ]
        try:
            fresh = (self.source / name).read_bytes().replace(b"\r\n", b"\n")
            told: list[str] = action(name, learners_copy(fresh) if name.endswith(".ipynb") else fresh)
        except ValueError as error:
            return [
                f"{name}: the course's own file can't be read ({error}). `git checkout -- notebooks` mends it."
            ]
        return told

    def bring_up_to_date(self, name: str, fresh: bytes) -> list[str]:
        path = self.folder / name
        known = self.record.setdefault(name, {})
        if not path.exists():
            was_known = "laid" in known
            self._lay(path, fresh, known)
            return [f"{name} was gone; here is a fresh copy."] if was_known else [f"{name} is new."]
        mine = path.read_bytes()
        if self._is_untouched(mine, fresh, known):
            if _version(mine) == _version(fresh):
                known["laid"], known["file"] = _version(fresh), _fingerprint(mine)
                return self._remove_needless(name, known)
            self._lay(path, fresh, known)
            return [f"{name} has been brought up to date (you had not changed it)."]
        if known.get("laid") == _version(fresh):
            return []
        return self._lay_beside(name, fresh, known)

    def _is_untouched(self, mine: bytes, fresh: bytes, known: dict[str, str]) -> bool:
        """Return whether a copy is as it was laid, or as it would be laid now."""
        return _fingerprint(mine) in (known.get("file", known.get("laid")), _fingerprint(fresh))

    def _lay(self, path: Path, fresh: bytes, known: dict[str, str]) -> None:
        _write(path, fresh)
        known["laid"], known["file"] = _version(fresh), _fingerprint(fresh)

    def _lay_beside(self, name: str, fresh: bytes, known: dict[str, str]) -> list[str]:
        """Offer a newer version without touching the learner's own; a copy that they threw away stays away."""
        number = Path(name).stem.split("-")[0]
        version = _version(fresh)
        if known.get("beside_version") == version:
            if not (self.folder / known["beside"]).exists():
                return []
            return [f"{known['beside']} is still newer than your {name}. {_how_to_switch(number)}"]
        beside = self.folder / known.get("beside", "")
        if not beside.is_file() or not _is_as_laid(beside, known):
            beside = _free_name(self.folder / name, "new")
        _write(beside, fresh)
        known["beside"], known["beside_version"] = beside.name, version
        known["beside_file"] = _fingerprint(fresh)
        return [
            f"{name}: the course has a newer version, and you have worked in yours. Yours is untouched; the newer one "
            f"is {beside.name}, beside it. {_how_to_switch(number)}"
        ]

    def bring_in(self, name: str, file: bytes, theirs: dict[str, str]) -> list[str]:
        """Lay a file of another workspace where it was, or beside what was worked in here."""
        path = self.folder / name
        known = self.record.get(name, {})
        if path.is_file():
            mine = path.read_bytes()
            if _fingerprint(mine) == _fingerprint(file):
                return []
            if theirs and _fingerprint(file) == theirs.get("file"):
                return []  # nobody has worked in theirs
            if not known or _fingerprint(mine) != known.get("file"):
                path = _free_name(path, "restored")
                _write(path, file)
                return [
                    f"{name} is there already, and is another one: yours of then is {path.name}, beside it."
                ]
        elif path.exists():
            path = _free_name(path, "restored")
        path.parent.mkdir(parents=True, exist_ok=True)
        _write(path, file)
        if theirs and path.name == Path(name).name:
            self.record[name] = {key: theirs[key] for key in ("laid", "file") if key in theirs}
        return [f"{path.relative_to(self.folder).as_posix()} is back."]

    def start_afresh(self, name: str, fresh: bytes) -> list[str]:
        path = self.folder / name
        known = self.record.setdefault(name, {})
        told = [f"{name} is a fresh copy now. {_RELOAD}"]
        if path.exists():
            mine = path.read_bytes()
            if not self._is_untouched(mine, fresh, known):
                old = _free_name(path, "old")
                path.rename(old)
                told = [f"{name} is a fresh copy now; your old one is {old.name}, beside it. {_RELOAD}"]
            elif _version(mine) == _version(fresh):
                told = [f"{name} is a fresh copy already: you have not changed it."]
        if not path.exists() or _fingerprint(path.read_bytes()) != _fingerprint(fresh):
            _write(path, fresh)
        known["laid"], known["file"] = _version(fresh), _fingerprint(fresh)
        self._remove_needless(name, known)
        return told

    def _remove_needless(self, name: str, known: dict[str, str]) -> list[str]:
        """Take away a newer version laid beside, once the learner's own is as new, if nobody touched it."""
        beside = self.folder / known.get("beside", name)
        if beside.name != name and beside.is_file() and _is_as_laid(beside, known):
            beside.unlink()
        for key in ("beside", "beside_version", "beside_file"):
            known.pop(key, None)
        return []

    def find(self, text: str) -> str:
        """Return the file name of a notebook by number or name."""
        wanted = text.removesuffix(".ipynb")
        wanted = wanted.zfill(2) if wanted.isdigit() else wanted
        for name in self.names:
            stem = Path(name).stem
            if wanted in (name, stem, stem.split("-")[0]):
                return name
        raise LookupError(
            f"There is no notebook {text!r}. There are: {', '.join(Path(name).stem for name in self.names)}."
        )

    def _read_record(self) -> dict[str, dict[str, str]]:
        path = self.folder / RECORD
        try:
            return _record_in(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return {}
        except (OSError, ValueError, AttributeError):
            self.told.append(
                f"The file {path} could not be read, so it is not known which notebooks you have changed. "
                "None of them is overwritten; where yours differs, the course's version is laid beside it."
            )
            return {}

    def remember(self) -> None:
        text = json.dumps(self.record, indent=1, sort_keys=True) + "\n"
        path = self.folder / RECORD
        if not path.is_file() or path.read_bytes() != text.encode("utf-8"):
            _write(path, text.encode("utf-8"))


def _record_in(text: str) -> dict[str, dict[str, str]]:
    return {
        str(name): {str(key): str(value) for key, value in known.items()}
        for name, known in json.loads(text).items()
    }


def _as_record(file: bytes) -> dict[str, dict[str, str]]:
    """Return the record of another workspace; a damaged one counts as none."""
    try:
        return _record_in(file.decode("utf-8"))
    except (ValueError, AttributeError):
        return {}


def _parsed(notebook: bytes) -> dict[str, Any]:
    content = json.loads(notebook.decode("utf-8"))
    if not isinstance(content, dict) or not isinstance(content.get("cells"), list):
        raise ValueError("it holds no cells")
    content.setdefault("metadata", {})
    return content


def _fingerprint(file: bytes) -> str:
    """Return a digest of what a learner could have touched: cells and outputs, or else the bytes.

    JupyterLab rewrites a notebook's description of the kernel as soon as it opens one, and saves what widgets there
    are, also none; that is no change.
    """
    try:
        content = _parsed(file)
        for key in ("kernelspec", "language_info", "widgets"):
            content["metadata"].pop(key, None)
        for cell in content["cells"]:
            cell["source"] = "".join(cell["source"])
            cell["metadata"].pop("trusted", None)
            for output in cell.get("outputs", []):
                output["data"] = {kind: _joined(value) for kind, value in output.get("data", {}).items()}
                output["text"] = _joined(output.get("text", ""))
        file = json.dumps(content, sort_keys=True).encode("utf-8")
    except (ValueError, KeyError, TypeError, AttributeError):
        file = file.replace(b"\r\n", b"\n")
    return hashlib.sha256(file).hexdigest()


def _joined(value: Any) -> Any:
    """Return text as one string: a notebook may hold it as a list of lines."""
    return (
        "".join(value) if isinstance(value, list) and all(isinstance(line, str) for line in value) else value
    )


def _version(file: bytes) -> str:
    """Return a digest of what the course has to offer in a file: the sources of its cells, or else the bytes."""
    try:
        cells = [[cell["cell_type"], "".join(cell["source"])] for cell in _parsed(file)["cells"]]
        file = json.dumps(cells).encode("utf-8")
    except (ValueError, KeyError, TypeError, AttributeError):
        file = file.replace(b"\r\n", b"\n")
    return hashlib.sha256(file).hexdigest()


def _is_as_laid(beside: Path, known: dict[str, str]) -> bool:
    """Return whether nobody touched the newer version that was laid beside a copy."""
    return _fingerprint(beside.read_bytes()) == known.get("beside_file", known.get("beside_version"))


def _write(path: Path, content: bytes) -> None:
    """Replace a file in one step, so that nobody ever sees half of it."""
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=".dscourse-", suffix=".part")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        Path(temporary).chmod(0o644)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def _how_to_switch(number: str) -> str:
    """Say it for a cell: there it is the kernel's own Python that does it, whatever else is called python."""
    return f'To switch (your copy is kept), run in a cell: from dscourse import workspace; workspace.reset("{number}")'


def _free_name(path: Path, word: str) -> Path:
    """Return `04-partitioning-old.ipynb`, or with a number where that is taken."""
    beside = path.with_name(f"{path.stem}-{word}{path.suffix}")
    count = 2
    while beside.exists():
        beside = path.with_name(f"{path.stem}-{word}-{count}{path.suffix}")
        count += 1
    return beside


def main(arguments: list[str] | None = None) -> int:
    """Carry out the command line; the result is the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m dscourse.workspace",
        description="Lay out your own copies of the course's notebooks, without answers.",
    )
    parser.add_argument(
        "--reset",
        nargs="+",
        metavar="NOTEBOOK",
        help="start these afresh, by number; the old copies are kept",
    )
    parser.add_argument("--folder", type=Path, help="where the copies are (default: workspace)")
    options = parser.parse_args(arguments)
    try:
        folder = (options.folder or default_folder()).absolute()
        told = reset(options.reset, folder) if options.reset else lay_out(folder)
    except LookupError as error:
        print(error.args[0], file=sys.stderr)
        return 2
    except OSError as error:
        print(
            f"Your copies of the notebooks could not be laid out: {error.strerror or error} ({error.filename}). "
            "Make that folder one that you may write to, or name another in the variable DSCOURSE_WORKSPACE.",
            file=sys.stderr,
        )
        return 1
    for line in told:
        print(f"  {line}")
    print(f"Your copies of the notebooks are in {folder}")
    return 0


if __name__ == "__main__":
    sys.exit(until_nobody_reads(main))
