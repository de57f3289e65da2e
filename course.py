"""Set up the course, open it, or test it: one script for every system, needing only Python with venv.

An old Python (from 3.7 on) can read this file too, so that it can say in plain words what is missing.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

# Not the docstring of this file: Python drops those where PYTHONOPTIMIZE is 2.
HELP = """Set up the course, open it, or test it.

    python course.py lab [options for JupyterLab]     open the course in your browser
    python course.py test [options for pytest]        run every test
    python course.py setup                            only set up the environment in .venv
    python course.py notebooks [names]                run the stored notebooks again and tidy them
    python course.py site                             build the course's pages, to be read without Python

On Linux and macOS `make lab`, `make test` and so on call this script."""

ROOT = Path(__file__).resolve().parent
ENVIRONMENT = ROOT / ".venv"
SITE_PACKAGES = "Lib/site-packages" if os.name == "nt" else "lib/python*/site-packages"
PYTHON = str(ENVIRONMENT / ("Scripts/python.exe" if os.name == "nt" else "bin/python"))
STAMP = ENVIRONMENT / "dscourse-setup.json"
OLDEST_PYTHON = (3, 11)
NEW_ENOUGH = f"import sys; sys.exit(sys.version_info < {OLDEST_PYTHON})"  # for another Python to run
REFERENCE_PYTHON = "3.11"  # the Python of environment.yml, too
INTERRUPTED = 130
NOTHING_COLLECTED = 5  # pytest's word for it

# What somebody has set for other projects would send the packages elsewhere, or keep them out.
NO_MATTER = {
    "PIP_USER": "0",
    "PIP_REQUIRE_HASHES": "0",
    "PIP_NO_DEPS": "0",
    "PIP_DRY_RUN": "0",
    "PIP_TARGET": None,
    "PIP_PREFIX": None,
    "PIP_ROOT": None,
    "PIP_CONSTRAINT": None,
    "PIP_NO_BUILD_ISOLATION": None,
    "PIP_NO_BINARY": None,
    "PYTHONPATH": None,  # pip would take what lies there for installed
}

# JupyterLab would otherwise ask on every start whether to fetch news, and look for updates over the network. And of a
# notebook that is opened again without its kernel it would show no question, no player and no figure, but an error.
LAB_SETTINGS = {
    "@jupyterlab/apputils-extension:notification": {"fetchNews": "false", "checkForUpdates": False},
    "@jupyter-widgets/jupyterlab-manager:plugin": {"saveState": True},
}


def main(arguments: list[str]) -> int:
    """Carry out one command; the result is the exit status."""
    commands = {
        "lab": (open_lab, ["lab"]),
        "setup": (say_ready, ["lab"]),
        "test": (run_tests, ["dev", "lab"]),
        "notebooks": (rerun_notebooks, ["dev", "lab"]),
        "site": (build_site, ["dev", "lab"]),
    }
    if not arguments or arguments[0] not in commands:
        print(HELP)
        return 0 if arguments and arguments[0] in ("-h", "--help") else 2
    os.environ.pop("PYTHONHOME", None)  # it would turn every other Python into this one
    if sys.version_info < OLDEST_PYTHON:
        return continue_with_newer_python(arguments)
    command, extras = commands[arguments[0]]
    try:
        if arguments[0] == "setup" and not packages_are_as_tested():
            STAMP.unlink(missing_ok=True)  # who asks for it by name wants the packages mended
        problem = set_up(extras)
    except KeyboardInterrupt:
        print("Setting up was interrupted. The same command goes on where it stopped.", file=sys.stderr)
        return INTERRUPTED
    except OSError as error:
        problem = (
            f"The course can't be set up in {ROOT}: {error.strerror or error} ({error.filename}). Copy the course to a "
            "folder that you may write to, and run the same command there."
        )
    if problem:
        print(problem, file=sys.stderr)
        return 1
    return command(arguments[1:])


def continue_with_newer_python(arguments: list[str]) -> int:
    """Hand over to a newer Python where one is installed beside this one."""
    names = [f"python3.{minor}" for minor in range(20, OLDEST_PYTHON[1] - 1, -1)]
    found = [[path] for path in map(shutil.which, names) if path]
    launcher = shutil.which("py") if sys.platform == "win32" else None
    found += [[launcher, "-3"]] if launcher else []  # it starts the newest that it knows of
    for newer in found:
        if subprocess.call([*newer, "-c", NEW_ENOUGH], stderr=subprocess.DEVNULL) == 0:
            try:
                return run_to_its_end([*newer, str(ROOT / "course.py"), *arguments])
            except KeyboardInterrupt:
                return INTERRUPTED
    print(
        f"The course needs Python {OLDEST_PYTHON[0]}.{OLDEST_PYTHON[1]} or newer, and this is Python "
        f"{sys.version_info[0]}.{sys.version_info[1]} ({sys.executable}). Install a newer one, from "
        "python.org or your system's packages, then run the same command again.",
        file=sys.stderr,
    )
    return 1


# --- setting up ---


def set_up(extras: list[str]) -> str | None:
    """Make .venv hold what the extras need; the result is a plain line when that can't be done."""
    if already_set_up(extras):
        return None
    if not environment_works() or holds_other_versions():
        if importlib.util.find_spec("venv") is None or importlib.util.find_spec("ensurepip") is None:
            return (
                "Python's venv module is missing; the course uses it to keep its packages apart from "
                f"your system's. On Debian or Ubuntu: sudo apt install python3.{sys.version_info[1]}-venv. "
                "Then run the same command again."
            )
        say("Setting up the course, step 1 of 2: a Python environment of its own, in .venv")
        make = [sys.executable, "-m", "venv", "--clear", str(ENVIRONMENT)]
        if run_to_its_end(make, env=untroubled()) != 0:
            return "The environment in .venv could not be made; the message above says why."
    say("Setting up the course, step 2 of 2: installing packages (up to a few minutes, only this once)")
    if install(extras) != 0:
        return (
            "Some packages could not be installed; the lines above say why. Most often the network was away: "
            "run the same command again, and it goes on where it stopped."
        )
    name_the_package_by_its_way()
    if not package_is_found():
        return (
            "The packages were installed, but Python in .venv doesn't find the course. Perhaps your settings of pip "
            f"send packages elsewhere: look at what `{PYTHON} -m pip config list` says."
        )
    write_lab_settings()
    stamp = {"made_from": fingerprint(), "extras": extras, "versions": which_versions()}
    STAMP.write_text(json.dumps(stamp), encoding="utf-8")
    return None


