"""A SWIM group at work: probes, suspicion, refutation, rumours, and members that come back."""

from functools import partial

import networkx as nx
import pytest

from dscourse.detection import SwimMember, detector_quality
from dscourse.detection.swim.messages import Ack, Gossip, Ping
from dscourse.detection.swim.rumours import ALIVE, SUSPECT, Rumour
from dscourse.simulation import Crash, CutLink, Partition, Pause, topology


def verdicts(run, peer, observer=None):
    names = ("suspect", "trust", "confirm")
    return [event.name for event in run.trace.select(kind="record", node=observer, peer=peer, name=names)]


def believers(run, peer, name):
    return {event.node for event in run.trace.select(kind="record", peer=peer, name=name)}


def test_nothing_happens_in_a_healthy_group_but_probes(simulate):
    run = simulate(SwimMember, 12, 60.0)
    assert not run.trace.select(kind="record", name=("suspect", "confirm", "trust"))
    assert run.trace.select(kind="send").names == {"Ping", "Ack"}


def test_everybody_learns_of_a_crash(simulate):
    run = simulate(SwimMember, 12, 60.0, faults=[Crash("n3", at=10.0)])
    everybody_else = {f"n{i}" for i in range(12)} - {"n3"}
    assert believers(run, "n3", "suspect") == believers(run, "n3", "confirm") == everybody_else
    assert not run.trace.select(kind="record", peer="n3", name="trust")
    assert not [event for event in run.trace.select(kind="record", name="suspect") if event.peer != "n3"]


@pytest.mark.parametrize(
    ("multiplier", "members", "shortest"), [(4.0, 12, 4.0 * 1.0792), (4.0, 3, 4.0), (2.0, 8, 2.0)]
)
def test_a_suspect_has_at_least_the_shortest_suspicion_to_answer(simulate, multiplier, members, shortest):
    factory = partial(SwimMember, suspicion_multiplier=multiplier)
    run = simulate(factory, members, 60.0, faults=[Crash("n2", at=10.0)])
    begun = run.trace.select(kind="record", peer="n2", name="suspect").times[0]
    ended = run.trace.select(kind="record", peer="n2", name="confirm").times[0]
    assert shortest - 1e-3 <= ended - begun <= 6 * shortest + 1e-3


@pytest.mark.parametrize("seed", range(8))
def test_confirmations_that_are_passed_on_cut_a_suspicion_to_the_shortest(simulate, seed):
    """Left alone it would last six times as long, and with confirmations kept to oneself a little longer at times."""
    run = simulate(SwimMember, 12, 60.0, faults=[Crash("n3", at=10.0)], seed=seed)
    begun = run.trace.select(kind="record", peer="n3", name="suspect").times[0]
    ended = run.trace.select(kind="record", peer="n3", name="confirm").times[0]
    assert ended - begun == pytest.approx(4.0 * 1.0792, abs=0.05)


def test_with_shortest_and_longest_alike_confirmations_change_nothing(simulate):
    factory = partial(SwimMember, suspicion_maximum_multiplier=1.0)
    run = simulate(factory, 6, 40.0, faults=[Partition([["n5"]], at=10.0)])
    begun = run.trace.select(kind="record", peer="n5", name="suspect").times[0]
    ended = run.trace.select(kind="record", peer="n5", name="confirm").times[0]
    assert ended - begun == pytest.approx(4.0, abs=1e-3)


def test_without_suspicion_a_silent_member_is_faulty_at_once(simulate):
    factory = partial(SwimMember, suspicion_multiplier=0)
    run = simulate(factory, 12, 40.0, faults=[Pause("n7", at=10.0, until=13.0)])
    assert believers(run, "n7", "confirm")
    times = [
        run.trace.select(kind="record", peer="n7", name=name).times[0] for name in ("suspect", "confirm")
    ]
    assert times[0] == times[1]


def test_a_paused_member_is_suspected_hears_of_it_and_clears_its_name(simulate):
    run = simulate(SwimMember, 12, 40.0, faults=[Pause("n7", at=10.0, until=13.0)])
    assert believers(run, "n7", "suspect") == believers(run, "n7", "trust") != set()
    assert not run.trace.select(kind="record", name="confirm")
    # its answer beat the accusation by a higher incarnation
    rumours = [
        r for event in run.trace.select(kind="send", between=(13.0, 40.0)) for r in event.message.rumours
    ]
    assert (
        max(rumour.incarnation for rumour in rumours if rumour.member == "n7" and rumour.status == "alive")
        >= 1
    )


