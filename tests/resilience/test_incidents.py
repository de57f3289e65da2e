"""The services and their incidents: no request vanishes, and what the notebook says of the patterns holds."""

from dataclasses import replace

import pytest

from dscourse.resilience import (
    INCIDENTS,
    LEVELS,
    Design,
    Incident,
    ablation,
    caught_by_level,
    defense_in_depth,
    incident_scenario,
    run_incident,
    service_graph,
)
from dscourse.resilience.incidents.graph import DEADLINE, EDGE, INSTANCES
from dscourse.resilience.incidents.metastable_map import MAP_DESIGNS, recovers
from dscourse.resilience.incidents.services import THREADS
from dscourse.simulation import check_determinism

EVERYTHING = Design().with_levels(*LEVELS)
TIMEOUTS = Design(timeout=True)
SHORT, UNTIL = 30.0, 22.0  # seconds


@pytest.fixture(scope="module")
def storm():
    designs = {
        "timeouts": TIMEOUTS,
        "once": Design(timeout=True, retry=False),
        "budget": Design(timeout=True, retry_budget=True),
        "breaker": Design(timeout=True, breaker=True),
        "backoff": Design(timeout=True, backoff=True),
    }
    return {name: run_incident("retry storm", design, seconds=40.0) for name, design in designs.items()}


@pytest.mark.parametrize("incident", INCIDENTS)
@pytest.mark.parametrize("design", [TIMEOUTS, EVERYTHING], ids=["timeouts", "everything"])
def test_every_request_ends_once_and_every_lost_one_has_a_reason_at_a_node(incident, design):
    outage = run_incident(incident, design, seconds=UNTIL)
    told = [
        (event.detail["client"], event.detail["number"], event.detail["reason"], event.detail["where"])
        for event in outage.run.trace.select(kind="record", name="request lost")
    ]
    lost = [
        (one.client, one.number)
        for one in outage.run.history()
        if one.outcome != "ok" and one.invoked < UNTIL - DEADLINE
    ]
    assert sorted(lost) == sorted(
        (client, number) for client, number, *_ in told if (client, number) in set(lost)
    )
    assert len({(client, number) for client, number, *_ in told}) == len(told)
    assert all(reason and where in outage.run.nodes for *_, reason, where in told)
    assert int(outage.lost().to_numpy().sum()) == len(told)


def test_threads_are_never_more_than_there_are_and_all_come_back(storm):
    for outage in storm.values():
        for event in outage.run.trace.select(kind="record", name="status"):
            if "busy" in event.detail:
                assert 0 <= event.detail["busy"] <= THREADS[event.node.partition("-")[0]]
    calm = run_incident("deleted table", Design(retry=False), seconds=9.0).run.at(8.9)
    assert calm.nodes[EDGE]["busy"] < 16


def test_timeouts_with_retries_make_a_short_stop_last_and_a_budget_or_a_breaker_ends_it(storm):
    assert not storm["timeouts"].recovers
    assert storm["timeouts"].goodput_share < 0.3
    assert storm["timeouts"].goodput[-5:].sum() == 0
    assert storm["timeouts"].amplification > 3 * storm["once"].amplification
    assert not storm["backoff"].recovers
    for name in ("once", "budget", "breaker"):
        assert storm[name].recovers
        assert storm[name].goodput_share > 0.8


def test_most_is_lost_in_the_queue_of_the_edge_and_the_table_says_so(storm):
    lost = storm["timeouts"].lost()
    assert lost.index[0] == "too late"
    assert lost.columns[0] == EDGE


def test_the_budget_is_overdrawn_by_what_is_lost(storm):
    left = storm["timeouts"].budget_left
    assert left[5] > 0.9
    assert left[-1] == pytest.approx(
        1 - (1 - storm["timeouts"].goodput.sum() / storm["timeouts"].offered.sum()) / 0.01
    )


def test_a_zone_needs_both_a_second_one_and_somebody_who_notices():
    shares = {
        (zones, checks): run_incident(
            "dead zone", Design(timeout=True, zones=zones, health_checks=checks), seconds=SHORT
        ).goodput_share
        for zones in (False, True)
        for checks in (False, True)
    }
    assert shares[True, True] > 0.95
    assert max(share for key, share in shares.items() if key != (True, True)) < 0.6


def test_only_keys_prevent_double_charges_and_only_validation_the_poison():
    plain = run_incident("slow payment", TIMEOUTS, seconds=SHORT)
    with_keys = run_incident("slow payment", replace(TIMEOUTS, idempotency=True), seconds=SHORT)
    assert plain.charged_twice > 10
    assert with_keys.charged_twice == 0
    poisoned = run_incident("poison request", TIMEOUTS, seconds=SHORT)
    refused = run_incident("poison request", replace(TIMEOUTS, validation=True), seconds=SHORT)
    assert poisoned.goodput_share < 0.5 < 0.95 < refused.goodput_share
    assert refused.lost().index.tolist() == ["invalid"]


