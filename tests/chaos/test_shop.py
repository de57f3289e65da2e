"""The shop of the game day: what it sells, what it loses, what it shows, and what it costs."""

import pytest

from dscourse.chaos import INCIDENTS, NAIVE, Design, GameDay, complexity, result_sheet, should_distribute
from dscourse.chaos.design import SCALING, STORES
from dscourse.exercises.game_day import CAREFUL, CLINIC, ONE_MACHINE, TICKETS
from dscourse.simulation import check_determinism


@pytest.fixture(scope="module")
def dark():
    day = GameDay(1, 3, rehearsal=["power failure"])
    return {
        name: day.play(design)
        for name, design in (("naive", NAIVE), ("careful", CAREFUL), ("one", ONE_MACHINE))
    }


@pytest.mark.parametrize("store", STORES)
def test_a_calm_day_is_perfect_with_any_store(store):
    result = GameDay(1, 1, rehearsal=[]).play(Design(zones=2, servers=6, copies=3, store=store))
    assert result.taken == len(result.orders)
    assert result.lost == result.sold_twice == result.late == 0
    assert sorted(order.value for order in result.run.history() if order.outcome == "ok") == list(
        range(1, sum(order.outcome == "ok" for order in result.run.history()) + 1)
    )


@pytest.mark.parametrize("scaling", SCALING)
def test_a_fleet_that_scales_pays_for_what_is_on(scaling):
    design = Design(servers=8, scaling=scaling)
    result = GameDay(1, 1, rehearsal=[]).play(design)
    assert (result.bill < design.bill(8)) == (scaling != "fixed")
    assert result.bill >= design.bill(design.fewest_servers)


def test_the_dark_day(dark):
    assert dark["naive"].sold_twice > 100
    assert dark["naive"].lost > 0
    assert dark["naive"].grade == "D"
    assert dark["careful"].lost == dark["careful"].sold_twice == 0
    assert dark["careful"].grade == "A"
    one = dark["one"]
    assert one.lost == one.sold_twice == 0
    assert not one.won
    assert dark["naive"].taken < one.taken < dark["careful"].taken


def test_a_quorum_never_loses_a_confirmed_order():
    for name in INCIDENTS:
        assert GameDay(1, 5, rehearsal=[name]).play(CAREFUL).lost == 0


def test_apart_the_naive_design_sells_on_both_sides():
    result = GameDay(1, 1, rehearsal=["sites apart"]).play(NAIVE)
    assert result.lost > 10
    assert result.sold_twice > 10


def test_full_is_shown_as_full_and_hints_come_only_while_it_suffers(dark):
    loads = [e.detail["occupied"] for e in dark["naive"].run.trace.select(kind="record", name="load")]
    assert max(loads) == 1.0
    assert min(loads) >= 0.0
    assert GameDay(1, 1, rehearsal=[]).play(CAREFUL).trouble == ()
    hints = " ".join(hint for one in dark["naive"].trouble for hint in one.hints)
    assert "full" in hints
    assert "attempts for each order" in hints
    assert "d1" in " ".join(dark["careful"].trouble[0].hints)


def test_the_same_day_twice_is_the_same_day():
    scenario = GameDay(2, 3).scenario(Design(zones=2, servers=5, copies=2, scaling="by work"))
    check_determinism(scenario, 40.0)


def test_a_day_is_the_same_for_all_designs():
    for first, second in ((NAIVE, CAREFUL), (CAREFUL, ONE_MACHINE)):
        asked = [
            [order.invoked for order in GameDay(1, 2).play(one).run.history()] for one in (first, second)
        ]
        assert asked[0] == asked[1]


def test_naming():
    day = GameDay(1, 2, rehearsal=["launch"])
    assert day.name_incidents("launch").right == 1
    assert day.name_incidents("scale-in", "scale-in").right == 0
    assert "Niantic" in repr(day.name_incidents("launch"))
    with pytest.raises(LookupError, match="There is no incident 'storm'"):
        day.name_incidents("storm")


def test_a_sheet_has_a_row_for_each_team_the_best_first(dark):
    sheet = result_sheet(dark.items())
    assert list(sheet["team"]) == ["careful", "one", "naive"]
    assert list(sheet["score"]) == sorted(sheet["score"], reverse=True)
    assert list(sheet["who sells"]) == ["quorum", "one machine", "primary"]


def test_designs_are_checked_and_read_as_code():
    assert eval(repr(CAREFUL)) == CAREFUL
    assert Design.of(CAREFUL.choices()) == CAREFUL
    with pytest.raises(LookupError, match="A design has no 'replicas'"):
        Design.of({"replicas": 3})
    with pytest.raises(ValueError, match="zones must be at most 3"):
        Design(zones=4)


def test_every_link_doubles_the_ways_to_fail():
    one, many = complexity(ONE_MACHINE), complexity(CAREFUL)
    assert one.parts == 1
    assert many.pairs_of_failures > 300 * one.pairs_of_failures


def test_the_checklist_has_a_product_on_each_side():
    assert should_distribute(CLINIC).verdict == "one machine"
    assert should_distribute(TICKETS).verdict == "distribute"
    assert should_distribute({}).verdict == "close: prototype both"
    with pytest.raises(LookupError, match="not on the checklist"):
        should_distribute({"it is modern": 1.0})
