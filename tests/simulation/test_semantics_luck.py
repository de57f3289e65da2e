"""Luck: one stream per purpose, keyed by names; the digest; the same run everywhere."""

import json
import os
import random
import subprocess
import sys
from collections import defaultdict
from dataclasses import dataclass
from hashlib import sha256

import numpy as np
import pytest

from dscourse.simulation import (
    KINDS,
    Byzantine,
    Constant,
    Corrupt,
    Crash,
    CutLink,
    Duplicate,
    Exponential,
    Lossy,
    Network,
    Node,
    NodeError,
    NotDeterministic,
    OpenLoop,
    Partition,
    Pause,
    Reply,
    Scenario,
    Slow,
    Uniform,
    check_determinism,
    topology,
)
from dscourse.simulation.random_streams import SPARSE_DRAWS, Stream, key_of, scramble


@dataclass(frozen=True)
class Word:
    number: int
    luck: float


class Gossip(Node):
    """Sends to all peers at random times, with a number drawn at random."""

    def __init__(self, node_id, peers):
        self._peers = peers
        self.heard = 0

    def on_start(self, ctx):
        ctx.set_timer("speak", ctx.rng.random())

    def on_timer(self, ctx, name):
        for peer in self._peers:
            ctx.send(peer, Word(self.heard, ctx.rng.random()))
        ctx.record("spoke", heard=self.heard)
        ctx.set_timer("speak", 0.05 + ctx.rng.random() / 10)

    def on_message(self, ctx, sender, message):
        if isinstance(message, Word):
            self.heard += 1
        else:
            ctx.send(sender, Reply(message.number, "ok", self.heard))


def scenario(nodes=4, faults=(), seed=7, clients=(), network=None, **more):
    network = network or Network(
        topology.full_mesh(nodes), latency=Exponential(0.05), loss=0.1, duplication=0.1
    )
    return Scenario(Gossip, network, faults=faults, seed=seed, clients=clients, **more)


def fates(run, source, target):
    """Each message on a link, in order of sending: when it was sent, its luck, its copies, when what became of it."""
    found = {}
    for event in run.trace:
        if event.kind == "send" and (event.node, event.peer) == (source, target):
            found[event.message_id] = [event.time, event.message.luck, event.detail.get("copies")]
        elif event.kind in ("deliver", "drop") and event.message_id in found:
            found[event.message_id].append(
                (event.kind, event.name if event.kind == "drop" else "", event.time)
            )
    return [tuple(fate) for fate in found.values()]


LINKS = [(f"n{i}", f"n{j}") for i in range(4) for j in range(4) if i != j]


@pytest.fixture(scope="module")
def base():
    return scenario().run(4.0)


class Regular(Gossip):
    """Draws nothing itself, so that all luck is the network's."""

    def on_start(self, ctx):
        ctx.set_timer("speak", 0.1)

    def on_timer(self, ctx, name):
        for peer in self._peers:
            ctx.send(peer, Word(0, 0.0))
        ctx.set_timer("speak", 0.1)


def regular(nodes=4, faults=(), shuffle_ties=False, clients=()):
    network = Network(topology.full_mesh(nodes), latency=Exponential(0.05), loss=0.1, duplication=0.1)
    return Scenario(Regular, network, faults=faults, seed=7, shuffle_ties=shuffle_ties, clients=clients).run(
        6.0
    )


def test_one_more_node_one_more_client_or_shuffled_ties_change_no_links_luck():
    mine = regular()
    client = OpenLoop(["x"], rate=50.0, to="n0", timeout=1.0, repeat=True)
    for other in (regular(nodes=5), regular(shuffle_ties=True), regular(clients=[client])):
        for link in LINKS:
            assert fates(other, *link) == fates(mine, *link)


@pytest.mark.parametrize(
    "fault",
    [
        Lossy(0.5, at=2.0, link=("n0", "n1")),
        Duplicate(0.5, at=2.0, link=("n0", "n1")),
        CutLink("n0", "n1", at=2.0),
        Slow(3.0, at=2.0, link=("n0", "n1")),
    ],
)
def test_a_fault_on_one_link_changes_no_other_links_luck_nor_its_own_afterwards(fault):
    mine, other = regular(), regular(faults=[fault])
    for link in LINKS:
        if set(link) != {"n0", "n1"}:
            assert fates(other, *link) == fates(mine, *link)
    healed = regular(faults=[type(fault)(**{**vars(fault), "until": 3.0})])
    after = [fate for fate in fates(healed, "n0", "n1") if fate[0] >= 3.0]
    assert after == [fate for fate in fates(mine, "n0", "n1") if fate[0] >= 3.0]
    assert fates(healed, "n0", "n1") != fates(mine, "n0", "n1")