def say(line: str) -> None:
    """Print at once, also into a pipe: the learner waits for it."""
    print(line, flush=True)


def which_versions() -> str:
    """Tell which versions to install: locked, or for the weekly check the newest or oldest allowed."""
    chosen = os.environ.get("DSCOURSE_VERSIONS", "locked")
    if chosen not in ("locked", "newest", "oldest"):
        raise SystemExit(f"DSCOURSE_VERSIONS must be locked, newest or oldest, got {chosen!r}")
    return chosen


def install(extras: list[str]) -> int:
    """Install the package, editable, with its extras."""
    package = f"{ROOT}[{','.join(extras)}]"
    choice = {
        "oldest": ["--resolution", "lowest-direct"],
        "locked": ["--constraint", str(ROOT / "requirements.lock")],
    }
    wanted = [*choice.get(which_versions(), []), "--editable", package]
    uv, environment = fast_installer()
    if uv:
        say("  with uv, which is fast")
        if which_versions() == "newest":
            wanted.append("--upgrade")
        if run_and_tell([*uv, *wanted], of_uv, words_of_failure=False, env=environment) == 0:
            return 0
        say("  uv could not do it; now with pip")
    if which_versions() == "oldest":
        say("  pip can't choose the oldest versions, only uv can")
        return 1
    say("  with pip")
    pip = [PYTHON, "-m", "pip", "install", "--disable-pip-version-check"]
    return run_and_tell([*pip, *wanted], of_pip(), env=untroubled())


def fast_installer() -> tuple[list[str], dict[str, str]]:
    """Return how to call uv, and in which environment; an empty list if it can't be had, or not reach the packages.

    It goes where pip is set to go, if that is said in a way that both know.
    """
    environment = {name: value for name, value in untroubled().items() if not name.startswith("UV_")}
    if "UV_CACHE_DIR" in os.environ:
        environment["UV_CACHE_DIR"] = os.environ["UV_CACHE_DIR"]
    told = output_of([PYTHON, "-m", "pip", "config", "list"])
    lines = [line.partition("=") for line in told.splitlines() if "." in line.partition("=")[0]]
    settings = {key.rpartition(".")[2]: value.strip("'") for key, _, value in lines}
    if settings.keys() & {"proxy", "client-cert", "trusted-host", "no-index"}:
        return [], {}
    if "cert" in settings:
        environment["SSL_CERT_FILE"] = settings["cert"]
    options = ["--no-config", "--python", PYTHON]
    if "extra-index-url" in settings:  # to pip all places are alike; uv would look no further than the first
        options += ["--index-strategy", "unsafe-best-match"]
    both = {"index-url": "--default-index", "extra-index-url": "--index", "find-links": "--find-links"}
    for name, option in both.items():
        for place in settings.get(name, "").replace("\\n", " ").split():
            options += [option, place]
    get = [
        "install",
        "--quiet",
        "--disable-pip-version-check",
        "--only-binary",
        ":all:",
        "--retries",
        "1",
        "uv",
    ]
    if not output_of([PYTHON, "-m", "uv", "--version"]):
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        if run_to_its_end([PYTHON, "-m", "pip", *get], env=untroubled(), **quiet) != 0:
            return [], {}
    return [PYTHON, "-m", "uv", "pip", "install", *options], environment


