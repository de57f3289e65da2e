"""Each argument goes through its checker; the checkers meet odd values in tests/test_arguments.py.

And what a record of failures may lack.
"""

import math

import networkx as nx
import pandas as pd
import pytest

from dscourse.fault_tolerance import (
    DownTogether,
    Group,
    Part,
    Standby,
    all_of,
    any_of,
    at_least,
    availability_from_times,
    decisions_of,
    down_together,
    downtime_per_year,
    every_fault,
    failure_gaps,
    fault_experiment,
    find_treason,
    fit_weibull,
    generals_agree,
    generals_scenario,
    k_of_n,
    nines,
    oral_message_count,
    oral_messages,
    parallel,
    parts_of,
    product_rule,
    reach_scenario,
    read_scenario,
    reads_answered,
    replay_on_cluster,
    replicas_needed,
    replicated_service,
    series,
    signed_messages,
    simulate_availability,
    single_points_of_failure,
    system_availability,
    system_table,
    tolerates,
)
from dscourse.simulation import Crash


def record(minutes, down=(1, 2, 3), node=0):
    start = pd.Timestamp("2004-01-01") + pd.to_timedelta(list(minutes), unit="min")
    return pd.DataFrame(
        {"system": 7, "node": node, "start": start, "down_min": list(down), "cause": "Hardware"}
    )