def test_a_later_fault_does_not_change_the_past(base):
    for fault in (
        Crash("n1", at=2.0),
        Partition([["n0"]], at=2.0),
        Pause("n2", at=2.0),
        Byzantine("n3", Corrupt(0.5), at=2.0),
    ):
        other = scenario(faults=[fault]).run(4.0)
        assert other.trace[base.first_difference(other)].time >= 2.0


def test_a_crashed_node_has_new_luck_after_its_restart_and_others_keep_theirs():
    base, other = scenario().run(4.0), scenario(faults=[Crash("n1", at=0.0, restart_at=1e-6)]).run(4.0)

    def first_word(run, node):
        return run.trace.select(kind="send", node=node)[0].message.luck

    assert first_word(base, "n1") != first_word(other, "n1")
    assert first_word(base, "n2") == first_word(other, "n2")


def test_latency_is_drawn_once_per_send_whatever_becomes_of_the_message():
    cut = regular(faults=[CutLink("n0", "n1", at=0.5, until=3.0), Crash("n1", at=1.0, restart_at=2.5)])
    mine = regular()
    late = [fate for fate in fates(mine, "n0", "n1") if fate[0] >= 3.0]
    assert [fate for fate in fates(cut, "n0", "n1") if fate[0] >= 3.0] == late


def test_directed_links_have_luck_of_their_own():
    def delays(link):
        return [
            out[0][2] - sent for sent, _, _, *out in fates(regular(), *link) if out and out[0][0] == "deliver"
        ]

    there, back = delays(("n0", "n1")), delays(("n1", "n0"))
    assert there != back
    assert abs(np.corrcoef(there[:40], back[:40])[0, 1]) < 0.5


def test_another_seed_is_another_run(base):
    assert scenario(seed=8).run(4.0).digest() != base.digest()


def test_a_stream_is_splitmix_first_and_a_twister_later():
    # First outputs of SplitMix64 for the seed 1234567 (Rosetta Code, "Pseudo-random numbers/Splitmix64").
    expected = [
        6457827717110365317,
        3203168211198807973,
        9817491932198370423,
        4593380528125082431,
        16408922859458223821,
    ]
    golden = 0x9E3779B97F4A7C15
    assert [scramble(1234567 + k * golden) for k in range(1, 6)] == expected
    stream = Stream(1234567)
    draws = [stream.draw() for _ in range(SPARSE_DRAWS + 5)]
    assert draws[:5] == [(value >> 11) * 2.0**-53 for value in expected]
    twister = random.Random(1234567)
    assert draws[SPARSE_DRAWS:] == [twister.random() for _ in range(5)]


def test_first_draws_of_many_streams_are_uniform_and_independent_of_their_neighbours():
    keys = [key_of(1, "from", f"n{i}") + key_of(1, "to", f"n{j}") for i in range(60) for j in range(60)]
    draws = np.array([Stream(key).draw() for key in keys]).reshape(60, 60)
    counts, _ = np.histogram(draws, bins=10, range=(0, 1))
    assert ((counts - 360) ** 2 / 360).sum() < 27.9  # chi-squared, 9 degrees of freedom: 0.1 %
    for shifted in (np.roll(draws, 1, axis=0), np.roll(draws, 1, axis=1)):
        assert abs(np.corrcoef(draws.ravel(), shifted.ravel())[0, 1]) < 4 / 60


# ── The digest ────────────────────────────────────────────────────────────────────────────────────────────────

FAULTS = (
    Crash("n1", at=1.0, restart_at=2.0),
    Pause("n2", at=1.5, until=2.5),
    Partition([["n0", "n1"], ["n2", "n3"]], at=2.0, until=3.0),
    Lossy(0.2, at=0.5, until=3.5),
    Byzantine("n3", Corrupt(0.5), at=1.0),
)


def rich(seed=7, **more):
    return scenario(
        faults=FAULTS, seed=seed, clients=[OpenLoop([("get", "x")], 5.0, "n0", 0.5, repeat=True)], **more
    )


def test_the_digest_is_the_same_traced_or_not_and_after_a_json_round_trip():
    digest = rich().run(4.0).digest()
    assert len(digest) == 64
    assert int(digest, 16) >= 0
    assert rich().run(4.0, trace=False).digest() == digest
    assert Scenario.from_json(rich().to_json(), Gossip).run(4.0).digest() == digest
    assert check_determinism(rich(), 4.0) == digest


