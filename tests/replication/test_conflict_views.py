"""Pictures of conflicts and quorums: their words are what the models say, and every control does something."""

import time

import ipywidgets as widgets
import pytest

from dscourse import datasets
from dscourse.replication import (
    ORSet,
    keep_siblings,
    last_writer_wins,
    linkedin_delays,
    probabilistically_bounded_staleness,
    quorum_anomalies,
    two_regions,
    union,
)
from dscourse.views.conflicts import explore_quorums, lab_conflicts


def choices(control):
    return list(control.options) if isinstance(control, widgets.Dropdown) else [control.min, control.max]


@pytest.mark.parametrize("make", [lab_conflicts, explore_quorums])
def test_every_choice_of_every_control_gives_another_picture_without_a_problem(make):
    shown = make()
    if make is lab_conflicts:
        shown.controls["moment"].value = 140  # after the cut
    for control in shown.controls.values():
        before = control.value
        seen = set()
        for choice in choices(control):
            control.value = choice
            shown._redraw()
            assert shown.picture.problem == ""
            seen.add(bytes(shown.picture.png))
        assert len(seen) == len(choices(control))
        control.value = before


def test_the_lab_tells_what_the_runs_end_with():
    shown = lab_conflicts()
    shown.controls["moment"].value = 170
    shown._redraw()
    alt = shown.picture.alt
    assert "At 8.5 s, connected" in alt
    for name, how in (
        ("last writer wins", last_writer_wins),
        ("union of the carts", union),
        ("set that merges (OR-set)", ORSet),
        ("keep both versions", keep_siblings),
    ):
        cart = two_regions(how).run(9.0).at(8.5).nodes["asia"]["values"]["cart"]
        words = " or ".join(map(", ".join, cart)) if how is keep_siblings else ", ".join(cart)
        for region in ("Europe", "Asia"):
            assert f"{name}, {region}: {words}" in alt
    assert not any(name in shown.picture.caption for name in ("jam", "eggs"))


def test_during_the_cut_each_region_goes_on_by_itself():
    shown = lab_conflicts()
    for control, value in {"moment": 80, "europe": "add bread", "asia": "nothing"}.items():
        shown.controls[control].value = value
    shown._redraw()
    assert (
        "At 4.0 s, cut: last writer wins, Europe: bread, eggs, milk; last writer wins, Asia: eggs, milk"
        in shown.picture.alt
    )


def test_the_explorer_tells_what_the_models_and_the_table_say():
    shown = explore_quorums()
    for control, value in {"w": 3, "r": 1, "disks": "spinning disks"}.items():
        shown.controls[control].value = value
    shown._redraw()
    drawn = probabilistically_bounded_staleness(
        **linkedin_delays("spinning"), n=3, w=3, r=1, trials=20_000, seed=6
    )
    assert f"99.9 % {drawn.write_latency(0.999):.3g} ms" in shown.picture.alt
    assert "W + R = 4 > N = 3. 100.0% of reads are fresh at once" in shown.picture.alt
    assert (
        "110 of 300 runs without write-back are not linearizable; 0 of 300 runs with write-back"
        in shown.picture.alt
    )


def test_w_and_r_can_be_no_larger_than_n():
    shown = explore_quorums()
    shown.controls["n"].value = 5
    shown.controls["w"].value = 5
    shown.controls["n"].value = 3
    assert (shown.controls["w"].value, shown.controls["r"].max) == (3, 3)


def test_the_explorer_is_redrawn_in_time():
    shown = explore_quorums()
    for w in (1, 2, 3):
        for r in (1, 2, 3):
            shown.controls["w"].value, shown.controls["r"].value = w, r
            shown._redraw()
    taken = []
    for w in (1, 2, 3, 1, 2, 3):
        shown.controls["w"].value = w
        begin = time.process_time()
        shown._redraw()
        taken.append(time.process_time() - begin)
    assert min(taken) < 0.06


# ── The table ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_table_has_all_quorums_and_what_must_hold_holds():
    table = datasets.load("consistency/quorum_anomalies")
    assert {(one.n, one.w, one.r, one.write_back) for one in table.itertuples()} == {
        (n, w, r, back) for n in (3, 5) for w in range(1, n + 1) for r in range(1, n + 1) for back in (0, 1)
    }
    enough = table[(table.w + table.r > table.n) & (table.write_back == 1)]
    assert (enough.not_linearizable == 0).all()
    assert (table[(table.w == table.n) & (table.r == table.n)].not_linearizable == 0).all()


@pytest.mark.parametrize(("w", "r", "write_back"), [(2, 2, 0), (3, 1, 0)])
def test_rows_of_the_table_come_out_again(w, r, write_back):
    table = datasets.load("consistency/quorum_anomalies").set_index(["n", "w", "r", "write_back"])
    row = table.loc[3, w, r, write_back]
    share = quorum_anomalies(3, w, r, write_back=bool(write_back), seeds=int(row.seeds))
    assert round(share * row.seeds) == row.not_linearizable
