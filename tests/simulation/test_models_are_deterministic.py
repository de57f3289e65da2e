"""No model draws global luck, looks at the wall clock, hashes text or walks through a set: read from the source.

What can't be seen from syntax is caught by runs in processes with different PYTHONHASHSEED (test_semantics_luck).
"""

import ast
from pathlib import Path

import pytest

import dscourse

FOLDER = Path(dscourse.__file__).parent
TOP = {"views", "exercises", "live", "check.py", "workspace.py"}
WAITS_FOR_OTHERS = FOLDER / "exploration" / "sweep.py"  # processes, and a learner who watches a bar
FILES = sorted(
    path
    for path in FOLDER.rglob("*.py")
    if path.relative_to(FOLDER).parts[0] not in TOP and path != WAITS_FOR_OTHERS
)

CLOCKS = {
    "time.time", "time.time_ns", "time.monotonic", "time.monotonic_ns", "time.perf_counter", "time.perf_counter_ns",
    "time.process_time", "time.process_time_ns", "time.sleep", "time.localtime", "time.gmtime", "time.strftime",
    "datetime.datetime.now", "datetime.datetime.utcnow", "datetime.datetime.today", "datetime.date.today",
    "datetime.now", "datetime.utcnow", "datetime.today", "date.today", "pandas.Timestamp.now", "pd.Timestamp.now",
}  # fmt: skip
LUCK_OF_THE_MACHINE = {"os.urandom", "uuid.uuid1", "uuid.uuid4", "random.SystemRandom"}
SEEDED = {"random.Random", "numpy.random.default_rng"}
HARMLESS = {"numpy.random.Generator", "numpy.random.PCG64", "numpy.random.SeedSequence"}
SET_METHODS = {"union", "intersection", "difference", "symmetric_difference"}
ORDER_IS_LOST = {"sorted", "len", "min", "max", "any", "all", "set", "frozenset"}
WALKERS = {"list", "tuple", "iter", "enumerate", "next", "zip", "map", "filter", "dict"}
WALK = "goes through a set in its own order"


def offences(source):
    """What in this source could make two runs differ: (line, what)."""
    tree = ast.parse(source)
    imported = _imported_names(tree)
    excused = _excused(tree)
    found = []
    for node in ast.walk(tree):
        if id(node) in excused:
            continue
        if isinstance(node, ast.Call):
            found += [(node.lineno, what) for what in _calls(node, imported)]
        elif isinstance(node, ast.For | ast.comprehension) and _is_set(node.iter):
            found.append((node.iter.lineno, WALK))
        elif isinstance(node, ast.Starred) and _is_set(node.value):
            found.append((node.lineno, WALK))
    return found


def _excused(tree):
    """Generators whose order doesn't matter, as in sorted(f(x) for x in {1, 2}); hash() in a __hash__."""
    excused = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ORDER_IS_LOST:
            generators = [argument for argument in node.args if isinstance(argument, ast.GeneratorExp)]
            excused |= {id(part) for generator in generators for part in generator.generators}
        elif isinstance(node, ast.FunctionDef) and node.name == "__hash__":
            excused |= {id(part) for part in ast.walk(node)}
        elif isinstance(node, ast.SetComp):
            excused |= {id(part) for part in node.generators}
    return excused


def _imported_names(tree):
    """Local name → full name, for what the module imports."""
    names = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                top = alias.name.split(".")[0]
                names[alias.asname or top] = alias.name if alias.asname else top
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {alias.asname or alias.name: f"{node.module}.{alias.name}" for alias in node.names}
    return names


def _full_name(node, imported):
    parts = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    if not isinstance(node, ast.Name):
        return ""
    return ".".join([imported.get(node.id, node.id), *reversed(parts)])


