"""Is this installation fit for the course, and if not, what to do?

    python -m dscourse.check          # in a terminal
    from dscourse import check        # in the first cell of notebook 00
    check.run()

It imports what it checks only while it checks, so that it can still speak when something is missing.
"""

from __future__ import annotations

import importlib
import os
import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

from dscourse.commands import of_this_python, until_nobody_reads

__all__ = ["Finding", "Report", "main", "packages_are_as_tested", "run"]

_PACKAGE = Path(__file__).resolve().parent
_OLDEST_PYTHON = (3, 11)
_REPAIR = "In a clone, `make setup` (or `python course.py setup`) mends it; else install dscourse[lab] again."


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at.

    Attributes:
        status: "ok", "note" (works, but good to know) or "problem".
        what: what was found, in plain words.
        advice: what to do about it; empty if nothing.
    """

    status: str
    what: str
    advice: str = ""

    def __str__(self) -> str:
        label = {"ok": "ok", "note": "note", "problem": "PROBLEM"}[self.status]
        advice = f"\n{'':9}What to do: {self.advice}" if self.advice else ""
        return f"{label:9}{self.what}{advice}"


@dataclass(frozen=True)
class Report:
    """Everything that was found; true if nothing stands in the way of the course."""

    findings: tuple[Finding, ...]

    def __bool__(self) -> bool:
        return not any(finding.status == "problem" for finding in self.findings)

    def __str__(self) -> str:
        count = sum(finding.status == "problem" for finding in self.findings)
        end = "All is well: the course runs here."
        if count:
            end = f"{count} thing{'s' * (count > 1)} to mend before you go on; what to do stands above."
        return "\n".join([*map(str, self.findings), "", end])

    __repr__ = __str__

    def _ipython_display_(self) -> None:
        from IPython.display import display

        print(self)
        if self:
            display(_widget_light(), raw=True)


def run() -> Report:
    """Look at Python, the packages, the kernel, the widgets, the data and your progress; it takes about a second."""
    findings: list[Finding] = []
    for check in (_python, _packages, _kernel, _widgets, _data, _progress):
        findings += _carefully(check)
    return Report(tuple(findings))


def packages_are_as_tested() -> bool:
    """Return whether every package is there, in the version of a clone's lock file; `make setup` asks this."""
    return all(finding.status == "ok" for finding in _carefully(_packages))


def _carefully(check: Callable[[], Iterator[Finding]]) -> list[Finding]:
    """A check that breaks is a finding too, never a traceback."""
    try:
        return list(check())
    except Exception as error:  # noqa: BLE001 - whatever is wrong here has to be said in words
        name = check.__name__.strip("_")
        return [
            Finding("problem", f"the {name} could not be looked at: {type(error).__name__}: {error}", _REPAIR)
        ]


def _python() -> Iterator[Finding]:
    version = ".".join(map(str, sys.version_info[:3]))
    if sys.version_info < _OLDEST_PYTHON:
        yield Finding("problem", f"Python {version} is too old", "Install Python 3.11 or newer.")
    else:
        yield Finding("ok", f"Python {version}")


def _packages() -> Iterator[Finding]:
    from packaging.requirements import Requirement

    try:
        asked = [Requirement(line) for line in metadata.requires("dscourse") or []]
    except metadata.PackageNotFoundError:
        yield Finding(
            "problem",
            f"dscourse is not installed in this Python ({sys.executable})",
            "Open the course with `make lab`, which uses the Python that it is installed in.",
        )
        return
    asked = [
        one for one in asked if not one.marker or any(one.marker.evaluate({"extra": e}) for e in ("", "lab"))
    ]
    troubles = [trouble for one in asked if (trouble := _trouble_with(one.name, one.specifier))]
    for trouble in troubles:
        yield Finding("problem", trouble, _REPAIR)
    if troubles:
        return
    other = _other_than_locked({one.name for one in asked})
    if other:
        yield Finding(
            "note",
            f"{len(asked)} packages are there; not the tested version of: {', '.join(other)}",
            "Nothing, unless something looks odd. `make setup` installs the tested ones.",
        )
    else:
        yield Finding("ok", f"{len(asked)} packages the course builds on")


def _trouble_with(name: str, specifier: Any) -> str | None:
    """Say what is wrong with an installed package, if anything."""
    try:
        version = metadata.version(name)
    except metadata.PackageNotFoundError:
        return f"the package {name} is not installed"
    if not specifier.contains(version, prereleases=True):
        return f"the package {name} is {version}; the course needs {specifier}"
    return None


def _other_than_locked(names: set[str]) -> list[str]:
    """Return what is installed in another version than the lock file of a clone says."""
    path = _PACKAGE.parent / "requirements.lock"
    if not path.is_file() or not (_PACKAGE.parent / "pyproject.toml").is_file():
        return []
    from packaging.requirements import Requirement

    other = []
    for line in path.read_text(encoding="utf-8").split("\n"):
        if not line.strip():
            continue
        locked = Requirement(line)
        if locked.name not in names or (locked.marker and not locked.marker.evaluate()):
            continue
        version = metadata.version(locked.name)
        if not locked.specifier.contains(version, prereleases=True):
            other.append(f"{locked.name} ({version}, tested {str(locked.specifier).removeprefix('==')})")
    return other


