"""More than half: the arithmetic behind every election and every commit."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from dscourse.arguments import whole

if TYPE_CHECKING:
    from dscourse.consensus.raft.messages import Entry


def quorum_size(n: int) -> int:
    """How many of ``n`` members are more than half: any two such sets share a member.

    Raises:
        TypeError, ValueError: ``n`` is no whole number from 1.
    """
    return whole("n", n, at_least=1) // 2 + 1


def failures_survived(n: int) -> int:
    """How many of ``n`` members may be gone while the rest are still more than half."""
    return n - quorum_size(n)


def majority_side(sides: Iterable[Iterable[str]]) -> tuple[str, ...] | None:
    """The side of a cut that has more than half of all members; None if none has.

    Args:
        sides: the members on each side, each member on one.
    """
    groups = [tuple(side) for side in sides]
    needed = quorum_size(sum(map(len, groups)))
    return next((group for group in groups if len(group) >= needed), None)


def majority_commit_index(acknowledged: Mapping[str, int | None]) -> int:
    """The highest index that more than half of the members have on disk; 0 if there is none.

    Args:
        acknowledged: each member, and up to which index it has the log; None if it has not answered.
    """
    indexes = sorted((index or 0 for index in acknowledged.values()), reverse=True)
    return indexes[len(indexes) // 2] if indexes else 0


def vote_outcome(votes: Mapping[str, bool | None]) -> str:
    """Whether an election is "won", "lost" or "pending".

    Args:
        votes: each member, and its vote; None if it has not voted.
    """
    needed = quorum_size(len(votes))
    granted = sum(vote is True for vote in votes.values())
    refused = sum(vote is False for vote in votes.values())
    if granted >= needed:
        return "won"
    return "lost" if len(votes) - refused < needed else "pending"


def advance_commit(
    log: Sequence[Entry], acknowledged: Mapping[str, int | None], current_term: int, commit_index: int
) -> int:
    """A leader's new commit index (Raft, section 5.4.2): only an entry of its own term is committed by counting copies.

    Args:
        log: the leader's; ``log[0]`` has index 1.
        acknowledged: each member, itself included, and up to which index it has this log.
        current_term: the leader's.
        commit_index: so far.
    """
    index = majority_commit_index(acknowledged)
    if index > commit_index and log[index - 1].term == current_term:
        return index
    return commit_index
