"""Is there any schedule that breaks this, and what happens on average? Thousands of runs of the same nodes."""

import lazy_loader

# Not lazily: the function bears the name of its module, which would hide it if a worker loaded that first.
from dscourse.exploration.sweep import sweep as sweep

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
