"""Pictures of notebook 05: what they say is what was measured."""

import pandas as pd
import pytest

from dscourse.replication import STRATEGIES, compare_strategies, measure_regions, replicated_store
from dscourse.simulation import Constant, OpenLoop, Pause
from dscourse.views.replication import draw_strategies, explore_read_scaling, explore_regions, lag


def test_a_lane_shows_the_lag_of_a_replica():
    writes = OpenLoop([("put", "k", n) for n in range(30)], 20.0, "n0", 1.0, arrivals="regular")
    faults = [Pause("n2", at=0.5, until=1.02)]
    run = replicated_store(
        mode="async", clients=[writes], faults=faults, operator=False, latency=Constant(0.01)
    ).run(3.0)
    calm, paused = lag("n1").drawn(run), lag("n2").drawn(run)
    assert (paused["name"], paused["unit"]) == ("lag of n2", "writes")
    assert calm["most"] == 1
    assert paused["most"] == 11
    assert paused["points"][-1][1] == 0
    with pytest.raises(ValueError, match="n9"):
        lag("n9").drawn(run)


@pytest.fixture(scope="module")
def regions():
    tables = measure_regions(["Washington DC"]), measure_regions(), measure_regions(mode="sync")
    return tables, explore_regions(*tables)


@pytest.mark.parametrize(
    ("copies", "mode", "table"),
    [
        ("the leader alone", "async", 0),
        ("the leader alone", "sync", 0),
        ("one in every region", "async", 1),
        ("one in every region", "sync", 2),
    ],
)
def test_regions_show_the_table_that_the_controls_ask_for(regions, copies, mode, table):
    tables, figure = regions
    figure.controls["copies"].value, figure.controls["mode"].value = copies, mode
    figure._redraw()
    write = 1000 * tables[table].set_index("region").write_p50["Tokyo"]
    assert f"Tokyo: write {write:.0f} ms, light allows" in figure.picture.alt
    assert figure.picture.problem == ""


@pytest.mark.parametrize(
    ("writes", "told"),
    [(20, "never more than 5"), (0, "no ceiling"), (50, "8 of them serve what 1.78")],
)
def test_reads_meet_their_ceiling(writes, told):
    figure = explore_read_scaling({1: 1.0, 4: 2.5}, 0.2)
    figure.controls["writes"].value = writes
    figure._redraw()
    assert told in figure.picture.alt


def test_strategies_stand_side_by_side_and_a_fourth_has_room():
    table = compare_strategies(STRATEGIES[:2])
    picture = draw_strategies(table)
    assert picture.alt.startswith("2 strategies measured: single leader, sync; single leader, semi-sync.")
    assert "acknowledged writes lost: 0, 0;" in picture.alt
    words = [text.get_text() for text in picture.figure.axes[0].texts]
    assert sum("★" in word for word in words) > 2
    wider = draw_strategies(pd.concat([table, table]))
    assert wider.figure.get_size_inches()[0] > picture.figure.get_size_inches()[0]
