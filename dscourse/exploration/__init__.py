"""Is there any schedule that breaks this? Thousands of runs of the same nodes."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
