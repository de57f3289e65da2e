"""A disk dies and its copies are made anew: paced, as a storm, and not at all if the server comes back."""

import pytest

from dscourse.recovery import repair_report, rereplication_scenario
from dscourse.recovery.rereplication import CopyTo, Piece
from dscourse.simulation import Crash, Pause, check_determinism


@pytest.fixture(scope="module")
def reports():
    return {
        at_once: repair_report(rereplication_scenario(at_once=at_once).run(60.0)) for at_once in (2, 8, 36)
    }


def test_more_at_once_is_quicker_until_servers_are_full(reports):
    assert reports[2].repaired_after > 2 * reports[8].repaired_after
    for at_once in (2, 8):
        assert reports[at_once].taken_for_dead == 1
        assert reports[at_once].p99 < 0.4


def test_all_at_once_is_a_storm_in_which_the_healthy_are_taken_for_dead(reports):
    assert reports[36].taken_for_dead == 10
    assert reports[36].p99 == 5.0  # clients give up
    assert reports[36].repaired_after > 3 * reports[8].repaired_after


def test_after_the_repair_every_chunk_has_its_copies_on_different_servers_and_no_two_more_than_needed():
    run = rereplication_scenario(servers=6, chunks=30, pieces=5).run(60.0)
    report = repair_report(run)
    assert report.lost_chunks == 0
    nodes = run.at(60.0).nodes
    held = [chunk for node, fields in nodes.items() if node != "n0" for chunk in fields["chunks"]]
    assert {chunk: held.count(chunk) for chunk in range(30)} == dict.fromkeys(range(30), 3)
    ordered = [
        event.message.chunk for event in run.trace.select(kind="send") if isinstance(event.message, CopyTo)
    ]
    assert sorted(ordered) == run.at(4.0).nodes["n1"]["chunks"]  # what the dead one held, each once


def test_no_more_copies_are_under_way_than_allowed():
    run = rereplication_scenario(at_once=3, pieces=10).run(30.0)
    open_copies, most = set(), 0
    for event in run.trace.select(kind=["send", "deliver"]):
        if event.kind == "send" and isinstance(event.message, CopyTo):
            open_copies.add(event.message.chunk)
        elif event.kind == "deliver" and isinstance(event.message, Piece) and event.message.last:
            open_copies.discard(event.message.chunk)
        most = max(most, len(open_copies))
    assert most == 3


@pytest.mark.parametrize(("wait", "copies"), [(0.0, True), (15.0, False)])
def test_who_waits_makes_no_copies_for_one_that_comes_back(wait, copies):
    scenario = rereplication_scenario(wait=wait, crash_at=100.0)
    run = scenario.with_faults(*scenario.faults, Pause("n1", at=5.0, until=14.0)).run(40.0)
    assert any(isinstance(event.message, CopyTo) for event in run.trace.select(kind="send")) == copies


def test_a_server_that_is_back_in_a_moment_with_an_empty_disk_is_noticed():
    run = rereplication_scenario(servers=5, chunks=20, pieces=5, restart_at=6.0).run(40.0)
    assert repair_report(run).taken_for_dead == 0
    nodes = run.at(40.0).nodes
    held = [chunk for node, fields in nodes.items() if node != "n0" for chunk in fields["chunks"]]
    assert {chunk: held.count(chunk) for chunk in range(20)} == dict.fromkeys(range(20), 3)


def test_two_copies_and_two_disks_lose_what_only_they_held():
    scenario = rereplication_scenario(servers=5, chunks=20, copies=2, at_once=1)
    run = scenario.with_faults(*scenario.faults, Crash("n2", at=6.0)).run(60.0)
    report = repair_report(run)
    assert report.lost_chunks > 0
    assert report.taken_for_dead == 2


def test_it_is_deterministic():
    check_determinism(rereplication_scenario(servers=4, chunks=8, pieces=3), 15.0)
