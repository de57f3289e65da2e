"""One thing at a time, in whatever thread it comes.

JupyterLab has a moving slider handled in one thread of the kernel (a subshell) while a cell runs in another.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable


class SerialQueue:
    """Carries out actions one after another; nobody waits.

    Whoever comes while an action is going on leaves theirs to the one who is busy: another thread, or the same one
    further up, when a picture that is being drawn moves a slider of its own. A lock would have the one wait, and the
    other for ever.
    """

    def __init__(self) -> None:
        self._waiting: deque[Callable[[], None]] = deque()
        self._turn = deque([True])  # taking the one item out succeeds for one at a time, in any thread

    def run(self, action: Callable[[], None]) -> None:
        """Carry out an action and all that are left meanwhile, or leave it to whoever is busy."""
        self._waiting.append(action)
        while self._waiting:  # also what was left between the last look and giving the turn back
            try:
                self._turn.pop()
            except IndexError:
                return
            try:
                while self._waiting:
                    self._waiting.popleft()()
            finally:
                self._turn.append(True)
