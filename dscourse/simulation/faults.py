"""Faults as data: what goes wrong, where, from when to when.

A fault is a frozen dataclass and does nothing by itself. A scenario holds a list of them, JSON carries them, and
the player adds one for every click. Each interval is [at, until): the fault is in force from ``at`` on and no longer at
``until``. What they do to a running cluster stands in `active_faults`.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any, ClassVar

from dscourse.arguments import probability, real, text
from dscourse.simulation.behaviours import Behaviour, Silent, behaviour_named, is_registered
from dscourse.simulation.json_parts import part, rebuilt
from dscourse.simulation.messages import canonical_json, plain_json
from dscourse.simulation.names import naturally_sorted_groups, unknown
from dscourse.simulation.virtual_time import LONGEST, to_microseconds

Pair = tuple[str, str]


class Fault:
    """What all faults have: a time at which they begin.

    Attributes:
        ends_others: True for `Restart`, `Resume` and `Heal`, which end what another fault began.
    """

    ends_others: ClassVar[bool] = False
    at: float

    def __post_init__(self) -> None:
        _number(self, "at", at_least=0.0, at_most=LONGEST)
        end = self.end
        if end is not None:
            name = "restart_at" if isinstance(self, Crash) else "until"
            _number(self, name, at_least=0.0, at_most=LONGEST)
            end = float(end)
            if to_microseconds(end) <= to_microseconds(self.at):
                raise ValueError(
                    f"{type(self).__name__}: {name} must be later than at, got at={self.at:g}, {name}={end:g}"
                )
        self._check()

    def _check(self) -> None:
        """Check the fields of this kind of fault."""

    @property
    def end(self) -> float | None:
        """When it ends by itself, in seconds; None if it doesn't."""
        return getattr(self, "until", None)

    @property
    def nodes(self) -> tuple[str, ...]:
        """The nodes or clients that it names."""
        named = getattr(self, "node", None)
        if named is not None:
            return (named,)
        return self.link_pair or ()

    @property
    def link_pair(self) -> Pair | None:
        """The link that it is about, if it is about one."""
        return getattr(self, "link", None)

    def to_json_value(self) -> dict[str, Any]:
        """The fault as a dict for JSON: its class name under ``"fault"``, and its fields."""
        values = {}
        for field in _fields(self):
            value = getattr(self, field.name)
            if field.name == "behaviour":
                value = {
                    "behaviour": type(value).__name__,
                    **{f.name: getattr(value, f.name) for f in _fields(value)},
                }
            if value is not None and value is not False:
                values[field.name] = plain_json(value, f"{type(self).__name__}.{field.name}")
        return {"fault": type(self).__name__, **values}

    def canonical(self) -> str:
        """The fault's canonical JSON; its luck is keyed by it."""
        return canonical_json(self.to_json_value())

    def describe(self) -> str:
        """The fault in words, without its times."""
        return repr(self)

    def __repr__(self) -> str:
        """The fault as code: first what it is about, then the fields that differ from their defaults, by name."""
        arguments = []
        named = False
        for field in _fields(self):
            value = getattr(self, field.name)
            named = named or field.name == "at"
            if field.default is dataclasses.MISSING or value != field.default:
                arguments.append(f"{field.name}={value!r}" if named else repr(value))
        return f"{type(self).__name__}({', '.join(arguments)})"


@dataclass(frozen=True, repr=False)
class Crash(Fault):
    """The node stops at once. Memory, timers and queued work are gone; what it saved survives.

    Args:
        node: which.
        at: when, in seconds.
        restart_at: when it boots again, with a new node object; None for never.
    """

    node: str
    at: float
    restart_at: float | None = None

    @property
    def end(self) -> float | None:
        """When it restarts."""
        return self.restart_at

    def _check(self) -> None:
        text("node of Crash", self.node)

    def describe(self) -> str:
        """The fault in words."""
        return f"{self.node} crashes"


@dataclass(frozen=True, repr=False)
class Restart(Fault):
    """A crashed node boots again.

    Args:
        node: which.
        at: when, in seconds.
    """

    ends_others: ClassVar[bool] = True
    node: str
    at: float

    def _check(self) -> None:
        text("node of Restart", self.node)

    def describe(self) -> str:
        """The fault in words."""
        return f"{self.node} restarts"


