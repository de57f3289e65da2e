"""Fault, error, failure: a bad sector need not become lost data.

A *fault* is the cause: a few atoms of a disk have gone bad. It may sleep for years. It becomes an *error* when it makes
a part of the system's state wrong: the sector is read, and the bytes aren't those that were written. It becomes a
*failure* when the service that somebody relies on is no longer right. Between one and the next there is room to act.

The words are those of A. Avižienis, J.-C. Laprie, B. Randell and C. Landwehr, *Basic concepts and taxonomy of
dependable and secure computing*, IEEE Transactions on Dependable and Secure Computing 1(1), 2004.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass

from dscourse.arguments import instance, shown, truth, whole


@dataclass(frozen=True)
class Reading:
    """What came of reading a block.

    Attributes:
        data: the bytes that were handed to the user, or None if the store had to say that it can't.
        errors: copies found to be wrong on the way.
        repaired: copies that were written anew from a good one.
        failure: "" if the user got what was written; else "wrong data" (silently) or "no data" (and said so).
    """

    data: bytes | None
    errors: int
    repaired: int
    failure: str

    def __repr__(self) -> str:
        found = f"{self.errors} error{'s' if self.errors != 1 else ''} detected, {self.repaired} repaired"
        return f"{found}; {'FAILURE: ' + self.failure if self.failure else 'no failure'}"


class BlockStore:
    """Blocks on one or more disks, with or without checksums.

    Without a checksum a wrong byte looks like a right one: the first copy is believed. With a checksum it is noticed,
    and with a second copy it is mended.

    Args:
        copies: how many disks hold each block, 1 or more.
        checksums: whether a CRC-32 of each block is kept apart from it, and compared at each reading.

    Attributes:
        disks: one dict a copy, block number → bytes.
    """

    def __init__(self, copies: int = 1, checksums: bool = False) -> None:
        self.disks: list[dict[int, bytes]] = [{} for _ in range(whole("copies", copies, at_least=1))]
        self.checksums: dict[int, int] | None = {} if truth("checksums", checksums) else None
        self._written: dict[int, bytes] = {}  # what the user is owed: for the verdict only, never for reading

    def write(self, block: int, data: bytes) -> None:
        """Write a block to all disks."""
        if not instance("data", data, bytes, 'bytes, such as b"hello"'):
            raise ValueError("data must not be empty")
        number = whole("block", block, at_least=0)
        for disk in self.disks:
            disk[number] = data
        if self.checksums is not None:
            self.checksums[number] = zlib.crc32(data)
        self._written[number] = data

    def damage(self, copy: int, block: int) -> None:
        """Let a sector go bad: one bit of a block flips on one disk. Nobody notices yet.

        Raises:
            LookupError: nothing was written there.
        """
        disk = self.disks[whole("copy", copy, at_least=0, at_most=len(self.disks) - 1)]
        number = self._number(block)
        disk[number] = bytes([disk[number][0] ^ 1]) + disk[number][1:]

    def read(self, block: int) -> Reading:
        """Read a block, and mend what is found to be wrong if there is a good copy.

        Raises:
            LookupError: nothing was written there.
        """
        block = self._number(block)
        if self.checksums is None:
            data = self.disks[0][block]
            return Reading(data, 0, 0, "" if data == self._written[block] else "wrong data")
        right = self.checksums[block]
        good = [disk for disk in self.disks if zlib.crc32(disk[block]) == right]
        bad = [disk for disk in self.disks if zlib.crc32(disk[block]) != right]
        if not good:
            return Reading(None, len(bad), 0, "no data")
        for disk in bad:
            disk[block] = good[0][block]
        return Reading(good[0][block], len(bad), len(bad), "")

    def _number(self, block: object) -> int:
        number = whole("block", block, at_least=0)
        if number not in self._written:
            raise LookupError(f"block {shown(number)} was never written")
        return number
