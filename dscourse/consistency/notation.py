"""A history as text, one operation a line: ``a write x=1 0-2``, ``b read x=- 3-4``, ``c write x=2 1-?``."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

from dscourse.arguments import shown
from dscourse.consistency.history import History, Operation

__all__ = ["history_from_text", "text_of_history"]

_NUMBER = r"-?\d+(?:\.\d+)?"
_LINE = re.compile(
    rf"(?P<process>[\w/]+)\s+(?P<kind>write|read|put|get|w|r)\s+(?:(?P<key>\w+)\s*=\s*)?(?P<value>[\w.+]+|-)"
    rf"\s+(?P<start>{_NUMBER})\s*(?:-|–|to)\s*(?P<end>{_NUMBER}|\?)"
)
_SHORT = {"w": "write", "r": "read"}


def history_from_text(text: str) -> History:
    """Read a history: process, write or read (or w, r), key=value, start-end, parted by line ends or semicolons.

    A value ``-`` stands for nothing (None), an end ``?`` for an unknown outcome.

    Raises:
        ValueError: a line is nothing of the kind.
    """
    return History(_operations(text))


def _operations(text: str) -> Iterator[Operation]:
    for part in filter(None, (part.strip() for part in re.split(r"[;\n]", text))):
        found = _LINE.fullmatch(part)
        if found is None:
            raise ValueError(
                f"an operation is written like  a write x=1 0-2  or  b read x=- 3-4, got {shown(part)}"
            )
        end = None if found["end"] == "?" else float(found["end"])
        yield Operation(
            found["process"],
            _SHORT.get(found["kind"], found["kind"]),
            _value(found["value"]),
            float(found["start"]),
            end,
            "unknown" if end is None else "ok",
            found["key"],
        )


def text_of_history(history: Iterable[Operation]) -> str:
    """Write reads and writes as `history_from_text` reads them."""
    return "\n".join(_line(one) for one in history)


def _line(one: Operation) -> str:
    key = "" if one.key is None else f"{one.key}="
    end = "?" if one.end is None or one.outcome == "unknown" else f"{one.end:g}"
    value = "-" if one.value is None else one.value
    return f"{one.process} {one.operation} {key}{value} {one.start:g}-{end}"


def _value(word: str) -> Any:
    if word == "-":
        return None
    return int(word) if word.isdigit() else word
