"""A judged run shows what `Run.check` shows, while the run still goes on."""

import pytest

from dscourse.simulation import Crash, Network, Node, Scenario, always, never, topology
from dscourse.simulation.run import judged_run


class Counter(Node):
    """Counts its timers."""

    def on_start(self, ctx):
        self.count = 0
        ctx.set_timer("tick", 0.5)

    def on_timer(self, ctx, name):
        self.count += 1
        ctx.set_timer("tick", 0.5)


SCENARIO = Scenario(
    Counter, Network(topology.full_mesh(8)), faults=[Crash("n0", at=1.0, restart_at=2.0), Crash("n5", at=1.5)]
)


def test_nodes_stand_in_the_networks_order_also_after_a_restart():
    orders = set()
    judged_run(SCENARIO, 3.0, [always(lambda now: orders.add(tuple(now.nodes)) or True, name="looks")])
    names = SCENARIO.node_ids
    assert orders == {
        names,
        names[1:],
        tuple(name for name in names if name not in ("n0", "n5")),
        tuple(name for name in names if name != "n5"),
    }


def test_whoever_asks_a_node_that_is_down_is_told_the_time():
    ask = never(lambda now: now.nodes["n0"]["count"] > 9, name="much")
    with pytest.raises(LookupError, match="n0 is down at 1 s"):
        judged_run(SCENARIO, 3.0, [ask])
