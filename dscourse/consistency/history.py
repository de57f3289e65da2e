"""What clients asked a store for and what they were told: the only thing that a consistency model judges."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from dscourse.arguments import instance, items, keep, one_of, real, shown, text
from dscourse.consistency.logs import LogLine, lines_of_jepsen, lines_of_porcupine
from dscourse.simulation import ClientOperation, Run

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

__all__ = ["OUTCOMES", "READS", "History", "Operation"]

OUTCOMES = ("ok", "fail", "unknown")
READS = ("read", "get")  # the two words for one thing: registers are read, keys are got
_COLUMNS = ("process", "operation", "value", "start", "end", "outcome", "key")
_NOT_EQUAL = "not equal"


@dataclass(frozen=True)
class Operation:
    """One operation of one process, from its call to its return.

    Attributes:
        process: who asked; a process does one thing after the other.
        operation: what was asked for: "read" or "get", "write" or "put", "append", "cas", or a word of your own model.
        value: what was written, or what was read; of a "cas" the pair (expected, new).
        start: when it was called, in seconds (or any other measure of time, such as the line of a log).
        end: when it returned; None if it never did.
        outcome: "ok", "fail" (certainly not done), "unknown" (it may take effect at any later time, or never).
        key: what was read or written, where there is more than one register.
    """

    process: Any
    operation: str
    value: Any
    start: float
    end: float | None
    outcome: str = "ok"
    key: Any = None

    def __post_init__(self) -> None:
        text("operation", self.operation)
        one_of("outcome", self.outcome, OUTCOMES)
        for name in ("process", "value", "key"):
            _hashable(name, getattr(self, name))
        start = real("start", self.start)
        end = None if self.end is None else real("end", self.end, at_least=start)
        if end is None and self.outcome == "ok":
            raise ValueError(f'end must be a number where the outcome is "ok", got None for {self}')
        keep(self, start=start, end=end)

    def __str__(self) -> str:
        of = "" if self.key is None else f" of {self.key}"
        to = "" if self.key is None else f" to {self.key}"
        if self.operation in READS:
            return f"{self.process}'s read{of} that returned {self.value!r} {self._when}"
        if self.operation == "cas" and isinstance(self.value, tuple) and len(self.value) == 2:
            words = f"change{of} from {self.value[0]!r} to {self.value[1]!r}"
            return f"{self.process}'s {'refused ' * (self.outcome == 'fail')}{words} {self._when}"
        word = "write" if self.operation == "put" else self.operation
        return f"{self.process}'s {word} of {self.value!r}{to} {self._when}"

    @property
    def is_read(self) -> bool:
        """Whether it only looks."""
        return self.operation in READS

    @property
    def returned(self) -> float:
        """When it returned; infinite if that isn't known, since it may then take effect at any later time."""
        return self.end if self.end is not None and self.outcome != "unknown" else math.inf

    @property
    def _when(self) -> str:
        return f"({self.start:g} to {'?' if math.isinf(self.returned) else f'{self.returned:g}'})"


