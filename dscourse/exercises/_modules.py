"""The exercise modules of the notebooks, found in this folder and read without importing them.

Importing all of them would load every model of the course, only to count what there is.
"""

from __future__ import annotations

import ast
import functools
import pkgutil
from dataclasses import dataclass
from pathlib import Path

_HERE = Path(__file__).parent

# The order of the notebooks; the place of a name is its notebook's number.
NOTEBOOKS = (
    "start_here",
    "scaling_metrics",
    "scaling_up_and_out",
    "scaling_patterns",
    "partitioning",
    "replication",
    "consistency",
    "faults_and_redundancy",
    "failure_detection",
    "split_brain",
    "recovery",
    "resilience",
    "game_day",
)


@dataclass(frozen=True)
class Contents:
    """The names of what an exercise module asks, in the order in which it stands there."""

    predictions: tuple[str, ...]
    exercises: tuple[str, ...]


def notebook_modules() -> list[str]:
    """Return the names of the exercise modules that are there, in the order of the notebooks."""
    found = {
        module.name
        for module in pkgutil.iter_modules([str(_HERE)])
        if module.name[0] != "_" and not module.ispkg
    }
    return sorted(
        found, key=lambda name: (NOTEBOOKS.index(name) if name in NOTEBOOKS else len(NOTEBOOKS), name)
    )


@functools.cache
def contents(module: str) -> Contents:
    """Return what a module asks, in order.

    It holds `Prediction("name", …)` and `…Exercise("name", …)`, names written out, and may take exercises in from the
    module of the same name in `nodes`, by `from dscourse.exercises.nodes.… import name`.
    """
    tree = ast.parse((_HERE / f"{module}.py").read_text(encoding="utf-8"))
    return Contents(_names(tree, "Prediction"), _names(tree, "Exercise"))


def _names(tree: ast.Module, maker: str) -> tuple[str, ...]:
    found: list[str] = []
    for statement in tree.body:
        call = statement.value if isinstance(statement, ast.Assign) else None
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id.endswith(maker):
            if call.args and isinstance(call.args[0], ast.Constant) and isinstance(call.args[0].value, str):
                found.append(call.args[0].value)
        elif isinstance(statement, ast.ImportFrom) and maker == "Exercise":
            package, _, notebook = str(statement.module).rpartition(".")
            if package == "dscourse.exercises.nodes":
                found += [f"{notebook}.{alias.name}" for alias in statement.names]
    return tuple(found)
