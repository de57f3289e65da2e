"""Recorded histories in the two formats of Porcupine's test data, line by line."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from dscourse.arguments import shown

__all__ = ["LogLine", "lines_of_jepsen", "lines_of_porcupine"]

_JEPSEN = re.compile(r"jepsen\.util - (\d+)\s+:(invoke|ok|fail|info)\s+:(read|write|cas)\s+(.+?)\s*$")
_PORCUPINE = re.compile(
    r'\{:process (\d+), :type :(invoke|ok|fail|info), :f :(get|put|append), :key "(.*?)", :value (nil|".*")\}\s*$'
)
_PAIR = re.compile(r"\[(\S+) (\S+)\]")


class LogLine(NamedTuple):
    """One line: the call or the return of an operation."""

    number: int
    process: int
    type: str
    operation: str
    value: Any
    key: str | None


def lines_of_jepsen(log: str | Path) -> Iterator[LogLine]:
    """Read ``INFO  jepsen.util - 0 :invoke :write 3``, or ``:cas [0 3]``; a timeout's value is None."""
    for number, line in _lines(log):
        found = _JEPSEN.search(line)
        if found is None:
            raise ValueError(f"line {number} is no line of a Jepsen log: {shown(line)}")
        process, kind, operation, value = found.groups()
        yield LogLine(number, int(process), kind, operation, _jepsen_value(value), None)


def lines_of_porcupine(log: str | Path) -> Iterator[LogLine]:
    """Read ``{:process 0, :type :ok, :f :get, :key "4", :value "x 0 1 y"}``."""
    for number, line in _lines(log):
        found = _PORCUPINE.search(line)
        if found is None:
            raise ValueError(f"line {number} is no line of a key-value log: {shown(line)}")
        process, kind, operation, key, value = found.groups()
        content = None if value == "nil" else value[1:-1]
        yield LogLine(number, int(process), kind, operation, content, key)


def _lines(log: str | Path) -> Iterator[tuple[int, str]]:
    content = log if isinstance(log, str) and ("\n" in log or ":" in log) else Path(log).read_text("utf-8")
    for number, line in enumerate(content.splitlines(), 1):
        if line.strip():
            yield number, line


def _jepsen_value(value: str) -> Any:
    pair = _PAIR.fullmatch(value)
    if pair is not None:
        return (_jepsen_value(pair[1]), _jepsen_value(pair[2]))
    if value == "nil" or value.startswith(":"):
        return None
    return int(value)
