"""What does not fit is refused at once, in words; nothing hangs on it or goes wrong quietly."""

import math
import re
from collections.abc import Iterator
from decimal import Decimal
from fractions import Fraction

import networkx as nx
import numpy as np
import pytest

from dscourse.consensus import NaiveFailoverNode
from dscourse.simulation import (
    ClosedLoop,
    Constant,
    Crash,
    Empirical,
    Equivocate,
    Network,
    Node,
    NodeError,
    OpenLoop,
    Pause,
    Property,
    Reply,
    Request,
    Scenario,
    Silent,
    always,
    check_determinism,
    eventually,
    never,
    topology,
)

NETWORK = Network(topology.full_mesh(3))
SCENARIO = Scenario(NaiveFailoverNode, NETWORK, seed=1)
RUN = SCENARIO.run(2.0)
LONGER = SCENARIO.run(3.0)
HUGE = 10**400
JUNK = [
    None, True, -1, 1.5, math.nan, math.inf, HUGE, "", "  ", "x", b"n0", [], [1], [["n0"]], {}, {"a": 1}, {"n0"},
    object, object(), np.float64(1.0), np.array([1.0, 2.0]), Decimal(1), Fraction(1, 2), 1j, range(3),
    nx.Graph(), Ellipsis, ("n0", "n9"), ("n0", 1), (math.nan, 1), slice(1, 2),
]  # fmt: skip
PYTHONS_OWN = re.compile(
    r"object is not|not supported between|has no attribute|unhashable|not subscriptable|not iterable"
    r"|cannot convert|truth value|unsupported|invalid literal|out of range|indices must|only integer scalar"
    r"|too large to convert"
)


def graph(**attributes):
    found = topology.full_mesh(3)
    found.edges["n0", "n1"].update(attributes)
    return found


class Acts(Node):
    act = None

    def __init__(self, node_id, peers):
        self._id = node_id

    def on_start(self, ctx):
        if self._id == "n0":
            ctx.set_timer("x", 1.0)
            type(self).act(ctx)


def in_handler(act):
    return Scenario(type("ActsSo", (Acts,), {"act": staticmethod(act)}), NETWORK).run(0.5)


DOORS = {
    "quantile": lambda junk: Constant(1.0).quantile(junk),
    "column": lambda junk: Empirical("latency/region_rtt", column=junk, scale=0.001),
    "scale": lambda junk: Empirical([0.1], scale=junk),
    "until": lambda junk: Pause("n0", at=2.0, until=junk),
    "restart_at": lambda junk: Crash("n0", at=2.0, restart_at=junk),
    "silent": lambda junk: Silent(junk),
    "equivocate": lambda junk: Equivocate("value", junk),
    "operations": lambda junk: OpenLoop(junk, rate=1.0, to="n0", timeout=1.0),
    "to": lambda junk: ClosedLoop([1], 0.1, junk, timeout=1.0),
    "rate": lambda junk: OpenLoop([1], rate=junk, to="n0", timeout=1.0),
    "arrivals": lambda junk: OpenLoop([1], rate=1.0, to="n0", timeout=1.0, arrivals=junk),
    "complete": lambda junk: topology.full_mesh(3, complete=junk),
    "factory of json": lambda junk: Scenario.from_json(SCENARIO.to_json(), junk),
    "insist": lambda junk: Scenario.from_json(SCENARIO.to_json(), NaiveFailoverNode, insist=junk),
    "faults": lambda junk: Scenario(NaiveFailoverNode, NETWORK, faults=junk),
    "clients": lambda junk: Scenario(NaiveFailoverNode, NETWORK, clients=junk),
    "keep a trace": lambda junk: SCENARIO.run(1.0, trace=junk),
    "at": lambda junk: RUN.at(junk),
    "fork until": lambda junk: RUN.fork(1.0, until=junk),
    "first difference": lambda junk: RUN.first_difference(junk),
    "first difference of traces": lambda junk: RUN.trace.first_difference(junk),
    "outcome": lambda junk: RUN.latencies(junk),
    "client": lambda junk: RUN.latencies(client=junk),
    "causes": lambda junk: RUN.trace.causes(junk),
    "event": lambda junk: RUN.trace.event(junk),
    "place": lambda junk: RUN.trace[junk] if not isinstance(junk, slice) else None,
    "kind": lambda junk: RUN.trace.select(kind=junk),
    "name": lambda junk: RUN.trace.select(name=junk),
    "can talk": lambda junk: RUN.at(1.0).can_talk("n0", junk),
    "fields at": lambda junk: RUN.recording().fields_at(junk),
    "changed at": lambda junk: RUN.recording().changed_at(junk),
    "after": lambda junk: eventually(lambda now: True, after=junk),
    "property": lambda junk: Property(junk, lambda now: True, "x"),
    "predicate": lambda junk: always(junk),
    "scenario": lambda junk: check_determinism(junk, 1.0),
    "outcome of a reply": lambda junk: Reply(1, junk),
    "mesh": lambda junk: topology.full_mesh(junk),
    "ring": lambda junk: topology.ring(junk),
    "star": lambda junk: topology.star(junk),
    "branching": lambda junk: topology.tree(junk, 2),
    "depth": lambda junk: topology.tree(2, junk),
    "centers": lambda junk: topology.two_data_centers(junk),
    "regions": lambda junk: topology.regions(junk),
    "per region": lambda junk: topology.regions(["London"], junk),
    "cancel": lambda junk: in_handler(lambda ctx: ctx.cancel_timer(junk)),
}  # fmt: skip


