"""What can end a run before its time."""

from __future__ import annotations

from typing import Any


class SimulationError(RuntimeError):
    """A run that did not reach its end. ``run`` holds what happened until then, and can be played.

    Attributes:
        run: the run so far, or None if it never began.
    """

    run: Any = None  # a Run, which this module need not know


class NodeError(SimulationError):
    """A handler of a node raised an error. The original stands behind it, as ``__cause__``.

    Attributes:
        node: whose handler it was.
        handler: ``"on_start"``, ``"on_message"`` or ``"on_timer"``; ``"node_factory"`` when it could not be restarted.
        time: true seconds.
        line: where in your own code, ``file:number: source``; empty if unknown.
    """

    def __init__(self, node: str, handler: str, time: float, line: str, error: BaseException) -> None:
        self.node = node
        self.handler = handler
        self.time = time
        self.line = line
        where = f"\n  {line}" if line else ""
        super().__init__(
            f"at {time:g} s, {handler} of {node} raised {type(error).__name__}: {_text_of(error)}{where}\n"
            "The trace up to there is kept: it is in the attribute `run` of this error."
        )


class EventLimit(SimulationError):  # noqa: N818 - it reads as what it is
    """A run did not end within its limit of events; the message names what kept it busy."""


class NotDeterministic(SimulationError):  # noqa: N818
    """The same scenario and the same seed gave two different runs."""


class RunInterrupted(KeyboardInterrupt):
    """You interrupted the run. ``run`` holds what happened until then.

    Attributes:
        run: the run so far.
    """

    run: Any = None  # a Run, which this module need not know


def _text_of(error: BaseException) -> str:
    """What an error says; one that can't even say it must not cost the trace."""
    try:
        return str(error)
    except Exception:  # noqa: BLE001
        return "(it has no text)"
