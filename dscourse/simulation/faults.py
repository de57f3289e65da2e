"""Faults as data: what goes wrong, where, from when to when.

A fault is a frozen dataclass and does nothing by itself. A scenario holds a list of them, JSON carries them, and
the player adds one for every click. Each interval is [at, until): the fault is in force from ``at`` on and no longer at
``until``. What they do to a running cluster stands in `engine.active_faults` and `engine.fault_schedule`.

A kind of fault is declared by its fields and one template of words: the name of a field says how it is checked.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from dscourse.arguments import probability, real, text, whole
from dscourse.simulation.behaviours import (
    Behaviour,
    Silent,
    behaviour_in_words,
    behaviour_named,
    is_registered,
)
from dscourse.simulation.json_parts import part, rebuilt
from dscourse.simulation.messages import canonical_json, plain_json
from dscourse.simulation.names import naturally_sorted_groups, unknown
from dscourse.simulation.virtual_time import LONGEST, to_microseconds

Pair = tuple[str, str]
Check = Callable[[str, Any], Any]  # of a field: its name in words and what was given → the value, made plain


class Fault:
    """What all faults have: a time at which they begin, a check for each field, and words.

    Attributes:
        words: the fault in words, a template over its fields; ``{where}`` is the node, link or network it is about.
        everywhere: what ``{where}`` says of a fault that names neither node nor link.
        ends_others: True for `Restart`, `Resume` and `Heal`, which end what another fault began.
        may_be_client: whether it may name a client.
    """

    words: ClassVar[str] = ""
    everywhere: ClassVar[str] = "the network"
    ends_others: ClassVar[bool] = False
    may_be_client: ClassVar[bool] = False
    checks: ClassVar[Mapping[str, Check]] = {}  # of fields that mean something else here than in other faults

    def __post_init__(self) -> None:
        for field in _fields(self):
            check = self.checks.get(field.name) or FIELD_CHECKS.get(field.name)
            value = getattr(self, field.name)
            if check is None or (value is None and field.default is None):
                continue
            object.__setattr__(self, field.name, check(f"{field.name} of {type(self).__name__}", value))
        end = self.end
        if (
            end is not None
            and self.begins is not None
            and to_microseconds(end) <= to_microseconds(self.begins)
        ):
            name = "restart_at" if isinstance(self, Crash) else "until"
            raise ValueError(
                f"{type(self).__name__}: {name} must be later than at, got at={self.begins:g}, {name}={end:g}"
            )

    def __init_subclass__(cls, *, is_kind: bool = True) -> None:
        """Make a kind of fault known by its name, so that it comes back from JSON."""
        if is_kind:
            FAULTS[cls.__name__] = cls

    @property
    def begins(self) -> float | None:
        """When it begins, in seconds; None if a message that is sent decides it."""
        return getattr(self, "at", None)

    @property
    def end(self) -> float | None:
        """When it ends by itself, in seconds; None if it doesn't."""
        return getattr(self, "until", None)

    @property
    def is_instant(self) -> bool:
        """Whether it happens at one moment and is over, such as a clock that jumps."""
        return not any(field.name in ("until", "restart_at", "rate") for field in _fields(self))

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

    def ends(self, other: Fault) -> bool:
        """Whether its beginning ends another fault that is in force."""
        return False

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
        fields = {field.name: getattr(self, field.name) for field in _fields(self)}
        return self.words.format(**fields, where=self._where())

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

    def _where(self) -> str:
        node, pair = getattr(self, "node", None), self.link_pair
        if node is not None:
            return str(node)
        return self.everywhere if pair is None else f"the link {pair[0]} – {pair[1]}"


FAULTS: dict[str, type[Fault]] = {}  # every kind, by its name


@dataclass(frozen=True, repr=False)
class Crash(Fault):
    """The node stops at once. Memory, timers and queued work are gone; what it saved survives.

    Args:
        node: which.
        at: when, in seconds.
        restart_at: when it boots again, with a new node object; None for never.
    """

    words: ClassVar[str] = "{node} crashes"
    node: str
    at: float
    restart_at: float | None = None

    @property
    def end(self) -> float | None:
        """When it restarts."""
        return self.restart_at

    def ends(self, other: Fault) -> bool:
        """A crash takes a pause with it."""
        return isinstance(other, Pause) and other.node == self.node