@pytest.mark.parametrize("door", DOORS.values(), ids=DOORS)
def test_whatever_comes_in_is_taken_or_refused_in_our_own_words(door):
    for junk in JUNK:
        error = complaint(lambda junk=junk: door(junk))
        told = error.__cause__ if isinstance(error, NodeError) else error
        assert told is None or isinstance(told, ValueError | TypeError | LookupError), repr(told)
        assert not PYTHONS_OWN.search(str(told)), f"{str(junk)[:40]}: {told}"


def complaint(do):
    try:
        do()
    except Exception as error:  # noqa: BLE001 - it is looked at
        return error
    return None


REFUSED = {
    "a set of faults has no order": lambda: Scenario(NaiveFailoverNode, NETWORK, faults={Crash("n0", at=1.0)}),
    "a text of faults": lambda: Scenario(NaiveFailoverNode, NETWORK, faults=""),
    "a set of nodes to ask has no order": lambda: OpenLoop([1], rate=1.0, to={"n0", "n1"}, timeout=1.0),
    "a set of lies has no order": lambda: Equivocate("value", {1, 2}),
    "bytes of lies": lambda: Equivocate("value", b"ab"),
    "a set of regions has no order": lambda: topology.regions({"London", "Tokyo"}),
    "bytes for operations": lambda: OpenLoop(b"ab", rate=1.0, to="n0", timeout=1.0),
    "bytes for samples": lambda: Empirical(b"ab"),
    "samples beyond all times": lambda: Empirical([1.0], scale=1e300),
    "more than one question a microsecond": lambda: OpenLoop([1], rate=1e300, to="n0", timeout=1.0),
    "a truthy word": lambda: SCENARIO.run(1.0, trace="no"),
    "another truthy word": lambda: Scenario.from_json("{}", NaiveFailoverNode, insist="no"),
    "a graph that is a bit complete": lambda: Network(nx.Graph(nx.path_graph(["a", "b"]), complete=1)),
    "a mesh that is a bit complete": lambda: topology.full_mesh(3, complete=0),
    "too many links to hold": lambda: topology.full_mesh(50_000, complete=False),
    "too many links between centers": lambda: topology.two_data_centers(50_000),
    "too many links between regions": lambda: topology.regions(nodes_per_region=50_000),
    "too large a tree": lambda: topology.tree(10, 10),
    "too long a tree": lambda: topology.tree(1, 1_000_000),
    "a property of no kind": lambda: Property("hopefully", lambda now: True, "x"),
    "a property that begins never": lambda: eventually(lambda now: True, after=1e300),
    "an event of another run": lambda: RUN.trace.causes(LONGER.fork(1.0, Crash("n0", at=1.0)).trace[-1]),
    "an event that is not there": lambda: RUN.trace.event(len(RUN.trace)),
    "numbers for names": lambda: RUN.trace.select(name=[1, 2]),
    "another kind of trace": lambda: RUN.trace.first_difference(RUN),
    "a run in place of a scenario": lambda: check_determinism(RUN, 1.0),
}  # fmt: skip


