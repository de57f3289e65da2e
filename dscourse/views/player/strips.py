"""Logs as strips of cells: of every node that shows a ``log`` of entries with a ``term``, and a ``commit_index``."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from typing import Any

from dscourse.simulation import Moment, Run, always
from dscourse.simulation.errors import SimulationError
from dscourse.simulation.run import judged_run
from dscourse.views import palette

CELLS = 8  # the last ones are shown
_FILLS = (
    palette.BLUE,
    palette.ORANGE,
    palette.GREEN,
    palette.PURPLE,
    palette.SKY,
    palette.YELLOW,
    palette.GREY,
)
#: Fill of the cells of terms 1, 2, …, and the colour of the number on it.
COLOURS = tuple(
    (
        fill,
        "#FFFFFF"
        if palette.contrast(fill, "#FFFFFF") > palette.contrast(fill, palette.BLACK)
        else palette.BLACK,
    )
    for fill in _FILLS
)


def strip_of(fields: Mapping[str, Any]) -> list[list[int]] | None:
    """Return ``[[index, term, whether it is committed], …]`` of the last entries; None if there is no such log."""
    log, commit = fields.get("log"), fields.get("commit_index")
    if not isinstance(log, list | tuple) or not isinstance(commit, int):
        return None
    first = max(0, len(log) - CELLS)
    terms = [getattr(entry, "term", None) for entry in log[first:]]
    if not all(isinstance(term, int) for term in terms):
        return None
    return [
        [index, int(term or 0), int(index <= commit)] for index, term in enumerate(terms, start=first + 1)
    ]


def strip_words(cells: Sequence[Sequence[int]]) -> str:
    """A strip in words."""
    if not cells:
        return "log empty"
    committed = [index for index, _, done in cells if done]
    terms = " ".join(str(term) for _, term, _ in cells)
    return f"log of terms {terms}, committed up to {committed[-1] if committed else 0}"


def strips(run: Run) -> dict[int, list[list[Any]]]:
    """Return the strips of a run: of each node that has a log, by its place, ``[µs, cells]`` at every change.

    The scenario runs once more, with an eye on the nodes' own logs: copies of long ones would take too long.
    """
    if all(strip_of(fields) is None for fields in run.at(0.0).nodes.values()):
        return {}
    places = {node: place for place, node in enumerate(run.trace.ids)}
    known: dict[str, tuple[Any, Any]] = {}
    found: dict[int, list[list[Any]]] = {}

    def look(now: Moment) -> bool:
        for node, fields in now.nodes.items():
            log, commit = fields.get("log"), fields.get("commit_index")
            if node in known and known[node][0] is log and known[node][1] == commit:
                continue
            known[node] = (log, commit)
            told, cells = found.setdefault(places[node], []), strip_of(fields)
            if cells is not None and (not told or told[-1][1] != cells):
                told.append([now.time_us, cells])
        return True

    with contextlib.suppress(SimulationError):  # a run that failed is shown up to there
        judged_run(run.scenario, run.until, [always(look, name="look")])
    return {place: told for place, told in found.items() if told}
