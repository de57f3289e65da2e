"""The store on Raft: what its clients see is linearizable; sessions, pre-vote, quorums."""

import pytest

from dscourse.consensus import (
    SAFETY,
    Entry,
    FirstLeads,
    KeyValueNode,
    RaftGateway,
    raft_cluster,
    same_values,
    watched,
)
from dscourse.consistency import CasRegister, History, Register, check_linearizable
from dscourse.exercises.nodes.split_brain import elect, hand_on, lose, restart
from dscourse.exercises.wrong_nodes import split_brain as wrong
from dscourse.exploration import Ask, Deliver, FaultMix, Fire, script, search
from dscourse.simulation import (
    ClockDrift,
    ClosedLoop,
    Crash,
    CutLink,
    Exponential,
    Network,
    Partition,
    Pause,
    Reply,
    Request,
    Scenario,
    holds,
    topology,
)

THREE = ("n0", "n1", "n2")


def linearizable(run):
    return check_linearizable(History.from_run(run), CasRegister())


def operations(client):
    """Every third is a put, a change that often fails, a get; no value is written twice."""
    kinds = (
        lambda i: ("put", "x", f"{client}{i}"),
        lambda i: ("cas", "x", f"{(client + 1) % 3}{i - 1}", f"{client}{i}"),
        lambda i: ("get", "x"),
    )
    return tuple(kinds[i % 3](i) for i in range(12))


def store(members=5, to="g0", node=KeyValueNode, **settings):
    clients = [ClosedLoop(operations(client), Exponential(0.1), to, 1.5) for client in range(3)]
    gateways = 0 if to != "g0" else 1
    return raft_cluster(members, gateways, node=watched(node), clients=clients, **settings)


WAYS = {
    "by the log": {},
    "by rounds": {"reads": "rounds"},
    "by rounds, with pre-vote and check-quorum": {"reads": "rounds", "pre_vote": True, "check_quorum": True},
    "by lease": {"reads": "lease", "check_quorum": True},
}


@pytest.mark.parametrize("way", WAYS)
def test_what_clients_see_is_linearizable_whatever_goes_wrong(way):
    settings = WAYS[way]
    mix = FaultMix(most=6, clocks="lease" not in way)
    properties = (*SAFETY, same_values, holds(linearizable, name="linearizable"))
    found = search(store(patience=0.2, **settings), properties, until=4.0, seeds=20, faults=mix)
    assert found, found


@pytest.mark.parametrize("reads", ["log", "rounds"])
def test_many_operations_get_through(reads):
    run = store(reads=reads).run(6.0)
    assert [one.outcome for one in run.history()].count("ok") >= 24
    assert linearizable(run)


@pytest.mark.parametrize(("node", "settings"), [
    (wrong.AnswersReadsAtOnce, {}),
    (wrong.ReadsBeforeOwnEntry, {"reads": "rounds", "own_entry": False}),
])  # fmt: skip
def test_reads_that_ask_nobody_are_found_out(node, settings):
    scenario = store(3, THREE, node, **settings)
    assert not search(scenario, holds(linearizable), until=4.0, seeds=90, faults=FaultMix(most=6))


LATE_ROUND = (
    *elect("n0", "n1", members=THREE),
    *hand_on("n0", "n1"),
    Ask("n0", ("put", "x", 1)),
    *hand_on("n0", "n1"),
    Fire("n0", "heartbeat"),
    Deliver("n0", "n1", message="AppendEntries"),  # n1 still follows n0; its answer is late
    *lose("n0", "AppendEntries", *6 * ("n2",)),
    *elect("n2", "n1", members=THREE),
    *elect("n2", "n1", attempts=2, members=THREE),
    *elect("n1", "n2", members=THREE),
    *hand_on("n1", "n2", "n2", "n2"),
    Ask("n1", ("put", "x", 2)),
    *hand_on("n1", "n2", "n2"),
    Ask("n0", ("get", "x")),
    Deliver("n1", "n0", message="AppendReply"),
)


