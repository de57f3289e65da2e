"""The buttons of a prediction. What the page is sent before a commitment holds no explanation."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import anywidget
import traitlets

_HERE = Path(__file__).parent


class PredictionWidget(anywidget.AnyWidget):
    """Radio buttons, a button to commit, and room for what is then said."""

    _esm = (_HERE / "prediction.js").read_text(encoding="utf-8")
    _css = (_HERE / "prediction.css").read_text(encoding="utf-8")
    question = traitlets.Unicode("").tag(sync=True)
    options: Any = traitlets.List().tag(sync=True)  # [key, text] each
    committed = traitlets.Unicode("").tag(sync=True)
    told: Any = traitlets.List().tag(sync=True)  # [key, explanation] each
    notice = traitlets.Unicode("").tag(sync=True)

    def __init__(
        self,
        question: str,
        options: list[list[str]],
        on_commit: Callable[[str], object],
        on_others: Callable[[], object],
    ) -> None:
        super().__init__(question=question, options=options)
        self._on_commit = on_commit
        self._on_others = on_others
        self.on_msg(self._hear)

    def tell(self, committed: str, explanations: dict[str, str], notice: str) -> None:
        """Show what is said to the option committed to, and to others if they are given."""
        with self.hold_sync():
            self.committed = committed
            self.notice = notice or self.notice
            self.told = [[key, explanation] for key, explanation in explanations.items()]

    def _hear(self, _widget: object, content: Any, _buffers: object) -> None:
        """Act on a message from the page; ignore what no page of ours would send."""
        if not isinstance(content, dict):
            return
        wanted = content.get("commit")
        if not self.committed and wanted in [key for key, _ in self.options]:
            self._on_commit(str(wanted))
        if content.get("others") is True:
            self._on_others()
