"""From when to when each fault was in force, as the player and its still pictures show it."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from dscourse.simulation import Byzantine, CutLink, Fault, Partition, Run
from dscourse.simulation.behaviours import behaviour_in_words
from dscourse.simulation.names import naturally_sorted_groups

_KINDS = {
    "Crash": "crash",
    "Pause": "pause",
    "Partition": "partition",
    "CutLink": "cut",
    "ClockOffset": "clock",
    "ClockDrift": "clock",
}
_WORDS = {  # a template over the fault's fields, as short as a time line needs it; other faults describe themselves
    "Crash": "{node} crashed",
    "Pause": "{node} paused",
    "Lossy": "{where}: {rate:.0%} lost",
    "Slow": "{where}: {factor:g} × slower",
    "Duplicate": "{where}: {rate:.0%} sent twice",
    "ClockOffset": "clock of {node} {seconds:+g} s",
    "ClockDrift": "clock of {node} drifts {rate:+g}",
    "LoseMessage": "{sender} → {to}: message {number} lost",
    "DelayMessage": "{sender} → {to}: message {number} {by:g} s late",
    "RepeatMessage": "{sender} → {to}: message {number} twice",
    "OtherLuck": "other luck from here",
}


@dataclass(frozen=True)
class Band:
    """One fault in force in [``begin``, ``end``), in microseconds.

    Attributes:
        kind: crash, pause, partition, cut, clock, or the name of the fault in small letters.
        label: the fault in a few words.
        begin: when it began.
        end: when it ended; one microsecond after the end of the run if it lasts, after its beginning if it is instant.
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


def bands(run: Run, hidden: Collection[Fault] = ()) -> list[Band]:
    """Return the faults that were in force, without the `hidden` ones, in order of their beginning."""
    return [_band(run, *interval) for interval in run.trace.fault_intervals() if interval[0] not in hidden]


def marks(run: Run, hidden: Collection[Fault] = ()) -> list[Mark]:
    """Return when nodes stop and go on, in order of time; at one moment, first who goes on."""
    found = []
    last = round(run.until * 1e6)
    drawn = bands(run, hidden)
    crashes = {(band.nodes, band.begin) for band in drawn if band.kind == "crash"}
    for band in drawn:
        if band.kind not in ("crash", "pause"):
            continue
        (node,) = band.nodes
        stops, goes_on = ("down", "up") if band.kind == "crash" else ("paused", "resumed")
        found.append(Mark(band.begin, node, stops))
        if band.end <= last and not (band.kind == "pause" and (band.nodes, band.end) in crashes):
            found.append(Mark(band.end, node, goes_on))
    return sorted(found, key=lambda mark: (mark.microseconds, mark.change in ("down", "paused")))


def _band(run: Run, fault: Fault, begin: float, end: float) -> Band:
    name = type(fault).__name__
    since, to = round(begin * 1e6), round(end * 1e6)
    lasts_or_instant = end >= run.until or to == since
    node = getattr(fault, "node", None)
    return Band(
        kind=_KINDS.get(name, name.lower()),
        label=_label(fault),
        begin=since,
        end=to + 1 if lasts_or_instant else to,
        nodes=() if node is None else (node,),
        link=fault.link_pair,
        groups=_all_groups(run, fault.groups) if isinstance(fault, Partition) else (),
        one_way=isinstance(fault, CutLink) and fault.one_way,
    )


def _all_groups(run: Run, groups: Iterable[tuple[str, ...]]) -> tuple[tuple[str, ...], ...]:
    named = {node for group in groups for node in group}
    rest = tuple(node for node in run.nodes if node not in named)
    return (*groups, rest) if rest else tuple(groups)


def _label(fault: Fault) -> str:
    if isinstance(fault, Partition):
        return " | ".join(_few(group) for group in naturally_sorted_groups(fault.groups))
    if isinstance(fault, CutLink):
        return f"cut {fault.a} {'→' if fault.one_way else '–'} {fault.b}"
    if isinstance(fault, Byzantine):
        return f"{fault.node} {behaviour_in_words(fault.behaviour)}"
    template = _WORDS.get(type(fault).__name__)
    if template is None:
        return fault.describe()
    link = fault.link_pair
    where = getattr(fault, "node", None) or (" – ".join(link) if link else "all links")
    return template.format(**{**vars(fault), "where": where})


def _few(group: list[str], most: int = 4) -> str:
    return ", ".join(group if len(group) <= most else [*group[: most - 1], f"… ({len(group)})"])
