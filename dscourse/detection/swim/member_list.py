"""One SWIM member's list of the others: who is in the group, and what is believed of each."""

from __future__ import annotations

from collections.abc import Collection

from dscourse.detection.swim_messages import ABSENT, ALIVE, FAULTY, SUSPECT, Rumour


class MemberList:
    """Holds only what differs from the founders' list, so that thousands of members fit into a notebook.

    Attributes:
        size: members believed to be in the group (alive or suspected), this one included.
        faulty: members declared faulty, in order of the verdict.
    """

    def __init__(self, me: str, peers: Collection[str], joins: Collection[str]) -> None:
        self._me = me
        self._joins = joins  # they are no founders
        self._known: dict[str, tuple[str, int]] = {}
        self.size = 1 + (sum(peer not in joins for peer in peers) if joins else len(peers))
        self.faulty: list[str] = []

    def entry(self, member: str) -> tuple[str, int]:
        """Status and incarnation of ``member``, as far as is known here."""
        found = self._known.get(member)
        if found is not None:
            return found
        return (ABSENT, -1) if member in self._joins else (ALIVE, 0)

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
        """What ``member`` had better hear about itself, so that it can refute; None if nothing.

        Whoever says goodbye or has not joined yet is silent. If it speaks, this list has missed some news.
        """
        status, incarnation = self.entry(member)
        if status == ALIVE:
            return None
        return Rumour(member, status, incarnation, self._me if status == SUSPECT else "")

    def differences(self) -> tuple[Rumour, ...]:
        """All that a newcomer, who knows the founders, must be told."""
        return tuple(
            Rumour(member, status, incarnation) for member, (status, incarnation) in self._known.items()
        )