class History:
    """The operations of all processes, in order of their start (those that start together as they were given).

    Make one by hand, or with `History.from_run`, `from_jepsen`, `from_porcupine_kv`, `from_frame`.

    Attributes:
        operations: all of them.
    """

    def __init__(self, operations: Iterable[Operation]) -> None:
        given = items(
            "operations", operations, 'a list such as [Operation("c0", "write", 1, 0.0, 1.0)]', Operation
        )
        self.operations: tuple[Operation, ...] = tuple(sorted(given, key=lambda one: one.start))

    def __len__(self) -> int:
        return len(self.operations)

    def __iter__(self) -> Iterator[Operation]:
        return iter(self.operations)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, History) and self.operations == other.operations

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        processes = len({one.process for one in self.operations})
        return f"History({len(self)} operations of {processes} processes)"

    def by_key(self) -> dict[Any, tuple[Operation, ...]]:
        """The operations on each key, in order of their start."""
        return _groups(self.operations, "key")

    def by_process(self) -> dict[Any, tuple[Operation, ...]]:
        """The operations of each process, in order of their start.

        Raises:
            ValueError: two operations of one process overlap.
        """
        groups = _groups(self.operations, "process")
        for process, own in groups.items():
            for before, after in pairwise(own):
                if after.start < before.returned:
                    raise ValueError(
                        f"operations of one process must not overlap, got {before} and then {after}; after an unknown "
                        f"outcome a client goes on under another name, such as {f'{process}/1'!r}"
                    )
        return groups

    def frame(self) -> pd.DataFrame:
        """A table with one row an operation; its columns are the attributes of `Operation`."""
        import pandas as pd

        rows = [[getattr(one, name) for name in _COLUMNS] for one in self.operations]
        return pd.DataFrame(rows, columns=list(_COLUMNS))

    @classmethod
    def from_frame(cls, frame: pd.DataFrame) -> History:
        """Read a table with one row an operation, such as `frame` gives; outcome and key may be left out.

        Raises:
            ValueError: a column is missing, or a row is no operation.
        """
        missing = [name for name in _COLUMNS[:5] if name not in frame.columns]
        if missing:
            raise ValueError(
                f"frame must have the columns {', '.join(_COLUMNS[:5])}, got none named {missing[0]}"
            )
        names = [name for name in _COLUMNS if name in frame.columns]
        rows = (dict(zip(names, row, strict=True)) for row in frame[names].itertuples(index=False, name=None))
        return cls(Operation(**{**row, "end": _or_none(row["end"])}) for row in rows)

    @classmethod
    def from_run(cls, run: Run) -> History:
        """The operations of a run's clients, as they saw them.

        Known are ("put" | "write", [key,] value), ("get" | "read"[, key]), ("append", [key,] value) and
        ("cas", [key,] expected, new). After an unknown outcome a client goes on as another process, "c0/1", since what
        it asked for may still take effect. A failed "cas" tells that the value wasn't the expected one only where the
        answer is "not equal": a node may also refuse because it isn't the leader.

        Raises:
            LookupError: an operation of another kind.
        """
        unknowns: dict[str, int] = {}
        found = []
        for one in instance("run", run, Run, "a run, such as scenario.run(10.0)").history():
            lives = unknowns.get(one.client, 0)
            operation = _operation_of(one, f"{one.client}/{lives}" if lives else one.client)
            unknowns[one.client] = lives + (one.outcome == "unknown")
            if operation.operation != "cas" or one.outcome != "fail" or one.value == _NOT_EQUAL:
                found.append(operation)
        return cls(found)

    @classmethod
    def from_jepsen(cls, log: str | Path) -> History:
        """Read a log of Jepsen's on one register: process, :invoke :ok :fail :info, :read :write :cas, value.

        A read that timed out says nothing and is left out. Times are the numbers of the lines.

        Args:
            log: a path, or the text itself.
        """
        return cls(_paired(lines_of_jepsen(log)))

    @classmethod
    def from_porcupine_kv(cls, log: str | Path) -> History:
        """Read a log of a key-value store as Porcupine's tests have them: :get :put :append on keys.

        Times are the numbers of the lines.

        Args:
            log: a path, or the text itself.
        """
        return cls(_paired(lines_of_porcupine(log)))


def _groups(operations: Iterable[Operation], name: str) -> dict[Any, tuple[Operation, ...]]:
    groups: dict[Any, list[Operation]] = {}
    for one in operations:
        groups.setdefault(getattr(one, name), []).append(one)
    return {key: tuple(own) for key, own in groups.items()}


def _hashable(name: str, value: object) -> None:
    try:
        frozenset((value,))
    except TypeError:
        raise TypeError(
            f"{name} must be something that doesn't change, such as a number, a text or a tuple, got {shown(value)}"
        ) from None


def _or_none(end: Any) -> float | None:
    return None if end is None or end != end else end  # a table holds nan where nothing is


def _operation_of(one: ClientOperation, process: str) -> Operation:
    end = None if one.outcome == "unknown" else one.completed
    asked = one.operation if isinstance(one.operation, tuple) else (one.operation,)
    match asked:
        case ("get" | "read",):
            kind, key, value = asked[0], None, one.value
        case ("get" | "read", key):
            kind, value = asked[0], one.value
        case ("put" | "write" | "append", value):
            kind, key = asked[0], None
        case ("put" | "write" | "append", key, value):
            kind = asked[0]
        case ("cas", expected, new):
            kind, key, value = "cas", None, (expected, new)
        case ("cas", key, expected, new):
            kind, value = "cas", (expected, new)
        case _:
            raise LookupError(
                'a history is made of ("put", key, value), ("get", key), ("append", key, value) and '
                f'("cas", key, expected, new), with or without a key, got {shown(one.operation)}'
            )
    return Operation(process, kind, value, one.invoked, end, one.outcome, key)


def _paired(lines: Iterable[LogLine]) -> Iterator[Operation]:
    """Join the call of each operation to its return."""
    calls: dict[Any, LogLine] = {}
    for line in lines:
        if line.type == "invoke":
            if line.process in calls:
                raise ValueError(
                    f"line {line.number}: process {line.process} calls before its last call has returned"
                )
            calls[line.process] = line
            continue
        if line.process not in calls:
            raise ValueError(f"line {line.number}: process {line.process} returns without a call")
        call = calls.pop(line.process)
        outcome = "unknown" if line.type == "info" else line.type
        if outcome != "unknown" or call.operation not in READS:
            value = line.value if call.operation in READS else call.value
            end = None if outcome == "unknown" else float(line.number)
            yield Operation(line.process, call.operation, value, float(call.number), end, outcome, call.key)
    for call in calls.values():
        if call.operation not in READS:
            yield Operation(
                call.process, call.operation, call.value, float(call.number), None, "unknown", call.key
            )
