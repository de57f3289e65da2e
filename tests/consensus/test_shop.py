"""A shop sells each item once while one node leads, and the last one twice when two do."""

from functools import partial

import pytest

from dscourse.consensus import ShopNode, sold_twice
from dscourse.exploration import FaultMix, search
from dscourse.simulation import ClosedLoop, Crash, Network, Partition, Scenario, Uniform, holds, topology

NETWORK = Network(topology.full_mesh(5), latency=Uniform(0.02, 0.2))
CUSTOMERS = [
    ClosedLoop(["buy"] * 2, 3.0, "n1", timeout=1.0, start=0.5),
    ClosedLoop(["buy"] * 2, 3.0, "n4", timeout=1.0, start=1.5),
]


def shop(*faults, stock=3, seed=1, customers=CUSTOMERS):
    return Scenario(partial(ShopNode, stock=stock), NETWORK, faults=faults, clients=customers, seed=seed)


def bought(run):
    return [(op.client, op.outcome, op.value) for op in run.history()]


def test_while_one_leads_each_item_goes_to_one_customer():
    run = shop().run(8.0)
    assert bought(run) == [("c0", "ok", 3), ("c1", "ok", 2), ("c0", "ok", 1), ("c1", "fail", None)]
    assert sold_twice(run) == ()
    assert {fields["left"] for fields in run.at(8.0).nodes.values()} == {0}


def test_a_cut_sells_the_last_item_twice():
    cut = Partition([["n0", "n1"], ["n2", "n3", "n4"]], at=2.0, until=7.0)
    run = shop(cut).run(9.0)
    assert bought(run) == [("c0", "ok", 3), ("c1", "ok", 2), ("c0", "ok", 1), ("c1", "ok", 1)]
    assert sold_twice(run) == (1,)


def test_orders_to_a_leader_that_is_gone_stay_unanswered():
    run = shop(Crash("n0", at=0.45)).run(8.0)
    assert bought(run)[0] == ("c0", "unknown", None)
    assert bought(run)[2][1] == "ok"  # by then n1 leads


ONCE = holds(lambda run: not sold_twice(run), name="no item is sold twice")


def test_the_search_finds_the_split_and_shrinks_it_to_one_fault():
    found = search(shop(stock=2), ONCE, until=8.0, seeds=100, faults=FaultMix.only(partitions=True))
    assert len(found.counterexample.faults) == 1
    assert len(found.counterexample.run.scenario.clients) == 2


def test_without_faults_nothing_is_sold_twice():
    assert search(shop(stock=2), ONCE, until=8.0, seeds=200, faults=FaultMix(most=0))


def test_a_stock_is_a_whole_number():
    with pytest.raises(TypeError, match="stock must be a whole number"):
        ShopNode("n0", (), stock=1.5)
