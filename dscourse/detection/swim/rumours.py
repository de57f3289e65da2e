"""News about members, passed on from mouth to mouth: what supersedes what, and how often each is told."""

from __future__ import annotations

from dataclasses import dataclass

ALIVE = "alive"
SUSPECT = "suspect"
FAULTY = "faulty"


@dataclass(frozen=True)
class Rumour:
    """News about one member, passed on from mouth to mouth.

    Attributes:
        member: whom it is about.
        status: ``"alive"``, ``"suspect"`` or ``"faulty"``.
        incarnation: counter that only the member itself raises, to contradict what is said about it.
        accuser: who suspects it; confirmations count only from different accusers.
    """

    member: str
    status: str
    incarnation: int
    accuser: str = ""

    def supersedes(self, status: str, incarnation: int) -> bool:
        """Whether this is news to someone who holds ``status`` at ``incarnation``.

        SWIM paper, section 4.2: a suspicion beats "alive" at the same incarnation, "alive" beats only older
        incarnations. Unlike there, "faulty" is not for ever: a later incarnation returns, as in memberlist, so that a
        member that was cut off may come back under its own name.
        """
        if self.status == ALIVE:
            return self.incarnation > incarnation
        if status == FAULTY:
            # It is down already: only a verdict on a later incarnation is worth remembering.
            return self.incarnation > incarnation and self.status == FAULTY
        if self.status == SUSPECT and status == SUSPECT:
            return self.incarnation > incarnation
        return self.incarnation >= incarnation


class RumourBuffer:
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
