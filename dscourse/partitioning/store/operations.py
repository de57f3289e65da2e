"""The protocols of the store: whom to ask what, step by step, for one node, for all, or for several that must agree."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import replace
from typing import Any, TypeAlias

from dscourse.arguments import whole
from dscourse.partitioning.fleet import fingerprint
from dscourse.partitioning.keys import plain_key
from dscourse.partitioning.partitioner import Partitioner
from dscourse.partitioning.store.deduplication import remember
from dscourse.partitioning.store.messages import Answer, Ask, Change

Asks: TypeAlias = list[tuple[str, Ask]]
Answers: TypeAlias = dict[str, Answer]
Ending: TypeAlias = tuple[str, Any]  # "ok", "fail" (nothing happened), UNKNOWN or TOLD, and the value
Steps: TypeAlias = Generator[Asks, Answers, Ending]

UNKNOWN, TOLD = "unknown", "told"  # nobody here knows; whoever asked knows already
DECISIONS = {"commit": "ok", "abort": "fail"}  # what is said to the participants, and to whoever asked
_MOST_REDIRECTIONS = 3
_MOST_AMOUNT = 10**15


class Operations:
    """What a coordinating node knows: who owns what, and which transactions it has begun and decided.

    Every operation is a generator: it yields whom to ask what, is given the answers by name of the node (those
    that came in time), and returns how it ended, and its value. So each protocol reads from top to bottom.

    Operations: ("get", key), ("put", key, value), ("find", value), ("transact", ((key, amount), …)). A transaction
    changes balances and writes no entries of a global index: searches there find what was put.

    A decision to commit is remembered until all who voted have confirmed it: for good, if a confirmation is lost.

    Args:
        owners: who owns which key.
        index: "local" (every node indexes its own records) or "global" (the index is partitioned by value).

    Attributes:
        begun: transactions; must survive a crash, so that none is begun twice.
        committed: those decided; must survive a crash. What isn't here and isn't under way was aborted.
    """

    def __init__(self, owners: Partitioner, index: str) -> None:
        self._owners = owners
        self._fingerprint = fingerprint(owners.nodes)
        self._index = index
        self.begun: dict[str, None] = {}
        self.committed: dict[str, None] = {}

    def steps(self, operation: str, what: tuple[Any, ...]) -> Steps:
        """Return the steps of an operation."""
        kind, *rest = checked_operation(what)
        if kind == "get":
            return self._at_the_owner(Ask(operation, 1, "get", rest[0]))
        if kind == "put":
            return self._at_the_owner(Ask(operation, 1, "put", rest[0], rest[1]))
        return self._find(operation, rest[0]) if kind == "find" else self._transact(operation, rest[0])

    def _at_the_owner(self, ask: Ask) -> Steps:
        """Ask the owner; if it says that the key has moved, ask the one it names. Return what it answers."""
        node = self._owners.owner(ask.key)  # type: ignore[arg-type]
        for step in range(ask.step, ask.step + _MOST_REDIRECTIONS + 1):
            answers = yield [(node, replace(ask, step=step))]
            answer = answers.get(node)
            if answer is None:
                return UNKNOWN, None
            if answer.moved is None:
                return _outcome(answer), answer.value
            node = answer.moved
        return "fail", None

    def _find(self, operation: str, value: int | str) -> Steps:
        """Local index: ask all and gather. Global index: ask the one that holds the entries.

        A node that is asked by someone who knows of other nodes than it does says which there are, and those that
        weren't asked are asked next: a map that is out of date costs a round more, not a part of the answer.
        """
        if self._index == "global":
            return (yield from self._at_the_owner(Ask(operation, 1, "look up", value)))
        asked: dict[str, None] = {}
        found: dict[int | str, None] = {}
        nodes = list(self._owners.nodes)
        for step in range(1, _MOST_REDIRECTIONS + 2):
            ask = Ask(operation, step, "find", value, known=self._fingerprint)
            answers = yield [(node, ask) for node in nodes]
            if len(answers) < len(nodes):
                return UNKNOWN, None
            asked.update(dict.fromkeys(nodes))
            found.update(dict.fromkeys(key for node in nodes for key in _keys(answers[node])))
            told = dict.fromkeys(node for answer in answers.values() for node in answer.nodes)
            nodes = [node for node in told if node not in asked]
            if not nodes:
                return "ok", tuple(found)
        return "fail", None

    def _transact(self, operation: str, changes: tuple[Change, ...]) -> Steps:
        """Two-phase commit (J. Gray 1978): all vote, and only if all vote yes all commit.

        Whoever asked is told as soon as the decision is on the disk, after one round trip; the keys stay locked for
        half a round trip more.
        """
        parts: dict[str, list[Change]] = {}
        for key, amount in changes:
            parts.setdefault(self._owners.owner(key), []).append((key, amount))
        if len(parts) == 1:
            node = next(iter(parts))
            answers = yield [(node, Ask(operation, 1, "add", changes=tuple(parts[node])))]
            return _outcome(answers.get(node)), None
        remember(self.begun, operation, None)
        votes = yield [
            (node, Ask(operation, 1, "prepare", changes=tuple(part))) for node, part in parts.items()
        ]
        commit = len(votes) == len(parts) and all(vote.ok for vote in votes.values())
        if commit:
            self.committed[operation] = None
        word = "commit" if commit else "abort"
        confirmed = yield [(node, Ask(operation, 2, word)) for node in parts]
        if commit and len(confirmed) == len(parts):
            del self.committed[operation]  # nobody will ask any more
        return TOLD, None


def checked_operation(what: object) -> tuple[Any, ...]:
    """Return an operation if it is one.

    Raises:
        TypeError: a key or a value that isn't a number, a text or bytes, or an amount that is no whole number.
        ValueError: anything else.
    """
    match what:
        case ("get" | "find", key):
            plain_key(key)
        case ("put", key, value):
            plain_key(key)
            plain_key(value)  # a search will ask for it, and a global index is partitioned by it
        case ("transact", (_, *_) as changes):
            for change in changes:
                if not isinstance(change, tuple) or len(change) != 2:
                    raise ValueError(f"A transaction is made of (key, amount), got {change!r}")
                plain_key(change[0])
                whole("an amount", change[1], at_least=-_MOST_AMOUNT, at_most=_MOST_AMOUNT)
        case _:
            raise ValueError(
                'An operation is ("get", key), ("put", key, value), ("find", value) or '
                f'("transact", ((key, amount), …)), got {what!r}'
            )
    return tuple(what)


def _outcome(answer: Answer | None) -> str:
    if answer is None:
        return UNKNOWN
    return "ok" if answer.ok else "fail"


def _keys(answer: Answer) -> tuple[int | str, ...]:
    return answer.value if isinstance(answer.value, tuple) else ()