def test_the_digest_stands_for_every_column_of_every_event():
    """Computed again from the events, by what contract says and another way round."""
    run = rich().run(3.0)
    columns = [sha256() for _ in range(6)]
    place = {name: i for i, name in enumerate(run.nodes + run.clients)}
    for event in run.trace:
        columns[0].update(event.time_us.to_bytes(8, "little", signed=True))
        columns[1].update(bytes([KINDS.index(event.kind)]))
        columns[2].update(place.get(event.node, -1).to_bytes(4, "little", signed=True))
        columns[3].update(place.get(event.peer, -1).to_bytes(4, "little", signed=True))
        number = -1 if event.message_id is None else event.message_id
        columns[4].update(number.to_bytes(8, "little", signed=True))
        columns[5].update((_text(event) + "\n").encode())
    whole = sha256(_canonical(run.nodes + run.clients).encode())
    for column in columns:
        whole.update(column.digest())
    assert whole.hexdigest() == run.digest()


def _text(event):
    if event.kind == "send":
        return _canonical(_as_list(event.message)) + (_canonical(event.detail) if event.detail else "")
    if event.kind == "drop":
        return _canonical([event.name, event.detail])
    if event.kind == "timer":
        return _canonical(event.name)
    if event.kind == "record":
        return _canonical([event.name, event.detail])
    return _canonical(event.detail) if event.detail else ""


def _as_list(value):
    if isinstance(value, tuple):
        return [_as_list(item) for item in value]
    if hasattr(value, "__dataclass_fields__"):
        return [
            type(value).__name__,
            *(_as_list(getattr(value, name)) for name in value.__dataclass_fields__),
        ]
    return value


def _canonical(value):
    return json.dumps(value, sort_keys=True, separators=(",", ":"))


def test_a_known_digest_so_that_a_change_of_semantics_or_of_python_is_noticed():
    network = Network(topology.ring(3), latency=Uniform(0.01, 0.2), loss=0.1)
    assert Scenario(Gossip, network, seed=42).run(2.0).digest() == KNOWN


KNOWN = "de455b82d50119d7159b5964e10e149001c2a583584a1d9f406a6dc4bfa3e1ff"


SURROUNDINGS = (  # of a process: environment, switches of Python, what it has done before
    ({"PYTHONHASHSEED": "0"}, (), ""),
    (
        {"PYTHONHASHSEED": "1", "TZ": "Asia/Kathmandu", "LC_ALL": "C"},
        ("-O",),
        "import networkx, pandas, json",
    ),
    (
        {"PYTHONHASHSEED": "31337", "TZ": "Pacific/Apia", "PYTHONUTF8": "1"},
        ("-OO",),
        "import random, numpy; random.seed(7); numpy.random.seed(7); numpy.random.random(9)\n"
        "import dscourse.detection, dscourse.simulation.engine.kernel, dscourse.datasets; import gc; gc.disable()",
    ),
)
# Of runs that touch everything. They hold for all versions of Python, NumPy and networkx that the course runs on.
DIGESTS = {
    "fresh": "bfd965a6ff21033d8c04d01a82ebd4b43223e2a326c0b9064594aa2a531abe29",
    "store": "f74dbf1d106fecb80beb23ad590d18ad8e505140dd9c3d4b62b4842fd3449abc",
    "shuffled": "2f5db0e29b9bed5e819dfd462955092ffb17855c9051777d6fb59bb4aa09a2aa",
}


def test_processes_in_different_surroundings_give_the_same_digests():
    digests = defaultdict(set)
    for environment, switches, before in SURROUNDINGS:
        done = subprocess.run(
            [sys.executable, *switches, "-c", before + PROGRAM],
            env={**os.environ, **environment}, capture_output=True, text=True, check=True,
        )  # fmt: skip
        for name, digest in (line.split() for line in done.stdout.splitlines()):
            digests[name].add(digest)
    assert len(digests) == 8
    assert {name: len(found) for name, found in digests.items()} == dict.fromkeys(digests, 1)
    assert digests["fresh"] == digests["untraced"] == digests["json"] != digests["other"]
    assert {name: digests[name] for name in DIGESTS} == {name: {digest} for name, digest in DIGESTS.items()}


