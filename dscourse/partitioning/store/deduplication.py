"""What a machine remembers of the past, so that a message that comes twice takes effect once."""

from __future__ import annotations

from typing import Any, TypeVar

T = TypeVar("T")

MEMORY = 1000  # operations


def remember(past: dict[str, T], name: str, what: T) -> None:
    """Note what became of an operation; beyond `MEMORY` operations the one noted first is forgotten.

    A copy of a message is recognised as long as its operation is remembered, that is until as many further ones have
    been noted. One that comes later still is taken for new. No bound is safe against a network that may be late
    without limit; a real store picks one that copies outlive only in theory.
    """
    past[name] = what
    while len(past) > MEMORY:
        del past[next(iter(past))]


class Saved(dict[Any, Any]):
    """A copy to be put on the disk: of a mapping of plain, unchanging values, made once and changed by nobody.

    So nothing has to be copied again when it is saved or looked at. Whoever takes it up makes a dict of it.
    """

    def __deepcopy__(self, _: dict[int, Any]) -> Saved:
        return self
