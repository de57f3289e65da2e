"""What can't be worked with is refused at the door, in words that say what would be right."""

import math

import numpy as np
import pandas as pd
import pytest

from dscourse.fault_tolerance import (
    BlockStore,
    DownTogether,
    FrontEnd,
    General,
    Group,
    Part,
    Standby,
    TellLies,
    decisions_of,
    down_together,
    every_fault,
    failure_gaps,
    fault_experiment,
    find_treason,
    fit_weibull,
    generals_agree,
    generals_scenario,
    oral_messages,
    read_scenario,
    reads_answered,
    replay_on_cluster,
    signed_messages,
    simulate_availability,
    system_table,
    tolerates,
)
from dscourse.simulation import Crash


def record(minutes, down=(1, 2, 3), node=0):
    start = pd.Timestamp("2004-01-01") + pd.to_timedelta(list(minutes), unit="min")
    return pd.DataFrame(
        {"system": 7, "node": node, "start": start, "down_min": list(down), "cause": "Hardware"}
    )


def a_run_without_clients():
    return generals_scenario(3, "attack", 0).run(2.0)


PARTS = (Part("a", 0.9), Part("b", 0.9))


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: fit_weibull(None), TypeError, "times must be a list or an array of numbers, got None"),
        (lambda: fit_weibull("12"), TypeError, "times must be a list or an array of numbers, got '12'"),
        (lambda: fit_weibull([[1], [2, 3]]), TypeError, r"times at position 0 must be a number, got \[1\]"),
        (lambda: fit_weibull([True, 2.0]), TypeError, "times at position 0 must be a number, got True"),
        (lambda: fit_weibull([1.0, math.nan]), ValueError, "times at position 1 must be finite, got nan"),
        (lambda: fit_weibull([10**400, 2.0]), ValueError, "times at position 0 is too large"),
        (lambda: fit_weibull([1.0, 0.0]), ValueError, "times must be above 0; 1 of 2 aren't"),
        (lambda: fit_weibull([2.0, 2.0]), ValueError, "at least two different times, got 1"),
        (lambda: fit_weibull([1.0, 2.0]).survival("1"), TypeError, "times must be a list or an array"),
        (lambda: fit_weibull([1.0, 2.0]).hazard([-1.0]), ValueError, "times must be at least 0, got -1"),
        (lambda: failure_gaps(record((0, 1, 2)), 10**400), ValueError, "system must be at most"),
        (lambda: failure_gaps(record((0, 1, 2)), 7, 10**400), ValueError, "node must be at most"),
        (
            lambda: down_together(record((0, 1, 2)), 7).ratio(9),
            LookupError,
            r"that were counted \(1, 2, 3, 4, 5\)",
        ),
        (lambda: down_together(record((0, 1, 2)), 7).ratio([1]), LookupError, r"got \[1\]"),
        (lambda: every_fault(Crash, "r1", 1, [1.0]), TypeError, "nodes must be a list of node ids"),
        (lambda: every_fault(Crash, 3, 1, [1.0]), TypeError, "nodes must be a list of node ids"),
        (lambda: every_fault(Crash, {"r1", "r2"}, 1, [1.0]), TypeError, "nodes must be a list of node ids"),
        (
            lambda: every_fault(Crash, ["r1", "r1"], 1, [1.0]),
            ValueError,
            "name each node once, got 'r1' twice",
        ),
        (lambda: every_fault(Crash, ["r1"], 1, 2.0), TypeError, "moments must be a list of seconds"),
        (lambda: every_fault(lambda *_: None, ["r1"], 1, [2.0]), TypeError, "make must return a fault"),
        (lambda: tolerates(None, [()], until=1.0, claim=str), TypeError, "scenario must be a Scenario"),
        (
            lambda: tolerates(read_scenario(1), 3, until=1.0, claim=str),
            TypeError,
            "fault_sets must be several",
        ),
        (
            lambda: tolerates(read_scenario(1), [Crash("r1", 1.0)], until=1.0, claim=reads_answered),
            TypeError,
            "each of fault_sets must be a list of faults",
        ),
        (
            lambda: tolerates(read_scenario(1), [()], until=1.0, claim=None),
            TypeError,
            "claim must be a function",
        ),
        (lambda: oral_messages(3, {1}, "attack", lies=[1]), TypeError, "lies must say what is told"),
        (
            lambda: oral_messages(3, {1}, "attack", lies={(0, 1, 2): "retreat"}),
            LookupError,
            r"no traitor sends the message \(0, 1, 2\)",
        ),
        (
            lambda: oral_messages(3, {1}, "attack", lies={((0, 2), 1): "retreat"}),
            LookupError,
            r"no traitor sends the message \(\(0, 2\), 1\)",
        ),
        (lambda: signed_messages(3, {1}, "attack", lies="attack"), TypeError, "lies must say what is told"),
        (
            lambda: signed_messages(3, {1}, "attack", lies={(2, 2, 1): ("attack",)}),
            LookupError,
            r"no traitor sends the message \(2, 2, 1\)",
        ),
        (
            lambda: signed_messages(3, {1}, "attack", lies={(2, 1, 2): "attack"}),
            TypeError,
            "what a traitor sends is a tuple of orders",
        ),
        (lambda: find_treason(3, 1, seed=None), TypeError, "seed must be a whole number"),
        (
            lambda: fault_experiment("byzantine", 3, 3),
            ValueError,
            "f must be below the number of generals, 3, got 3",
        ),
        (lambda: fault_experiment("byzantine", attempts="x"), TypeError, "attempts must be a whole number"),
        (lambda: fault_experiment("byzantine", f=10**18), ValueError, "f must be at most 1000"),
        (lambda: generals_scenario(10**18, "attack", 1), ValueError, "this goes up to 2 000 000"),
        (
            lambda: generals_scenario(4, "attack", 1, {1: 2}),
            LookupError,
            "no traitor sends the message 1 of lies",
        ),
        (lambda: generals_scenario(4, "attack", 1, traitors=1), TypeError, "traitors must be a collection"),
        (lambda: replay_on_cluster("attack"), TypeError, "decisions must be what oral_messages returns"),
        (lambda: decisions_of(None), TypeError, "run must be a run of a scenario"),
        (lambda: generals_agree(read_scenario(1).run(1.0)), ValueError, "no general n0 has given an order"),
        (lambda: reads_answered(3), TypeError, "run must be a run, such as"),
        (lambda: reads_answered(a_run_without_clients()), ValueError, "nobody reads in this run"),
        (lambda: General(4, 4, "attack", 1), ValueError, "number must be at most 3"),
        (lambda: General(0, 4, "charge", 1), ValueError, "order must be one of"),
        (lambda: TellLies("attack"), TypeError, "script must be a tuple of lies"),
        (lambda: TellLies((((0,), 1),)), TypeError, "script must be a tuple of lies"),
        (lambda: FrontEnd("r1", 0.1, 2), TypeError, "replicas must be a list of node ids"),
        (lambda: FrontEnd(("r1",), 0.0, 2), ValueError, "patience must be above 0"),
        (lambda: Group(3, PARTS), ValueError, "needed must be at most 2, got 3"),
        (lambda: Group(1, "ab"), TypeError, "members: give parts or groups"),
        (lambda: simulate_availability(PARTS[0], 10**18), ValueError, "trials must be at most"),
        (lambda: Standby("warm", rate=1e9).measure(), ValueError, "this goes up to 1 000 000"),
        (lambda: Standby("hot", timeout=1e300), ValueError, r"timeout must be at most 1e\+09"),
        (lambda: BlockStore().read([1]), TypeError, r"block must be a whole number, got \[1\]"),
        (lambda: BlockStore().read(True), TypeError, "block must be a whole number, got True"),
        (lambda: BlockStore().damage(0, 1), LookupError, "block 1 was never written"),
    ],
)
def test_unfit_input_is_refused_in_words(call, error, words):
    with pytest.raises(error, match=words):
        call()


