"""Random schedules of faults over a small gossip protocol: what must hold whatever goes wrong."""

from collections import Counter
from dataclasses import dataclass

from hypothesis import HealthCheck, given, settings, strategies as st

from dscourse.simulation import (
    Byzantine,
    ClockDrift,
    ClockOffset,
    Corrupt,
    Crash,
    CutLink,
    Duplicate,
    Equivocate,
    Exponential,
    Heal,
    Lossy,
    Network,
    Node,
    OpenLoop,
    Partition,
    Pause,
    Reply,
    Request,
    Restart,
    Resume,
    Scenario,
    Silent,
    Slow,
    topology,
)

IDS = [f"n{i}" for i in range(4)]
END = 6.0


@dataclass(frozen=True)
class Rumour:
    heat: int


class Gossip(Node):
    """Passes every rumour on to a random peer until it has cooled down; starts one now and then."""

    def __init__(self, node_id, peers):
        self._peers = peers
        self.heard = 0

    def on_start(self, ctx):
        self.heard = ctx.stored or 0
        ctx.set_timer("start", 0.2 + ctx.rng.random() / 5)

    def on_timer(self, ctx, name):
        self._pass_on(ctx, 5)
        ctx.set_timer("start", 0.2 + ctx.rng.random() / 5)

    def on_message(self, ctx, sender, message):
        if isinstance(message, Request):
            ctx.send(sender, Reply(message.number, "ok", self.heard))
        elif message.heat > 0:
            self.heard += 1
            ctx.save(self.heard)
            self._pass_on(ctx, message.heat - 1)

    def _pass_on(self, ctx, heat):
        ctx.send(self._peers[int(ctx.rng.random() * len(self._peers))], Rumour(min(heat, 5)))


times = st.integers(0, 24).map(lambda quarter: quarter / 4)  # coarse, so that faults meet at one instant
nodes = st.sampled_from(IDS)
links = st.permutations(IDS).map(lambda ids: (ids[0], ids[1]))
rates = st.sampled_from([0.0, 0.2, 0.7, 1.0])
behaviours = st.sampled_from([Silent(), Silent(("n1",)), Equivocate("heat", (1, 3)), Corrupt(0.5)])


@st.composite
def intervals(draw):
    begin = draw(times)
    return {
        "at": begin,
        "until": draw(st.none() | st.integers(1, 12).map(lambda quarter: begin + quarter / 4)),
    }


@st.composite
def groups(draw):
    parties = [*IDS, "c0"]
    chosen = draw(
        st.lists(
            st.lists(st.sampled_from(parties), min_size=1, max_size=4, unique=True), min_size=1, max_size=3
        )
    )
    return [sorted(group) for group in chosen]


faults = st.one_of(
    st.builds(lambda node, span: Crash(node, at=span["at"], restart_at=span["until"]), nodes, intervals()),
    st.builds(Restart, nodes, times),
    st.builds(lambda node, span: Pause(node, **span), nodes, intervals()),
    st.builds(Resume, nodes, times),
    st.builds(lambda parties, span: Partition(parties, **span), groups(), intervals()),
    st.builds(
        lambda link, span, one_way: CutLink(*link, **span, one_way=one_way), links, intervals(), st.booleans()
    ),
    st.builds(Heal, times, st.none() | links),
    st.builds(lambda rate, span, link: Lossy(rate, **span, link=link), rates, intervals(), st.none() | links),
    st.builds(
        lambda rate, span, link: Duplicate(rate, **span, link=link), rates, intervals(), st.none() | links
    ),
    st.builds(
        lambda factor, span, node: Slow(factor, **span, node=node),
        st.sampled_from([0.5, 10.0]),
        intervals(),
        st.none() | nodes,
    ),
    st.builds(ClockOffset, nodes, st.sampled_from([-2.0, 3.0]), times),
    st.builds(ClockDrift, nodes, st.sampled_from([-0.5, 0.0, 1.0]), times),
    st.builds(
        lambda node, behaviour, span: Byzantine(node, behaviour, **span), nodes, behaviours, intervals()
    ),
)


@st.composite
def scenarios(draw):
    graph = topology.full_mesh(4)
    graph.nodes["n3"].update(service_time=Exponential(0.02), queue_limit=3)
    graph.edges["n0", "n1"].update(capacity=20.0, queue_limit=2)
    network = Network(graph, latency=Exponential(0.08), loss=0.05, duplication=0.05)
    client = OpenLoop(["how many?"], 4.0, IDS, 0.5, repeat=True)
    return Scenario(
        Gossip,
        network,
        faults=draw(st.lists(faults, max_size=8)),
        clients=[client],
        seed=draw(st.integers(0, 1000)),
        shuffle_ties=draw(st.booleans()),
    )


modest = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])