PROGRAM = """
import hashlib
def hash_of(text):
    return hashlib.sha256(text.encode()).hexdigest()
from dscourse.consensus import NaiveFailoverNode
from dscourse.detection import SwimMember
from dscourse.simulation import *
network = Network(topology.full_mesh(5), latency=LogNormal(0.03, 0.7), loss=0.05, duplication=0.05)
faults = [
    Crash("n0", at=1.0, restart_at=3.0), Partition([["n1", "n2"], ["n3"]], at=2.0, until=4.0),
    Lossy(0.3, at=1.0, until=5.0), Pause("n4", at=2.0, until=3.0),
    Byzantine("n2", Silent(("n1",)), at=2.0), Slow(3.0, at=1.0, node="n1"),
]
scenario = Scenario(NaiveFailoverNode, network, faults=faults, seed=3)
print("fresh", scenario.run(6.0).digest())
print("untraced", scenario.run(6.0, trace=False).digest())
print("json", Scenario.from_json(scenario.to_json(), NaiveFailoverNode).run(6.0).digest())
twelve = Network(topology.full_mesh(12), latency=Uniform(0.001, 0.05), loss=0.1)
swim = Scenario(SwimMember, twelve, faults=faults, seed=3)
print("swim", swim.run(6.0).digest())
print("other", Scenario(NaiveFailoverNode, network, faults=faults, seed=4).run(6.0).digest())
faults += [
    Byzantine("n3", Corrupt(0.3), at=1.0), Duplicate(0.4, at=0.5), ClockDrift("n1", 0.013, at=0.7), Heal(at=3.5),
    ClockOffset("n2", -1.7, at=2.2), Slow(2.5, at=3.0, link=("n0", "n4")), CutLink("n1", "n3", at=2.1, one_way=True),
]
print("shuffled", Scenario(NaiveFailoverNode, network, faults=faults, seed=3, shuffle_ties=True).run(4.0).digest())
class Store(Node):
    def __init__(self, node_id, peers):
        pass
    def on_message(self, ctx, sender, message):
        ctx.send(sender, Reply(message.number, "ok", ctx.rng.random()))
places = topology.regions(nodes_per_region=2)
for name in places:
    places.nodes[name].update(service_time=Exponential(0.01), queue_limit=3)
clients = [
    OpenLoop([("get", "\u00e4")], rate=80.0, to=["n0", "n1"], timeout=0.5, repeat=True),
    ClosedLoop([("put", "x", 1)], LogNormal(0.05, 1.0), "n2", timeout=0.2, repeat=True),
]
faults = [Slow(4.0, at=1.0, node="n2", until=2.0), Crash("n0", at=1.5, restart_at=2.0)]
served = Network(places, client_latency=Empirical("latency/region_rtt", scale=0.001))
run = Scenario(Store, served, clients=clients, faults=faults, seed=12).run(3.0)
print("store", run.digest())
verdict = run.check(never(lambda now: now.queue_length["n2"] > 2, name="long"))
print("told", hash_of(repr(verdict) + run.frame().to_csv()))
"""


def test_the_short_way_through_the_kernel_and_the_long_one_give_the_same_run(monkeypatch):
    network = Network(topology.full_mesh(4), latency=Exponential(0.05))
    quick = Scenario(Gossip, network, seed=5).run(3.0)
    assert (
        quick.recording().changes
    )  # it goes the long way, and compares the trace with that of the short way
    # A cut of one link, in force before anything is sent there, makes every send careful.
    careful = Scenario(Gossip, network, seed=5, faults=[Slow(1.0, at=0.0)]).run(3.0)
    pairs = zip(
        quick.trace, careful.trace.select(kind=[kind for kind in KINDS if kind != "fault"]), strict=True
    )
    assert all(
        (a.time, a.kind, a.node, a.peer, a.message, a.detail)
        == (b.time, b.kind, b.node, b.peer, b.message, b.detail)
        for a, b in pairs
    )


# ── Nodes that aren't deterministic ───────────────────────────────────────────────────────────────────────────


class Forgetful(Gossip):
    """Keeps something in its class: a second run sees what the first has left."""

    runs = 0

    def on_start(self, ctx):
        Forgetful.runs += 1
        ctx.set_timer("speak", 0.1 * Forgetful.runs)


def test_a_node_that_is_not_deterministic_is_told_so_by_at_fork_and_check_determinism():
    unfair = Scenario(Forgetful, Network(topology.full_mesh(2), latency=Constant(0.01)))
    with pytest.raises(NotDeterministic, match=r"(?s)Event 0 was.*timer 'speak'.*ctx\.rng"):
        check_determinism(unfair, 2.0)
    run = unfair.run(6.0)
    for look in (lambda: run.at(5.9), lambda: run.fork(5.9), lambda: run.recording()):
        with pytest.raises(NotDeterministic, match="came out differently"):
            look()


def test_node_error_in_a_rerun_is_part_of_the_run():
    class Fails(Gossip):
        def on_message(self, ctx, sender, message):
            raise RuntimeError("no")

    with pytest.raises(NodeError) as caught:
        Scenario(Fails, Network(topology.full_mesh(2), latency=Constant(0.01))).run(5.0)
    run = caught.value.run
    assert run.stopped == caught.value.time
    assert set(run.at(run.stopped).condition.values()) == {"up"}
    assert run.recording() is run.recording()
