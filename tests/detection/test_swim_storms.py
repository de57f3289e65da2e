"""Whatever happened to a SWIM group: once it is over, every member sees just the members that are up."""

import random
from functools import partial

import numpy as np
import pytest

from dscourse.detection import SwimMember
from dscourse.simulation import (
    Crash,
    CutLink,
    Duplicate,
    Lossy,
    Network,
    Partition,
    Pause,
    Scenario,
    Slow,
    Uniform,
    topology,
)

STORM = 90.0  # seconds


def storm(names, luck):
    """Faults of many kinds, all over by the end of the storm; whoever crashes without a restart stays away."""

    def times():
        return {"at": (begin := luck.uniform(0.0, STORM - 1.0)), "until": luck.uniform(begin + 0.5, STORM)}

    def restarted(node):
        begin, end = times().values()
        return Crash(node, begin, end)

    def partition():
        side = {name: luck.randrange(2) for name in names}
        groups = [[name for name in names if side[name] == half] for half in (0, 1)]
        return Partition([group for group in groups if group], **times())

    some = luck.sample(names[2:], len(names) // 2)
    gone = some[: luck.randrange(3)]
    faults = [Crash(node, luck.uniform(0.0, STORM)) for node in gone]
    faults += [restarted(node) for node in some[len(gone) :] if luck.random() < 0.6]
    faults += [Pause(luck.choice(names), **times()) for _ in range(luck.randrange(3))]
    faults += [partition() for _ in range(luck.randrange(3))]
    faults += [
        CutLink(*luck.sample(names, 2), one_way=luck.random() < 0.7, **times())
        for _ in range(luck.randrange(len(names)))
    ]
    faults += [Lossy(luck.uniform(0.05, 0.9), **times()), Duplicate(0.3, **times())]
    faults += [Slow(100.0, node=luck.choice(names), **times())]
    return faults, gone


@pytest.mark.parametrize("seed", range(14))
def test_after_a_storm_every_member_sees_just_those_that_are_up(seed):
    luck = random.Random(f"storm {seed}")
    names = [f"n{i}" for i in range(luck.choice((5, 6, 9, 13)))]
    faults, gone = storm(names, luck)
    settings = {
        "gossip_interval": luck.choice((None, 0.2)),
        "probe_order": luck.choice(("round_robin", "random")),
        "retransmit_multiplier": luck.choice((1, 4)),
    }
    members, highest = {}, dict.fromkeys(names, 0)

    class Watched(SwimMember):
        def __init__(self, node_id, peers, **keywords):
            super().__init__(node_id, peers, **keywords)
            members[node_id] = self
            self.node_id = node_id

        def on_message(self, ctx, sender, message):
            super().on_message(ctx, sender, message)
            assert self.incarnation >= highest[self.node_id]  # over reboots too: it is kept in stable storage
            highest[self.node_id] = self.incarnation

    until = STORM + 60.0 + 40.0 * (len(gone) + 2) + 150.0 * (len(gone) + 1)
    network = Network(topology.full_mesh(len(names)), latency=Uniform(0.001, 0.05))
    run = Scenario(partial(Watched, **settings), network, faults=faults, seed=seed).run(until)

    here = [name for name in names if name not in gone]
    seen = {
        name: [other for other in names if other != name and members[name].status_of(other) == "alive"]
        for name in here
    }
    assert seen == {name: [other for other in here if other != name] for name in here}
    assert not any(members[name].suspected for name in here)
    assert not run.trace.select(kind="record", name=("suspect", "confirm"), between=(until - 60.0, until))
    # probes, their answers and a ping to a faulty member now and then: the storm leaves no echo
    sent = np.asarray(run.trace.select(kind="send").times)
    assert (sent > until - 60.0).sum() <= 60 * len(here) * (2 + 1 / 30) + 2 * len(here)
