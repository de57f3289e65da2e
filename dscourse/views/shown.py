"""What the last execution of each cell has shown: what an earlier one had shown is gone from the page, and let go."""

from __future__ import annotations

from typing import Any, Protocol
from weakref import WeakSet

from IPython import get_ipython

__all__ = ["let_go_of_earlier"]


class Shown(Protocol):
    """A widget that a cell shows."""

    def close(self) -> None:
        """End it, in the kernel and in the page."""


_shown: dict[str, WeakSet[Any]] = {}  # by cell: what its last execution has shown
_executions: dict[str, object] = {}  # by cell: that execution


def let_go_of_earlier(widget: Shown) -> None:
    """Close what an earlier execution of this cell has shown, when a widget is about to be shown.

    Neither the kernel's list of widgets, nor the page, nor `Out` keeps it then. Front ends that don't tell which cell
    is run keep all.
    """
    shell: Any = get_ipython()  # type: ignore[no-untyped-call]
    get_parent = getattr(getattr(shell, "kernel", None), "get_parent", None)
    parent = get_parent() if get_parent else {}
    cell, execution = parent.get("metadata", {}).get("cellId"), parent.get("header", {}).get("msg_id")
    if cell is None:
        return
    if _executions.get(cell) != execution:
        for other in _shown.pop(cell, WeakSet[Any]()):
            if other is not widget and not any(other in kept for kept in _shown.values()):
                other.close()
                _forget(other, shell)
        _executions[cell] = execution
    _shown.setdefault(cell, WeakSet()).add(widget)


def _forget(widget: Shown, shell: Any) -> None:
    """Take it out of `Out`, and drop its name there, such as `_12`."""
    outputs = shell.user_ns.get("_oh", {})
    for number in [number for number, value in outputs.items() if value is widget]:
        del outputs[number]
        for names in (shell.user_ns, shell.user_ns_hidden):
            if names.get(f"_{number}") is widget:
                del names[f"_{number}"]