def _calls(node, imported):
    name = _full_name(node.func, imported)
    if name in SEEDED:
        if not (node.args or node.keywords):
            yield f"calls {name} without a seed"
    elif name.startswith(("random.", "numpy.random.")) and name not in HARMLESS:
        yield f"calls {name}: global luck"
    elif name in CLOCKS:
        yield f"calls {name}: the wall clock"
    elif name in LUCK_OF_THE_MACHINE or name.startswith("secrets."):
        yield f"calls {name}: luck that no seed repeats"
    elif name in ("hash", "id"):
        yield f"calls {name}(): another value in each process"
    elif any(map(_is_set, node.args)):
        method = node.func.attr if isinstance(node.func, ast.Attribute) else ""
        if name in WALKERS or method in ("join", "extend"):
            yield WALK


def _is_set(node):
    if isinstance(node, ast.Set | ast.SetComp):
        return True
    if isinstance(node, ast.Call):
        if isinstance(node.func, ast.Name):
            return node.func.id in ("set", "frozenset")
        return isinstance(node.func, ast.Attribute) and node.func.attr in SET_METHODS
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr | ast.BitAnd | ast.Sub | ast.BitXor):
        return _is_set(node.left) or _is_set(node.right)
    return False


# It numbers the objects of one state in the order in which it meets them; what an id is shows nowhere.
KNOWS_OBJECTS_BY_ID = FOLDER / "exploration" / "state_key.py"
# A checker's caller may limit its real time: the verdict is "unknown" then, and says so.
LIMITS_REAL_TIME = FOLDER / "consistency" / "limits.py"


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(FOLDER)))
def test_no_model_may_differ_from_run_to_run(path):
    found = offences(path.read_text(encoding="utf-8"))
    if path == KNOWS_OBJECTS_BY_ID:
        found = [(line, what) for line, what in found if not what.startswith("calls id()")]
    if path == LIMITS_REAL_TIME:
        found = [(line, what) for line, what in found if not what.startswith("calls time.monotonic")]
    assert not found, "\n".join(f"{path.name}:{line} {what}" for line, what in found)


def test_there_are_models_to_look_at():
    assert {"simulation", "detection", "consensus"} <= {path.relative_to(FOLDER).parts[0] for path in FILES}


@pytest.mark.parametrize(
    "source",
    [
        "import random\nrandom.random()",
        "import random as r\nr.choice([1])",
        "from random import shuffle\nshuffle(x)",
        "import random\nrandom.Random()",
        "import numpy as np\nnp.random.normal()",
        "import numpy as np\nnp.random.default_rng()",
        "from numpy.random import default_rng\ndefault_rng()",
        "import time\ntime.time()",
        "from time import perf_counter\nperf_counter()",
        "import datetime\ndatetime.datetime.now()",
        "from datetime import datetime\ndatetime.now()",
        "import uuid\nuuid.uuid4()",
        "import os\nos.urandom(8)",
        "import secrets\nsecrets.token_hex()",
        "hash('x')",
        "id(x)",
        "for x in {1, 2}: pass",
        "for x in set(y): pass",
        "for x in set(y) - {z}: pass",
        "for x in a.union(b): pass",
        "[x for x in frozenset(y)]",
        "{x: 1 for x in {y, z}}",
        "list({1, 2})",
        "tuple(set(x))",
        "', '.join({str(x)})",
        "[*{1, 2}]",
        "next(iter({1}))",
    ],
)
def test_the_lint_sees(source):
    assert offences(source)


@pytest.mark.parametrize(
    "source",
    [
        "import random\nrandom.Random(3)",
        "import numpy as np\nnp.random.default_rng(seed)",
        "ctx.rng.random()",
        "rng.choice(x)",
        "sorted({1, 2})",
        "sorted(f(x) for x in {1, 2})",
        "len(set(x))",
        "3 in {1, 2}",
        "for x in sorted(set(y)): pass",
        "for x in dict.fromkeys(y): pass",
        "max(x for x in set(y))",
        "self.time()",
        "any(x for x in {y})",
        "{x for x in {1, 2}}",
        "class A:\n    def __hash__(self):\n        return hash((self.a, self.b))",
    ],
)
def test_the_lint_lets_through(source):
    assert not offences(source)
