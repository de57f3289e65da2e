"""Nobody shares memory with anybody, and copying a node's state copies no more than that."""

from dataclasses import dataclass

import pytest

from dscourse.simulation import (
    Constant,
    Network,
    Node,
    NodeError,
    Scenario,
    always,
    check_determinism,
    topology,
)

NETWORK = Network(topology.full_mesh(3), latency=Constant(0.1))


@dataclass(frozen=True)
class Base:
    number: int


class Open(Base):
    """Derived from a frozen dataclass, but its instances take new attributes."""


@dataclass(frozen=True)
class Closed(Base):
    word: str = "x"


@dataclass(frozen=True, eq=False)
class ByIdentity:
    number: int


class Sender(Node):
    message = None

    def __init__(self, node_id, peers):
        self._peers = peers
        self.heard = 0

    def on_start(self, ctx):
        ctx.send(self._peers[0], self.message)

    def on_message(self, ctx, sender, message):
        self.heard += 1


def sender_of(make):
    class SenderOf(Sender):
        message = property(lambda self: make())

    return Scenario(SenderOf, NETWORK)


def test_a_class_derived_from_a_frozen_dataclass_must_be_one_itself():
    unsafe = Open(1)
    unsafe.shared = []  # this is why
    with pytest.raises(
        NodeError,
        match=r"Open is derived from a frozen dataclass, but .*write @dataclass\(frozen=True\) above Open",
    ):
        sender_of(lambda: Open(1)).run(1.0)
    with pytest.raises(NodeError, match="Open is derived"):
        sender_of(lambda: Closed((Open(1),))).run(1.0)
    assert sender_of(lambda: Closed(1)).run(1.0).at(0.5).nodes["n0"]["heard"] == 2


def test_messages_that_compare_by_identity_are_compared_by_what_they_say():
    scenario = sender_of(lambda: ByIdentity(1))
    assert len(check_determinism(scenario, until=1.0)) == 64
    run = scenario.run(1.0)
    assert run.at(0.5).nodes["n1"]["heard"] == 1
    other = sender_of(lambda: ByIdentity(2)).run(1.0)
    assert run.first_difference(other) == 0


class KeepsItsContext(Node):
    def __init__(self, node_id, peers):
        self.peers = peers
        self.count = 0

    def on_start(self, ctx):
        self.ctx = ctx
        self.tools = {"mine": [ctx]}
        self.ctx.set_timer("tick", 0.01)

    def on_timer(self, ctx, name):
        self.count += 1
        for peer in self.peers:
            self.ctx.send(peer, Base(self.count))
        self.ctx.set_timer("tick", 0.01)


def test_a_node_may_keep_its_context_without_the_whole_world_being_copied():
    run = Scenario(KeepsItsContext, NETWORK).run(0.5)
    fields = run.at(0.3).nodes["n0"]
    assert fields.keys() == {"count", "tools"}
    copied = fields["tools"]["mine"][0]
    assert copied is run.at(0.3).nodes["n0"]["tools"]["mine"][0]  # not a copy
    assert run.check(always(lambda now: now.nodes["n0"]["count"] < 50))
    recording = run.recording()
    assert recording.fields_at(0.3)["n0"]["count"] == fields["count"] == 30
    assert all(change.fields.keys() == {"count"} for change in recording.changes if change.time > 0)


@pytest.mark.parametrize("complete", [False, True])
def test_peers_can_be_joined_with_others_from_either_side(complete):
    peers = Network(topology.full_mesh(3, complete=complete)).peers("n1")
    assert (*peers, "me") == peers + ("me",) == ("n0", "n2", "me")  # noqa: RUF005
    assert ("me",) + peers == ("me", "n0", "n2")  # noqa: RUF005
