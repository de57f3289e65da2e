"""Each kind of fault in one short example. Read them as documentation.

In all of them every node sends a Tick with its number to its peers every second, over links that take 100 ms. What a
node has heard stands in its field ``heard``.
"""

from dataclasses import dataclass

from dscourse.simulation import (
    Byzantine,
    ClockDrift,
    ClockOffset,
    Constant,
    Corrupt,
    Crash,
    CutLink,
    Duplicate,
    Equivocate,
    Heal,
    Lossy,
    Network,
    Node,
    Partition,
    Pause,
    Restart,
    Resume,
    Scenario,
    Silent,
    Slow,
    topology,
)


@dataclass(frozen=True)
class Tick:
    number: int


class Ticker(Node):
    def __init__(self, node_id, peers):
        self.peers = peers
        self.number = 0
        self.heard = []  # (sender, number, when by my own clock)

    def on_start(self, ctx):
        self.number = ctx.stored or 0
        ctx.set_timer("tick", 1.0)

    def on_timer(self, ctx, name):
        self.number += 1
        ctx.save(self.number)
        for peer in self.peers:
            ctx.send(peer, Tick(self.number))
        ctx.set_timer("tick", 1.0)

    def on_message(self, ctx, sender, message):
        self.heard.append((sender, message.number, round(ctx.now, 6)))


def tick(*faults, nodes=2, until=5.5):
    return Scenario(Ticker, Network(topology.full_mesh(nodes), latency=Constant(0.1)), faults=faults).run(
        until
    )


def heard(run, node="n1", sender="n0"):
    """What a node has heard from another by the end: numbers and times."""
    return [(number, when) for who, number, when in run.at(run.until).nodes[node]["heard"] if who == sender]


def drops(run):
    return [(event.time, event.peer, event.node, event.name) for event in run.trace.select(kind="drop")]


def test_without_faults_every_tick_arrives_a_tenth_of_a_second_later():
    assert heard(tick()) == [(1, 1.1), (2, 2.1), (3, 3.1), (4, 4.1), (5, 5.1)]


def test_crash_takes_memory_and_timers_and_leaves_what_was_saved():
    run = tick(Crash("n1", at=2.5, restart_at=4.0))
    assert run.at(3.0).condition == {"n0": "up", "n1": "crashed"}
    assert drops(run) == [(3.1, "n0", "n1", "crashed")]
    assert heard(run) == [(4, 4.1), (5, 5.1)]  # what it had heard before is forgotten
    assert heard(run, "n0", "n1") == [(1, 1.1), (2, 2.1), (3, 5.1)]  # the count went on from stable storage


def test_a_message_that_was_sent_before_the_crash_still_travels():
    run = tick(Crash("n0", at=1.05))
    assert heard(run) == [(1, 1.1)]


def test_restart_boots_a_crashed_node():
    run = tick(Crash("n1", at=2.5), Restart("n1", at=4.0))
    assert run.digest() != tick(Crash("n1", at=2.5)).digest()
    assert heard(run) == [(4, 4.1), (5, 5.1)]


def test_pause_keeps_memory_and_makes_everything_late():
    run = tick(Pause("n1", at=1.5, until=4.25))
    assert run.at(4.0).condition["n1"] == "paused"
    assert run.at(4.0).queue_length["n1"] == 2
    assert heard(run) == [(1, 1.1), (2, 4.25), (3, 4.25), (4, 4.25), (5, 5.1)]
    assert heard(run, "n0", "n1") == [
        (1, 1.1),
        (2, 4.35),
        (3, 5.35),
    ]  # one timer was due at 2 s and ran at 4.25 s


def test_resume_ends_a_pause():
    assert heard(tick(Pause("n1", at=1.5), Resume("n1", at=4.25))) == heard(
        tick(Pause("n1", at=1.5, until=4.25))
    )


def test_partition_lets_only_members_of_the_same_group_talk():
    run = tick(Partition([["n0", "n1"], ["n2", "n3"]], at=1.5, until=3.5), nodes=4)
    assert [number for number, _ in heard(run, "n1", "n0")] == [1, 2, 3, 4, 5]
    assert [number for number, _ in heard(run, "n2", "n0")] == [1, 4, 5]
    assert run.at(2.0).can_talk("n2", "n3")
    assert not run.at(2.0).can_talk("n1", "n2")
    assert {reason for *_, reason in drops(run)} == {"cut"}


def test_partition_with_a_bridge_two_groups_share_one_node():
    run = tick(Partition([["n0", "n1"], ["n1", "n2"]], at=0.5), nodes=3)
    assert len(heard(run, "n1", "n0")) == len(heard(run, "n2", "n1")) == 5
    assert heard(run, "n2", "n0") == []


def test_partition_into_a_ring_of_majorities_each_node_sees_another_majority():
    ids = [f"n{i}" for i in range(5)]
    groups = [[ids[i], ids[(i + 1) % 5], ids[(i + 2) % 5]] for i in range(5)]
    moment = tick(Partition(groups, at=0.5), nodes=5).at(1.0)
    assert all(moment.can_talk(a, b) for a in ids for b in ids)  # any two share a majority

    pairs = [[ids[i], ids[(i + 1) % 5]] for i in range(5)]
    moment = tick(Partition(pairs, at=0.5), nodes=5).at(1.0)
    assert [b for b in ids if moment.can_talk("n0", b)] == ["n0", "n1", "n4"]
    assert [b for b in ids if moment.can_talk("n2", b)] == ["n1", "n2", "n3"]