@pytest.mark.parametrize("give", REFUSED.values(), ids=REFUSED)
def test_what_would_go_wrong_quietly_is_refused(give):
    with pytest.raises((TypeError, ValueError, LookupError)) as caught:
        give()
    assert not PYTHONS_OWN.search(str(caught.value))


def test_what_is_almost_too_large_is_made():
    assert len(topology.tree(10, 4)) == 11_111
    assert len(topology.tree(1, 99)) == 100
    assert len(topology.full_mesh(20_000)) == 20_000


def test_sets_are_taken_where_order_means_nothing():
    assert Silent({"n2", "n0", "n1"}) == Silent(("n0", "n1", "n2"))


def test_fractions_are_numbers_in_errors_too():
    with pytest.raises(ValueError, match=r"Pause: until must be later than at, got at=2, until=0.5"):
        Pause("n0", at=2.0, until=Fraction(1, 2))
    with pytest.raises(ValueError, match=r"must go on for some time, got until=0.5"):
        RUN.fork(1.0, until=Fraction(1, 2))


def test_a_predicate_that_returns_an_array_is_told_what_to_do():
    words = r"always\(each\): the function must return true or false.*\.all\(\) or \.any\(\)"
    with pytest.raises(TypeError, match=words):
        RUN.check(always(lambda now: np.array([True, False]), name="each"))


def test_an_event_from_behind_has_its_own_number():
    assert RUN.trace.event(-1) == RUN.trace[-1]
    assert RUN.trace.event(-1).index == len(RUN.trace) - 1


@pytest.mark.parametrize("number", [True, -0.0, 0.0, None, "0", (0,)])
def test_a_reply_to_no_number_answers_nothing_and_breaks_nothing(number):
    class Confused(Node):
        def __init__(self, node_id, peers):
            pass

        def on_message(self, ctx, sender, message):
            assert isinstance(message, Request)
            ctx.send(sender, Reply(number, "ok"))

    clients = [OpenLoop([1, 2], rate=5.0, to="n0", timeout=0.5, arrivals="regular")]
    history = Scenario(Confused, NETWORK, clients=clients).run(3.0).history()
    assert [operation.outcome for operation in history] == ["unknown", "unknown"]


def test_junk_is_junk():
    assert not any(isinstance(one, Iterator) for one in JUNK)  # each is given to many doors


@pytest.mark.parametrize("door", [RUN.trace.event, RUN.trace.causes])
@pytest.mark.parametrize("junk", [slice(1, 2), True, 1.0, None, "1"])
def test_an_event_is_named_by_a_whole_number(door, junk):
    with pytest.raises(TypeError, match="an event is named by its number in the trace, a whole number, got"):
        door(junk)
    assert door(np.int64(1)) is not None


def forgetful(now):
    now.time > 3  # noqa: B015 - the mistake


def sometimes_silent(now):
    return True if now.time > 3 else None


def test_a_predicate_that_returns_nothing_is_told_so_and_one_that_sometimes_does_is_not():
    run = Scenario(NaiveFailoverNode, Network(topology.full_mesh(2))).run(2.0)
    with pytest.raises(TypeError, match="never: forgetful returns nothing; is a return missing"):
        run.check(never(forgetful))
    assert run.check(never(sometimes_silent), never(lambda now: None))
