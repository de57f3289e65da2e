"""The four kinds of fault on the simulated cluster: one replica too few breaks the promise, enough keeps it."""

import pytest

from dscourse.fault_tolerance import (
    FAULT_TYPES,
    FlipBit,
    SayAnotherValue,
    every_fault,
    fault_experiment,
    fault_table,
    read_fates,
    read_scenario,
    reads_answered,
    replicas_needed,
    tolerates,
)
from dscourse.simulation import Byzantine, Crash, LoseMessage, Lossy, Slow, always, check_determinism


@pytest.mark.parametrize("kind", FAULT_TYPES)
@pytest.mark.parametrize("f", [1, 2])
def test_one_replica_too_few_breaks_it_and_enough_hold_it(kind, f):
    enough = replicas_needed(kind, f, agreement=kind == "byzantine")
    broken, held = fault_experiment(kind, enough - 1, f), fault_experiment(kind, enough, f)
    assert not broken.holds
    assert broken.problem
    assert broken.faults
    assert held.holds
    assert held.runs > 1
    assert "held in all" in repr(held)
    assert "not tolerant" in repr(broken)


@pytest.mark.parametrize("kind", FAULT_TYPES)
def test_without_faults_one_replica_is_enough(kind):
    if kind != "byzantine":
        assert fault_experiment(kind, 1, f=0).holds


@pytest.mark.parametrize("kind", ["crash", "omission", "timing"])
def test_the_broken_run_can_be_replayed_from_what_is_reported(kind):
    broken = fault_experiment(kind, 1, attempts=3)
    again = read_scenario(1, attempts=3).with_faults(*broken.faults).run(6.0)
    assert again.digest() == broken.run.digest()
    assert reads_answered(again) == broken.problem


def test_retries_are_what_an_omission_takes_besides_the_second_replica():
    assert not fault_experiment("omission", 2, attempts=1).holds
    assert fault_experiment("omission", 2, attempts=2).holds


def test_silence_looks_the_same_whatever_its_cause():
    """The front end retries for each of the three, and never learns why."""
    for fault in (Crash("r1", 0.0), Lossy(1.0, 0.0, link=("front", "r1")), Slow(60, 0.0, node="r1")):
        run = read_scenario(2, attempts=2).with_faults(fault).run(6.0)
        assert reads_answered(run) == ""
        assert run.at(6.0).nodes["front"]["retries"] == 40


def test_the_front_end_believes_a_liar():
    for checksums in (False, True):  # a liar makes its own
        run = read_scenario(2, attempts=2, checksums=checksums)
        run = run.with_faults(Byzantine("r1", SayAnotherValue(), at=1.0)).run(6.0)
        assert reads_answered(run) == "32 of 40 reads answered wrongly"


def test_a_bad_sector_is_a_wrong_value_without_a_checksum_and_a_question_more_with_one():
    sector = Byzantine("r1", FlipBit(), at=1.0)
    silent = read_scenario(2, attempts=2).with_faults(sector).run(6.0)
    noticed = read_scenario(2, attempts=2, checksums=True).with_faults(sector).run(6.0)
    alone = read_scenario(1, attempts=2, checksums=True).with_faults(sector).run(6.0)
    assert reads_answered(silent) == "32 of 40 reads answered wrongly"
    assert reads_answered(noticed) == ""
    assert noticed.at(6.0).nodes["front"]["retries"] == 32
    assert max(noticed.latencies()) == pytest.approx(0.04)  # nobody waits for a patience
    assert reads_answered(alone) == "32 of 40 reads refused"


def test_who_forgets_and_comes_back_breaks_what_f_plus_1_promised():
    away = Crash("r1", 1.0, restart_at=2.0)
    forgets, keeps = (
        read_scenario(2, attempts=2, on_disk=disk).with_faults(away).run(6.0) for disk in (False, True)
    )
    assert reads_answered(forgets) == "24 of 40 reads answered wrongly"
    assert reads_answered(keeps) == ""
    assert min(asked for asked, fate, _ in read_fates(forgets) if fate == "wrong") == 2.0


def test_who_is_told_of_a_stop_waits_for_nobody():
    told = read_scenario(2, attempts=2, stops={"r1": 1.0}).with_faults(Crash("r1", 1.0)).run(6.0)
    silent = read_scenario(2, attempts=2).with_faults(Crash("r1", 1.0)).run(6.0)
    assert max(told.latencies()) == pytest.approx(0.02)
    assert max(silent.latencies()) == pytest.approx(0.12)


def test_a_lost_question_is_asked_again_and_a_lost_answer_is_done_twice():
    account = read_scenario(1, add=10, reads=6, rate=1.0)
    lost = {
        (a, b): account.with_faults(LoseMessage(a, b, 2)).run(8.0)
        for a, b in (("front", "r1"), ("r1", "front"))
    }
    assert {ends: run.at(8.0).nodes["r1"]["value"] for ends, run in lost.items()} == {
        ("front", "r1"): 160,
        ("r1", "front"): 170,
    }
    assert len({tuple(run.latencies().round(6)) for run in lost.values()}) == 1  # alike to the client


def test_a_late_answer_to_a_settled_read_changes_nothing():
    run = (
        read_scenario(2, attempts=2).with_faults(Slow(20, 0.0, node="r1")).run(6.0)
    )  # 0.4 s: late but in the run
    assert reads_answered(run) == ""
    assert run.check(always(lambda moment: moment.nodes["front"]["tickets"] <= 40))
    assert {op.outcome for op in run.history()} == {"ok"}
    assert len(run.history()) == 40


def test_reads_without_faults_take_one_round_trip():
    run = read_scenario(1).run(6.0)
    assert run.latencies() == pytest.approx([0.02] * 40)
    check_determinism(read_scenario(2, attempts=2), 6.0)


def test_a_scenario_survives_json():
    from dscourse.simulation import Scenario

    scenario = read_scenario(2, attempts=2).with_faults(Crash("r1", 1.0))
    again = Scenario.from_json(scenario.to_json(), scenario.node_factory)
    assert again.run(4.0).digest() == scenario.run(4.0).digest()


def test_every_fault_lists_every_placement():
    ways = every_fault(Crash, ["a", "b", "c"], f=2, moments=[1.0, 2.0])
    assert len(ways) == 1 + 2 * (3 + 3)
    assert ways[0] == ()
    assert (Crash("a", 2.0), Crash("c", 2.0)) in ways
    assert len(set(ways)) == len(ways)


def test_tolerates_stops_at_the_first_broken_promise():
    ways = every_fault(Crash, ["r1"], f=1, moments=[1.0, 2.0])
    report = tolerates(read_scenario(1), ways, until=4.0, claim=reads_answered)
    assert not report
    assert report.runs == 2
    assert report.faults == (Crash("r1", 1.0),)
    assert "32 reads" not in report.problem  # reads before the crash were answered
    assert "refused" in report.problem


def test_the_table_is_measured():
    table = fault_table()
    assert list(table.index) == list(FAULT_TYPES)
    assert not table["one too few"].str.contains("held").any()
    assert table["enough"].str.contains("held in").all()
    assert table.loc["byzantine", "enough"].startswith("4: held in 32 runs")
