"""What to say when somebody asks for a name that isn't there."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


def unknown(what: str, given: object, known: Iterable[str]) -> LookupError:
    """An error that says which names there are, the nearest first."""
    names = list(known)
    near = difflib.get_close_matches(str(given), names[:1000], n=3, cutoff=0.6)
    if near:
        return LookupError(f"there is no {what} {given!r}; did you mean {' or '.join(map(repr, near))}?")
    shown = ", ".join(names[:12]) + (", …" if len(names) > 12 else "")
    return LookupError(f"there is no {what} {given!r}; there are {shown or 'none'}")
