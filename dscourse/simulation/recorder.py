"""The book that a run writes: one row an event, kept in columns, with a digest over all of them.

Rows are collected in a short list and moved over in bulk, since transposing a thousand rows at once costs a
fraction of appending to eight columns a thousand times. The digest has one hash a column, so it depends on the rows
alone and not on where a bulk ended.
"""

from __future__ import annotations

import hashlib
import sys
from array import array
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

KINDS = ("send", "deliver", "drop", "timer", "record", "fault", "invoke", "ok", "fail", "unknown")
SEND, DELIVER, DROP, TIMER, RECORD, FAULT, INVOKE, OK, FAIL, UNKNOWN = range(len(KINDS))

NOBODY = -1  # in the columns of nodes, peers and message ids

# time in µs, kind, node, peer, message id, message, name and detail, canonical JSON of message and detail
Row = tuple[int, int, int, int, int, Any, Any, str]
TYPECODES = "qBiiq"  # of the first five columns

_BULK = 4096
RECENT = 1000  # rows that are looked at when a run has too many


class Columns(NamedTuple):
    """The rows, column by column."""

    time: np.ndarray[Any, Any]
    kind: np.ndarray[Any, Any]
    node: np.ndarray[Any, Any]
    peer: np.ndarray[Any, Any]
    number: np.ndarray[Any, Any]
    messages: list[Any]
    cells: list[Any]


class _Moved(NamedTuple):
    """What has been moved over so far. It is replaced as a whole, so an interrupt can't leave it half done."""

    total: int
    hashes: tuple[Any, ...]
    last: Row | None
    bulks: Any  # (earlier bulks, columns of the newest), or None


class Recorder:
    """Takes rows in order of time; keeps them if it is to, and hashes them in any case.

    The sixth entry of a row, the message, is not hashed itself; its canonical JSON is, which stands in the last entry
    of the row that sends it. A delivery is tied to it by the message id.
    """

    def __init__(self, *, keep: bool) -> None:
        self.keep = keep
        self.rows: list[Row] = []
        self.write: Callable[[Row], None] = self.rows.append
        self._moved = _Moved(0, tuple(hashlib.sha256() for _ in range(6)), None, None)

    def __len__(self) -> int:
        return self._moved.total + len(self.rows)

    def room(self, limit: int) -> int:
        """How many rows to collect before the next flush, if there may be ``limit`` rows in all.

        Near the limit nothing is moved any more, so that the last rows are there to tell what kept the run busy.
        """
        left = limit + 1 - self._moved.total
        return _BULK if left >= _BULK + RECENT else left

    def flush(self) -> None:
        """Move the collected rows over into columns and digest."""
        moved, rows = self._moved, self.rows
        if rows and rows[-1] is not moved.last:  # else an interrupt came between the last two lines
            *numeric, messages, cells, texts = zip(*rows, strict=True)
            columns = [array(code, column) for code, column in zip(TYPECODES, numeric, strict=True)]
            hashes = tuple(digest.copy() for digest in moved.hashes)
            for digest, column in zip(hashes, columns, strict=False):
                digest.update(_little_endian(column))
            hashes[5].update(("\n".join(texts) + "\n").encode())
            bulks = (moved.bulks, (*columns, messages, cells)) if self.keep else None
            self._moved = _Moved(moved.total + len(rows), hashes, rows[-1], bulks)
        rows.clear()

    def columns(self) -> Columns:
        """All rows in columns. The recorder gives them away, so this works once."""
        self.flush()
        bulks, chain = [], self._moved.bulks
        while chain is not None:
            chain, newest = chain
            bulks.append(newest)
        self._moved = self._moved._replace(bulks=None)
        bulks.reverse()
        time, kind, node, peer, number = (
            np.concatenate([np.empty(0, code), *(np.frombuffer(bulk[i], code) for bulk in bulks)])
            for i, code in enumerate(TYPECODES)
        )
        messages = [message for bulk in bulks for message in bulk[5]]
        cells = [cell for bulk in bulks for cell in bulk[6]]
        return Columns(time, kind, node, peer, number, messages, cells)

    def digest(self, ids: str) -> str:
        """64 hex digits over ``ids`` (who the node numbers stand for) and every row so far."""
        self.flush()
        whole = hashlib.sha256(ids.encode())
        for column in self._moved.hashes:
            whole.update(column.digest())
        return whole.hexdigest()


def _little_endian(column: array[int]) -> array[int]:
    if sys.byteorder == "big":  # pragma: no cover - no such machine at hand
        column = column[:]
        column.byteswap()
    return column