def output_of(command: list[str]) -> str:
    """Return what a command prints, nothing if it fails."""
    ran = subprocess.run(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=untroubled(), check=False
    )
    return ran.stdout.decode("utf-8", "replace") if ran.returncode == 0 else ""


def of_uv(line: str) -> str:
    """Tell of a line of uv what a person reads: how many packages were found, fetched and installed."""
    words = {"Resolved": "found", "Prepared": "fetched", "Installed": "installed"}
    first, _, rest = line.partition(" ")
    return f"  {words[first]} {rest}" if first in words else ""


def of_pip() -> Callable[[str], str]:
    """Return what tells of pip's lines how far it is: now and then, how many packages it has looked at."""
    found = 0

    def told(line: str) -> str:
        nonlocal found
        if line.startswith("Collecting "):
            found += 1
            return f"  found {found} packages" if found % 25 == 0 else ""
        if line.startswith("Installing collected packages"):
            return f"  installing {line.count(',') + 1} packages"
        return ""

    return told


def untroubled() -> dict[str, str]:
    """Return this process's environment without settings of Python and pip that an installation here can't use.

    Files are read and written in UTF-8, whatever the locale: the path of this folder may hold any letter.
    """
    kept = {name: value for name, value in os.environ.items() if name not in NO_MATTER}
    return {**kept, **{name: value for name, value in NO_MATTER.items() if value}, "PYTHONUTF8": "1"}


def name_the_package_by_its_way() -> None:
    """Let .venv find the package by the way from its own folder to this one, which is plain ASCII.

    An editable installation notes the absolute path. Python reads that note in the encoding of the locale: it misses
    a folder named in other letters, or doesn't even start.
    """
    if ENVIRONMENT.is_symlink():
        return
    for note in ENVIRONMENT.glob(f"{SITE_PACKAGES}/*dscourse.pth"):
        way = os.path.relpath(str(ROOT), str(note.parent))
        note.write_text(way + "\n", encoding="ascii")


def package_is_found() -> bool:
    """True if Python in .venv finds the package from any folder."""
    look = "import importlib.util, sys; sys.exit(importlib.util.find_spec('dscourse') is None)"
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    return subprocess.call([PYTHON, "-c", look], cwd=str(ENVIRONMENT), env=environment) == 0


def fingerprint() -> str:
    """Tell what the environment was made from: when that changes, packages are installed anew."""
    digest = hashlib.sha256()
    for name in ("pyproject.toml", "requirements.lock", "course.py"):
        digest.update((ROOT / name).read_bytes().replace(b"\r\n", b"\n"))
    digest.update(which_versions().encode() + b" " + os.fsencode(str(ROOT)))
    return digest.hexdigest()


def already_set_up(extras: list[str]) -> bool:
    """True if the last setting-up was finished, from the same files, with these extras."""
    try:
        stamp = json.loads(STAMP.read_text(encoding="utf-8"))
        same = stamp["made_from"] == fingerprint() and set(extras) <= set(stamp["extras"])
    except (OSError, ValueError, KeyError, TypeError):
        return False
    return same and environment_works()


def holds_other_versions() -> bool:
    """True if the packages there were chosen by another rule: an installer would keep all that will do."""
    try:
        stamp = json.loads(STAMP.read_text(encoding="utf-8"))
        return bool(stamp.get("versions", "locked") != which_versions())
    except (OSError, ValueError, AttributeError):  # a first or interrupted set-up
        return which_versions() != "locked"


def packages_are_as_tested() -> bool:
    """Packages may have been removed or changed since; looking takes too long for every start of the course."""
    if which_versions() != "locked" or not STAMP.is_file():
        return True
    look = "import sys; from dscourse import check; sys.exit(not check.packages_are_as_tested())"
    try:
        return subprocess.call([PYTHON, "-c", look], stderr=subprocess.DEVNULL, cwd=str(ROOT)) == 0
    except OSError:
        return False