def test_partition_nodes_in_no_group_form_one_further_group():
    moment = tick(Partition([["n0"]], at=0.5), nodes=3).at(1.0)
    assert moment.can_talk("n1", "n2")
    assert moment.cuts == (("n0", "n1"), ("n0", "n2"), ("n1", "n0"), ("n2", "n0"))


def test_cut_link_in_both_directions():
    run = tick(CutLink("n0", "n1", at=1.5, until=3.5), nodes=3)
    assert [number for number, _ in heard(run, "n1", "n0")] == [1, 4, 5]
    assert [number for number, _ in heard(run, "n0", "n1")] == [1, 4, 5]
    assert [number for number, _ in heard(run, "n2", "n1")] == [1, 2, 3, 4, 5]


def test_cut_link_in_one_direction():
    run = tick(CutLink("n0", "n1", at=1.5, one_way=True))
    assert [number for number, _ in heard(run, "n1", "n0")] == [1]
    assert [number for number, _ in heard(run, "n0", "n1")] == [1, 2, 3, 4, 5]


def test_heal_ends_all_partitions_and_cuts_or_the_cuts_of_one_link():
    cuts = (CutLink("n0", "n1", at=0.5), CutLink("n0", "n2", at=0.5), Partition([["n3"]], at=0.5))
    everything = tick(*cuts, Heal(at=2.5), nodes=4)
    assert everything.at(3.0).cuts == ()
    one_link = tick(*cuts, Heal(at=2.5, link=("n1", "n0")), nodes=4).at(3.0)
    assert one_link.can_talk("n0", "n1")
    assert not one_link.can_talk("n0", "n2")
    assert not one_link.can_talk("n0", "n3")


def test_lossy_loses_a_share_of_the_messages():
    run = tick(Lossy(0.3, at=0.0), until=1000.5)
    assert 240 < len(run.trace.select(kind="drop", node="n1", name="lost")) < 360
    run = tick(Lossy(1.0, at=1.5, until=3.5, link=("n1", "n0")), nodes=3)
    assert [number for number, _ in heard(run, "n1", "n0")] == [1, 4, 5]
    assert [number for number, _ in heard(run, "n2", "n0")] == [1, 2, 3, 4, 5]


def test_slow_link_and_slow_node():
    link = tick(Slow(5, at=1.5, until=3.5, link=("n0", "n1")), nodes=3)
    assert heard(link, "n1", "n0") == [(1, 1.1), (2, 2.5), (3, 3.5), (4, 4.1), (5, 5.1)]
    assert heard(link, "n2", "n0")[1] == (2, 2.1)
    node = tick(Slow(5, at=1.5, node="n0"), nodes=3)
    assert heard(node, "n1", "n0")[1] == (2, 2.5)
    assert heard(node, "n0", "n1")[1] == (2, 2.5)
    assert heard(node, "n2", "n1")[1] == (2, 2.1)


def test_duplicate_delivers_twice_and_delays_the_copy_on_its_own():
    run = tick(Duplicate(1.0, at=1.5, until=2.5))
    assert [number for number, _ in heard(run)] == [1, 2, 2, 3, 4, 5]
    first, second = run.trace.select(kind="deliver", node="n1", between=(2.0, 3.0))
    assert first.message_id == second.message_id
    assert (first.detail, second.detail) == ({}, {"copy": 1})


def test_clock_offset_steps_what_the_node_reads_and_moves_no_timer():
    run = tick(ClockOffset("n1", 100.0, at=1.5))
    assert heard(run) == [(1, 1.1), (2, 102.1), (3, 103.1), (4, 104.1), (5, 105.1)]
    assert [number for number, _ in heard(run, "n0", "n1")] == [1, 2, 3, 4, 5]
    assert run.at(2.0).clock == {"n0": 2.0, "n1": 102.0}


def test_clock_drift_makes_timers_run_fast():
    run = tick(ClockDrift("n1", 1.0, at=0.0))  # two local seconds in one true second
    assert [when for _, when in heard(run, "n0", "n1")][:3] == [0.6, 1.1, 1.6]
    assert heard(run)[0] == (1, 2.2)
    assert run.at(3.0).clock["n1"] == 6.0


def test_byzantine_silence():
    run = tick(Byzantine("n0", Silent(to=("n1",)), at=1.5, until=3.5), nodes=3)
    assert [number for number, _ in heard(run, "n1", "n0")] == [1, 4, 5]
    assert [number for number, _ in heard(run, "n2", "n0")] == [1, 2, 3, 4, 5]


def test_byzantine_equivocation_tells_each_peer_something_else():
    run = tick(Byzantine("n0", Equivocate("number", (70, 80)), at=1.5, until=3.5), nodes=4)
    assert [number for number, _ in heard(run, "n1", "n0")] == [1, 80, 80, 4, 5]
    assert [number for number, _ in heard(run, "n2", "n0")] == [1, 70, 70, 4, 5]
    lies = run.trace.select(kind="send", node="n0", between=(2.0, 2.5))
    assert {event.detail["byzantine"] for event in lies} == {"Equivocate"}


def test_byzantine_corruption_spoils_a_field():
    run = tick(Byzantine("n0", Corrupt(), at=1.5, until=3.5))
    (_, first), (_, second) = [(i, number) for i, (number, _) in enumerate(heard(run))][1:3]
    assert first != 2
    assert second != 3
    assert [number for number, _ in heard(run)][3:] == [4, 5]
