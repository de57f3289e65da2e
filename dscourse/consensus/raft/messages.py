"""What Raft's members tell each other, and what each keeps on its disk (Raft, figure 2; dissertation, 9.6)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Entry:
    """One place of the log.

    Attributes:
        term: of the leader that wrote it.
        command: for the state machine; None for an entry that only says: a new leader is here.
    """

    term: int
    command: Any

    def __deepcopy__(self, _: dict[int, Any]) -> Entry:
        return self  # nobody can change it, and logs are copied with every look at a node


@dataclass(frozen=True)
class Disk:
    """What a member must find again after a crash."""

    current_term: int
    voted_for: str | None
    log: tuple[Entry, ...]

    def __deepcopy__(self, _: dict[int, Any]) -> Disk:
        return self


@dataclass(frozen=True)
class RequestVote:
    """A candidate asks for a vote; the last two fields say how far its log is."""

    term: int
    candidate: str
    last_log_index: int
    last_log_term: int


@dataclass(frozen=True)
class VoteReply:
    """The answer to `RequestVote`."""

    term: int
    granted: bool


@dataclass(frozen=True)
class PreVote:
    """Would you vote for me in this term? Nobody's term is raised by the question."""

    term: int
    candidate: str
    last_log_index: int
    last_log_term: int


@dataclass(frozen=True)
class PreVoteReply:
    """The answer to `PreVote`: with the term asked for if granted, else with the voter's own."""

    term: int
    granted: bool


@dataclass(frozen=True)
class AppendEntries:
    """A leader hands on its log; without entries, a heartbeat.

    Attributes:
        term: of the leader.
        leader: who it is.
        prev_log_index: of the entry before the first of these; 0 if there is none.
        prev_log_term: its term.
        entries: the next ones.
        leader_commit: up to which index the leader has committed.
        round: which of the leader's rounds of messages this belongs to.
    """

    term: int
    leader: str
    prev_log_index: int
    prev_log_term: int
    entries: tuple[Entry, ...]
    leader_commit: int
    round: int = 0


@dataclass(frozen=True)
class AppendReply:
    """A follower says how far its log is the leader's.

    Attributes:
        term: of the follower.
        success: whether it had the entry before the first.
        match_index: up to which index it has the leader's log on disk; without success, the highest index that may
            still match, which nobody may count.
        round: which of the leader's rounds is answered.
    """

    term: int
    success: bool
    match_index: int
    round: int = 0


def last_position(log: Sequence[Entry]) -> tuple[int, int]:
    """Term and index of the last entry; (0, 0) of an empty log. Of two logs, the greater is more up to date."""
    return (log[-1].term, len(log)) if log else (0, 0)


def term_at(log: Sequence[Entry], index: int) -> int:
    """The term of the entry at an index from 1; 0 for index 0."""
    return log[index - 1].term if index else 0


def last_possible_match(log: Sequence[Entry], index: int, term: int) -> int:
    """The highest index at which a log may agree with one that has an entry of ``term`` at ``index``, where it doesn't.

    Entries of a later term can't be there in the other, and a term that conflicts is passed over as a whole: one
    refusal for each such term, instead of one for each entry (Raft, end of section 5.3).
    """
    conflict = log[index - 1].term if index <= len(log) else None
    place = min(index - 1, len(log))
    while place > 0 and (log[place - 1].term == conflict or log[place - 1].term > term):
        place -= 1
    return place


def terms_of(log: Sequence[Entry], first: int = 1) -> list[list[int]]:
    """The terms of a log from an index on, in short: [[term, index of its last entry], …]."""
    short: list[list[int]] = []
    for index in range(first, len(log) + 1):
        term = log[index - 1].term
        if short and short[-1][0] == term:
            short[-1][1] = index
        else:
            short.append([term, index])
    return short