@dataclass(frozen=True, repr=False)
class Restart(Fault):
    """A crashed node boots again.

    Args:
        node: which.
        at: when, in seconds.
    """

    words: ClassVar[str] = "{node} restarts"
    ends_others: ClassVar[bool] = True
    node: str
    at: float

    def ends(self, other: Fault) -> bool:
        """The node's crash."""
        return isinstance(other, Crash) and other.node == self.node


@dataclass(frozen=True, repr=False)
class Pause(Fault):
    """The node stands still and keeps its memory. Messages and due timers wait, and run at resume in due order.

    A job that its server has begun stands still, too, and goes on where it was.

    Args:
        node: which.
        at: when, in seconds.
        until: when it goes on; None for not by itself.
    """

    words: ClassVar[str] = "{node} is paused"
    node: str
    at: float
    until: float | None = None


@dataclass(frozen=True, repr=False)
class Resume(Fault):
    """A paused node goes on.

    Args:
        node: which.
        at: when, in seconds.
    """

    words: ClassVar[str] = "{node} resumes"
    ends_others: ClassVar[bool] = True
    node: str
    at: float

    def ends(self, other: Fault) -> bool:
        """The node's pause."""
        return isinstance(other, Pause) and other.node == self.node


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

    may_be_client: ClassVar[bool] = True
    groups: tuple[tuple[str, ...], ...]
    at: float
    until: float | None = None

    def __init__(self, groups: Iterable[Iterable[str]], at: float, until: float | None = None) -> None:
        object.__setattr__(self, "groups", groups)
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

    words: ClassVar[str] = "{where} is cut"
    may_be_client: ClassVar[bool] = True
    a: str
    b: str
    at: float
    until: float | None = None
    one_way: bool = False

    def __post_init__(self) -> None:
        _pair("a, b of CutLink", (self.a, self.b))
        super().__post_init__()

    @property
    def link_pair(self) -> Pair | None:
        """Its link."""
        return (self.a, self.b)

    def _where(self) -> str:
        return f"the link {self.a} {'→' if self.one_way else '–'} {self.b}"


@dataclass(frozen=True, repr=False)
class Heal(Fault):
    """Ends the partitions and cuts in force, or the cuts of one link.

    Args:
        at: when, in seconds.
        link: only the cuts of this link, in both directions; None for every partition and cut.
    """

    words: ClassVar[str] = "{where} heals"
    ends_others: ClassVar[bool] = True
    may_be_client: ClassVar[bool] = True
    at: float
    link: Pair | None = None

    def ends(self, other: Fault) -> bool:
        """Every partition and cut, or the cuts of its link."""
        if isinstance(other, CutLink):
            return self.link is None or {other.a, other.b} == set(self.link)
        return isinstance(other, Partition) and self.link is None


@dataclass(frozen=True, repr=False)
class Lossy(Fault):
    """Messages get lost at random, besides those that the network loses anyway.

    Args:
        rate: probability that a message is lost.
        at: when, in seconds.
        until: when it ends; None for not by itself.
        link: only on this link, in both directions; None for all links between nodes.
    """

    words: ClassVar[str] = "{where} loses {rate:.0%} of the messages"
    may_be_client: ClassVar[bool] = True
    rate: float
    at: float
    until: float | None = None
    link: Pair | None = None


@dataclass(frozen=True, repr=False)
class Slow(Fault):
    """A node or a link takes longer.

    Slow work: where the node has a service time, that is multiplied, also what is left of the job that it has begun.
    Where it has none, the delay of all messages from it and to it is.

    Args:
        factor: how many times as long, above 0.
        at: when, in seconds.
        until: when it ends; None for not by itself.
        node: a slow node; or
        link: a slow link, in both directions. With neither, all links between nodes are slow.
    """

    words: ClassVar[str] = "{where} is {factor:g} times as slow"
    everywhere: ClassVar[str] = "every link"
    may_be_client: ClassVar[bool] = True
    factor: float
    at: float
    until: float | None = None
    node: str | None = None
    link: Pair | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.node is not None and self.link is not None:
            raise ValueError("Slow takes a node or a link, not both; write two faults")


@dataclass(frozen=True, repr=False)
class Duplicate(Fault):
    """The network delivers some messages twice; the copy is delayed on its own.

    Args:
        rate: probability that a message is delivered twice.
        at: when, in seconds.
        until: when it ends; None for not by itself.
        link: only on this link, in both directions; None for all links between nodes.
    """

    words: ClassVar[str] = "{where} delivers {rate:.0%} of the messages twice"
    may_be_client: ClassVar[bool] = True
    rate: float
    at: float
    until: float | None = None
    link: Pair | None = None


