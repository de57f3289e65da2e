"""The floors of the house: what may import what, read from the source without running it."""

import ast
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import networkx as nx
import pytest

ROOT = Path(__file__).resolve().parents[1]
# arguments: what every public door says to a wrong value; readable: how it writes numbers
GROUND = {"arguments", "commands", "readable", "simulation", "datasets", "exploration"}
TOPICS = {
    "scaling",
    "services",
    "partitioning",
    "replication",
    "consistency",
    "fault_tolerance",
    "detection",
    "consensus",
    "recovery",
    "resilience",
    "chaos",
}
TOP = {"progress", "backup", "views", "exercises", "live", "check", "teaching", "workspace"}
FLOORS = {"": 0} | dict.fromkeys(GROUND, 0) | dict.fromkeys(TOPICS, 1) | dict.fromkeys(TOP, 2)
# Nothing imports the top floor but notebooks and tests; only exercises may use views, and both may keep progress.
ALLOWED_ON_TOP = {("exercises", "views"), ("exercises", "progress"), ("views", "progress")} | {
    ("backup", "progress"),
    ("backup", "workspace"),
    ("teaching", "exercises"),
    ("teaching", "progress"),
}
# A widget that waits its turn in the event loop starts nothing: the loop is there in a browser kernel, too.
START_NOTHING = {("views", "asyncio")}

# A sweep waits for workers, which live in real time; who waits for it is shown a bar; who limits the time of a checker
# waits in real time, too. Only inside functions, so that nothing of it is loaded with the models.
WAITING = {
    "dscourse.exploration.sweep": {"concurrent.futures", "time"},
    "dscourse.exploration.progress_bar": {"tqdm", "IPython"},
    "dscourse.consistency.limits": {"time"},
}

SCREEN = {
    "tqdm",
    "matplotlib",
    "ipywidgets",
    "IPython",
    "anywidget",
    "traitlets",
    "plotly",
    "tkinter",
    "ipykernel",
}
PROCESSES = {
    "_thread",
    "asyncio",
    "concurrent",
    "ftplib",
    "http",
    "joblib",
    "multiprocessing",
    "pty",
    "queue",
    "requests",
    "sched",
    "select",
    "selectors",
    "signal",
    "smtplib",
    "socket",
    "socketserver",
    "ssl",
    "subprocess",
    "threading",
    "urllib",
    "zmq",
}
PROCESS_CALLS = {
    "fork",
    "forkpty",
    "kill",
    "killpg",
    "popen",
    "posix_spawn",
    "posix_spawnp",
    "startfile",
    "system",
}
PROCESS_CALLS |= {name for name in dir(os) if name.startswith(("spawn", "exec"))}
WALL_CLOCK = {"time"}


@dataclass(frozen=True)
class Import:
    """One import of one module, where it stands, and when it happens."""

    module: str
    line: int
    lazy: bool  # inside a function: it happens when that runs
    for_types: bool  # under TYPE_CHECKING: it never happens


