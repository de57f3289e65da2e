"""One SWIM member's list of the others: what is believed of each."""

from __future__ import annotations

from collections.abc import Collection

from dscourse.detection.swim.rumours import ALIVE, FAULTY, SUSPECT, Rumour


class MemberList:
    """Holds only what differs from "all are alive", so that thousands of members fit into a notebook.

    Attributes:
        size: members believed to be in the group (alive or suspected), this one included.
        faulty: members declared faulty, in order of the verdict.
    """

    def __init__(self, me: str, peers: Collection[str]) -> None:
        self._me = me
        self._known: dict[str, tuple[str, int]] = {}
        self.size = 1 + len(peers)
        self.faulty: list[str] = []

    def entry(self, member: str) -> tuple[str, int]:
        """Status and incarnation of ``member``, as far as is known here."""
        return self._known.get(member, (ALIVE, 0))

    def has(self, member: str) -> bool:
        """Whether ``member`` is in the group: alive or suspected."""
        return self.entry(member)[0] in (ALIVE, SUSPECT)

    def believe(self, rumour: Rumour) -> None:
        """Replace what was believed of one member."""
        before = self.entry(rumour.member)[0]
        after = rumour.status
        self._known[rumour.member] = (after, rumour.incarnation)
        self.size += (after in (ALIVE, SUSPECT)) - (before in (ALIVE, SUSPECT))
        if before == FAULTY and after != FAULTY:
            self.faulty.remove(rumour.member)
        elif after == FAULTY and before != FAULTY:
            self.faulty.append(rumour.member)

    def held_against(self, member: str) -> Rumour | None:
        """What ``member`` had better hear about itself, so that it can refute; None if nothing."""
        status, incarnation = self.entry(member)
        if status == ALIVE:
            return None
        return Rumour(member, status, incarnation, self._me if status == SUSPECT else "")

    def differences(self) -> tuple[Rumour, ...]:
        """All that a member that has missed everything must be told."""
        return tuple(
            Rumour(member, status, incarnation) for member, (status, incarnation) in self._known.items()
        )
