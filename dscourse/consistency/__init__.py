"""Which answers of a store are consistent: histories of operations, and checkers that judge them.

from dscourse.consistency import History, Operation, Register, check_linearizable
history = History([Operation("a", "write", 1, 0.0, 1.0), Operation("b", "read", None, 2.0, 3.0)])
check_linearizable(history, Register()).explanation
"""

import lazy_loader

# What stands in __init__.pyi is loaded when it is first asked for: a bare process needs a node, and not all of this.
__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