RECORD = record((0, 1, 2))
READS = read_scenario(1)
LINE = nx.Graph([("f", "a")])
PARTS = (Part("a", 0.9), Part("b", 0.9))
MANY = [Part(str(i), 0.9) for i in range(19)]
SHARE = "must lie between 0 and 1, got 99; for 99 per cent write 0.99"
NO_WHOLE = "must be a whole number, got 2.5"
NO_PART = "must be a part or a group, such as any_of(a, b), got 3"


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: series(0.9, 99), ValueError, f"availability {SHARE}"),
        (lambda: series(), TypeError, "series needs at least one availability, such as series(0.99, 0.999)"),
        (lambda: parallel([0.9, 0.8]), TypeError, "availability must be a number, got [0.9, 0.8]"),
        (lambda: k_of_n(4, 3, 0.9), ValueError, "k must be at most 3, got 4"),
        (lambda: k_of_n(1, 2.5, 0.9), TypeError, f"n {NO_WHOLE}"),
        (lambda: k_of_n(1, 3, 99), ValueError, f"availability {SHARE}"),
        (lambda: nines(99), ValueError, f"availability {SHARE}"),
        (lambda: downtime_per_year(99), ValueError, f"availability {SHARE}"),
        (lambda: availability_from_times(0, 1), ValueError, "mean_time_to_failure must be above 0, got 0"),
        (lambda: availability_from_times(1, -1), ValueError, "mean_time_to_repair must be at least 0, got -1"),
        (lambda: Part("disk", 99), ValueError, f"availability of disk {SHARE}"),
        (lambda: Part(" ", 0.9), ValueError, "name must not be empty"),
        (lambda: Part("disk", 0.9, needs="rack"), TypeError, "needs of disk must be parts and groups, such as ["),
        (lambda: any_of(0.9, 0.99), TypeError, "members must be parts and groups, such as [Part('rack', 0.999)], got"),
        (lambda: all_of(), ValueError, "needed must be at least 1, got 0"),
        (lambda: at_least(3, *PARTS), ValueError, "needed must be at most 2, got 3"),
        (lambda: Group(1, "ab"), TypeError, "members must be parts and groups"),
        (lambda: system_availability(3), TypeError, f"structure {NO_PART}"),
        (lambda: product_rule(3), TypeError, f"structure {NO_PART}"),
        (lambda: parts_of(3), TypeError, f"structure {NO_PART}"),
        (lambda: single_points_of_failure(3), TypeError, f"structure {NO_PART}"),
        (lambda: simulate_availability(3), TypeError, f"structure {NO_PART}"),
        (lambda: simulate_availability(PARTS[0], 0), ValueError, "trials must be at least 1, got 0"),
        (lambda: simulate_availability(PARTS[0], 1, -1), ValueError, "seed must be at least 0, got -1"),
        (lambda: system_availability(any_of(all_of(*MANY), all_of(*MANY))), ValueError, "19 parts are shared, which m"),
        (lambda: replicated_service(0), ValueError, "replicas must be at least 1, got 0"),
        (lambda: replicated_service(2, racks=9), ValueError, "racks must be at most 8, got 9"),
        (lambda: replicated_service(2, needed=3), ValueError, "needed must be at most 2, got 3"),
        (lambda: every_fault(Crash, "r1", 1, [1.0]), TypeError, "nodes must be a list of node ids, such as"),
        (lambda: every_fault(Crash, ["r1", "r1"], 1, [1.0]), ValueError, "nodes must name each node once, got 'r1' tw"),
        (lambda: every_fault(Crash, ["r1"], 2, [1.0]), ValueError, "f must be at most 1, got 2"),
        (lambda: every_fault(Crash, ["r1"], 1, 2.0), TypeError, "moments must be a list of seconds, such as [1.0, 2.5"),
        (lambda: every_fault(Crash, ["r1"], 1, []), ValueError, "moments must name at least one moment"),
        (lambda: every_fault(Crash, ["r1"], 1, [-1]), ValueError, "a moment must be at least 0, got -1"),
        (lambda: every_fault("crash", ["r1"], 1, [1.0]), TypeError, "make must be a function of a node and a time, su"),
        (lambda: every_fault(lambda *_: None, ["r1"], 1, [2.0]), TypeError, "what make returns must be a fault, such"),
        (lambda: every_fault(Crash, [f"r{i}" for i in range(40)], 20, [1.0]), ValueError, "that makes"),
        (lambda: tolerates(None, [()], until=1.0, claim=str), TypeError, "scenario must be a Scenario, such as"),
        (lambda: tolerates(READS, 3, until=1.0, claim=str), TypeError, "fault_sets must be a list of sets of faults"),
        (lambda: tolerates(READS, [], until=1.0, claim=str), ValueError, "there is no set of faults to try"),
        (lambda: tolerates(READS, [Crash("r1", 1.0)], until=1.0, claim=str), TypeError, "each of fault_sets must be a"),
        (lambda: tolerates(READS, [[3]], until=1.0, claim=str), TypeError, "each of fault_sets must be a list of faul"),
        (lambda: tolerates(READS, [()], until=1.0, claim=None), TypeError, "claim must be a function of a run, such a"),
        (lambda: tolerates(READS, [()], until=1.0, claim=bool), TypeError, "what claim returns must be a text"),
        (lambda: read_scenario(0), ValueError, "replicas must be at least 1, got 0"),
        (lambda: read_scenario(1, attempts=0), ValueError, "attempts must be at least 1, got 0"),
        (lambda: read_scenario(1, patience=0), ValueError, "patience must be above 0, got 0"),
        (lambda: read_scenario(1, deadline=0), ValueError, "deadline must be above 0, got 0"),
        (lambda: read_scenario(1, reads=0), ValueError, "reads must be at least 1, got 0"),
        (lambda: read_scenario(1, rate=0), ValueError, "rate must be above 0, got 0"),
        (lambda: reads_answered(3), TypeError, "run must be a run, such as read_scenario(2).run(10.0), got 3"),
        (lambda: reads_answered(generals_scenario(3, "attack", 0).run(2.0)), ValueError, "nobody reads in this run"),
        (lambda: read_scenario(1, checksums=1), TypeError, "checksums must be True or False, got 1"),
        (lambda: read_scenario(1, on_disk="no"), TypeError, "on_disk must be True or False, got 'no'"),
        (lambda: reach_scenario(LINE, "f", ["z"]), LookupError, "there is no node 'z' in the graph; there are f, a"),
        (lambda: reach_scenario(LINE, "z", ["a"]), LookupError, "there is no node 'z' in the graph"),
        (lambda: reach_scenario(LINE, "f", []), ValueError, "copies must name at least 1 node, got 0"),
        (lambda: Standby("warm", watch="nobody"), ValueError, "watch must be one of 'heartbeats', 'answers', got 'no"),
        (lambda: replicas_needed("gremlins", 1), ValueError, "fault must be one of 'crash', 'omission', 'timing', "),
        (lambda: replicas_needed("crash", -1), ValueError, "f must be at least 0, got -1"),
        (lambda: replicas_needed("crash", 1, agreement=1), TypeError, "agreement must be True or False, got 1"),
        (lambda: fault_experiment("gremlins"), ValueError, "fault must be one of 'crash', 'omission', 'timing', "),
        (lambda: fault_experiment("crash", f=-1), ValueError, "f must be at least 0, got -1"),
        (lambda: fault_experiment("crash", 0), ValueError, "replicas must be at least 1, got 0"),
        (lambda: fault_experiment("byzantine", 3, 3), ValueError, "f must be at most 2, got 3"),
        (lambda: fault_experiment("byzantine", attempts=2.5), TypeError, f"attempts {NO_WHOLE}"),
        (lambda: Standby("tepid"), ValueError, "mode must be one of 'hot', 'warm', 'cold', got 'tepid'"),
        (lambda: Standby("warm", timeout=0.5), ValueError, "timeout must be longer than heartbeat_interval, or health"),
        (lambda: Standby("warm", rate=0), ValueError, "rate must be above 0, got 0"),
        (lambda: Standby("warm", boot_time=-1), ValueError, "boot_time must be at least 0, got -1"),
        (lambda: Standby("warm").measure(crash_at=0), ValueError, "crash_at must be above 0, got 0"),
        (lambda: Standby("warm").scenario(2.0, until=1.0), ValueError, "until must be above 2, got 1"),
        (lambda: oral_messages(0, (), "attack"), ValueError, "generals must be at least 1, got 0"),
        (lambda: oral_messages(4, 1, "attack"), TypeError, "traitors must be the traitors' numbers, such as {2} or [0"),
        (lambda: oral_messages(4, {4}, "attack"), ValueError, "a traitor's number must be at most 3, got 4"),
        (lambda: oral_messages(4, {1}, "advance"), ValueError, "order must be one of 'attack', 'retreat', got 'advanc"),
        (lambda: oral_messages(4, {1}, "attack", -1), ValueError, "rounds must be at least 0, got -1"),
        (lambda: oral_messages(4, {1}, "attack", seed=-1), ValueError, "seed must be at least 0, got -1"),
        (lambda: oral_messages(31, range(10), "attack"), ValueError, "OM(10) with 31 generals sends"),
        (lambda: oral_messages(3, {1}, "attack", lies=[1]), TypeError, "lies must be a dict such as {"),
        (lambda: oral_messages(3, {1}, "attack", lies={((0, 1), 2): "maybe"}), ValueError, "a lie must be one of 'att"),
        (lambda: oral_messages(3, {1}, "attack", lies={((0, 2), 1): "retreat"}), LookupError, "no traitor sends the m"),
        (lambda: oral_message_count(0, 1), ValueError, "generals must be at least 1, got 0"),
        (lambda: oral_message_count(3, -1), ValueError, "rounds must be at least 0, got -1"),
        (lambda: signed_messages(1_001, [1], "attack"), ValueError, "generals must be at most 1000, got 1001"),
        (lambda: signed_messages(3, {1}, None), TypeError, "order must be one of 'attack', 'retreat', got None"),
        (lambda: signed_messages(3, {1}, "attack", lies="attack"), TypeError, "lies must be a dict such as {"),
        (lambda: signed_messages(3, {1}, "attack", lies={(2, 2, 1): ("attack",)}), LookupError, "no traitor sends the"),
        (lambda: signed_messages(3, {1}, "attack", lies={(2, 1, 2): "attack"}), TypeError, "what a traitor sends must"),
        (lambda: find_treason(3, 3), ValueError, "traitors must be at most 2, got 3"),
        (lambda: find_treason(3, 1, -1), ValueError, "rounds must be at least 0, got -1"),
        (lambda: find_treason(3, 1, signed=1), TypeError, "signed must be True or False, got 1"),
        (lambda: find_treason(3, 1, seed=-1), ValueError, "seed must be at least 0, got -1"),
        (lambda: find_treason(3, 1, most_tries=0), ValueError, "most_tries must be at least 1, got 0"),
        (lambda: find_treason(60, 30, 0), ValueError, "there are "),
        (lambda: find_treason(14, 11), ValueError, "OM(11) with 14 generals sends"),
        (lambda: generals_scenario(0, "attack", 1), ValueError, "generals must be at least 1, got 0"),
        (lambda: generals_scenario(3, "advance", 1), ValueError, "order must be one of 'attack', 'retreat', got 'adva"),
        (lambda: generals_scenario(3, "attack", -1), ValueError, "rounds must be at least 0, got -1"),
        (lambda: generals_scenario(10**18, "attack", 1), ValueError, "OM(1) with "),
        (lambda: generals_scenario(4, "attack", 1, {1: 2}), LookupError, "no traitor sends the message 1 of lies"),
        (lambda: generals_scenario(4, "attack", 1, traitors=1), TypeError, "traitors must be the traitors' numbers"),
        (lambda: replay_on_cluster("attack"), TypeError, "decisions must be what oral_messages returns, got 'attack'"),
        (lambda: replay_on_cluster(signed_messages(3, (), "attack")), ValueError, "only oral messages run on the clus"),
        (lambda: decisions_of(None), TypeError, "run must be a run of generals, such as replay_on_cluster"),
        (lambda: generals_agree(READS.run(1.0)), ValueError, "no general n0 has given an order in this run"),
        (lambda: fit_weibull([1.0, 0.0]), ValueError, "times at position 1 must be above 0, got 0"),
        (lambda: fit_weibull([2.0, 2.0]), ValueError, "a fit needs at least two different times, got 1"),
        (lambda: failure_gaps(RECORD, 2.5), TypeError, f"system {NO_WHOLE}"),
        (lambda: failure_gaps(RECORD, 8), LookupError, "there is no system 8 in the record; there are: 7"),
        (lambda: system_table(RECORD, at_least=2), ValueError, "at_least must be at least 3, got 2"),
        (lambda: down_together(RECORD, 7, 3), TypeError, "counts must be a list of numbers of nodes, such as"),
        (lambda: down_together(RECORD, 7, (0,)), ValueError, "a count must be at least 1, got 0"),
        (lambda: down_together(RECORD.assign(node=math.nan), 7), LookupError, "no failure of system 7 names its node"),
        (lambda: down_together(RECORD, 7).ratio(9), LookupError, "k must be one of [1, 2, 3, 4, 5], got 9"),
    ],
)  # fmt: skip
def test_unfit_input_is_refused_in_words(call, error, words):
    with pytest.raises(error) as caught:
        call()
    assert str(caught.value).removeprefix('"').startswith(words)


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
