"""The same nodes as real operating-system processes on this machine.

    with LiveCluster(KeyValueNode, ["n0", "n1", "n2", "n3", "n4"]) as cluster:
        leader = cluster.wait_for("leader")
        cluster.kill(leader)
        cluster.wait_for("leader")
    play(cluster.run)

What comes out is a run like any other: the player, the checkers and the measures of a detector read it. It can't be
had twice, though: nobody holds a real machine's luck. `what_is_missing` tells why there can be none here;
``python -m dscourse.live.maelstrom`` puts a node under a public bench.
"""

import lazy_loader

# What stands in __init__.pyi is loaded when it is first asked for: a node's process needs next to nothing of it.
__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
