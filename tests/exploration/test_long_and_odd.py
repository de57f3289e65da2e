"""Long runs, odd factories and schedules: what a search, a shrink and a sweep once got wrong."""

import functools
from dataclasses import dataclass

import numpy as np
import pytest

from dscourse.exploration import FaultMix, Fire, script, search, shrink, sweep
from dscourse.simulation import (
    Constant,
    Empirical,
    Lossy,
    Network,
    Node,
    Scenario,
    always,
    holds,
    never,
    topology,
)


@dataclass(frozen=True)
class Note:
    number: int


class Ticker(Node):
    def __init__(self, node_id, peers, extra=None):
        super().__init__(node_id, peers)
        self.ticks = 0
        self._extra = extra

    def on_start(self, ctx):
        ctx.set_timer("tick", 0.01)

    def on_timer(self, ctx, name):
        self.ticks += 1
        for peer in self.peers:
            ctx.send(peer, Note(self.ticks))
        ctx.set_timer("tick", 0.01)


QUICK = Network(topology.full_mesh(3), latency=Constant(0.001))
NOTHING = FaultMix(most=0)
FEW = never(lambda now: now.nodes.get("n0", {}).get("ticks", 0) >= 5, name="fewer than five")


def test_a_long_run_is_not_taken_for_an_endless_one():
    scenario = Scenario(Ticker, QUICK)
    run = scenario.run(35.0)
    assert run.event_count > 50_000
    few = holds(lambda run: len(run.trace.select(kind="timer", node="n0")) < 10, name="few ticks")
    assert shrink(run, few).run.event_count < run.event_count
    assert (
        search(
            scenario, always(lambda now: True, name="true"), until=35.0, seeds=1, faults=NOTHING
        ).counterexample
        is None
    )


def test_times_of_faults_stay_before_the_healing_however_early_it_is():
    scenario = Scenario(Ticker, Network(topology.full_mesh(3), latency=Constant(1.0)))
    for seed in range(60):
        for heal_at in (0.3, 1.0, 2.0):
            faults = FaultMix(heal_at=heal_at).draw(scenario, 100.0, seed)
            assert all(fault.begins is None or fault.begins < heal_at for fault in faults)


def test_no_more_is_lost_than_allowed_and_victims_without_a_way_out_are_no_mistake():
    scenario = Scenario(Ticker, QUICK)
    draws = [fault for seed in range(200) for fault in FaultMix(loss=0.004).draw(scenario, 5.0, seed)]
    rates = [fault.rate for fault in draws if isinstance(fault, Lossy)]
    assert rates
    assert max(rates) <= 0.004
    star = topology.star(4).to_directed()
    star.remove_edges_from([(leaf, "n0") for leaf in ("n1", "n2", "n3")])
    one_way = Scenario(Ticker, Network(star, latency=Constant(0.1)))
    for seed in range(60):
        one_way.with_faults(*FaultMix(victims=1, spared=("n0",)).draw(one_way, 5.0, seed))


@pytest.mark.parametrize(
    ("factory", "network"),
    [
        (functools.partial(Ticker, extra={1, 2}), QUICK),
        (Ticker, Network(topology.full_mesh(2), latency=Empirical(np.linspace(0.001, 0.002, 1500).tolist()))),
    ],
    ids=["a setting without a form in JSON", "many samples"],
)
def test_what_cannot_be_written_as_code_is_found_all_the_same(factory, network):
    found = search(Scenario(factory, network), FEW, until=1.0, seeds=1, faults=NOTHING).counterexample
    assert found.code.startswith("# This run has settings that can't be written as code")
    assert not found.run.check(FEW)


def test_the_code_of_a_partial_names_it():
    factory = functools.partial(Ticker, extra=None)
    found = search(Scenario(factory, QUICK), FEW, until=1.0, seeds=1, faults=NOTHING).counterexample
    names = {"Scenario": Scenario, "Ticker": Ticker, "partial": functools.partial}
    assert eval(found.code, names).digest() == found.run.digest()


def test_a_script_is_not_searched_in_time():
    run = script(Ticker, ["a", "b"], [Fire("a", "tick")])
    with pytest.raises(TypeError, match='adversary="untimed"'):
        search(run.scenario, FEW, until=3.0, seeds=1)


def test_long_arrays_are_told_apart_and_a_variant_given_twice_is_refused():
    zeros, one = np.zeros(3000), np.zeros(3000)
    one[1500] = 7.0

    def middle(seed, values):
        return {"middle": float(values[1500])}

    done = sweep(middle, {"values": [zeros, one]}, seeds=2)
    again = sweep(middle, {"values": [zeros, one]}, seeds=2, resume=done)
    assert again.summary()["mean"].tolist() == [0.0, 7.0]
    with pytest.raises(ValueError, match="a variant twice"):
        sweep(middle, {"values": [zeros, np.zeros(3000)]}, seeds=2)
