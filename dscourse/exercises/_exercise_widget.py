"""The buttons of an exercise in the page. Hints and solution are sent there when they are asked for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import anywidget
import traitlets

from dscourse.exercises._asked import ASKED_STYLE, asked_with


class ExerciseWidget(anywidget.AnyWidget):
    """The task, buttons for check, hint and solution, and room for what is said."""

    _esm = asked_with("exercise.js")
    _css = ASKED_STYLE
    task = traitlets.Unicode("").tag(sync=True)
    answer = traitlets.Unicode("").tag(sync=True)  # the name under which the answer is looked for
    said: Any = traitlets.List().tag(sync=True)  # [kind, text] each: "head", "text", "code" or "hint"
    turn = traitlets.Int(0).tag(sync=True)  # how often it has answered: the same may be said twice

    def __init__(self, task: str, answer: str, asks: dict[str, Callable[[], list[list[str]]]]) -> None:
        super().__init__(task=task, answer=answer)
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
