"""The strategies side by side: what must differ does, the same way under every seed; and another one can join."""

import pytest

from dscourse import datasets
from dscourse.replication import (
    STRATEGIES,
    Strategy,
    compare_strategies,
    measured_strategies,
    replicated_store,
)
from dscourse.replication.strategies import lines_of_code
from dscourse.simulation import Node

SYNC, SEMI, ASYNC, MULTI, LEADERLESS = (strategy.name for strategy in STRATEGIES)


@pytest.fixture(scope="module")
def tables():
    return [compare_strategies(seeds=[seed]) for seed in (0, 1, 2)]


@pytest.mark.parametrize(
    "measure",
    [
        "stale",
        "not_linearizable",
        "lost_writes",
        "follower_crash",
        "partition",
        "messages_per_write",
        "messages_per_read",
    ],
)
def test_the_ranking_is_the_same_under_three_seeds(tables, measure):
    orders = [table[measure].rank(method="min").tolist() for table in tables]
    assert orders[0] == orders[1] == orders[2]


def test_what_each_strategy_gives_and_costs(tables):
    for table in tables:
        assert table.lost_writes[[SYNC, SEMI, LEADERLESS]].tolist() == [0, 0, 0]
        assert table.lost_writes[ASYNC] > table.lost_writes[MULTI] > 3
        assert table.write_p50[ASYNC] < table.write_p50[SEMI] < table.write_p50[SYNC]
        # Two hops there and back from a gateway, whatever it is that answers at once or by two of three.
        for name in (MULTI, LEADERLESS):
            assert table.write_p50[name] == pytest.approx(table.write_p50[ASYNC], rel=0.2)
        assert table.stale[LEADERLESS] <= table.stale[MULTI] < table.stale[SYNC]
        assert table.stale[SYNC] < table.stale[SEMI] < table.stale[ASYNC]
        assert table.not_linearizable.tolist() == [
            1,
            1,
            1,
            0.25,
            0,
        ]  # several leaders: only under the partition
        assert table.follower_crash[SYNC] < 0.3
        assert table.follower_crash[[SEMI, ASYNC]].tolist() == [1, 1]
        assert table.partition[SEMI] < 0.6 < table.partition[ASYNC]
        assert table.partition[LEADERLESS] < 0.6 < table.partition[MULTI] == 1
        assert (table.leader_crash[[SYNC, SEMI, ASYNC]] < 0.95).all()
        assert (table.leader_crash > 0.5).all()
        assert table.leader_crash[[MULTI, LEADERLESS]].tolist() == [1, 1]
        assert table.messages_per_write[ASYNC] < table.messages_per_write[SYNC]
        assert 4 <= table.messages_per_write[SYNC] < 4.3  # two followers, there and back
        assert 6 <= table.messages_per_write[LEADERLESS] < 6.5  # three homes, there and back, and repairs
        assert table.messages_per_read.tolist() == [0, 0, 0, 0, 6]
        # Append, Received, Inspect, Report, Promote; Update, Merged, Pull, Everything; Store, Stored, Fetch, Found
        assert table.message_kinds.tolist() == [5, 5, 5, 4, 4]
        assert (table.broken_sessions[[SYNC, SEMI, ASYNC]] > 0).all()


def test_a_row_of_the_stored_table_comes_out_again_for_every_strategy(tables):
    stored = datasets.load("replication/strategies").set_index(["strategy", "seed"])
    assert len(stored) == 5 * 10
    for seed, table in enumerate(tables):
        again = table[stored.columns]
        there = stored.xs(seed, level="seed").loc[again.index]
        assert (again - there).abs().to_numpy().max() < 1e-5, seed


def test_the_stored_table_is_that_of_all_strategies_with_means():
    table = measured_strategies()
    assert table.index.tolist() == [strategy.name for strategy in STRATEGIES]
    stored = datasets.load("replication/strategies")
    of_async = stored[stored.strategy == ASYNC].lost_writes
    assert table.lost_writes[ASYNC] == pytest.approx(of_async.sum() / 10)
    assert table.decisions.tolist() == [len(strategy.decisions) for strategy in STRATEGIES]


def test_another_strategy_joins_and_means_are_taken_over_seeds():
    without = Strategy("without an operator", _without_operator, Node, ("everything",))
    table = compare_strategies([without], seeds=2)
    row = table.loc["without an operator"]
    assert row.message_kinds == 2
    assert row.leader_crash < 0.3
    assert row.lost_writes == 0  # nobody is promoted, so nothing is thrown away
    assert row.decisions == 1


def _without_operator(**settings):
    faults = [fault for fault in settings.pop("faults") if "operator" not in fault.nodes]
    return replicated_store(mode="async", operator=False, faults=faults, **settings)


def test_lines_of_code_count_no_docstrings_no_comments_no_blank_lines():
    class Example:
        """A docstring.

        Of several lines.
        """

        def method(self):
            """Another."""
            # a comment
            return 1

        def empty(self):
            """Only this."""

    assert lines_of_code(Example) == 5