@dataclass(frozen=True, repr=False)
class Pause(Fault):
    """The node stands still and keeps its memory. Messages and due timers wait, and run at resume in due order.

    Args:
        node: which.
        at: when, in seconds.
        until: when it goes on; None for not by itself.
    """

    node: str
    at: float
    until: float | None = None

    def _check(self) -> None:
        text("node of Pause", self.node)

    def describe(self) -> str:
        """The fault in words."""
        return f"{self.node} is paused"


@dataclass(frozen=True, repr=False)
class Resume(Fault):
    """A paused node goes on.

    Args:
        node: which.
        at: when, in seconds.
    """

    ends_others: ClassVar[bool] = True
    node: str
    at: float

    def _check(self) -> None:
        text("node of Resume", self.node)

    def describe(self) -> str:
        """The fault in words."""
        return f"{self.node} resumes"


@dataclass(frozen=True, repr=False)
class Partition(Fault):
    """Two parties can talk only if some group holds both.

    Groups may overlap: two groups that share one node make a bridge. Nodes in no group form one further group. Clients
    in no group are not cut off.

    Args:
        groups: of node (and client) ids, such as ``[["n0", "n1"], ["n2", "n3", "n4"]]``.
        at: when, in seconds.
        until: when it heals; None for not by itself.
    """

    groups: tuple[tuple[str, ...], ...]
    at: float
    until: float | None = None

    def __init__(self, groups: Iterable[Iterable[str]], at: float, until: float | None = None) -> None:
        object.__setattr__(self, "groups", _groups(groups))
        object.__setattr__(self, "at", at)
        object.__setattr__(self, "until", until)
        self.__post_init__()

    @property
    def nodes(self) -> tuple[str, ...]:
        """All that stand in a group."""
        return tuple(dict.fromkeys(node for group in self.groups for node in group))

    def describe(self) -> str:
        """The fault in words."""
        groups = naturally_sorted_groups(self.groups)
        return f"the network is cut into {' | '.join(', '.join(group) for group in groups)}"


@dataclass(frozen=True, repr=False)
class CutLink(Fault):
    """One link carries nothing.

    Args:
        a: one end.
        b: the other end.
        at: when, in seconds.
        until: when it carries again; None for not by itself.
        one_way: cut only from ``a`` to ``b``.
    """

    a: str
    b: str
    at: float
    until: float | None = None
    one_way: bool = False

    @property
    def link_pair(self) -> Pair | None:
        """Its link."""
        return (self.a, self.b)

    def _check(self) -> None:
        _pair("a, b of CutLink", (self.a, self.b))
        if not isinstance(self.one_way, bool):
            raise TypeError(f"one_way of CutLink must be True or False, got {self.one_way!r}")

    def describe(self) -> str:
        """The fault in words."""
        return f"the link {self.a} {'→' if self.one_way else '–'} {self.b} is cut"


@dataclass(frozen=True, repr=False)
class Heal(Fault):
    """Ends the partitions and cuts in force, or the cuts of one link.

    Args:
        at: when, in seconds.
        link: only the cuts of this link, in both directions; None for every partition and cut.
    """

    ends_others: ClassVar[bool] = True
    at: float
    link: Pair | None = None

    def _check(self) -> None:
        _optional_link(self)

    def describe(self) -> str:
        """The fault in words."""
        return "the network heals" if self.link is None else f"the link {_dash(self.link)} heals"


@dataclass(frozen=True, repr=False)
class Lossy(Fault):
    """Messages get lost at random, besides those that the network loses anyway.

    Args:
        rate: probability that a message is lost.
        at: when, in seconds.
        until: when it ends; None for not by itself.
        link: only on this link, in both directions; None for all links between nodes.
    """

    rate: float
    at: float
    until: float | None = None
    link: Pair | None = None

    def _check(self) -> None:
        object.__setattr__(self, "rate", probability("rate of Lossy", self.rate))
        _optional_link(self)

    def describe(self) -> str:
        """The fault in words."""
        return f"{_where(self.link)} {self.rate:.0%} of the messages"


@dataclass(frozen=True, repr=False)
class Slow(Fault):
    """A node or a link takes longer.

    Slow work: where the node has a service time, that is multiplied. Where it has none, the delay of all messages from
    it and to it is.

    Args:
        factor: how many times as long, above 0.
        at: when, in seconds.
        until: when it ends; None for not by itself.
        node: a slow node; or
        link: a slow link, in both directions. With neither, all links between nodes are slow.
    """

    factor: float
    at: float
    until: float | None = None
    node: str | None = None
    link: Pair | None = None

    def _check(self) -> None:
        _number(self, "factor", above=0.0, at_most=1e6)
        if self.node is not None:
            text("node of Slow", self.node)
            if self.link is not None:
                raise ValueError("Slow takes a node or a link, not both; write two faults")
        _optional_link(self)

    def describe(self) -> str:
        """The fault in words."""
        what = self.node or ("every link" if self.link is None else f"the link {_dash(self.link)}")
        return f"{what} is {self.factor:g} times as slow"


