"""The exercise modules of the notebooks, found in this folder and imported only when asked for."""

from __future__ import annotations

import importlib
import pkgutil
from pathlib import Path
from types import ModuleType

from dscourse.exercises._exercise import Exercise
from dscourse.exercises._prediction import Prediction

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


def notebook_modules() -> list[str]:
    """Return the names of the exercise modules that are there, in the order of the notebooks."""
    found = {
        module.name for module in pkgutil.iter_modules([str(Path(__file__).parent)]) if module.name[0] != "_"
    }
    return sorted(
        found, key=lambda name: (NOTEBOOKS.index(name) if name in NOTEBOOKS else len(NOTEBOOKS), name)
    )


def load_module(name: str) -> ModuleType:
    """Import the exercise module of a notebook."""
    return importlib.import_module(f"dscourse.exercises.{name}")


def exercises_of(module: ModuleType) -> list[Exercise]:
    """Return the exercises of a module, in the order in which they stand there."""
    return [value for value in vars(module).values() if isinstance(value, Exercise)]


def predictions_of(module: ModuleType) -> list[Prediction]:
    """Return the predictions of a module, in the order in which they stand there."""
    return [value for value in vars(module).values() if isinstance(value, Prediction)]