@pytest.mark.parametrize(("node", "right"), [(KeyValueNode, True), (wrong.CountsLateRounds, False)])
def test_a_late_answer_to_an_old_round_confirms_no_leadership(node, right):
    def member(node_id, peers):
        return node(node_id, peers, election_timeout=(0.2, 0.2), reads="rounds")

    run = script(member, THREE, LATE_ROUND, skip=True)
    outcomes = {one.operation: (one.outcome, one.value) for one in run.history()}
    assert outcomes["put", "x", 1][0] == outcomes["put", "x", 2][0] == "ok"
    assert outcomes["get", "x"] == (("unknown", None) if right else ("ok", 1))
    assert bool(check_linearizable(History.from_run(run), Register())) is right


def test_a_lease_read_takes_no_message_and_a_round_one():
    for reads, sent in (("lease", 0), ("rounds", 4)):
        reader = ClosedLoop([("get", "x")] * 5, 0.013, "n0", 1.0, start=1.0)
        scenario = raft_cluster(
            3,
            node=FirstLeads,
            clients=[reader],
            reads=reads,
            check_quorum=True,
            heartbeat_interval=0.1,
            latency=0.001,
        )
        run = scenario.run(1.4)
        reading = [one for one in run.history() if one.outcome == "ok"]
        assert len(reading) == 5
        first = reading[1]
        messages = run.trace.select(
            kind="send", between=(first.invoked, first.invoked + 0.004), node=THREE, peer=THREE
        )
        assert len(messages) == sent


def test_a_lease_without_a_quorum_check_is_refused():
    with pytest.raises(ValueError, match="check_quorum=True"):
        KeyValueNode("n0", ("n1",), reads="lease")


def test_a_clock_that_is_slow_by_more_than_a_tenth_breaks_a_lease():
    """The old leader's clock runs at half speed: it believes in its lease when another has been elected."""
    reads = ClosedLoop([("get", "x")] * 200, 0.02, "n0", 0.3)
    writes = ClosedLoop([("put", "x", number) for number in range(200)], 0.02, ("n1", "n2"), 0.3)
    faults = [ClockDrift("n0", -0.7, 0.5), CutLink("n0", "n1", 1.0), CutLink("n0", "n2", 1.0)]
    settings = {
        "check_quorum": True,
        "reads": "lease",
        "election_timeout": (0.5, 1.0),
        "heartbeat_interval": 0.1,
    }
    scenario = raft_cluster(3, node=FirstLeads, clients=[reads, writes], faults=faults, **settings)
    assert not linearizable(scenario.run(5.0))
    assert linearizable(scenario.changed(faults=faults[1:]).run(5.0))


# ── Sessions ──


def lossy(sessions):
    changes = [("cas", "x", None if place == 0 else place - 1, place) for place in range(12)]
    clients = [ClosedLoop(changes, 0.05, "g0", 3.0)]
    return raft_cluster(3, 1, clients=clients, sessions=sessions, patience=0.1)


def test_a_request_that_is_sent_again_is_carried_out_once():
    mix = FaultMix(most=6)
    assert search(lossy(True), holds(linearizable), until=4.0, seeds=40, faults=mix)
    assert not search(lossy(False), holds(linearizable), until=4.0, seeds=40, faults=mix)


def test_a_session_answers_alike_and_forgets_what_nobody_asks_for_again():
    node = KeyValueNode("n0", ("n1", "n2"))
    swap = ("cas", "x", None, 1)
    assert node.apply(("session", "c0", 3, 3, swap)) is None
    assert node.apply(("session", "c0", 3, 3, swap)) is None, "the first answer again, not “not equal”"
    assert node.apply(("session", "c0", 4, 3, swap)) == "not equal"
    assert node.apply(("session", "c0", 5, 5, ("put", "x", 7))) is None
    assert node.sessions["c0"].answers == {5: None}
    assert node.apply(("session", "c0", 3, 3, ("put", "x", 9))) is None
    assert node.values == {"x": 7}, "older than what is remembered: it may have been done, so it is not done"
    assert node.apply("something else") is None


def test_a_gateway_follows_a_hint_once_and_then_waits():
    class Liar(KeyValueNode):
        def on_message(self, ctx, sender, message):
            if isinstance(message, Request):
                ctx.send(sender, Reply(message.number, "fail", "n1" if self.node_id == "n0" else "n0"))

    scenario = raft_cluster(
        2, 1, node=Liar, clients=[ClosedLoop([("put", "x", 1)], 0.1, "g0", 1.0)], attempts=3
    )
    run = scenario.run(3.0)
    assert len(run.trace.select(kind="send", node="g0", peer=("n0", "n1"))) == 6
    assert [one.outcome for one in run.history()] == ["unknown"]


