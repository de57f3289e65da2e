"""Thousands of runs of one experiment: what a single run can't tell."""

# Not lazily: the function bears the name of its module, and whichever was loaded last would win.
from dscourse.exploration.sweep import sweep
from dscourse.exploration.sweep_result import Sweep

__all__ = ["Sweep", "sweep"]
