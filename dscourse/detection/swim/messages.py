"""What SWIM members say to each other."""

from __future__ import annotations

from dataclasses import dataclass

from dscourse.detection.swim.rumours import Rumour


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
    """I have rebooted, and am in this incarnation now: tell me what I have missed."""

    incarnation: int


@dataclass(frozen=True)
class Welcome:
    """This is what differs from the list that everybody starts with."""

    rumours: tuple[Rumour, ...]