@pytest.mark.parametrize(
    ("settings", "said"), [({"patience": 0.0}, "patience"), ({"attempts": 0}, "attempts")]
)
def test_settings_of_a_gateway_that_are_none(settings, said):
    with pytest.raises(ValueError, match=said):
        RaftGateway("g0", THREE, members=THREE, **settings)


# ── Pre-vote, check-quorum, bridges ──


def leaders(run, after=0.0):
    return [str(event.node) for event in run.trace.select(kind="record", name="leads") if event.time > after]


def test_pre_vote_keeps_a_deaf_member_from_raising_terms():
    deaf = [CutLink(other, "n0", 1.0, one_way=True) for other in ("n1", "n2")]
    for settings, most in (({}, None), ({"pre_vote": True}, 0), ({"check_quorum": True}, 0)):
        run = raft_cluster(3, node=FirstLeads, first="n2", faults=deaf, **settings).run(6.0)
        assert (len(leaders(run, after=1.0)) > 5) if most is None else leaders(run, after=1.0) == []


def test_a_term_that_ran_away_is_learnt_from_a_refused_pre_vote():
    """canonical/raft#279: three of four members are up, and the only one with a new enough log has an old term."""

    def member(kind):
        class Prepared(kind):
            def on_start(self, ctx):
                newest = self.node_id == "n1"
                self.current_term = 1 if newest else 4
                self.log = tuple(Entry(1, place) for place in range(4 if newest else 2))
                self.save(ctx)
                super().on_start(ctx)

        return lambda node_id, peers: Prepared(node_id, peers, pre_vote=True)

    for kind, elected in ((KeyValueNode, ["n1"]), (wrong.PreVoteTeachesNoTerm, [])):
        network = Network(topology.full_mesh(4), latency=0.005)
        run = Scenario(member(kind), network, faults=[Crash("n0", 0.0)], seed=1).run(5.0)
        assert leaders(run) == elected


def test_a_leader_that_reaches_only_a_bridge_steps_down_if_it_checks_its_quorum():
    """databendlabs/openraft#2080: its heartbeats keep the bridge patient, so the others can't elect."""
    faults = [Crash("n4", 0.8), CutLink("n0", "n2", 1.0), CutLink("n0", "n3", 1.0)]
    for check, elected in ((False, False), (True, True)):
        run = raft_cluster(5, node=FirstLeads, faults=faults, pre_vote=True, check_quorum=check).run(8.0)
        assert bool(leaders(run, after=1.0)) is elected


def test_a_minority_commits_nothing_and_a_majority_goes_on():
    cut = Partition([["n0", "n1"], ["n2", "n3", "n4"]], 1.0)
    run = raft_cluster(5, node=FirstLeads, faults=[cut]).run(4.0)
    assert leaders(run, after=1.0)
    assert set(leaders(run, after=1.0)) <= {"n2", "n3", "n4"}
    commits = run.trace.select(kind="record", name="commit", node=("n0", "n1"), between=(1.1, 4.0))
    assert len(commits) == 0


def test_even_sizes_elect_nobody_when_cut_in_half():
    cut = Partition([["n0", "n1"], ["n2", "n3"]], 1.0)
    run = raft_cluster(4, node=FirstLeads, faults=[cut]).run(4.0)
    assert leaders(run, after=1.0) == []


def test_a_paused_leader_comes_back_as_a_follower():
    run = raft_cluster(3, node=FirstLeads, faults=[Pause("n0", 1.0, until=3.0), Crash("n2", 4.0)]).run(8.0)
    assert leaders(run, after=1.0)[0] != "n0"
    assert run.at(3.2).nodes["n0"]["role"] == "follower"
    assert len(leaders(run, after=4.0)) <= 2


def test_a_restarted_member_catches_up(members):
    steps = [*elect("n0", "n1", "n2"), *(Ask("n0", number) for number in range(6)), *restart("n1")]
    steps += [Fire("n0", "heartbeat"), *hand_on("n0", *20 * ("n1",))]
    logs = members.logs(members(steps, most_entries=2))
    assert logs["n1"] == logs["n0"] == "1- 1- 11 12 13 14 15"
