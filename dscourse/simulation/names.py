"""Names: in which order to list them, and what to say when somebody asks for one that isn't there."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable


def natural_order(name: str) -> list[tuple[int, str]]:
    """A key that puts n2 before n10: a number within a name counts as a number. No two names have the same key."""
    parts = re.split(r"(\d+)", name)
    return [*((int(part), "") if part.isdecimal() else (-1, part) for part in parts), (-1, name)]


def naturally_sorted_groups(groups: Iterable[Iterable[str]]) -> list[list[str]]:
    """Groups of names as people would list them."""
    listed = [sorted(group, key=natural_order) for group in groups]
    return sorted(listed, key=lambda group: [natural_order(name) for name in group])


def unknown(what: str, given: object, known: Iterable[str]) -> LookupError:
    """An error that says which names there are, the nearest first."""
    names = list(known)
    near = difflib.get_close_matches(str(given), names[:1000], n=3, cutoff=0.6)
    if near:
        return LookupError(f"there is no {what} {given!r}; did you mean {' or '.join(map(repr, near))}?")
    shown = ", ".join(names[:12]) + (", …" if len(names) > 12 else "")
    return LookupError(f"there is no {what} {given!r}; there are {shown or 'none'}")