def test_a_broken_link_between_two_members_fools_nobody(simulate):
    for one_way in (False, True):
        run = simulate(SwimMember, 8, 60.0, faults=[CutLink("n0", "n3", at=5.0, one_way=one_way)])
        assert run.trace.select(kind="send", name="PingRequest")
        assert not run.trace.select(kind="record", name=("suspect", "confirm"))


def test_without_indirect_probes_a_broken_link_raises_suspicion(simulate):
    run = simulate(partial(SwimMember, indirect_probes=0), 8, 60.0, faults=[CutLink("n0", "n3", at=5.0)])
    assert believers(run, "n3", "suspect") | believers(run, "n0", "suspect")


@pytest.mark.parametrize("indirect", [1, 2, 3])
def test_a_missed_answer_costs_at_most_four_messages_for_each_helper(simulate, indirect):
    quiet = simulate(partial(SwimMember, indirect_probes=indirect), 8, 60.0)
    broken = simulate(
        partial(SwimMember, indirect_probes=indirect), 8, 60.0, faults=[CutLink("n0", "n3", at=0.0)]
    )
    missed = len(broken.trace.select(kind="send", name="PingRequest")) // indirect
    # the ping gets no answer (one message less); each helper: request, ping, two acknowledgements
    extra = len(broken.trace.select(kind="send")) - len(quiet.trace.select(kind="send"))
    assert missed > 5
    assert extra == missed * (4 * indirect - 1)


@pytest.mark.parametrize("members", [10, 40, 160])
def test_load_is_two_messages_a_period_whatever_the_size(simulate, members):
    run = simulate(SwimMember, members, 20.0)
    assert len(run.trace.select(kind="send")) / members / 20 == pytest.approx(2.0, rel=0.03)


@pytest.mark.parametrize("back_at", [11.0, 45.0])
def test_a_rebooted_member_is_believed_again_whether_or_not_it_was_missed(simulate, back_at):
    run = simulate(SwimMember, 8, 90.0, faults=[Crash("n3", at=10.0, restart_at=back_at)], loss=0.02, seed=4)
    for observer in (f"n{i}" for i in (0, 1, 2, 4, 5, 6, 7)):
        last = verdicts(run, "n3", observer)[-1:]
        assert last in ([], ["trust"])
    assert not verdicts(run, "n3") or "trust" in verdicts(run, "n3")


def test_a_group_that_was_cut_in_two_grows_together_again(simulate):
    halves = [["n0", "n1", "n2"], ["n3", "n4", "n5", "n6"]]
    run = simulate(SwimMember, 7, 200.0, faults=[Partition(halves, at=10.0, until=70.0)])
    assert len(run.trace.select(kind="record", name="confirm")) >= 3 * 4 * 2
    for observer in run.nodes:
        for peer in run.nodes:
            assert verdicts(run, peer, observer)[-1:] in ([], ["trust"])
    assert detector_quality(run, verdict="confirm").query_accuracy < 1


def test_gossip_of_its_own_spreads_news_faster_than_probes_alone(simulate):
    def spread(**settings):
        run = simulate(partial(SwimMember, **settings), 60, 40.0, faults=[Crash("n3", at=5.0)])
        heard = sorted(run.trace.select(kind="record", peer="n3", name="suspect").times)
        return heard[-1] - heard[0]

    assert spread(gossip_interval=0.2) < spread(gossip_interval=None) / 1.5


@pytest.mark.parametrize(
    ("settings", "error"),
    [
        ({"ack_timeout": 1.0}, ValueError),
        ({"period": 0}, ValueError),
        ({"indirect_probes": -1}, ValueError),
        ({"indirect_probes": 1.5}, TypeError),
        ({"probe_order": "alphabetical"}, ValueError),
        ({"suspicion_multiplier": -1}, ValueError),
        ({"suspicion_maximum_multiplier": 0.5}, ValueError),
        ({"retransmit_multiplier": 0}, ValueError),
        ({"gossip_interval": 0}, ValueError),
        ({"gossip_nodes": 0}, ValueError),
    ],
)
def test_impossible_settings_are_refused(settings, error):
    with pytest.raises(error):
        SwimMember("n0", ("n1", "n2"), **settings)


