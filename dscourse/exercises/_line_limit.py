"""A handler of the learner's that never ends is stopped after so many lines of theirs, in the check alone."""

from __future__ import annotations

import dis
import sys
from collections.abc import Callable
from types import CodeType, FrameType
from typing import Any, Literal

from dscourse.exercises._learner_code import is_library
from dscourse.simulation import Node

_Trace = Literal["", "lines", "opcodes"]
_OPCODE = 0.2  # of a line


class EndlessHandlerError(Exception):
    """A handler took more lines than it may."""


def with_line_limit(node_class: Callable[..., Node], lines: int) -> Callable[[str, tuple[str, ...]], Node]:
    """Return a factory of the same nodes, whose handlers are stopped after so many lines of the learner's code.

    What is called from the standard library or from this course counts for nothing, so a node whose handlers end
    behaves as it always does. (A loop inside a function that is written in C can't be stopped.)
    """
    counter = LineCounter(lines)
    limited = _limited(node_class, counter) if isinstance(node_class, type) else node_class

    def node(node_id: str, peers: tuple[str, ...]) -> Node:
        return counter.call(limited, node_id, peers)  # type: ignore[no-any-return]

    node.__name__ = node.__qualname__ = getattr(node_class, "__name__", "node")
    return node


def limited_function(function: Callable[..., Any], lines: int) -> Callable[..., Any]:
    """Return a function that is stopped after so many lines of the learner's code, each time that it is called."""
    counter = LineCounter(lines)
    return lambda *arguments: counter.call(function, *arguments)


def _limited(node_class: type[Node], counter: LineCounter) -> type[Node]:
    base: Any = node_class

    class Limited(base):
        def on_start(self, ctx: Any) -> None:
            counter.call(super().on_start, ctx)

        def on_message(self, ctx: Any, sender: str, message: Any) -> None:
            counter.call(super().on_message, ctx, sender, message)

        def on_timer(self, ctx: Any, name: str) -> None:
            counter.call(super().on_timer, ctx, name)

    Limited.__name__, Limited.__qualname__ = node_class.__name__, node_class.__qualname__
    limited: type[Node] = Limited
    return limited


class LineCounter:
    """Calls a function, and stops it after so many lines of the learner's code."""

    def __init__(self, lines: int) -> None:
        self._lines = lines
        self._left: float = lines
        self._theirs: dict[CodeType, _Trace] = {}

    def call(self, function: Callable[..., Any], *arguments: Any) -> Any:
        """Return what it returns; raise `EndlessHandlerError` if it takes too many lines."""
        before = sys.gettrace()
        self._left = self._lines
        sys.settrace(self._enter)
        try:
            return function(*arguments)
        finally:
            sys.settrace(before)

    def _enter(self, frame: FrameType, event: str, argument: Any) -> Any:
        code = frame.f_code
        how = self._theirs.get(code)
        if how is None:
            how = self._theirs[code] = _trace_of(code)
        frame.f_trace_opcodes = how == "opcodes"
        return self._step if how else None

    def _step(self, frame: FrameType, event: str, argument: Any) -> Any:
        if event == "line":
            self._left -= 1
        elif event == "opcode":
            self._left -= _OPCODE
        if self._left < 0:
            raise EndlessHandlerError(f"it had not ended after {self._lines} lines")
        return self._step


def _trace_of(code: CodeType) -> _Trace:
    """What of a piece of code is counted; a loop within one line, which makes no line events, is counted by its steps."""
    if is_library(code.co_filename):
        return ""
    line_of: dict[int, int | None] = {}
    for start, end, line in code.co_lines():
        line_of |= dict.fromkeys(range(start, end, 2), line)
    for step in dis.get_instructions(code):
        if "JUMP_BACKWARD" in step.opname and line_of.get(step.offset) == line_of.get(int(step.argval)):
            return "opcodes"
    return "lines"
