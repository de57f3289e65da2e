"""What a picture writes beside a node that suspects others."""

from __future__ import annotations

from collections.abc import Collection


def suspicion_label(suspected: Collection[str]) -> str:
    """``"suspects n2, n5"``; a number where the names would not fit; empty where there is no suspicion."""
    if not suspected:
        return ""
    return f"suspects {', '.join(sorted(suspected)) if len(suspected) <= 3 else len(suspected)}"
