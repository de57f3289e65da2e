"""A mix with victims befalls those alone: what a node promises to survive, and no more."""

import pytest

from dscourse.exploration import FaultMix
from dscourse.simulation import ClosedLoop, MessageFault, Network, Node, Partition, Scenario, Silent, topology

CLIENT = ClosedLoop([("read",)], 0.1, "n0", timeout=1.0)
SCENARIO = Scenario(Node, Network(topology.full_mesh(4)), clients=[CLIENT])


def named(fault):
    """The sides that a fault could be put to."""
    if isinstance(fault, Partition):
        return [set(group) for group in fault.groups]
    return [{node} for node in fault.nodes]


@pytest.mark.parametrize(
    "mix", [FaultMix(victims=1, byzantine=(Silent(),)), FaultMix(victims=1, spared=["n0"])]
)
def test_one_victim_has_its_hand_in_every_fault(mix):
    befallen = set()
    for seed in range(500):
        faults = mix.draw(SCENARIO, 10.0, seed)
        candidates = [node for node in SCENARIO.node_ids if all({node} in named(fault) for fault in faults)]
        assert candidates, faults
        befallen |= set(candidates) if len(candidates) == 1 else set()
        assert not any(client in fault.nodes for fault in faults for client in SCENARIO.client_ids)
    assert befallen == set(SCENARIO.node_ids) - set(mix.spared)


def test_messages_to_a_victim_are_befallen_as_those_from_it():
    mix = FaultMix(victims=1, spared=["n0", "n1", "n2"])
    drawn = [fault for seed in range(300) for fault in mix.draw(SCENARIO, 10.0, seed)]
    ends = {(fault.sender == "n3", fault.to == "n3") for fault in drawn if isinstance(fault, MessageFault)}
    assert ends == {(True, False), (False, True)}


def test_without_victims_the_draw_is_what_it_was():
    assert FaultMix().draw(SCENARIO, 10.0, 7) == FaultMix(victims=4).draw(SCENARIO, 10.0, 7)


@pytest.mark.parametrize("victims", [0, -1, 1.5, "n0"])
def test_victims_are_a_count(victims):
    with pytest.raises((TypeError, ValueError), match="victims must be"):
        FaultMix(victims=victims)
