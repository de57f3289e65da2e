"""Pictures of notebook 09, and logs as strips of cells in the player."""

import pytest

from dscourse.consensus import FencedStorage, Storage, late_plan, lease_by_timer, raft_cluster
from dscourse.exercises.split_brain import busy, figure_8
from dscourse.simulation import Crash, Network, Node, Scenario, topology
from dscourse.views import cluster_map, consensus as views
from dscourse.views.player.strips import CELLS, COLOURS, strip_of, strips


def test_strips_of_a_run_follow_its_logs():
    told = strips(busy)
    assert set(told) == {0, 1, 2, 3, 4}
    for place, name in enumerate(busy.nodes):
        for time in (1.7, 4.2, 9.9):
            cells = [cells for at, cells in told[place] if at <= time * 1e6][-1]
            fields = busy.at(time).nodes[name]
            assert cells == strip_of(fields)
            assert len(cells) == min(CELLS, len(fields["log"]))
            assert [term for _, term, _ in cells] == [entry.term for entry in fields["log"]][-CELLS:]


def test_a_crashed_members_strip_stays_as_it_was_and_nobody_else_has_one():
    crashed = busy.fork(3.0, Crash("n1", 3.0))
    assert all(time < 3e6 for time, _ in strips(crashed)[1])
    assert strips(Scenario(Node, Network(topology.full_mesh(2))).run(1.0)) == {}
    assert strip_of({"log": ["a line"], "commit_index": 0}) is None
    assert strip_of({"log": (), "commit_index": 0}) == []


def test_the_still_picture_tells_the_same_in_words():
    alt = cluster_map(busy, 2.9).alt
    assert "n0 leader (term 1), log of terms 1 1 1, committed up to 3" in alt
    assert len({fill for fill, _ in COLOURS}) == len(COLOURS)


def test_logs_side_by_side_differ_where_the_rule_counts():
    picture = views.draw_logs(
        {"without": figure_8(by_the_paper=False), "with": figure_8(by_the_paper=True)}, time=93.0
    )
    assert "without, n0 (leads): log of terms 1 2, committed up to 2" in picture.alt
    assert "with, n0 (leads): log of terms 1 2, committed up to 0" in picture.alt


def test_who_led_when():
    spans = views.leading(lease_by_timer().run(26.0))
    assert [term for term, _, _ in spans["n0"]] == [1]
    assert spans["n2"][0][2] == 26.0
    crashed = raft_cluster(3, faults=[Crash("n0", 1.0), Crash("n1", 1.0), Crash("n2", 1.0)]).run(2.0)
    assert all(end <= 1.0 for stretches in views.leading(crashed).values() for _, _, end in stretches)
    assert "in term 2" in views.draw_leaders(lease_by_timer().run(26.0)).alt


@pytest.mark.parametrize(("storage", "refused"), [(Storage, 0), (FencedStorage, 1)])
def test_what_the_storage_made_of_each_write(storage, refused):
    assert f"{refused} refused" in views.draw_lease(late_plan(storage).run(9.0)).alt


def test_the_sides_of_a_cut():
    explorer = views.explore_sides()
    for members, left, words in (
        (4, 2, "neither side may lead"),
        (5, 2, "n2, n3, n4 may elect"),
        (1, 9, "n0 may elect"),
    ):
        explorer.controls["members"].value, explorer.controls["left"].value = members, left
        explorer._redraw_or_raise()
        assert words in explorer.picture.alt


def test_elections_by_time_out():
    explorer = views.explore_election_timeouts(trials=5, ranges=("150-200", "150-300"))
    assert "recorded median 146 ms" in explorer.picture.alt
    explorer.controls["timeouts"].value = "150-300"
    explorer._redraw_or_raise()
    assert "recorded median 171 ms" in explorer.picture.alt
