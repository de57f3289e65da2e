"""What stands inside the nodes at a moment: public fields as text, and what the last event changed."""

from __future__ import annotations

from typing import Any

from dscourse.simulation import Run
from dscourse.views.player.fault_intervals import bands

_LONGEST = 160


def insides(run: Run, microseconds: int) -> dict[str, Any]:
    """Return ``{"time", "nodes": {node: {field: text} or None}, "changed": {node: {field: text before, or None}}}``.

    A node that is down is None: its memory is gone. ``changed`` tells what differs since just before the last
    event at or before the moment; a field that is new there was None.
    """
    recording = run.recording()
    now = recording.fields_at(microseconds / 1e6)
    down = {band.nodes[0] for band in bands(run) if band.kind == "crash" and band.holds_at(microseconds)}
    nodes = {node: None if node in down else _texts(now.get(node, {})) for node in run.nodes}
    return {"time": microseconds, "nodes": nodes, "changed": _changed(run, microseconds, nodes)}


def _changed(
    run: Run, microseconds: int, nodes: dict[str, dict[str, str] | None]
) -> dict[str, dict[str, str | None]]:
    times = run.trace.time_us
    reached = int(times.searchsorted(microseconds, side="right"))
    if reached == 0:
        return {}
    last = int(times[reached - 1])
    earlier = run.recording().fields_at((last - 1) / 1e6) if last > 0 else {}
    changed: dict[str, dict[str, str | None]] = {}
    for node, fields in nodes.items():
        old = _texts(earlier.get(node, {}))
        differs = {field: old.get(field) for field, text in (fields or {}).items() if old.get(field) != text}
        if differs:
            changed[node] = differs
    return changed


def _texts(fields: dict[str, Any]) -> dict[str, str]:
    return {name: _short(repr(value)) for name, value in fields.items()}


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"