@dataclass(frozen=True, repr=False)
class Duplicate(Fault):
    """The network delivers some messages twice; the copy is delayed on its own.

    Args:
        rate: probability that a message is delivered twice.
        at: when, in seconds.
        until: when it ends; None for not by itself.
        link: only on this link, in both directions; None for all links between nodes.
    """

    rate: float
    at: float
    until: float | None = None
    link: Pair | None = None

    def _check(self) -> None:
        object.__setattr__(self, "rate", probability("rate of Duplicate", self.rate))
        _optional_link(self)

    def describe(self) -> str:
        """The fault in words."""
        where = "the network" if self.link is None else f"the link {_dash(self.link)}"
        return f"{where} delivers {self.rate:.0%} of the messages twice"


@dataclass(frozen=True, repr=False)
class ClockOffset(Fault):
    """The node's clock jumps. Timers that are set already keep their time.

    Args:
        node: which.
        seconds: how far, forward or (negative) back.
        at: when, in seconds.
    """

    node: str
    seconds: float
    at: float

    def _check(self) -> None:
        text("node of ClockOffset", self.node)
        _number(self, "seconds", at_least=-LONGEST, at_most=LONGEST)

    def describe(self) -> str:
        """The fault in words."""
        return f"the clock of {self.node} jumps by {self.seconds:+g} s"


@dataclass(frozen=True, repr=False)
class ClockDrift(Fault):
    """From now on the node's clock runs fast or slow, and its timers with it.

    Args:
        node: which.
        rate: extra local seconds per true second: 0.01 gains 1 %, 0 puts the clock right (not its reading).
        at: when, in seconds.
    """

    node: str
    rate: float
    at: float

    def _check(self) -> None:
        text("node of ClockDrift", self.node)
        _number(self, "rate", above=-1.0, at_most=1e3)

    def describe(self) -> str:
        """The fault in words."""
        return f"the clock of {self.node} drifts by {self.rate:+g} s per second"


@dataclass(frozen=True, repr=False)
class Byzantine(Fault):
    """The node's messages are rewritten on their way out: it lies, differently to each peer if it likes.

    Args:
        node: which.
        behaviour: what it says instead: `Silent`, `Equivocate`, `Corrupt`, or a registered one of your own.
        at: when, in seconds.
        until: when it is honest again; None for not by itself.
    """

    node: str
    behaviour: Behaviour
    at: float
    until: float | None = None

    def _check(self) -> None:
        text("node of Byzantine", self.node)
        if not is_registered(self.behaviour):
            raise TypeError(
                f"behaviour of Byzantine must be an instance of a registered behaviour, such as Silent(), got "
                f"{self.behaviour!r}; put @register_behaviour above a class of your own"
            )
        for field in _fields(self.behaviour):
            name = f"{field.name} of {type(self.behaviour).__name__}"
            _check_setting(getattr(self.behaviour, field.name), name)

    def describe(self) -> str:
        """The fault in words."""
        return f"{self.node} turns Byzantine: {self.behaviour!r}"


FAULTS: dict[str, type[Fault]] = {
    kind.__name__: kind
    for kind in (
        Crash, Restart, Pause, Resume, Partition, CutLink, Heal, Lossy, Slow, Duplicate, ClockOffset, ClockDrift,
        Byzantine,
    )
}  # fmt: skip


def fault_from_json_value(value: Any) -> Fault:
    """Rebuild a fault from what `Fault.to_json_value` gave; unknown kinds and fields are refused."""
    if not isinstance(value, dict) or "fault" not in value:
        raise ValueError(f'a fault in JSON is an object with "fault" in it, got {value!r}')
    fields = {name: given for name, given in value.items() if name != "fault"}
    kind = part("the kind of a fault", value["fault"], str)
    if kind not in FAULTS:
        raise unknown("kind of fault", kind, FAULTS)
    if "behaviour" in fields:
        fields["behaviour"] = _behaviour(fields["behaviour"])
    fault: Fault = rebuilt(FAULTS[kind], fields)
    return fault


