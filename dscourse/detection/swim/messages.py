"""What SWIM members say to each other, and the order in which news about one member supersedes other news."""

from __future__ import annotations

from dataclasses import dataclass

ALIVE = "alive"
SUSPECT = "suspect"
FAULTY = "faulty"
LEFT = "left"
ABSENT = "absent"  # never heard of: it has not joined yet


@dataclass(frozen=True)
class Rumour:
    """News about one member, passed on from mouth to mouth.

    Attributes:
        member: whom it is about.
        status: ``"alive"``, ``"suspect"``, ``"faulty"`` or ``"left"``; to its face also ``"absent"``.
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
        incarnations. Unlike there, "faulty" and "left" are not for ever: a later incarnation returns, as in
        memberlist, so that a member that was cut off may come back under its own name.
        """
        if self.status == ALIVE:
            return self.incarnation > incarnation
        if status in (FAULTY, LEFT, ABSENT):
            # It is down already: only a verdict on a later incarnation is worth remembering.
            return self.incarnation > incarnation and self.status != SUSPECT and status != ABSENT
        if self.status == SUSPECT and status == SUSPECT:
            return self.incarnation > incarnation
        return self.incarnation >= incarnation


@dataclass(frozen=True)
class Ping:
    """Are you there? Answer with the same number."""

    number: int
    rumours: tuple[Rumour, ...] = ()


@dataclass(frozen=True)
class Ack:
    """I am here."""

    number: int
    rumours: tuple[Rumour, ...] = ()


@dataclass(frozen=True)
class PingRequest:
    """Ping ``target`` for me, and tell me if it answers."""

    number: int
    target: str
    rumours: tuple[Rumour, ...] = ()


@dataclass(frozen=True)
class Gossip:
    """Rumours alone, between the probes."""

    rumours: tuple[Rumour, ...]


@dataclass(frozen=True)
class Join:
    """Let me in; I am in this incarnation."""

    incarnation: int


@dataclass(frozen=True)
class Welcome:
    """You are in. This is what differs from the list of founders."""

    rumours: tuple[Rumour, ...]
