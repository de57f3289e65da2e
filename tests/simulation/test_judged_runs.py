"""A judged run shows what `Run.check` shows, while the run still goes on."""

from dataclasses import dataclass

import pytest

from dscourse.simulation import (
    Constant,
    Crash,
    Network,
    Node,
    OpenLoop,
    Scenario,
    always,
    eventually,
    never,
    topology,
)
from dscourse.simulation.run import judged_run


class Counter(Node):
    """Counts its timers."""

    def on_start(self, ctx):
        self.count = 0
        ctx.set_timer("tick", 0.5)

    def on_timer(self, ctx, name):
        self.count += 1
        ctx.set_timer("tick", 0.5)


SCENARIO = Scenario(
    Counter, Network(topology.full_mesh(8)), faults=[Crash("n0", at=1.0, restart_at=2.0), Crash("n5", at=1.5)]
)


def test_nodes_stand_in_the_networks_order_also_after_a_restart():
    orders = set()
    judged_run(SCENARIO, 3.0, [always(lambda now: orders.add(tuple(now.nodes)) or True, name="looks")])
    names = SCENARIO.node_ids
    assert orders == {
        names,
        names[1:],
        tuple(name for name in names if name not in ("n0", "n5")),
        tuple(name for name in names if name != "n5"),
    }


def test_whoever_asks_a_node_that_is_down_is_told_the_time():
    ask = never(lambda now: now.nodes["n0"]["count"] > 9, name="much")
    with pytest.raises(LookupError, match="n0 is down at 1 s"):
        judged_run(SCENARIO, 3.0, [ask])


def test_the_run_ends_with_what_broke_the_property_even_if_that_is_no_event():
    graph = topology.full_mesh(1)
    graph.nodes["n0"]["service_time"] = Constant(5.0)
    clients = [OpenLoop(["add"], 1.0, "n0", timeout=9.0, repeat=True)]
    scenario = Scenario(Counter, Network(graph, client_latency=Constant(0.2)), clients=clients, seed=1)
    full = never(lambda now: now.queue_length["n0"] > 2, name="a long queue")
    run, broken = judged_run(scenario, 9.0, [full])
    assert broken == (full,)
    assert run.stopped == run.check(full)[0].time == scenario.run(9.0).check(full)[0].time
    assert run.at(run.stopped).queue_length["n0"] == 3


@dataclass(frozen=True)
class Note:
    number: int


class Busy(Node):
    """Says at its start that it leads, and writes some thousand events afterwards."""

    def on_start(self, ctx):
        self.sent = 0
        ctx.record("status", status="leader", label="from the start")
        ctx.set_timer("tick", 0.01)

    def on_timer(self, ctx, name):
        self.sent += 1
        for peer in self.peers:
            ctx.send(peer, Note(self.sent))
        ctx.set_timer("tick", 0.01)


LATE = 9.0
OF_LONG_RUNS = [
    never(lambda now: now.time > LATE and len(now.status) > 1, name="two lead"),
    eventually(lambda now: len(now.status) == 3, after=LATE, name="all lead"),
    eventually(lambda now: len(now.in_flight) > 0, after=LATE, name="something is under way"),
    never(lambda now: now.time > LATE and now.in_flight and now.in_flight[0].sent < 3.0, name="an old one"),
    always(lambda now: now.event is None or now.event.index < 20_000, name="few events"),
]


@pytest.mark.parametrize("wanted", OF_LONG_RUNS, ids=lambda wanted: wanted.name)
@pytest.mark.parametrize("delay", [0.001, 7.0])
def test_a_long_run_forgets_nothing_that_was_not_asked_for_at_once(wanted, delay):
    scenario = Scenario(Busy, Network(topology.full_mesh(3), latency=Constant(delay)))
    run, broken = judged_run(scenario, 10.0, [wanted])
    assert run.event_count > 2_000
    assert bool(broken) == (not scenario.run(10.0).check(wanted))