def test_a_member_can_be_asked_what_it_believes(ctx):
    member = SwimMember("n0", ("n1", "n2", "n3"))
    member.on_start(ctx)
    assert (member.status_of("n1"), member.suspected, member.faulty) == ("alive", [], [])
    member.on_message(ctx, "n1", Gossip((Rumour("n2", SUSPECT, 0, "n1"), Rumour("n3", "faulty", 0))))
    assert [member.status_of(peer) for peer in ("n1", "n2", "n3")] == ["alive", "suspect", "faulty"]
    assert (member.suspected, member.faulty) == (["n2"], ["n3"])


def test_in_a_group_that_is_no_full_mesh_a_crash_is_still_found(simulate):
    run = simulate(SwimMember, 6, 60.0, faults=[Crash("n1", at=5.0)], graph=topology.ring(6))
    assert believers(run, "n1", "confirm") >= {"n0", "n2"}
    assert not [event for event in run.trace.select(kind="record", name="confirm") if event.peer != "n1"]
    assert detector_quality(run).query_accuracy == 1.0


def test_a_suspicion_of_a_newer_incarnation_gives_the_suspect_the_full_time_again(ctx):
    member = SwimMember("n0", ("n1", "n2", "n3", "n4"))
    member.on_start(ctx)
    member.on_message(ctx, "n1", Gossip((Rumour("n2", SUSPECT, 0, "n1"),)))
    longest = ctx.timers["suspicion n2"]
    ctx.now = 20.0  # n2 has refuted, which n0 missed, and was suspected anew
    member.on_message(ctx, "n1", Gossip((Rumour("n2", SUSPECT, 1, "n1"),)))
    assert ctx.timers["suspicion n2"] == pytest.approx(20.0 + longest)
    assert [kind for kind, _ in ctx.records].count("suspect") == 1  # it was suspected all along


def said_in_person(ctx, member):
    return [message for to, message in ctx.sent if to == member and isinstance(message, Gossip)]


@pytest.mark.parametrize("status", ["suspect", "faulty"])
def test_who_holds_old_news_about_a_member_is_answered_in_person_and_once(ctx, status):
    member = SwimMember("n0", ("n1", "n2", "n3"))
    ctx.stored = 1  # a second boot: incarnation 2
    member.on_start(ctx)
    member.on_message(ctx, "n1", Ack(7, (Rumour("n0", status, 0, "n2"),)))
    assert said_in_person(ctx, "n1") == [Gossip((Rumour("n0", ALIVE, 2),))]
    assert member.incarnation == 2  # its answer is known already, and need not be raised
    member.on_message(ctx, "n1", Ping(8))
    assert ctx.sent[-1] == ("n1", Ack(8))  # nor told to everybody again


def test_what_is_new_is_contradicted_before_all(ctx):
    member = SwimMember("n0", ("n1", "n2", "n3"))
    member.on_start(ctx)
    member.on_message(ctx, "n1", Ping(7, (Rumour("n0", SUSPECT, 0, "n2"),)))
    assert ctx.sent[-1] == ("n1", Ack(7, (Rumour("n0", ALIVE, 1),)))
    member.on_message(ctx, "n2", Ping(8, (Rumour("n0", SUSPECT, 0, "n2"),)))
    assert ctx.sent[-1] == ("n2", Ack(8, (Rumour("n0", ALIVE, 1),)))  # still being passed on
    assert not said_in_person(ctx, "n2")
    assert ctx.stored == 1


def test_whoever_speaks_though_it_is_held_faulty_is_told_so(ctx):
    member = SwimMember("n0", ("n1", "n2", "n3"))
    member.on_start(ctx)
    held = Rumour("n2", "faulty", 3)
    member.on_message(ctx, "n1", Gossip((held,)))
    member.on_message(ctx, "n2", Ping(9))
    assert held in ctx.sent[-1][1].rumours


def test_a_link_that_leads_one_way_only_fools_nobody_as_long_as_others_can_help(simulate):
    graph = nx.complete_graph([f"n{i}" for i in range(6)]).to_directed()
    graph.remove_edge("n3", "n0")  # n3 hears n0 and can't answer
    run = simulate(SwimMember, 6, 60.0, graph=graph, faults=[Crash("n5", at=20.0)])
    assert run.trace.select(kind="send", node="n0", name="PingRequest", between=(0.0, 20.0))
    assert {event.peer for event in run.trace.select(kind="record", name="suspect")} == {"n5"}
    assert believers(run, "n5", "confirm") == {"n0", "n1", "n2", "n3", "n4"}
