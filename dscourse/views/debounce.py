"""Doing something after a change, once for many changes: the latest value wins."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from IPython.core.getipython import get_ipython

_PAUSE = 0.003  # seconds in which changes that already stand in line may arrive
_LONGEST = 0.06  # seconds after which a slider that never rests is followed all the same
_ALONE = (
    0.05  # a change this many seconds after the last action is the first of its kind: nothing stands in line
)


class Debounce:
    """Calls an action after changes: at once if code made them, once for a whole burst if they come from the page.

    A page that sends thirty positions of a slider in one breath wants to see the last one. They stand in line as thirty
    messages of their own. So after the first of them the action steps back into the event loop, and takes its turn when
    a few milliseconds have passed in which no more came. No thread is needed.

    Args:
        action: what a change asks for.
    """

    def __init__(self, action: Callable[[], None]) -> None:
        self._action = action
        self._changes = 0
        self._waiting = False
        self._ended = -_ALONE

    def changed(self, _change: object = None) -> None:
        """Take note of a change."""
        self._changes += 1
        loop = _loop_of_the_page()
        if loop is None:
            self._action()
        elif self._waiting:
            return
        elif time.monotonic() - self._ended > _ALONE:
            self._act()
        else:
            self._waiting = True
            loop.call_later(_PAUSE, self._look, loop, self._changes, loop.time() + _LONGEST)

    def _look(self, loop: asyncio.AbstractEventLoop, seen: int, latest: float) -> None:
        if self._changes != seen and loop.time() < latest:
            loop.call_later(_PAUSE, self._look, loop, self._changes, latest)
            return
        self._waiting = False
        self._act()

    def _act(self) -> None:
        self._action()
        self._ended = time.monotonic()


def _loop_of_the_page() -> asyncio.AbstractEventLoop | None:
    """Return the event loop in which messages from the page arrive; None if it isn't one that is being handled."""
    get_parent = getattr(getattr(get_ipython(), "kernel", None), "get_parent", None)
    if get_parent is None or get_parent().get("header", {}).get("msg_type") != "comm_msg":
        return None
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None
