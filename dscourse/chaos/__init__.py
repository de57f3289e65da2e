"""Chaos engineering: random terminations, experiments, and a scored game day."""

import lazy_loader

# What stands in __init__.pyi is loaded when it is first asked for: a bare process needs a node, and not all of this.
__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