@dataclass(frozen=True, repr=False)
class ClockOffset(Fault):
    """The node's clock jumps. Timers that are set already keep their time.

    Args:
        node: which.
        seconds: how far, forward or (negative) back.
        at: when, in seconds.
    """

    words: ClassVar[str] = "the clock of {node} jumps by {seconds:+g} s"
    node: str
    seconds: float
    at: float


@dataclass(frozen=True, repr=False)
class ClockDrift(Fault):
    """From now on the node's clock runs fast or slow, and its timers with it.

    Args:
        node: which.
        rate: extra local seconds per true second: 0.01 gains 1 %, 0 puts the clock right (not its reading).
        at: when, in seconds.
    """

    words: ClassVar[str] = "the clock of {node} drifts by {rate:+g} s per second"
    checks: ClassVar[Mapping[str, Check]] = {
        "rate": lambda name, given: real(name, given, above=-1.0, at_most=1e3)
    }
    node: str
    rate: float
    at: float

    @property
    def is_instant(self) -> bool:
        """Whether it only puts the clock right."""
        return self.rate == 0.0

    def ends(self, other: Fault) -> bool:
        """The drift that the clock had before."""
        return isinstance(other, ClockDrift) and other.node == self.node


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

    def describe(self) -> str:
        """The fault in words."""
        return f"{self.node} turns Byzantine: it {behaviour_in_words(self.behaviour)}"


@dataclass(frozen=True, repr=False)
class OtherLuck(Fault):
    """From now on every stream of random numbers begins anew: the same past, another future. See `Run.fork`.

    Args:
        number: of the other future.
        at: when, in seconds.
    """

    words: ClassVar[str] = "from here on, other luck (number {number})"
    checks: ClassVar[Mapping[str, Check]] = {"number": lambda name, given: whole(name, given, at_least=0)}
    number: int
    at: float


class MessageFault(Fault, is_kind=False):
    """What befalls one message: the ``number``-th from ``sender`` to ``to``, counted from 1 as the trace shows it.

    Restarts don't begin the count anew; messages that are cut off or lost count, too. It has no time of its own: the
    trace tells of it when that message is sent, and of nothing if it never is.
    """

    may_be_client: ClassVar[bool] = True
    sender: str
    to: str
    number: int

    def __post_init__(self) -> None:
        _pair(f"sender, to of {type(self).__name__}", (self.sender, self.to))
        super().__post_init__()

    @property
    def link_pair(self) -> Pair | None:
        """From the sender to the addressee."""
        return (self.sender, self.to)


@dataclass(frozen=True, repr=False)
class LoseMessage(MessageFault):
    """One message gets lost, with its copies.

    Args:
        sender: a node or a client.
        to: a node or a client.
        number: which of the messages from one to the other, from 1.
    """

    words: ClassVar[str] = "message {number} from {sender} to {to} gets lost"
    sender: str
    to: str
    number: int


@dataclass(frozen=True, repr=False)
class DelayMessage(MessageFault):
    """One message takes longer, and so do its copies.

    Args:
        sender: a node or a client.
        to: a node or a client.
        number: which of the messages from one to the other, from 1.
        by: seconds that it takes more.
    """

    words: ClassVar[str] = "message {number} from {sender} to {to} is {by:g} s late"
    sender: str
    to: str
    number: int
    by: float


@dataclass(frozen=True, repr=False)
class RepeatMessage(MessageFault):
    """One message arrives once more; the copy is delayed on its own.

    Args:
        sender: a node or a client.
        to: a node or a client.
        number: which of the messages from one to the other, from 1.
    """

    words: ClassVar[str] = "message {number} from {sender} to {to} arrives twice"
    sender: str
    to: str
    number: int


def fault_from_json_value(value: Any) -> Fault:
    """Rebuild a fault from what `Fault.to_json_value` gave; unknown kinds and fields are refused."""
    if not isinstance(value, dict) or "fault" not in value:
        raise ValueError(f'a fault in JSON is an object with "fault" in it, got {value!r}')
    fields = {name: given for name, given in value.items() if name != "fault"}
    kind = part("the kind of a fault", value["fault"], str)
    if kind not in FAULTS:
        raise unknown("kind of fault", kind, FAULTS)
    if "behaviour" in fields:
        fields["behaviour"] = _behaviour_from(fields["behaviour"])
    fault: Fault = rebuilt(FAULTS[kind], fields)
    return fault


