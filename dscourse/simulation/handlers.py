"""What a node factory may return: an object with three handlers, each of which runs to its end."""

from __future__ import annotations

import inspect
from typing import Any

_WAITS = (
    inspect.CO_GENERATOR | inspect.CO_COROUTINE | inspect.CO_ASYNC_GENERATOR
)  # flags of a function's code


def check_handlers(node: Any) -> None:
    """Refuse what a factory made if it is no node, or a node whose handlers would not run at once."""
    for handler in ("on_start", "on_message", "on_timer"):
        if not callable(getattr(node, handler, None)):
            raise TypeError(
                f"node_factory must return a Node, got {type(node).__name__}, which has no {handler}; "
                "derive your class from dscourse.simulation.Node"
            )
        code = getattr(getattr(node, handler), "__code__", None)
        if code is not None and code.co_flags & _WAITS:
            raise TypeError(
                f"{handler} of {type(node).__name__} holds yield, async or await, but a handler runs to its end at "
                "once; to go on later, set a timer and go on in on_timer"
            )