class Truth:
    """Who is up, paused and cut off from whom, worked out from the fault events of the trace alone, the plain way."""

    def __init__(self, scenario):
        self.down = set()
        self.paused = {}
        self.partitions = []
        self.cuts = []
        self.clients = set(scenario.client_ids)

    def take(self, event):
        fault, phase = event.detail["fault"], event.detail["phase"]
        if event.detail.get("moot"):
            return
        match event.name, phase:
            case "Crash", "start":
                self.down.add(event.node)
                self.paused.pop(event.node, None)
            case ("Crash", "end") | ("Restart", "start"):
                self.down.discard(event.node)
            case "Pause", "start":
                self.paused[event.node] = event.index
            case ("Pause", "end") | ("Resume", "start"):
                self.paused.pop(event.node, None)
            case "Partition", "start":
                self.partitions.append(fault)
            case "Partition", "end":
                self.partitions.remove(fault)
            case "CutLink", "start":
                self.cuts.append(fault)
            case "CutLink", "end":
                self.cuts.remove(fault)
            case "Heal", "start":
                link = fault.get("link")
                if link is None:
                    self.partitions = []
                self.cuts = [
                    cut for cut in self.cuts if link is not None and {cut["a"], cut["b"]} != set(link)
                ]

    def can_talk(self, a, b):
        for cut in self.cuts:
            if (cut["a"], cut["b"]) == (a, b) or (not cut.get("one_way") and (cut["b"], cut["a"]) == (a, b)):
                return False
        return all(self._within(partition["groups"], a, b) for partition in self.partitions)

    def _within(self, groups, a, b):
        named = {process for group in groups for process in group}
        if any(party in self.clients and party not in named for party in (a, b)):
            return True
        rest = [process for process in IDS if process not in named]
        return any(a in group and b in group for group in [*groups, rest])


@given(scenarios())
@modest
def test_the_laws_of_the_trace(scenario):
    run = scenario.run(END)
    truth, sent, outcomes, last = Truth(scenario), {}, Counter(), 0
    for event in run.trace:
        assert last <= event.time_us < END * 1e6  # time never goes backward
        last = event.time_us
        match event.kind:
            case "fault":
                truth.take(event)
            case "send":
                assert event.message_id not in sent  # one sending each
                assert event.node not in truth.down
                assert event.node not in truth.paused
                sent[event.message_id] = event
            case "deliver" | "drop":
                origin = sent[event.message_id]  # every delivery has one matching send, before it
                assert (origin.node, origin.peer, origin.message) == (event.peer, event.node, event.message)
                copy = event.detail.get("copy", 0)
                assert copy < origin.detail.get("copies", 1)
                outcomes[event.message_id, copy] += 1
                if event.kind == "deliver":
                    assert event.node not in truth.down  # nothing is delivered to a crashed node
                    assert event.node not in truth.paused
                    if (
                        "arrived" not in event.detail
                    ):  # what waited in a queue had come through before a later cut
                        assert truth.can_talk(event.peer, event.node)
                elif event.name == "cut":
                    assert not truth.can_talk(event.peer, event.node)
                elif event.name == "crashed":
                    assert event.node in truth.down
            case "timer":
                assert event.node not in truth.down
                assert event.node not in truth.paused
    assert set(outcomes.values()) <= {1}
    end = run.at(END)
    assert {node for node, condition in end.condition.items() if condition == "crashed"} == truth.down
    assert {node for node, condition in end.condition.items() if condition == "paused"} == set(truth.paused)
    open_ = {(m.message_id, m.copy) for m in end.in_flight} | {
        (m.message_id, m.copy) for ms in end.waiting.values() for m in ms
    }
    everything = {
        (number, copy) for number, event in sent.items() for copy in range(event.detail.get("copies", 1))
    }
    assert open_ | set(outcomes) == everything  # no message vanishes
    assert not open_ & set(outcomes)
    assert all(end.can_talk(a, b) == truth.can_talk(a, b) for a in IDS for b in IDS if a != b)


@given(scenarios(), times, st.lists(faults, min_size=1, max_size=3))
@modest
def test_a_forked_run_shares_its_prefix_exactly(scenario, t, more):
    run = scenario.run(END)
    later = [fault for fault in more if fault.at >= t]
    fork = run.fork(t, *later)
    before, after = (
        [repr(event) + repr(event.detail) for event in r.trace if event.time < t] for r in (run, fork)
    )
    assert before == after
    if t > 0:
        a, b = run.at(t - 1e-6), fork.at(t - 1e-6)
        assert (a.nodes, a.condition, a.in_flight, a.waiting) == (
            b.nodes,
            b.condition,
            b.in_flight,
            b.waiting,
        )
    assert fork.digest() == scenario.with_faults(*scenario.faults, *later).run(END).digest()


@given(scenarios())
@modest
def test_the_same_run_traced_or_not_watched_or_not_and_from_json(scenario):
    run = scenario.run(END)
    assert scenario.run(END, trace=False).digest() == run.digest()
    assert Scenario.from_json(scenario.to_json(), Gossip).run(END).digest() == run.digest()
    recording = run.recording()  # goes the long way and raises if the trace differs
    for t in (0.0, 1.1, 3.0, 5.99):
        assert recording.fields_at(t) == run.at(t).nodes


@given(scenarios())
@settings(max_examples=20, deadline=None)
def test_the_causal_past_of_an_event_holds_what_led_to_it_and_nothing_later(scenario):
    run = scenario.run(2.5)
    events = list(run.trace)
    origin = {event.message_id: event.index for event in events if event.kind == "send"}
    for event in [event for event in events if event.kind in ("deliver", "timer", "ok")][-2:]:
        expected, pending = set(), [event.index]
        while pending:  # the plain way, step by step: the event before at the same node, and the sending
            index = pending.pop()
            if index in expected:
                continue
            expected.add(index)
            here = events[index]
            if here.kind == "deliver":
                pending.append(origin[here.message_id])
            pending += [e.index for e in events[:index] if e.node == here.node and e.kind != "drop"][-1:]
        assert set(run.trace.causes(event).indices.tolist()) == expected