def _kernel() -> Iterator[Finding]:
    own = _PACKAGE.parent / ".venv"
    if own.is_dir() and own.resolve() != Path(sys.prefix).resolve():
        yield Finding(
            "note",
            f"this Python is not the course's own: {sys.executable}",
            "If versions differ, open the course with `make lab`, or choose Kernel > Change Kernel > Python 3.",
        )
    if "ipykernel" in sys.modules:
        yield Finding("ok", "the kernel runs your cells with this Python")
        return
    from jupyter_client.kernelspec import KernelSpecManager, NoSuchKernel

    try:
        found = KernelSpecManager().get_kernel_spec("python3")
    except NoSuchKernel:
        yield Finding("problem", "Jupyter finds no kernel to run Python with", _REPAIR)
        return
    command = found.argv[0]
    if re.fullmatch(r"python[0-9.]*", command) or Path(command).parent == Path(sys.executable).parent:
        yield Finding("ok", "the kernel that runs your cells")
    else:
        yield Finding(
            "problem",
            f"Jupyter's Python 3 kernel is another Python: {command}",
            _how_to_have_this_kernel(Path(found.resource_dir)),
        )


def _how_to_have_this_kernel(other: Path) -> str:
    """Say what to do about another kernel that bears the name: this one may be there, and found too late."""
    own = Path(sys.prefix, "share", "jupyter", "kernels", "python3")
    if other in (own, Path()) or not own.is_dir():
        return f"Make it this one: `{of_this_python('-m ipykernel install --sys-prefix')}`."
    named = os.environ.get("JUPYTER_PATH", "")
    because = (
        " since JUPYTER_PATH names it"
        if str(other).startswith(tuple(filter(None, named.split(os.pathsep))))
        else ""
    )
    return (
        f"It is described in {other}, which Jupyter finds first{because}. Open the course with `make lab`, which puts "
        f"its own in front; or take that folder out of the way (another name will do), or out of JUPYTER_PATH."
    )


def _widgets() -> Iterator[Finding]:
    for name in ("ipywidgets", "anywidget"):
        importlib.import_module(name)
    from jupyter_core.paths import jupyter_path

    missing = [
        name
        for name in ("@jupyter-widgets/jupyterlab-manager", "anywidget")
        if not any(
            (Path(folder) / name / "package.json").is_file() for folder in jupyter_path("labextensions")
        )
    ]
    if missing:
        yield Finding(
            "problem",
            f"JupyterLab's part of the sliders and players is missing: {', '.join(missing)}",
            "Install it again, then reload the page: "
            f"`{of_this_python('-m pip install --force-reinstall jupyterlab_widgets anywidget')}`.",
        )
    else:
        yield Finding("ok", "sliders and players, in Python and in JupyterLab")


def _data() -> Iterator[Finding]:
    from dscourse import datasets

    try:
        names = datasets.names()
    except datasets.DatasetError as error:
        yield Finding("problem", str(error))
        return
    troubles = []
    for name in names:
        try:
            datasets.load(name)
        except datasets.DatasetError as error:
            troubles.append(Finding("problem", str(error)))
    yield from troubles
    if not troubles:
        yield Finding("ok", f"{len(names)} data sets, each exactly as recorded")


def _progress() -> Iterator[Finding]:
    given = os.environ.get("DSCOURSE_PROGRESS", "").strip()
    path = Path(given).expanduser() if given else Path.home() / ".dscourse-progress"
    while not path.exists() and path != path.parent:
        path = path.parent
    if os.access(path, os.W_OK):
        yield Finding("ok", "your progress can be saved")
    else:
        yield Finding(
            "note",
            f"your progress can't be saved: {path} may not be written to",
            "The lessons work all the same. To keep it elsewhere, set DSCOURSE_PROGRESS to a folder before you start.",
        )


_NO_WIDGETS = (
    "No widgets here. On a page that only shows a stored notebook that is as it should be. In JupyterLab, reload the "
    "page in your browser and run this cell again."
)
_LIGHT = """
export default { render({ model, el }) {
  const line = document.createElement("p");
  line.className = "dscourse-widgets-work";
  line.textContent = "Widgets work: one of them drew this line.";
  el.append(line);
} };
"""


def _widget_light() -> dict[str, Any]:
    """Return an output that a working front end draws itself; where there is none, its text says so."""
    import anywidget

    class Light(anywidget.AnyWidget):
        _esm = _LIGHT

    view = {"version_major": 2, "version_minor": 0, "model_id": Light().model_id}
    return {"application/vnd.jupyter.widget-view+json": view, "text/plain": _NO_WIDGETS}


def main() -> int:
    """Print the report; the exit status is 0 if all is well."""
    report = run()
    print(report)
    return 0 if report else 1


if __name__ == "__main__":
    sys.exit(until_nobody_reads(main))
