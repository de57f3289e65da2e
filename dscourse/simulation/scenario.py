"""A scenario: everything that a run follows from."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, ClassVar

from dscourse.arguments import real, whole
from dscourse.simulation.clients import Workload
from dscourse.simulation.faults import Fault, check_names
from dscourse.simulation.names import unknown
from dscourse.simulation.network import Network
from dscourse.simulation.run import EVENT_LIMIT, Run, kernel_of, run_scenario
from dscourse.simulation.serialization import scenario_from_json, scenario_to_json
from dscourse.simulation.virtual_time import LONGEST, to_microseconds

if TYPE_CHECKING:
    from dscourse.simulation.moment import Engine
    from dscourse.simulation.recorder import Recorder


class Scenario:
    """Nodes, a network, clients, faults and a seed. The same scenario always gives the same run.

    Args:
        node_factory: called with ``(node_id, peers)`` for each node, and again after each crash; it returns a new node.
            A class of yours with that signature will do; ``functools.partial`` adds settings.
        network: who can talk to whom, and how well.
        faults: what goes wrong, and when.
        clients: `OpenLoop` and `ClosedLoop` objects; their ids are c0, c1 …
        seed: of all luck; another seed gives another run of the same scenario.
        shuffle_ties: let luck decide which of several events at the same microsecond comes first.

    Raises:
        LookupError: a fault or a client names a node or link that isn't there.
        TypeError, ValueError: what is wrong with an argument.
    """

    is_script: ClassVar[bool] = False  # whether it is made of steps, with no time and no faults
    takes_faults: ClassVar[bool] = True  # whether it can be run again with other faults

    def __init__(
        self,
        node_factory: Callable[..., Any],
        network: Network,
        *,
        faults: Iterable[Fault] = (),
        clients: Iterable[Workload] = (),
        seed: int = 0,
        shuffle_ties: bool = False,
    ) -> None:
        if not callable(node_factory):
            raise TypeError(
                f"node_factory must be a class or function of (node_id, peers), got {node_factory!r}"
            )
        _check_factory(node_factory)
        if not isinstance(network, Network):
            raise TypeError(
                f"network must be a Network, such as Network(topology.full_mesh(5)), got {network!r}"
            )
        if not isinstance(shuffle_ties, bool):
            raise TypeError(f"shuffle_ties must be True or False, got {shuffle_ties!r}")
        if isinstance(seed, bool) or not isinstance(seed, int):
            raise TypeError(f"seed must be a whole number, got {seed!r}")
        self.node_factory = node_factory
        self.network = network
        self.faults = _all_of("faults", faults, Fault, 'Crash("n0", at=3.0)')
        self.clients = _all_of("clients", clients, Workload, "OpenLoop(...)")
        self.seed = seed
        self.shuffle_ties = shuffle_ties
        self.node_ids: tuple[str, ...] = network.node_ids
        self.client_ids: tuple[str, ...] = tuple(f"c{number}" for number in range(len(self.clients)))
        self._check_names()
        self._is_made = True

    def __setattr__(self, name: str, value: object) -> None:
        if getattr(self, "_is_made", False):
            raise AttributeError(
                f"a scenario doesn't change, since runs follow from it; make another one with another {name}"
            )
        super().__setattr__(name, value)

    def __repr__(self) -> str:
        factory = getattr(self.node_factory, "__name__", repr(self.node_factory))
        return f"Scenario({factory}, {self.network!r}, faults={list(self.faults)!r}, seed={self.seed})"

    def with_faults(self, *faults: Fault) -> Scenario:
        """The same scenario with these faults instead of its own."""
        return self.changed(faults=faults)

    def changed(self, **changes: Any) -> Scenario:
        """The same scenario with some of its arguments replaced: network, faults, clients, seed, shuffle_ties."""
        kept = ("network", "faults", "clients", "seed", "shuffle_ties")
        arguments = {name: getattr(self, name) for name in kept} | changes
        return Scenario(arguments.pop("node_factory", self.node_factory), **arguments)

    def run(self, until: float, *, trace: bool = True, event_limit: int = EVENT_LIMIT) -> Run:
        """Run it.

        Args:
            until: every event before this time happens, in seconds.
            trace: keep the trace; without it the run keeps only its digest, for when memory is short.
            event_limit: a run with more events is stopped, since it may never end.

        Raises:
            NodeError: a handler of a node failed.
            EventLimit: there were more events than ``event_limit``.
            RunInterrupted: you interrupted it. All three keep what happened until then in ``run``.
        """
        end = to_microseconds(real("until", until, above=0.0, at_most=LONGEST))
        if not isinstance(trace, bool):
            raise TypeError(f"trace must be True or False, got {trace!r}")
        limit = whole("event_limit", event_limit, at_least=1)
        return run_scenario(self, end, keep_trace=trace, event_limit=limit)

    def new_engine(self, recorder: Recorder, event_limit: int) -> Engine:
        """What runs it, from the beginning: the event loop in virtual time. A script has an engine of its own."""
        return kernel_of(self, recorder, event_limit)

    def to_json(self) -> str:
        """The scenario as one line of JSON; the node factory is named in it, not contained.

        Raises:
            TypeError, ValueError: something in it has no JSON form.
        """
        return scenario_to_json(
            node_factory=self.node_factory,
            network=self.network,
            faults=self.faults,
            clients=self.clients,
            seed=self.seed,
            shuffle_ties=self.shuffle_ties,
        )

    @classmethod
    def from_json(cls, text: str, node_factory: Callable[..., Any], *, insist: bool = False) -> Scenario:
        """Rebuild a scenario.

        Args:
            text: from `to_json`.
            node_factory: the same that it was made with.
            insist: take another factory nevertheless.

        Raises:
            ValueError: the text is no scenario, is from a newer version, has unknown fields or another factory.
        """
        if not callable(node_factory):
            raise TypeError(
                f"node_factory must be a class or function of (node_id, peers), got {node_factory!r}"
            )
        if not isinstance(insist, bool):
            raise TypeError(f"insist must be True or False, got {insist!r}")
        return cls(node_factory, **scenario_from_json(text, node_factory, insist=insist))

    def _check_names(self) -> None:
        refuse_clients_names(self.node_ids, self.client_ids)
        nodes = dict.fromkeys(self.node_ids)
        clients = dict.fromkeys(self.client_ids)
        for fault in self.faults:
            check_names(fault, nodes, clients, self.network.has_link)
        for client, workload in zip(self.client_ids, self.clients, strict=True):
            for target in workload.to:
                if target not in nodes:
                    raise unknown(f"node (asked by client {client})", target, nodes)


def refuse_clients_names(nodes: Iterable[str], clients: Iterable[str]) -> None:
    """Raise ValueError if a node is called like a client."""
    taken = set(nodes) & set(clients)
    if taken:
        raise ValueError(f"clients are called c0, c1 …, so no node may be: {', '.join(sorted(taken))}")


def _check_factory(factory: Callable[..., Any]) -> None:
    try:
        signature = inspect.signature(factory)
    except ValueError:
        return  # something built in, which doesn't tell
    try:
        signature.bind("n0", ())
    except TypeError as error:
        name = getattr(factory, "__qualname__", None) or repr(factory)
        does_not_take = (
            f"node_factory is called with (node_id, peers), which {name}{signature} does not take: {error}"
        )
        if isinstance(factory, type):
            does_not_take += ". Give the class def __init__(self, node_id, peers)"
        raise TypeError(does_not_take) from None


def _all_of(what: str, items: Any, kind: type, example: str) -> tuple[Any, ...]:
    if isinstance(items, kind | str | set | frozenset) or not isinstance(
        items, Iterable
    ):  # a set has no order
        raise TypeError(f"{what} must be a list, such as [{example}], got {items!r}")
    found = tuple(items)
    for item in found:
        if not isinstance(item, kind):
            raise TypeError(f"each of {what} must be one such as {example}, got {item!r}")
    return found
