"""Whom a detector watches."""

from __future__ import annotations

from collections.abc import Sequence

from dscourse.arguments import shown


def peers_of(given: object) -> tuple[str, ...]:
    """Return the peers a node was given, as they are; refuse what is no sequence of ids."""
    if isinstance(given, str | bytes) or not isinstance(given, Sequence):
        raise TypeError(f'peers must be a tuple of node ids, such as ("n1", "n2"), got {shown(given)}')
    return given  # type: ignore[return-value]