def check_names(fault: Fault, nodes: Collection[str], clients: Collection[str], has_link: Any) -> None:
    """Refuse a fault about a node or a link that isn't there, before the run starts."""
    kind = type(fault).__name__
    when = "" if fault.begins is None else f" at {fault.begins:g} s"
    pair = fault.link_pair
    may_be_client = fault.may_be_client and (pair is not None or isinstance(fault, Partition))
    for name in fault.nodes:
        if name in nodes or (may_be_client and name in clients):
            continue
        if name in clients:
            raise LookupError(
                f"{kind}{when} is about {name!r}, which is a client; it can only befall a node, such as "
                f"{next(iter(nodes))!r}"
            )
        known = [*nodes, *clients] if may_be_client else nodes
        raise unknown(f"node (named in {kind}{when})", name, known)
    if isinstance(fault, Byzantine) and isinstance(fault.behaviour, Silent):
        for name in fault.behaviour.to:
            if name not in nodes and name not in clients:
                raise unknown(f"node (to which {fault.node} is to be silent{when})", name, [*nodes, *clients])
    if pair is not None:
        _check_link(fault, pair, clients, has_link)


def _check_link(fault: Fault, pair: Pair, clients: Collection[str], has_link: Any) -> None:
    a, b = pair
    kind = type(fault).__name__
    if a in clients or b in clients:
        if a in clients and b in clients:
            raise LookupError(f"{kind}: clients have no link to each other, got {pair!r}")
        return
    forward_only = isinstance(fault, MessageFault) or (isinstance(fault, CutLink) and fault.one_way)
    if not (has_link(a, b) or (has_link(b, a) and not forward_only)):
        when = "" if fault.begins is None else f" at {fault.begins:g} s"
        raise LookupError(f"{kind}{when}: there is no link from {a!r} to {b!r}")


def _fields(fault: Any) -> tuple[dataclasses.Field[Any], ...]:
    return dataclasses.fields(fault)


def _time(name: str, value: Any) -> float:
    return real(name, value, at_least=0.0, at_most=LONGEST)


def _true_or_false(name: str, value: Any) -> bool:
    if not isinstance(value, bool):
        raise TypeError(f"{name} must be True or False, got {value!r}")
    return value


def _pair(name: str, pair: object) -> Pair:
    if not isinstance(pair, tuple | list) or len(pair) != 2:
        raise TypeError(f'{name} must be two node ids, such as ("n0", "n1"), got {pair!r}')
    a, b = text(name, pair[0]), text(name, pair[1])
    if a == b:
        raise ValueError(f"{name} must be two different nodes, got {a!r} twice")
    return (a, b)


def _groups(_: str, groups: Any) -> tuple[tuple[str, ...], ...]:
    if isinstance(groups, str) or not isinstance(groups, Iterable):
        raise TypeError(f'groups must be groups of node ids, such as [["n0"], ["n1", "n2"]], got {groups!r}')
    result = []
    for group in groups:
        if isinstance(group, str) or not isinstance(group, Iterable):
            raise TypeError(f'each group must be a list of node ids, such as ["n0", "n1"], got {group!r}')
        names = tuple(sorted({text("a node id in a group", node) for node in group}))
        if not names:
            raise ValueError("a group of a Partition is empty; leave it out")
        result.append(names)
    if not result:
        raise ValueError("a Partition needs at least one group; all other nodes form a further one")
    return tuple(sorted(result))


def _behaviour(name: str, behaviour: Any) -> Behaviour:
    if not is_registered(behaviour):
        raise TypeError(
            f"{name} must be an instance of a registered behaviour, such as Silent(), got "
            f"{behaviour!r}; put @register_behaviour above a class of your own"
        )
    for field in _fields(behaviour):
        _check_setting(getattr(behaviour, field.name), f"{field.name} of {type(behaviour).__name__}")
    checked: Behaviour = behaviour
    return checked


def _behaviour_from(value: Any) -> Behaviour:
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


FIELD_CHECKS: dict[str, Check] = {
    "at": _time,
    "until": _time,
    "restart_at": _time,
    "node": text,
    "a": text,
    "b": text,
    "sender": text,
    "to": text,
    "link": _pair,
    "groups": _groups,
    "one_way": _true_or_false,
    "rate": probability,
    "factor": lambda name, given: real(name, given, above=0.0, at_most=1e6),
    "seconds": lambda name, given: real(name, given, at_least=-LONGEST, at_most=LONGEST),
    "number": lambda name, given: whole(name, given, at_least=1),
    "by": lambda name, given: real(name, given, above=0.0, at_most=LONGEST),
    "behaviour": _behaviour,
}