class Reader(ast.NodeVisitor):
    """Collect the imports of one module, in functions too, and the calls that start or stop processes."""

    def __init__(self, name: str, is_package: bool) -> None:
        self.package = name.split(".") if is_package else name.split(".")[:-1]
        self.imports: list[Import] = []
        self.calls: list[tuple[str, int]] = []
        self.lazy = self.for_types = False

    def add(self, module: str, node: ast.AST) -> None:
        self.imports.append(Import(module, node.lineno, self.lazy, self.for_types))

    def visit_Import(self, node: ast.Import) -> None:
        for alias in node.names:
            self.add(alias.name, node)

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        start = self.package[: len(self.package) - node.level + 1] if node.level else []
        module = ".".join([*start, *([node.module] if node.module else [])])
        for alias in node.names:  # what is imported may itself be a module
            self.add(f"{module}.{alias.name}" if alias.name != "*" else module, node)
            if module == "os" and alias.name in PROCESS_CALLS:
                self.calls.append((f"os.{alias.name}", node.lineno))

    def visit_FunctionDef(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        outer, self.lazy = self.lazy, True
        self.generic_visit(node)
        self.lazy = outer

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> None:
        self.visit_FunctionDef(node)

    def visit_If(self, node: ast.If) -> None:
        if "TYPE_CHECKING" not in ast.unparse(node.test):
            self.generic_visit(node)
            return
        outer, self.for_types = self.for_types, True
        for statement in node.body:
            self.visit(statement)
        self.for_types = outer
        for statement in node.orelse:
            self.visit(statement)

    def visit_Attribute(self, node: ast.Attribute) -> None:
        if isinstance(node.value, ast.Name) and node.value.id == "os" and node.attr in PROCESS_CALLS:
            self.calls.append((f"os.{node.attr}", node.lineno))
        self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> None:
        if ast.unparse(node.func) in ("importlib.import_module", "import_module", "__import__"):
            first = node.args[0] if node.args else None
            constant = isinstance(first, ast.Constant) and isinstance(first.value, str)
            self.add(first.value if constant else "(a name made up while it runs)", node)
        self.generic_visit(node)


def read(folder: Path) -> dict[str, Reader]:
    """Return what every module of a package imports, by module name."""
    modules = {}
    for path in sorted(folder.rglob("*.py")):
        parts = [folder.name, *path.relative_to(folder).with_suffix("").parts]
        is_package = parts[-1] == "__init__"
        name = ".".join(parts[:-1] if is_package else parts)
        modules[name] = Reader(name, is_package)
        modules[name].visit(ast.parse(path.read_text(encoding="utf-8"), str(path)))
    return modules


def room(module: str) -> str:
    """Return the part of dscourse in which a module stands: `detection` for `dscourse.detection.swim`."""
    return [*module.split("."), ""][1]


def own(module: str) -> bool:
    return within(module, "dscourse")


def within(module: str, package: str) -> bool:
    return module == package or module.startswith(f"{package}.")


def problems(modules: dict[str, Reader]) -> list[str]:
    """Return every breach of the floors, each with its place."""
    found = []
    for name, reader in modules.items():
        here = room(name)
        if here not in FLOORS:
            found.append(f"{name}: no floor is known for {here!r}; say in this test where it stands")
            continue
        for one in reader.imports:
            if one.lazy and any(within(one.module, allowed) for allowed in WAITING.get(name, ())):
                continue
            found += [f"{name}:{one.line} {what}" for what in breaches(here, one)]
        if here != "live":
            found += [f"{name}:{line} uses {call}, which is for `live` only" for call, line in reader.calls]
    return found + circles(modules)


def breaches(here: str, one: Import) -> list[str]:
    target, first = room(one.module), one.module.split(".")[0]
    floor = FLOORS[here]
    found = []
    if own(one.module) and target in FLOORS and target != here:
        if FLOORS[target] > floor:
            found.append(f"imports {one.module}, which stands on a higher floor")
        elif FLOORS[target] == 2 and (here, target) not in ALLOWED_ON_TOP:
            found.append(f"imports {one.module}: nothing but notebooks and tests imports {target}")
    if first in SCREEN and floor < 2 and not one.for_types:
        found.append(f"imports {one.module}: a model knows no screen")
    if first in PROCESSES and here != "live" and not one.for_types and (here, first) not in START_NOTHING:
        found.append(f"imports {one.module}, which is for `live` only")
    if first in WALL_CLOCK and floor < 2:
        found.append(f"imports {one.module}: a model lives in virtual time")
    if first.startswith("(") and floor < 2:
        found.append(f"imports {one.module}, so that nobody can tell what it needs")
    return found


# A scenario gives runs and a run knows its scenario: these two name each other by nature.
NAME_EACH_OTHER = {"dscourse.simulation.run", "dscourse.simulation.scenario"}


def circles(modules: dict[str, Reader]) -> list[str]:
    """Return circles between the parts of the house, and between modules, annotations counted."""
    rooms, loading, naming = nx.DiGraph(), nx.DiGraph(), nx.DiGraph()
    for name, reader in modules.items():
        for one in reader.imports:
            if not own(one.module):
                continue
            if room(one.module) != room(name) and room(one.module) in FLOORS and room(name):
                rooms.add_edge(room(name), room(one.module))
            target = one.module
            while target not in modules and "." in target:
                target = target.rpartition(".")[0]
            if target not in modules or one.lazy:
                continue
            naming.add_edge(name, target)
            if not one.for_types:
                loading.add_edge(name, target)
    naming.remove_edges_from([edge for edge in naming.edges if set(edge) == NAME_EACH_OTHER])
    return sorted(
        {
            f"circle: {' -> '.join(sorted(group))}"
            for graph in (rooms, loading, naming)
            for group in nx.strongly_connected_components(graph)
            if len(group) > 1 or any(graph.has_edge(node, node) for node in group)
        }
    )


def test_every_module_keeps_to_its_floor():
    assert problems(read(ROOT / "dscourse")) == []


def test_the_reader_sees_the_whole_house():
    modules = read(ROOT / "dscourse")
    assert {"dscourse", "dscourse.datasets", "dscourse.check", "dscourse.workspace"} <= set(modules)
    assert "pandas" in {one.module.split(".")[0] for one in modules["dscourse.datasets"].imports}


# --- would it notice? ---


def house(tmp_path: Path, **files: str) -> list[str]:
    for name, text in files.items():
        path = tmp_path / "dscourse" / (name.replace("__", "/") + ".py")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return problems(read(tmp_path / "dscourse"))


@pytest.mark.parametrize(
    ("where", "text", "told"),
    [
        ("simulation__kernel", "from dscourse.detection import phi", "higher floor"),
        ("detection__swim", "import dscourse.views", "higher floor"),
        ("detection__swim", "from dscourse import views", "higher floor"),
        ("detection__swim", "from ..views import palette", "higher floor"),
        ("detection__swim", "def f():\n    from dscourse.exercises import progress", "higher floor"),
        ("datasets", "import dscourse.check", "higher floor"),
        ("views__picture", "from dscourse.exercises import progress", "nothing but notebooks and tests"),
        ("exercises__one", "from dscourse import workspace", "nothing but notebooks and tests"),
        ("progress", "from dscourse.exercises import Exercise", "nothing but notebooks and tests"),
        ("progress", "def f():\n    import dscourse.views", "nothing but notebooks and tests"),
        ("simulation__run", "from dscourse import progress", "higher floor"),
        ("scaling__laws", "import matplotlib.pyplot as plt", "no screen"),
        ("scaling__laws", "def f():\n    from IPython.display import display", "no screen"),
        ("simulation__kernel", "import ipywidgets", "no screen"),
        ("simulation__kernel", "import socket", "`live` only"),
        ("consensus__raft", "async def f():\n    from concurrent.futures import Future", "`live` only"),
        ("consensus__raft", "import os\nclass A:\n    def f(self):\n        os.fork()", "`live` only"),
        ("consensus__raft", "from os import kill", "`live` only"),
        ("consensus__raft", "import importlib\nimportlib.import_module('subprocess')", "`live` only"),
        ("consensus__raft", "module = __import__(name)", "nobody can tell"),
        ("exercises__one", "import threading", "`live` only"),
        ("simulation__kernel", "import time", "virtual time"),
        ("exploration__sweep", "from concurrent.futures import wait", "`live` only"),
        ("exploration__sweep", "class A:\n    from time import monotonic", "virtual time"),
        ("exploration__sweep", "def f():\n    import threading", "`live` only"),
        ("exploration__sweep", "def f():\n    import concurrent", "`live` only"),
        ("exploration__sweep", "def f():\n    import matplotlib", "no screen"),
        ("exploration__sweep", "def f():\n    from tqdm import tqdm", "no screen"),
        ("exploration__search", "def f():\n    from concurrent.futures import wait", "`live` only"),
        ("exploration__progress_bar", "import tqdm", "no screen"),
        ("exploration__progress_bar", "def f():\n    import ipywidgets", "no screen"),
        ("scaling__sweep", "def f():\n    import time", "virtual time"),
        ("simulation__sweep", "def f():\n    import tqdm", "no screen"),
        ("gossip__swim", "", "no floor is known for 'gossip'"),
    ],
)
def test_a_breach_is_noticed(tmp_path, where, text, told):
    (problem,) = house(tmp_path, **{where: text})
    assert told in problem
    assert where.replace("__", ".") in problem


@pytest.mark.parametrize(
    ("where", "text"),
    [
        ("exercises__one", "from dscourse.views import palette\nfrom dscourse.detection import phi"),
        ("recovery__failover", "from dscourse.detection import phi\nimport dscourse.simulation"),
        ("views__picture", "import matplotlib, ipywidgets\nfrom . import palette"),
        ("views__player__commands", "from dscourse.progress import record_task"),
        ("exercises__one", "from dscourse import progress"),
        ("live__cluster", "import socket, subprocess, signal, os\nos.kill(1, 9)"),
        ("scaling__laws", "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import matplotlib"),
        ("scaling__laws", "import os\nos.fspath('a')"),
        ("exploration__sweep", "def f():\n    from concurrent.futures import wait\n    import time"),
        ("exploration__progress_bar", "def f():\n    import tqdm\n    from IPython.display import display"),
    ],
)
def test_what_is_allowed_is_not_reported(tmp_path, where, text):
    assert house(tmp_path, **{where: text}) == []


def test_circles_are_noticed(tmp_path):
    files = {"recovery__a": "import dscourse.consensus", "consensus__b": "import dscourse.recovery"}
    assert house(tmp_path, **files) == ["circle: consensus -> recovery"]


def test_a_circle_that_hides_in_a_function_is_noticed_between_rooms(tmp_path):
    files = {
        "recovery__a": "import dscourse.consensus",
        "consensus__b": "def f():\n    import dscourse.recovery",
    }
    assert house(tmp_path, **files) == ["circle: consensus -> recovery"]


def test_a_circle_of_annotations_is_one(tmp_path):
    files = {
        "detection__a": "from dscourse.detection.b import x",
        "detection__b": "if typing.TYPE_CHECKING:\n    from dscourse.detection.a import y",
    }
    assert house(tmp_path, **files) == ["circle: dscourse.detection.a -> dscourse.detection.b"]


def test_the_engine_is_named_by_the_run_alone():
    """And by `live`, whose clients and cuts are the simulator's own, on another clock."""
    engine = "dscourse.simulation.engine"
    named = {
        name
        for name, reader in read(ROOT / "dscourse").items()
        if any(one.module.startswith(engine) for one in reader.imports)
        and not name.startswith(engine)
        and room(name) != "live"
    }
    assert named == {"dscourse.simulation.run"}


@pytest.mark.parametrize(
    "what",
    [
        "dscourse.simulation import Node, Context, Reply, Request",
        "dscourse.simulation.pending_requests import PendingRequests",
        "dscourse.consensus import NaiveFailoverNode",
        "dscourse.fault_tolerance import FrontEnd",
        "dscourse.replication import Broadcaster, FailoverOperator, Gateway, SingleLeaderReplica",
        "dscourse.consensus import KeyValueNode, RaftNode",
        "dscourse.live.process import main",
        "dscourse.live.maelstrom import main",
        "dscourse.live.bench_nodes import Counter, Echo",
        "dscourse.resilience import CircuitBreaker, IdempotencyKeys, Retry, Timeout, compose",
        "dscourse.scaling import Ask, launch_scenario",
    ],
)
def test_a_bare_process_that_needs_a_node_loads_no_heavy_library(what):
    program = (
        f"import sys; from {what}; print([m for m in ('networkx', 'numpy', 'pandas') if m in sys.modules])"
    )
    shown = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False, cwd=ROOT
    )
    assert shown.stdout.strip() == "[]", shown.stderr


def test_a_circle_of_modules_in_one_room_is_noticed(tmp_path):
    files = {
        "detection__a": "from dscourse.detection.b import x",
        "detection__b": "from dscourse.detection.a import y",
    }
    assert house(tmp_path, **files) == ["circle: dscourse.detection.a -> dscourse.detection.b"]


def test_the_core_loads_no_screen_and_no_process_module_of_its_own():
    """Some libraries load threads themselves; this asks only that no screen comes along with the models."""
    topics = [name for name in sorted(TOPICS) if (ROOT / "dscourse" / name).exists()]
    rooms = ["simulation", "datasets", "exploration", *topics]
    program = f"import sys; {'; '.join(f'import dscourse.{name}' for name in rooms)}; "
    program += "print(sorted(name for name in ('matplotlib', 'IPython', 'ipywidgets', 'tqdm') if name in sys.modules))"
    shown = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False, cwd=ROOT
    )
    assert shown.stdout.strip() == "[]", shown.stderr
