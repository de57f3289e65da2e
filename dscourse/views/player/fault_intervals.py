"""From when to when each fault was in force, and which nodes were down or paused: read off the trace."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from dscourse.simulation import Run
from dscourse.simulation.names import naturally_sorted_groups

_ON_A_NODE = {"Crash": "crash", "Pause": "pause"}
_ON_THE_NETWORK = {
    "Partition": "partition",
    "CutLink": "cut",
    "Lossy": "lossy",
    "Slow": "slow",
    "Duplicate": "duplicate",
    "Byzantine": "byzantine",
    "ClockOffset": "clock",
    "ClockDrift": "clock",
}


@dataclass
class Band:
    """One fault in force in [``begin``, ``end``), in microseconds.

    Attributes:
        kind: crash, pause, partition, cut, lossy, slow, duplicate, byzantine or clock.
        label: the fault in a few words.
        begin: when it began.
        end: when it ended; one microsecond after the end of the run if it lasts.
        nodes: whom it is about.
        link: the two ends, if it is about a link.
        groups: of a partition, with the group of those whom it doesn't name.
        one_way: a link cut only from the first end to the second.
    """

    kind: str
    label: str
    begin: int
    end: int
    nodes: tuple[str, ...] = ()
    link: tuple[str, str] | None = None
    groups: tuple[tuple[str, ...], ...] = ()
    one_way: bool = False

    def holds_at(self, microseconds: int) -> bool:
        """Whether it is in force at a moment."""
        return self.begin <= microseconds < self.end


@dataclass(frozen=True)
class Mark:
    """A node goes ``down`` or ``up``, is ``paused`` or ``resumed``."""

    microseconds: int
    node: str
    change: str


def bands_and_marks(run: Run) -> tuple[list[Band], list[Mark]]:
    """Return the bands in order of their beginning, and the marks in order of time."""
    reader = _Reader(run)
    for row in run.trace.select(kind="fault"):
        if not row.detail.get("moot"):
            reader.read(row.time_us, row.name, row.detail)
    return reader.bands, reader.marks


class _Reader:
    def __init__(self, run: Run) -> None:
        self._nodes = tuple(run.nodes)
        self._after = round(run.until * 1e6) + 1
        self.bands: list[Band] = []
        self.marks: list[Mark] = []
        self._open: list[tuple[Band, dict[str, Any]]] = []

    def read(self, now: int, name: str, detail: dict[str, Any]) -> None:
        fault = detail["fault"]
        node = str(fault.get("node", ""))
        starts = detail.get("phase") != "end"
        if name == "Restart" or (name == "Crash" and not starts):
            self._close(now, lambda band: band.kind == "crash" and band.nodes == (node,))
            self.marks.append(Mark(now, node, "up"))
        elif name == "Resume" or (name == "Pause" and not starts):
            self._close(now, lambda band: band.kind == "pause" and band.nodes == (node,))
            self.marks.append(Mark(now, node, "resumed"))
        elif name == "Heal":
            self._heal(now, fault.get("link"))
        elif not starts:
            self._close_fault(now, fault)
        else:
            self._begin(now, name, fault)

    def _begin(self, now: int, name: str, fault: dict[str, Any]) -> None:
        node = str(fault.get("node", ""))
        if name == "Crash":
            self._close(now, lambda band: band.kind == "pause" and band.nodes == (node,))
            self.marks.append(Mark(now, node, "down"))
        elif name == "Pause":
            self.marks.append(Mark(now, node, "paused"))
        elif name == "ClockDrift":
            self._close(now, lambda band: band.kind == "clock" and band.nodes == (node,))
        band = Band(
            kind=_ON_A_NODE.get(name) or _ON_THE_NETWORK.get(name, name.lower()),
            label=_label(name, fault),
            begin=now,
            end=now + 1 if name == "ClockOffset" else self._after,
            nodes=(node,) if node else (),
            link=_link(fault),
            groups=self._all_groups(fault.get("groups")),
            one_way=bool(fault.get("one_way")),
        )
        self.bands.append(band)
        if name != "ClockOffset":
            self._open.append((band, fault))

    def _all_groups(self, groups: Any) -> tuple[tuple[str, ...], ...]:
        if not groups:
            return ()
        named = {node for group in groups for node in group}
        rest = tuple(node for node in self._nodes if node not in named)
        return tuple(tuple(group) for group in groups) + ((rest,) if rest else ())

    def _heal(self, now: int, link: Any) -> None:
        if link is None:
            self._close(now, lambda band: band.kind in ("partition", "cut"))
        else:
            self._close(now, lambda band: band.kind == "cut" and set(band.link or ()) == set(link))

    def _close_fault(self, now: int, fault: dict[str, Any]) -> None:
        for place, (band, begun) in enumerate(self._open):
            if begun == fault:
                band.end = now
                del self._open[place]
                return

    def _close(self, now: int, ends: Any) -> None:
        still = []
        for band, fault in self._open:
            if ends(band):
                band.end = now
            else:
                still.append((band, fault))
        self._open = still


def _link(fault: dict[str, Any]) -> tuple[str, str] | None:
    if "a" in fault:
        return (fault["a"], fault["b"])
    link = fault.get("link")
    return None if link is None else (link[0], link[1])


def _label(name: str, fault: dict[str, Any]) -> str:
    node, link = fault.get("node"), _link(fault)
    where = node or (" – ".join(link) if link else "all links")
    if name == "Partition":
        return " | ".join(_few(group) for group in naturally_sorted_groups(fault["groups"]))
    if name == "CutLink" and link is not None:
        return f"cut {link[0]} {'→' if fault.get('one_way') else '–'} {link[1]}"
    words = {
        "Crash": f"{node} crashed",
        "Pause": f"{node} paused",
        "Lossy": f"{where}: {fault.get('rate', 0):.0%} lost",
        "Slow": f"{where}: {fault.get('factor', 1):g} × slower",
        "Duplicate": f"{where}: {fault.get('rate', 0):.0%} sent twice",
        "Byzantine": f"{node} lies",
        "ClockOffset": f"clock of {node} {fault.get('seconds', 0):+g} s",
        "ClockDrift": f"clock of {node} drifts {fault.get('rate', 0):+g}",
    }
    return words.get(name, name)


def _few(group: list[str], most: int = 4) -> str:
    return ", ".join(group if len(group) <= most else [*group[: most - 1], f"… ({len(group)})"])


def in_force(bands: list[Band], microseconds: int) -> Iterator[Band]:
    """The bands that hold at a moment."""
    return (band for band in bands if band.holds_at(microseconds))


def may_talk(bands: list[Band], a: str, b: str) -> bool:
    """Whether every partition and cut among ``bands`` (all taken to be in force) lets ``a`` send to ``b``."""
    for band in bands:
        if band.kind == "cut":
            if band.link == (a, b) or (not band.one_way and band.link == (b, a)):
                return False
        elif band.kind == "partition" and not any(a in group and b in group for group in band.groups):
            return False
    return True
