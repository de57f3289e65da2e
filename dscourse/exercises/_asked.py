"""What every question in the page shares: its style, and the JavaScript that stands in front of each widget's own."""

from __future__ import annotations

from pathlib import Path

_HERE = Path(__file__).parent

ASKED_STYLE = (_HERE / "asked.css").read_text(encoding="utf-8")


def asked_with(name: str) -> str:
    """Return the module of a widget: what all share, then its own file."""
    return "\n".join((_HERE / part).read_text(encoding="utf-8") for part in ("asked.js", name))
