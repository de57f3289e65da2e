"""The context that stands in a copy of a node's state: it can be looked at, and do nothing."""

from __future__ import annotations

from random import Random
from typing import Any

from dscourse.simulation.node import Context


class SeenContext(Context):
    """What stands for a node's context in a copy of the node's state: who looks at a run can't act in it."""

    __slots__ = ("_of",)

    def __init__(self, of: Context) -> None:
        self._of = of

    def __deepcopy__(self, _: dict[Any, Any]) -> SeenContext:
        """Itself, for the same reason."""
        return self

    @property
    def now(self) -> float:  # type: ignore[override]
        """What the node's own clock says."""
        return self._of.now

    @property
    def stored(self) -> Any:
        """A fresh copy of what was saved last."""
        return self._of.stored

    @property
    def rng(self) -> Random:
        """Nothing: a draw would change the run."""
        raise self._refusal("draw from rng")

    def send(self, to: str, message: Any) -> None:
        """Refuse."""
        raise self._refusal("send")

    def set_timer(self, name: str, delay: float) -> None:
        """Refuse."""
        raise self._refusal("set a timer")

    def cancel_timer(self, name: str) -> None:
        """Refuse."""
        raise self._refusal("cancel a timer")

    def save(self, state: Any) -> None:
        """Refuse."""
        raise self._refusal("save")

    def record(self, kind: str, /, **fields: Any) -> None:
        """Refuse."""
        raise self._refusal("record")

    def _refusal(self, what: str) -> Exception:
        return RuntimeError(
            f"this is a copy of a node's state, to be looked at; it can't {what}, only the node can"
        )
