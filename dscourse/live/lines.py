"""Lines that come through a pipe, read without losing any that came along with another."""

from __future__ import annotations

import os


class StreamOver(Exception):  # noqa: N818 - no error: that is how it ends
    """Whoever wrote has closed the pipe, or is gone."""


class Lines:
    """Lines from a file descriptor.

    Attributes:
        arrived: those that were read and not taken yet.
    """

    def __init__(self, descriptor: int) -> None:
        self.descriptor = descriptor
        self.arrived: list[bytes] = []
        self._rest = b""

    def read(self) -> None:
        """Read what there is; wait if there is nothing.

        Raises:
            StreamOver: nothing will come any more.
        """
        read = os.read(self.descriptor, 1 << 16)
        if not read:
            raise StreamOver
        *lines, self._rest = (self._rest + read).split(b"\n")
        self.arrived += lines

    def wait(self) -> bytes:
        """The next line."""
        while not self.arrived:
            self.read()
        return self.arrived.pop(0)
