"""The controls of a prediction in the page. Nothing that explains or answers it is ever sent there."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import anywidget
import traitlets

from dscourse.exercises._asked import ASKED_STYLE, asked_with


class PredictionWidget(anywidget.AnyWidget):
    """The question, a control of its kind, a button to commit, and a line that says what was committed to."""

    _esm = asked_with("prediction.js")
    _css = ASKED_STYLE
    question = traitlets.Unicode("").tag(sync=True)
    kind = traitlets.Unicode("").tag(sync=True)  # "choice", "number", "curve" or "node"
    settings: Any = traitlets.Dict().tag(sync=True)
    committed: Any = traitlets.Any(None, allow_none=True).tag(sync=True)
    expected = traitlets.Unicode("").tag(sync=True)  # the same in words
    notice = traitlets.Unicode("").tag(sync=True)

    def __init__(
        self, question: str, kind: str, settings: dict[str, Any], on_commit: Callable[[Any], object]
    ) -> None:
        super().__init__(question=question, kind=kind, settings=settings)
        self._on_commit = on_commit
        self.on_msg(self._hear)

    def tell(self, committed: Any, expected: str, notice: str) -> None:
        """Show what was committed to."""
        with self.hold_sync():
            self.committed = committed
            self.expected = expected
            self.notice = notice or self.notice

    def _hear(self, _widget: object, content: Any, _buffers: object) -> None:
        """Act on a message from the page; ignore what no page of ours would send."""
        if isinstance(content, dict) and "commit" in content and self.committed is None:
            self._on_commit(content["commit"])
