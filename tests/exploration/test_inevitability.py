"""When it became inevitable: before nothing is decided, afterwards nothing helps."""

import pytest
from scipy.stats import binomtest
from tiny_systems import ForgetfulCoordinatorNode, atomic

from dscourse.consensus import NaiveFailoverNode
from dscourse.exploration import Deliver, Down, Fire, Up, inevitability, script
from dscourse.exploration.futures import wilson_interval
from dscourse.simulation import Network, Node, Partition, Scenario, Uniform, always, holds, never, topology
from dscourse.views.inevitability import draw_inevitability

two_leaders = never(
    lambda now: sum(s.status == "leader" for n, s in now.status.items() if now.condition[n] == "up") > 1,
    name="two leaders",
)


class CoinNode(Node):
    """Tosses a coin at 2 s, and records a second one at 4 s: heads twice is bad."""

    def on_start(self, ctx):
        self.heads = 0
        ctx.set_timer("toss", 2.0)

    def on_timer(self, ctx, name):
        self.heads += ctx.rng.random() < 0.5
        if ctx.now < 3.0:
            ctx.set_timer("toss", 2.0)


never_twice = never(lambda now: now.nodes["n0"]["heads"] == 2, name="heads twice")


def test_in_time_each_toss_decides_a_half():
    scenario = Scenario(CoinNode, Network(topology.full_mesh(1)))
    run = next(
        run
        for seed in range(50)
        if not (run := Scenario(scenario.node_factory, scenario.network, seed=seed).run(6.0)).check(
            never_twice
        )
    )
    table = inevitability(run, never_twice, forks=200, moments=4)
    assert table["time"].tolist() == [0.0, 2.0, 4.0, 6.0]
    assert table["share"].tolist()[0] == pytest.approx(0.25, abs=0.09)
    assert table["share"].tolist()[1] == pytest.approx(
        0.25, abs=0.09
    )  # a fork at 2 s shares what is before 2 s
    assert table["share"].tolist()[2] == pytest.approx(0.5, abs=0.1)
    assert table["share"].tolist()[3] == 1.0


def test_a_row_says_what_the_forks_themselves_say():
    network = Network(topology.full_mesh(3), latency=Uniform(0.1, 0.9))
    cut = Partition([["n0"], ["n1", "n2"]], at=3.0, until=3.9)
    run = Scenario(NaiveFailoverNode, network, faults=[cut], seed=2).run(6.0)
    table = inevitability(run, two_leaders, forks=20, moments=4, seed=3)
    for row in table.itertuples():
        failed = sum(not run.fork(row.time, reseed=60 + k).check(two_leaders) for k in range(20))
        assert row.failed == failed
        assert row.share == failed / 20


def test_in_a_script_the_last_crash_decides():
    steps = [
        Deliver("n0", "n1"), Deliver("n0", "n2"), Deliver("n1", "n0"), Deliver("n2", "n0"), Down("n0"), Up("n0"),
        Deliver("n0", "n1"),
    ]  # fmt: skip
    run = script(ForgetfulCoordinatorNode, ["n0", "n1", "n2"], steps)
    assert not run.check(atomic)
    table = inevitability(run, atomic, forks=60, moments=9)
    assert table["share"].iloc[0] < 0.2
    assert table["share"].iloc[-1] == 1.0
    assert table["share"].iloc[6] > table["share"].iloc[0]
    again = inevitability(run, atomic, forks=60, moments=9)
    assert again.equals(table)
    row = table.iloc[6]
    failed = sum(not run.fork(row["time"], reseed=k).check(atomic) for k in range(60))
    assert row["failed"] == failed


@pytest.mark.parametrize(("successes", "trials"), [(0, 10), (3, 10), (10, 10), (25, 50), (1, 1)])
def test_the_interval_is_wilsons(successes, trials):
    peer = binomtest(successes, trials).proportion_ci(0.95, method="wilson")
    assert wilson_interval(successes, trials) == pytest.approx((peer.low, peer.high), abs=1e-6)


@pytest.mark.parametrize("settings", [{"forks": 0}, {"moments": 1}, {"seed": -1}])
def test_wrong_values_are_refused(settings):
    run = script(NaiveFailoverNode, ["n0", "n1"], [Fire("n0", "heartbeat")])
    with pytest.raises(ValueError):
        inevitability(run, two_leaders, **settings)


def test_a_handler_that_fails_counts_as_failed():
    class Slips(NaiveFailoverNode):
        def on_timer(self, ctx, name):
            if ctx.rng.random() < 0.5:
                raise RuntimeError("half of the time")
            super().on_timer(ctx, name)

    run = next(_runs(Slips))
    table = inevitability(run, always(lambda now: True), forks=40, moments=2)
    assert 0.1 < table["share"].iloc[0] < 1.0
    assert table["share"].iloc[1] == 0.0


def _runs(factory):
    for seed in range(100):
        try:
            yield Scenario(factory, Network(topology.full_mesh(2)), seed=seed).run(0.8)
        except RuntimeError:
            continue


def test_the_picture_says_when_all_fail():
    run = script(NaiveFailoverNode, ["n0", "n1"], [Fire("n1", "heartbeat")] * 4)
    table = inevitability(run, two_leaders, forks=10, moments=6)
    picture = draw_inevitability(table)
    assert "Of 10 futures at each of 6 moments" in picture.alt
    assert "100% at 5 s" in picture.alt
    assert picture.figure.axes[0].get_ylabel() == "share that fails"
    assert draw_inevitability(table, picture.figure.axes[0]).figure is picture.figure
    assert holds is not None