def environment_works() -> bool:
    """A .venv may be left from a Python that is gone, from an interrupted run, or from an older Python."""
    try:
        return subprocess.call([PYTHON, "-c", f"import pip; {NEW_ENOUGH}"], stderr=subprocess.DEVNULL) == 0
    except OSError:
        return False


def write_lab_settings(environment: Path | None = None) -> None:
    """Write how JupyterLab is set, in this environment only (Binder's postBuild names its own)."""
    folder = (environment or ENVIRONMENT) / "etc" / "jupyter" / "labconfig"
    folder.mkdir(parents=True, exist_ok=True)
    text = json.dumps(LAB_SETTINGS, indent=2) + "\n"
    (folder / "default_setting_overrides.json").write_text(text, encoding="utf-8")


# --- the commands ---


def run_to_its_end(command: list[str], **options: Any) -> int:
    """Run a command and return its exit status.

    Ctrl-C in a terminal reaches the command as well, and it may want to ask something, to save or to tidy up. So it is
    waited for, and only then is KeyboardInterrupt raised. (subprocess.call would kill it after a quarter of a second.)
    """
    process = subprocess.Popen(command, **options)
    interrupted = False
    while True:
        try:
            status = process.wait()
            break
        except KeyboardInterrupt:
            interrupted = True
    if interrupted:
        raise KeyboardInterrupt
    return status


def run_and_tell(
    command: list[str], tell: Callable[[str], str], words_of_failure: bool = True, **options: Any
) -> int:
    """Run a command and print what `tell` makes of its lines; if it fails and that is wanted, its own last ones."""
    process: Any = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, **options)
    last: list[str] = []
    try:
        with process.stdout as lines:
            for raw in lines:
                line = raw.decode("utf-8", "replace").rstrip()
                last = [*last[-29:], line]
                told = tell(line)
                if told:
                    say(told)
    except KeyboardInterrupt:  # it hears of it, too
        process.wait()
        raise
    if process.wait() != 0 and words_of_failure:
        print(*last, sep="\n", file=sys.stderr, flush=True)
    return int(process.returncode)


def call(*arguments: str) -> int:
    """Run Python of the course's own environment from the root folder; `python` means it there, in terminals too."""
    path = os.pathsep.join([str(Path(PYTHON).parent), os.environ.get("PATH", "")])
    # Jupyter looks there before anywhere else: another project's kernel of the same name would run the course.
    jupyter = [str(ENVIRONMENT / "share" / "jupyter"), os.environ.get("JUPYTER_PATH", "")]
    try:
        environment = {
            **os.environ,
            "PATH": path,
            "JUPYTER_PATH": os.pathsep.join(filter(None, jupyter)),
            "PYTHONUTF8": "1",
        }  # Windows would read files in a code page
        return run_to_its_end([PYTHON, *arguments], cwd=str(ROOT), env=environment)
    except KeyboardInterrupt:
        return INTERRUPTED


def say_ready(_options: list[str]) -> int:
    """End of `setup`, which has already happened."""
    say("The course is set up in .venv. `make lab` (or `python course.py lab`) opens it.")
    return 0


def open_lab(options: list[str]) -> int:
    """Lay out the learner's own copies of the notebooks and open the first of them."""
    code = call("-m", "dscourse.workspace")
    if code != 0:
        return code
    settings = [
        f"--ServerApp.root_dir={os.environ.get('DSCOURSE_WORKSPACE', '').strip() or ROOT / 'workspace'}",
        "--LabApp.default_url=/lab/tree/00-start-here.ipynb",
    ]
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        settings.append("--allow-root")  # JupyterLab refuses to run as root without it
    for name, folder in folders_instead_of_home().items():
        os.environ.setdefault(name, folder)
    status = call("-m", "jupyterlab", *settings, *options)
    return 0 if status == INTERRUPTED else status  # Ctrl-C is how one closes it


def folders_instead_of_home() -> dict[str, str]:
    """Tell where Jupyter and matplotlib keep their own files if the home may not be written to: they would fail."""
    home = os.path.expanduser("~")  # noqa: PTH111 - Path.home() raises where there is none
    if os.access(home, os.W_OK):
        return {}
    names = ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR", "MPLCONFIGDIR")
    names += ("JUPYTERLAB_SETTINGS_DIR", "JUPYTERLAB_WORKSPACES_DIR")
    instead = ENVIRONMENT / "instead-of-home"
    if not os.access(str(ENVIRONMENT), os.W_OK):
        instead = Path(tempfile.mkdtemp(prefix="dscourse-"))
    say(f"Your home ({home}) may not be written to, so Jupyter keeps its own files in {instead}.")
    return {name: str(instead / name.lower()) for name in names}