def test_a_system_whose_failures_came_all_at_once_has_no_rate_and_no_shape():
    row = system_table(record((5, 5, 5)), at_least=3).loc[7]
    assert row["zero gaps"] == 1.0
    assert row[["failures a year", "Weibull shape"]].isna().all()
    assert row["mean repair, h"] == pytest.approx(2 / 60)


def test_repairs_that_all_took_the_same_time_say_nothing_of_their_distribution():
    row = system_table(record((0, 10, 25), down=(4, 4, 4)), at_least=3).loc[7]
    assert math.isnan(row["log-normal gain"])
    assert row["Weibull shape"] > 0


def test_more_nodes_than_there_are_were_never_down_together_and_have_no_ratio():
    together = down_together(record((0, 10, 25)), 7, (1, 2))
    assert isinstance(together, DownTogether)
    assert together.ratio(1) == pytest.approx(1.0)
    assert math.isnan(together.ratio(2))
    assert "at least  2 down: observed 0.00e+00, independent 0.00e+00, ratio nan" in repr(together)


def test_a_fit_holds_at_both_ends_of_time():
    fit = fit_weibull([0.1, 0.2, 5.0, 40.0])
    assert fit.shape < 1
    assert fit.survival([0.0, 1e300]).tolist() == [1.0, 0.0]
    assert fit.hazard(0.0) == math.inf
    assert fit.hazard(np.array([1.0, 2.0])).shape == (2,)
