"""A task with buttons in the page. What a button says is sent there when it is pressed, and not before."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import anywidget
import traitlets

from dscourse.exercises._asked import ASKED_STYLE, asked_with

Said = list[list[str]]  # [kind, text] each: "head", "text", "code" or "hint"


class TaskWithButtons(anywidget.AnyWidget):
    """A task, a button for each thing that may be asked of Python, and room for what is said.

    Args:
        heading: the word in front of the task.
        task: what to do.
        where: a line below it, as on where to write the answer.
        asks: what each button does, by the word on it; the result is what is said.
    """

    _esm = asked_with("exercise.js")
    _css = ASKED_STYLE
    heading = traitlets.Unicode("").tag(sync=True)
    task = traitlets.Unicode("").tag(sync=True)
    where = traitlets.Unicode("").tag(sync=True)
    buttons: Any = traitlets.List().tag(sync=True)
    said: Any = traitlets.List().tag(sync=True)
    turn = traitlets.Int(0).tag(sync=True)  # how often it has answered: the same may be said twice

    def __init__(self, heading: str, task: str, where: str, asks: Mapping[str, Callable[[], Said]]) -> None:
        super().__init__(heading=heading, task=task, where=where, buttons=list(asks))
        self._asks = asks
        self.on_msg(self._hear)

    def _hear(self, _widget: object, content: Any, _buffers: object) -> None:
        """Act on a message from the page; ignore what no page of ours would send."""
        wanted = content.get("ask") if isinstance(content, dict) else None
        if isinstance(wanted, str) and wanted in self._asks:
            said = self._asks[wanted]()
            with self.hold_sync():
                self.said = said
                self.turn += 1