def check_names(fault: Fault, nodes: Collection[str], clients: Collection[str], has_link: Any) -> None:
    """Refuse a fault about a node or a link that isn't there, before the run starts."""
    kind = type(fault).__name__
    may_be_client = isinstance(fault, Partition) or fault.link_pair is not None
    for name in fault.nodes:
        if name in nodes or (may_be_client and name in clients):
            continue
        if name in clients:
            raise LookupError(
                f"{kind} at {fault.at:g} s is about {name!r}, which is a client; it can only befall a node, such as "
                f"{next(iter(nodes))!r}"
            )
        known = [*nodes, *clients] if may_be_client else nodes
        raise unknown(f"node (named in {kind} at {fault.at:g} s)", name, known)
    if isinstance(fault, Byzantine) and isinstance(fault.behaviour, Silent):
        for name in fault.behaviour.to:
            if name not in nodes and name not in clients:
                what = f"node (to which {fault.node} is to be silent at {fault.at:g} s)"
                raise unknown(what, name, [*nodes, *clients])
    pair = fault.link_pair
    if pair is None:
        return
    a, b = pair
    if a in clients or b in clients:
        if a in clients and b in clients:
            raise LookupError(f"{type(fault).__name__}: clients have no link to each other, got {pair!r}")
        return
    forward_only = isinstance(fault, CutLink) and fault.one_way
    if not (has_link(a, b) or (has_link(b, a) and not forward_only)):
        raise LookupError(f"{type(fault).__name__} at {fault.at:g} s: there is no link from {a!r} to {b!r}")


def _fields(fault: Any) -> tuple[dataclasses.Field[Any], ...]:
    return dataclasses.fields(fault)


def _number(fault: Fault, field: str, **bounds: float) -> None:
    object.__setattr__(
        fault, field, real(f"{field} of {type(fault).__name__}", getattr(fault, field), **bounds)
    )


def _pair(name: str, pair: object) -> Pair:
    if not isinstance(pair, tuple | list) or len(pair) != 2:
        raise TypeError(f'{name} must be two node ids, such as ("n0", "n1"), got {pair!r}')
    a, b = text(name, pair[0]), text(name, pair[1])
    if a == b:
        raise ValueError(f"{name} must be two different nodes, got {a!r} twice")
    return (a, b)


def _optional_link(fault: Fault) -> None:
    link = getattr(fault, "link", None)
    if link is not None:
        object.__setattr__(fault, "link", _pair(f"link of {type(fault).__name__}", link))


def _groups(groups: Any) -> tuple[tuple[str, ...], ...]:
    if isinstance(groups, str) or not isinstance(groups, Iterable):
        raise TypeError(f'groups must be groups of node ids, such as [["n0"], ["n1", "n2"]], got {groups!r}')
    result = []
    for group in groups:
        if isinstance(group, str) or not isinstance(group, Iterable):
            raise TypeError(f'each group must be a list of node ids, such as ["n0", "n1"], got {group!r}')
        processes = tuple(sorted({text("a node id in a group", node) for node in group}))
        if not processes:
            raise ValueError("a group of a Partition is empty; leave it out")
        result.append(processes)
    if not result:
        raise ValueError("a Partition needs at least one group; all other nodes form a further one")
    return tuple(sorted(result))


def _behaviour(value: Any) -> Behaviour:
    if not isinstance(value, dict) or "behaviour" not in value:
        raise ValueError(f'a behaviour in JSON is an object with "behaviour" in it, got {value!r}')
    kind = behaviour_named(part("the name of a behaviour", value["behaviour"], str))
    behaviour: Behaviour = rebuilt(
        kind, {name: _tuples(given) for name, given in value.items() if name != "behaviour"}
    )
    return behaviour


def _check_setting(value: Any, name: str) -> None:
    """A behaviour goes to JSON and comes back with its scenario; a dataclass in it would come back as a dict."""
    if dataclasses.is_dataclass(value):
        raise TypeError(
            f"{name} holds the {type(value).__name__} {value!r}, and a behaviour may hold only numbers, texts, None "
            "and tuples of these; write a behaviour of your own that makes it in rewrite()"
        )
    if isinstance(value, tuple | list):
        for item in value:
            _check_setting(item, name)
    plain_json(value, name)


def _tuples(value: Any) -> Any:
    return tuple(_tuples(item) for item in value) if isinstance(value, list) else value


def _dash(link: Pair) -> str:
    return f"{link[0]} – {link[1]}"


def _where(link: Pair | None) -> str:
    return "the network loses" if link is None else f"the link {_dash(link)} loses"