def test_what_is_deleted_on_all_replicas_comes_back_only_from_a_backup():
    without = replace(EVERYTHING, backups=False)
    lost = {d.backups: 1 - run_incident("deleted table", d).goodput_share for d in (EVERYTHING, without)}
    assert lost[True] < 0.2
    assert not run_incident("deleted table", without).recovers


def test_a_canary_halves_what_a_bad_release_reaches_and_retries_hide_the_rest():
    bad = run_incident("bad release", Design(), seconds=SHORT)
    canary = run_incident("bad release", Design(canary=True), seconds=SHORT)
    assert bad.goodput_share < 0.3
    assert canary.goodput_share > 0.95
    assert run_incident("fast failure", Design(retry=False), seconds=SHORT).goodput_share < 0.5


def test_single_flight_asks_the_database_once_where_many_miss_the_same_page():
    plain = run_incident("cache flush", Design(timeout=True), seconds=SHORT)
    flight = run_incident("cache flush", Design(timeout=True, single_flight=True), seconds=SHORT)
    assert flight.amplification < plain.amplification
    assert flight.goodput_share > 0.95 > 0.2 > plain.goodput_share
    budget = run_incident("cache flush", Design(timeout=True, retry_budget=True), seconds=SHORT)
    assert budget.goodput_share < 0.3  # it isn't the retries this time


def test_process_is_a_matter_of_time():
    lost = [
        1 - run_incident("bad release", design, seconds=SHORT).goodput_share
        for design in (Design(), Design(alert=True, runbook=True), Design(alert=True, post_mortem=True))
    ]
    assert lost[0] > 1.2 * lost[1] > 1.2 * lost[2] > 0


def test_defense_in_depth_adds_level_after_level_and_says_what_each_alone_catches():
    table = defense_in_depth(("poison request",))
    assert list(table) == ["bare", "+ application", "+ service", "+ infrastructure", "+ process"]
    assert table.loc["poison request", "bare"] > 0.5
    assert table.loc["poison request", "+ process"] < 0.05
    caught = caught_by_level(("dead zone",)).loc["dead zone"]
    assert caught["infrastructure"] > 0.05
    assert caught["process"] < 0.02


def test_an_ablation_tells_what_a_switch_is_worth_alone_and_among_others():
    result = ablation("retry storm", ("timeout", "retry_budget"), seeds=2)
    table = result.table()
    assert table.loc["timeout", ("alone", "gain")] < -0.3  # on its own it makes things worse
    assert (
        table.loc["retry_budget", ("left out", "gain")] > 0.3
    )  # with timeouts, the budget is what saves them
    assert table.loc["retry_budget", ("alone", "gain")] == 0  # nothing to be retried without timeouts
    assert result.mean("timeout", "retry_budget") > 0.85 > result.mean("timeout")


@pytest.mark.parametrize(("design", "load", "trigger", "back"), [
    ("timeouts and retries", 10, 1.0, True),
    ("timeouts and retries", 55, 4.0, False),
    ("with a retry budget", 55, 4.0, True),
])  # fmt: skip
def test_the_map_of_metastable_states_is_what_the_model_says(design, load, trigger, back):
    from dscourse import datasets

    table = datasets.load("resilience/metastable_map")
    row = table[(table.design == design) & (table.load == load) & (table.trigger == trigger)].iloc[0]
    assert row.recovered == (row.seeds if back else 0)
    assert recovers(MAP_DESIGNS[design], load, trigger) is back


def test_the_graph_has_one_zone_or_two_and_a_run_is_deterministic():
    assert {data["zone"] for _, data in service_graph().nodes(data=True)} == {"", "a"}
    assert {service_graph(zones=True).nodes[one]["zone"] for one in INSTANCES["catalog"]} == {"a", "b"}
    check_determinism(incident_scenario("poison request", EVERYTHING), 15.0)


def test_wrong_values_are_told():
    with pytest.raises(ValueError, match="incident must be"):
        run_incident("slow databse")
    with pytest.raises(TypeError, match="design must be a Design"):
        run_incident("retry storm", "timeout")
    with pytest.raises(ValueError, match="level must be"):
        Design().with_levels("services")
    own = Incident("mine", "the cache stands still", 5.0, paused=("cache",))
    assert 0 < run_incident(own, TIMEOUTS, seconds=SHORT).goodput_share <= 1
