"""The peers of a node in a large full mesh do whatever the tuple of a small one does."""

import copy
import json
import operator
import pickle
import random
from dataclasses import dataclass
from functools import partial

import pytest
from hypothesis import given, strategies as st

from dscourse.simulation import Network, Node, Scenario, message_fields, topology
from dscourse.simulation.peers import EverybodyElse

IDS = ("n0", "n1", "n2", "n3", "n4")
NETWORK = Network(topology.full_mesh(5, complete=True))
LAZY = NETWORK.peers("n2")
TUPLE = Network(topology.full_mesh(5, complete=False)).peers("n2")

OPERATIONS = {
    "plus": lambda peers: operator.add(peers, ("x", 1)),
    "plus itself": lambda peers: peers + peers,
    "after": lambda peers: operator.add(("x", 1), peers),
    "plus nothing": lambda peers: operator.add(peers, ()),
    "first": lambda peers: peers[0],
    "last": lambda peers: peers[-1],
    "a true place": lambda peers: peers[True],
    "slice": lambda peers: peers[1:3],
    "every other": lambda peers: peers[::2],
    "backwards": lambda peers: peers[::-1],
    "beyond": lambda peers: peers[2:99],
    "reversed": lambda peers: list(reversed(peers)),
    "length": len,
    "truth": bool,
    "hash": hash,
    "index": lambda peers: [peers.index(name) for name in peers],
    "index from": lambda peers: peers.index("n3", 2),
    "index from behind": lambda peers: peers.index("n4", -2, 99),
    "count": lambda peers: [peers.count(name) for name in (*IDS, "n9", 3, None)],
    "in": lambda peers: [name in peers for name in (*IDS, "n9", 3, None)],
    "equals": lambda peers: (peers == TUPLE, operator.eq(TUPLE, peers), peers == LAZY, peers != TUPLE),
    "equals others": lambda peers: [peers == other for other in (list(TUPLE), TUPLE[1:], IDS, "n0", None)],
    "as a key": lambda peers: {peers: 1}[TUPLE],
    "unpacked": lambda peers: (lambda first, *rest: (first, rest))(*peers),
    "sorted": sorted,
    "largest": max,
    "chosen": lambda peers: random.Random(3).sample(peers, 3),
    "choice": lambda peers: random.Random(3).choice(peers),
    "joined": ", ".join,
    "pickled": lambda peers: pickle.loads(pickle.dumps(peers)),
    "copied": copy.copy,
    "deeply copied": copy.deepcopy,
    "matched": lambda peers: [first for first, *_ in [peers]],
    "json": lambda peers: json.dumps(list(peers)),
}  # fmt: skip

MISTAKES = {
    "no such place": lambda peers: peers[4],
    "no such place, from behind": lambda peers: peers[-5],
    "a place in words": lambda peers: peers["n0"],
    "half a place": lambda peers: peers[0.5],
    "index of me": lambda peers: peers.index("n2"),
    "index of nobody": lambda peers: peers.index("n9"),
    "index before": lambda peers: peers.index("n3", 0, 2),
    "index of a number": lambda peers: peers.index(3),
    "plus a list": lambda peers: operator.add(peers, ["x"]),
    "a list plus": lambda peers: operator.add(["x"], peers),
    "put in": lambda peers: operator.setitem(peers, 0, "x"),
    "taken out": lambda peers: operator.delitem(peers, 0),
    "appended": lambda peers: peers.append("x"),
}  # fmt: skip


def test_these_are_the_two_kinds():
    assert type(LAZY) is EverybodyElse
    assert type(TUPLE) is tuple


@pytest.mark.parametrize("do", OPERATIONS.values(), ids=OPERATIONS)
def test_they_do_what_a_tuple_does(do):
    assert do(LAZY) == do(TUPLE)


@pytest.mark.parametrize("do", MISTAKES.values(), ids=MISTAKES)
def test_they_refuse_what_a_tuple_refuses(do):
    with pytest.raises(Exception) as expected:
        do(TUPLE)
    with pytest.raises(expected.type):
        do(LAZY)


@given(count=st.integers(1, 7), data=st.data())
def test_any_slice_of_any_size_is_that_of_the_tuple(count, data):
    ids = [f"n{i}" for i in range(count)]
    me = data.draw(st.sampled_from(ids))
    lazy = Network(topology.full_mesh(count, complete=True)).peers(me)
    plain = tuple(name for name in ids if name != me)
    place = data.draw(st.slices(count))
    assert lazy == plain
    assert lazy[place] == plain[place]
    assert [lazy.index(name) for name in plain] == list(range(count - 1))
    assert {lazy, plain} == {plain}


def test_they_are_pickled_without_the_whole_network():
    assert type(pickle.loads(pickle.dumps(LAZY))) is tuple


@dataclass(frozen=True)
class View:
    processes: tuple


class Tells(Node):
    def __init__(self, node_id, peers, others=()):
        self._peers = peers
        self.heard = None

    def on_start(self, ctx):
        ctx.record("peers", of_mine=self._peers, more=self._peers + ("x",))  # noqa: RUF005 - what is tested
        ctx.save(self._peers)
        ctx.send(self._peers[0], View(self._peers))

    def on_message(self, ctx, sender, message):
        self.heard = message.processes


def test_they_travel_and_are_recorded_as_a_tuple_would():
    runs = [
        Scenario(Tells, Network(topology.full_mesh(5, complete=complete))).run(1.0)
        for complete in (True, False)
    ]
    assert runs[0].digest() == runs[1].digest()
    assert runs[0].first_difference(runs[1]) is None
    sent = runs[0].trace.select(kind="send")[0]
    assert message_fields(sent.message) == {"processes": ["n1", "n2", "n3", "n4"]}
    assert runs[0].at(0.5).nodes == runs[1].at(0.5).nodes
    assert runs[0].at(0.5).stored == runs[1].at(0.5).stored
    assert list(runs[0].frame()["detail"]) == list(runs[1].frame()["detail"])


def test_they_may_stand_in_the_settings_of_a_factory():
    scenarios = [Scenario(partial(Tells, others=peers), NETWORK) for peers in (LAZY, TUPLE)]
    assert scenarios[0].to_json() == scenarios[1].to_json()
    assert Scenario.from_json(scenarios[0].to_json(), partial(Tells, others=LAZY)).run(1.0).digest()
