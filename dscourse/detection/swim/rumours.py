"""The rumours that a member still has to pass on, each a limited number of times."""

from __future__ import annotations

from dscourse.detection.swim_messages import Rumour


class RumourMill:
    """Holds at most one rumour per member; the newest about it replaces the older.

    SWIM paper, section 4.1: updates ride on the back of pings and acknowledgements; each is passed on about
    log N times, and those passed on least go first, so that fresh news is not held up by old.
    """

    def __init__(self, per_message: int) -> None:
        self._per_message = per_message
        self._left: dict[str, tuple[Rumour, int]] = {}  # member → rumour, times to pass it on

    def __len__(self) -> int:
        return len(self._left)

    def holds(self, member: str) -> bool:
        """Whether there is news about ``member`` to pass on."""
        return member in self._left

    def add(self, rumour: Rumour, times: int) -> None:
        """Start passing ``rumour`` on."""
        self._left.pop(rumour.member, None)
        self._left[rumour.member] = (rumour, times)

    def take(self, about: Rumour | None = None) -> tuple[Rumour, ...]:
        """The rumours for one message: ``about`` the addressee, if any, and as many others as fit."""
        if not self._left:
            return () if about is None else (about,)
        chosen = list(self._left.values())
        if len(chosen) > self._per_message:
            chosen.sort(key=lambda entry: -entry[1])
            del chosen[self._per_message :]
        for rumour, times in chosen:
            if times > 1:
                self._left[rumour.member] = (rumour, times - 1)
            else:
                del self._left[rumour.member]
        news = tuple(rumour for rumour, _ in chosen)
        return news if about is None or about in news else (about, *news)
