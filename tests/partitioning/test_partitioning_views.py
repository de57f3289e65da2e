"""Pictures of partitioning: what they say in words is what the models say, and every control does something."""

import ipywidgets as widgets
import numpy as np
import pytest

from dscourse.partitioning import ConsistentHashRing, ModuloPartitioner, load_counts, rebalance
from dscourse.views import Picture, new_axes, partitioner_comparison, partitioning
from dscourse.views.palette import BLACK

NODES = ["n0", "n1", "n2", "n3"]
KEYS = np.arange(500)


def choices(control):
    if isinstance(control, widgets.SelectionSlider | widgets.Dropdown):
        return list(control.options)
    return [control.min, (control.min + control.max) / 2, control.max]


@pytest.mark.parametrize(
    ("hot_keys", "words"),
    [(0, "the hottest key"), (1, "pieces of the hottest key"), (3, "pieces of the 3 hottest keys")],
)
def test_the_hot_bars_are_named_for_one_key_and_for_several(hot_keys, words):
    shown = partitioning.explore_hot_keys()
    shown.controls["hot_keys"].value = hot_keys
    assert [text.get_text() for text in shown.figure.axes[0].get_legend().get_texts()] == [
        "other keys",
        words,
    ]


def test_the_tick_of_the_fair_share_is_seen_on_a_bar_of_its_own_colour():
    shown = partitioning.explore_ring()
    shown.controls["nodes"].value = 7
    below, above = (line for line in shown.figure.axes[1].get_lines() if line.get_marker() == "|")
    assert (below.get_color(), above.get_color()) == ("white", BLACK)
    assert below.get_markeredgewidth() > above.get_markeredgewidth() + 1.5


@pytest.mark.parametrize(
    "lab",
    [partitioning.explore_ring, partitioning.explore_hot_keys, partitioner_comparison.explore_partitioners],
)
def test_every_choice_of_every_control_gives_another_picture_without_a_problem(lab):
    shown = lab()
    for name, control in shown.controls.items():
        if name in ("hot_keys", "cache"):
            shown.controls["theta"].value = 1.2
        if name == "pieces":
            shown.controls["hot_keys"].value = 3
        pictures = set()
        for choice in choices(control)[-2:]:
            control.value = int(choice) if isinstance(control, widgets.IntSlider) else choice
            assert shown.picture.problem == ""
            pictures.add(shown.picture.alt)
        assert len(pictures) > 1, f"{name} does nothing"


def test_the_ring_tells_shares_and_moved_keys():
    before = ConsistentHashRing(NODES, 2)
    after = ConsistentHashRing([*NODES, "n4"], 2)
    picture = partitioning.draw_ring(after, keys=KEYS, before=before)
    assert isinstance(picture, Picture)
    moved = (before.owners(KEYS) != after.owners(KEYS)).sum()
    assert f"{moved} of the 500 keys drawn have moved" in picture.alt
    assert f"n4 {100 * after.shares()['n4']:.0f} %" in picture.alt


@pytest.mark.parametrize(
    "ring", [ConsistentHashRing(["a"], 1), ConsistentHashRing([f"n{k}" for k in range(12)], 64)]
)
def test_a_ring_of_one_point_and_one_of_many_can_be_drawn(ring):
    assert partitioning.draw_ring(ring).png().startswith(b"\x89PNG")
    assert partitioning.draw_ring(ring, keys=["k"], ax=new_axes()).png()


def test_the_explorer_tells_what_the_models_say():
    alt = partitioning.explore_ring().picture.alt
    moved = rebalance(ConsistentHashRing(NODES, 4), np.arange(20_000), add="n4").moved
    assert f"{100 * moved:.1f} % of 20 000 keys" in alt


def test_loads_tails_errors_ranges_and_skew_are_told():
    loads = load_counts(ModuloPartitioner(NODES), KEYS)
    assert "busiest node carries 1.0" in partitioning.draw_loads({"mod": loads}).alt
    tails = partitioning.draw_tails({"one": [0.001] * 99 + [0.010], "all": [0.002] * 100})
    assert "one: median 1.0 ms, 99th percentile 1.1 ms; all: median 2.0 ms" in tails.alt
    errors = partitioning.draw_standard_errors({10: 0.31, 100: 0.1}, published={10: 0.315})
    assert "31.0 % with 10, 10.0 % with 100" in errors.alt
    ranges = partitioning.draw_ranges(
        {"before": {"[…, …) on n0": 9}, "after": {"[…, 5) on n0": 4, "[5, …) on n1": 5}}
    )
    assert "before: 1 range, the busiest with 9 requests; after: 2 ranges, the busiest with 5" in ranges.alt
    assert "51 of Twitter's cache clusters" in partitioning.draw_twitter_skew().alt
    many = partitioning.draw_ranges({"before": {"[…, …) on n0": 1392}})
    assert "the busiest with 1 392 requests" in many.alt
    for picture in (tails, errors, ranges):
        assert picture.png().startswith(b"\x89PNG")


def test_the_comparison_tells_four_per_cent_moved_from_two():
    shown = partitioner_comparison.explore_partitioners()
    shown.controls["nodes"].value = 50
    shown.controls["change"].value = "a node in the middle leaves"
    axes = shown.figure.axes[0]
    bars = axes.collections[1].get_segments()  # of the keys that moved
    names = [label.get_text() for label in axes.get_yticklabels()]
    length = {name: bar[1][0] - bar[0][0] for name, bar in zip(names, bars, strict=True)}
    assert length["jump"] > 1.3 * length["rendezvous"]
    titles = " ".join(text.get_text() for text in axes.texts)
    assert "of 20 000 keys" in titles


def test_the_comparison_draws_a_node_that_leaves_without_keys():
    axes = new_axes()
    axes.set_yticks([0, 1])
    column = partitioner_comparison._Column(axes, 0, "keys moved", str, log=True)
    column.show([0.0, 0.9], mark=0.02)
    assert np.isfinite(np.array(column.bars.get_segments())).all()
    assert 0 < column.mark.get_xdata()[0] < column.bars.get_segments()[1][1][0]
