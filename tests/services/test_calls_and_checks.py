"""What it costs to need others: anti-patterns, health checks, sessions, and ways to get an answer later."""

import math
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from dscourse.services import (
    ANTI_PATTERNS,
    answer_table,
    anti_pattern_prices,
    call_chain_availability,
    calls_scenario,
    health_check_scenario,
    health_check_table,
    session_scenario,
    session_table,
    utilizations,
)
from dscourse.simulation import Crash, LoseMessage, check_determinism


@pytest.fixture(scope="module")
def prices():
    return anti_pattern_prices(seconds=3.0)


def test_each_anti_pattern_has_its_price(prices):
    healthy = prices.loc["healthy"]
    assert healthy["left_after_crash"] == pytest.approx(7 / 8, abs=0.05)
    assert healthy["messages"] == pytest.approx(6, abs=0.1)
    for name in ANTI_PATTERNS:
        assert prices.loc[name, "median"] > healthy["median"]
        assert prices.loc[name, "messages"] >= healthy["messages"] - 0.1
        assert prices.loc[name, "left_after_crash"] <= healthy["left_after_crash"] + 0.05
    for name, machine in (
        ("global lock", "lock"),
        ("one shared database", "database"),
    ):
        assert prices.loc[name, "busiest"] == machine
        assert prices.loc[name, "left_after_crash"] == 0.0
        assert prices.loc[name, "most_rate"] < 0.75 * healthy["most_rate"]
    assert prices.loc["central id generator", "left_after_crash"] == 0.0  # although it is never busy
    assert prices.loc["one call per row", "median"] > 6 * healthy["median"]
    assert prices.loc["distributed transaction", "left_after_crash"] == pytest.approx(5 / 8, abs=0.06)
    assert prices.loc["call chain", "messages"] == pytest.approx(14, abs=0.2)


def test_the_serial_part_sets_the_limit_that_was_foretold():
    """A lock held for 2 ms lets 500 requests a second through, however many servers there are."""
    for servers in (6, 12):
        run = calls_scenario("global lock", servers=servers, rate=100.0).run(20.0)
        assert 100.0 / utilizations(run)["lock"] == pytest.approx(500, rel=0.05)


def test_a_lost_call_costs_the_request_and_nothing_else():
    run = calls_scenario(servers=3, rate=20.0).with_faults(LoseMessage("s0", "d0", 1)).run(5.0)
    outcomes = [operation.outcome for operation in run.history() if operation.invoked < 4.0]
    assert outcomes.count("fail") == 1
    assert outcomes.count("ok") == len(outcomes) - 1


def test_availability_multiplies_on_the_kernel_too():
    """Each of the machines of a chain is down a tenth of the time, at times of its own."""
    scenario = calls_scenario("call chain", servers=3, rate=40.0)
    luck = np.random.default_rng(4)
    faults = [
        Crash(machine, at=float(second), restart_at=second + 0.999)
        for machine in ("t1", "t2", "t3", "t4")
        for second in np.flatnonzero(luck.random(120) < 0.1).tolist()
    ]
    run = scenario.with_faults(*faults).run(120.0)
    asked = [operation for operation in run.history() if operation.invoked < 119.0]
    answered = sum(operation.outcome == "ok" for operation in asked) / len(asked)
    assert answered == pytest.approx(call_chain_availability(0.9, 4), abs=4 * math.sqrt(0.66 * 0.34 / 120))


def test_the_deepest_check_takes_out_every_healthy_server():
    table = health_check_table()
    crash, full, stall = table.columns
    assert (table[crash] > 0.99).all()
    assert table.loc["shallow", full] == pytest.approx(0.75, abs=0.03)
    assert table.loc["deep", full] > 0.99
    assert table.loc["dependencies", stall] == 0.0
    assert 0.4 < table.loc["deep", stall] < 0.6  # the pages that need no database
    assert table.iloc[3][stall] == pytest.approx(table.loc["deep", stall], abs=0.05)


def test_no_more_servers_are_taken_out_than_the_cap_allows_and_all_come_back():
    run = health_check_scenario("dependencies", "the shared database stalls", ejection_cap=0.5).run(25.0)
    assert len(run.at(10.0).nodes["b0"]["out"]) == 2
    assert run.at(24.0).nodes["b0"]["out"] == ()
    run = health_check_scenario("dependencies", "the shared database stalls").run(25.0)
    assert len(run.at(10.0).nodes["b0"]["out"]) == 4


def test_where_a_session_lives():
    table = session_table()
    assert table.loc["memory", "lost"] > 0.1  # about a quarter of them, one server of four
    assert table.loc["store", "lost"] == table.loc["token", "lost"] == 0.0
    assert table.loc["memory", "unanswered"] > 3 * table.loc["store", "unanswered"]
    assert table.loc["store", "median"] > table.loc["token", "median"] > table.loc["memory", "median"]
    assert table.loc["store", "messages"] > 5 > table.loc["token", "messages"]
    many = utilizations(session_scenario("store", servers=16, rate=120.0).run(4.0))
    assert max(many, key=lambda node: many[node]) == "store"


def test_how_an_asynchronous_client_gets_its_answer():
    table = answer_table()
    assert table.loc["wait", "messages"] == pytest.approx(2, abs=0.1)
    assert table.loc["callback", "messages"] == pytest.approx(3, abs=0.1)
    assert table.loc["callback", "mean"] == pytest.approx(table.loc["wait", "mean"])
    often, seldom = table.loc["poll every 0.5 s"], table.loc["poll every 2 s"]
    assert 0.2 < often["mean"] - table.loc["wait", "mean"] < 0.3  # half an interval, on average
    assert 0.9 < seldom["mean"] - table.loc["wait", "mean"] < 1.3
    assert often["messages"] > 2 * seldom["messages"] > 2 * table.loc["callback", "messages"]


def test_runs_are_deterministic():
    for name in ("call chain", "distributed transaction"):
        check_determinism(calls_scenario(name, servers=3, crash_at=1.0), 2.0)
    check_determinism(health_check_scenario("dependencies", "the shared database stalls"), 8.0)
    check_determinism(session_scenario("token", rate=30.0), 7.0)


def test_refusals():
    with pytest.raises(LookupError, match="There are: global lock"):
        calls_scenario("spaghetti")
    with pytest.raises(ValueError, match="depth must be one of"):
        health_check_scenario("deepest", "a server crashes")
    with pytest.raises(ValueError, match="place must be one of"):
        session_scenario("cloud")


def test_a_bare_process_that_needs_a_node_loads_no_heavy_library():
    program = (
        "import sys; from dscourse.services import CheckedServer, LoadBalancer, SessionStore, WorkerPool;"
        "print([m for m in ('networkx', 'numpy', 'pandas') if m in sys.modules])"
    )
    root = Path(__file__).resolve().parents[2]
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=root
    )
    assert done.stdout.strip() == "[]", done.stdout
