"""Thousands of runs of the same nodes: is there a schedule that breaks this, and what does the average run do?

``search(scenario, never(two_leaders), until=10.0, seeds=500)`` gives the shortest run that breaks it, in words, to look
at and to play; ``sweep`` a table with one row a run.
"""

import lazy_loader

# Not lazily: the function bears the name of its module, which would hide it if a worker loaded that first.
from dscourse.exploration.sweep import sweep as sweep

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
