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
from typing import Any

KINDS = ("send", "deliver", "drop", "timer", "record", "fault", "invoke", "ok", "fail", "unknown")
SEND, DELIVER, DROP, TIMER, RECORD, FAULT, INVOKE, OK, FAIL, UNKNOWN = range(len(KINDS))

NOBODY = -1  # in the columns of nodes, peers and message ids

# time in µs, kind, node, peer, message id, message, name and detail, canonical JSON of message and detail
Row = tuple[int, int, int, int, int, Any, Any, str]

_BULK = 4096


class Ledger:
    """Takes rows in order of time; keeps them if it is to, and hashes them in any case.

    The sixth entry of a row, the message, is not hashed itself; its canonical JSON is, which stands in the last entry
    of the row that sends it. A delivery is tied to it by the message id.
    """

    def __init__(self, *, keep: bool) -> None:
        self.keep = keep
        self.rows: list[Row] = []
        self.write: Callable[[Row], None] = self.rows.append
        self.time = array("q")
        self.kind = array("B")
        self.node = array("i")
        self.peer = array("i")
        self.number = array("q")
        self.messages: list[Any] = []
        self.cells: list[Any] = []
        self.hashed = 0
        self._hashes = [hashlib.sha256() for _ in range(6)]

    def __len__(self) -> int:
        return self.hashed + len(self.rows)

    @property
    def is_full(self) -> bool:
        """Whether there are enough rows to move over."""
        return len(self.rows) >= _BULK

    def flush(self) -> None:
        """Move the collected rows into the columns and the digest."""
        if not self.rows:
            return
        times, kinds, nodes, peers, numbers, messages, cells, texts = zip(*self.rows, strict=True)
        columns = (
            array("q", times),
            array("B", kinds),
            array("i", nodes),
            array("i", peers),
            array("q", numbers),
        )
        for digest, column in zip(self._hashes, columns, strict=False):
            digest.update(_little_endian(column))
        self._hashes[5].update(("\n".join(texts) + "\n").encode())
        self.hashed += len(self.rows)
        self.rows.clear()
        if self.keep:
            self.time.extend(columns[0])
            self.kind.extend(columns[1])
            self.node.extend(columns[2])
            self.peer.extend(columns[3])
            self.number.extend(columns[4])
            self.messages.extend(messages)
            self.cells.extend(cells)

    def digest(self, ids: str) -> str:
        """64 hex digits over ``ids`` (who the node numbers stand for) and every row so far."""
        self.flush()
        whole = hashlib.sha256(ids.encode())
        for column in self._hashes:
            whole.update(column.digest())
        return whole.hexdigest()


def _little_endian(column: array[int]) -> array[int]:
    if sys.byteorder == "big":  # pragma: no cover - no such machine at hand
        column = column[:]
        column.byteswap()
    return column