def rerun_notebooks(options: list[str]) -> int:
    """Run the stored notebooks again and tidy them."""
    return call(str(ROOT / ".ci" / "notebooks.py"), *options)


def build_site(options: list[str]) -> int:
    """Build the pages that need no Python to be read; each is also its own set of slides."""
    return call(str(ROOT / "docs" / "build.py"), *options)


def run_tests(options: list[str]) -> int:
    """Run every kind of test, also after one has failed, and end with one summary."""
    lint = {
        "style (ruff check)": ["-m", "ruff", "check", "--quiet", "."],
        "format (ruff format)": ["-m", "ruff", "format", "--check", "--quiet", "."],
        "types (mypy)": ["-m", "mypy", "--no-error-summary"],
    }
    # Libraries in other versions may warn of each other; only under the lock is a warning an error.
    lenient = [] if which_versions() == "locked" else ["-o", "filterwarnings=default"]
    pytest, on_all_cores = ["-m", "pytest", *lenient], ["-n", "auto", "--dist", "worksteal"]
    tests = {
        "unit, property and published tests (pytest)": [
            *pytest, *on_all_cores, "tests", "--ignore=tests/browser", *options
        ],
        # Two at a time: a page waits for its kernel about half of the time, and more pages want more memory.
        "browser tests (pytest)": [*pytest, "-n", "2", "--dist", "worksteal", "tests/browser", *options],
        "notebooks (nbval)": ["-m", "pytest", *notebook_options(), *options],
    }  # fmt: skip
    # Other versions of linters and of libraries' types judge otherwise, so only one set of versions is asked.
    steps = {**lint, **tests} if which_versions() == "locked" and is_reference_python() else tests
    results = []
    for name, arguments in steps.items():
        say(f"\n=== {name}")
        start = time.monotonic()
        code, notes = call_and_ask(arguments)
        if code == NOTHING_COLLECTED and options:
            code, notes = 0, ["nothing there matches " + " ".join(options)]
        results.append((name, code, time.monotonic() - start, notes))
        if code == INTERRUPTED:
            break
    say("\n=== Summary")
    for name, code, seconds, notes in results:
        say(f"  {'passed' if code == 0 else 'FAILED'} {seconds:7.1f} s  {name}")
        for note in notes:
            say(f"{'':20}{note}")
    failed = [name for name, code, _, _ in results if code != 0]
    say(f"Not everything passed; look above at: {', '.join(failed)}." if failed else "Everything passed.")
    return 1 if failed else 0


def call_and_ask(arguments: list[str]) -> tuple[int, list[str]]:
    """Run one step; the results are its exit status and what it wants said again in the summary (see conftest.py)."""
    with tempfile.TemporaryDirectory() as folder:
        summary = Path(folder) / "summary.txt"
        os.environ["DSCOURSE_TEST_SUMMARY"] = str(summary)
        code = call(*arguments)
        notes = summary.read_text(encoding="utf-8").splitlines() if summary.is_file() else []
    return code, notes


def notebook_options() -> list[str]:
    """Compare stored text strictly where that is fair: on Linux, with the versions that it was stored with."""
    strict = sys.platform.startswith("linux") and which_versions() == "locked" and is_reference_python()
    compare = ["--nbval" if strict else "--nbval-lax", "--nbval-current-env", "--nbval-cell-timeout=120"]
    # Warnings of the notebooks' own code are in their output; those of nbval itself are not ours to mend.
    a_file_each = ["-n", "auto", "--dist", "loadfile"]
    return [*compare, *a_file_each, "-o", "filterwarnings=default", "--no-header", "-q", "notebooks"]


def is_reference_python() -> bool:
    """True for the Python with which notebooks were stored and types checked: for newer ones the lock differs."""
    try:
        settings = (ENVIRONMENT / "pyvenv.cfg").read_text(encoding="utf-8")
    except OSError:
        return False
    return f"\nversion = {REFERENCE_PYTHON}." in settings


if __name__ == "__main__":
    if hasattr(signal, "SIGPIPE"):
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # `... | head` then ends it quietly
    sys.exit(main(sys.argv[1:]))
