"""How fast every schedule of a tiny cluster is tried: 10⁵ states of three nodes, on one core.

Beside `explore` stands the plain way to write it: the whole cluster is copied for each step, and a state is told from
others by its pickle. Both come to the same states of the same nodes (the plain one to fewer, since it takes long), and
the ratio is of states per second. The numbers to hold: under 30 s and 500 MB.

    python benchmarks/exploration_states.py
"""

from __future__ import annotations

import pickle
import resource
import sys
import time
from copy import deepcopy
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "exploration"))

from tiny_systems import OrderedMutexNode, exclusive

from dscourse.exploration import explore

NODES, FIRES = ("n0", "n1", "n2"), 4
STATES, PLAIN_STATES = 100_000, 3_000


class _PlainContext:
    """The least that the nodes need."""

    def __init__(self, cluster, name):
        self.cluster, self.name = cluster, name

    def send(self, to, message):
        self.cluster.mails.append((self.name, to, message))

    def set_timer(self, timer, delay):
        self.cluster.timers.add((self.name, timer))


class _PlainCluster:
    """Nodes, messages and timers, copied as a whole."""

    def __init__(self):
        self.mails, self.timers, self.fires = [], set(), FIRES
        self.nodes = {name: OrderedMutexNode(name, [n for n in NODES if n != name]) for name in NODES}
        for name, node in self.nodes.items():
            node.on_start(_PlainContext(self, name))

    def key(self):
        mails = sorted(map(repr, self.mails))
        return pickle.dumps(
            ([vars(node) for node in self.nodes.values()], mails, sorted(self.timers), self.fires)
        )

    def after_mail(self, place):
        other = deepcopy(self)
        sender, to, message = other.mails.pop(place)
        other.nodes[to].on_message(_PlainContext(other, to), sender, message)
        return other

    def after_timer(self, name, timer):
        other = deepcopy(self)
        other.fires -= 1
        other.timers.remove((name, timer))
        other.nodes[name].on_timer(_PlainContext(other, name), timer)
        return other

    def next_ones(self):
        for place in range(len(self.mails)):
            yield self.after_mail(place)
        for name, timer in sorted(self.timers) if self.fires else ():
            yield self.after_timer(name, timer)


def plain(states):
    """States per second of the plain way."""
    begin = time.perf_counter()
    start = _PlainCluster()
    seen, queue = {start.key()}, [start]
    for cluster in queue:
        for other in cluster.next_ones():
            key = other.key()
            if key not in seen:
                seen.add(key)
                queue.append(other)
                assert sum(node.inside for node in other.nodes.values()) <= 1
        if len(seen) >= states:
            break
    return len(seen) / (time.perf_counter() - begin)


def main():
    """Print the table."""
    begin = time.perf_counter()
    came_to = explore(OrderedMutexNode, NODES, exclusive, fires=FIRES, states=STATES)
    seconds = time.perf_counter() - begin
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000
    by_hand = plain(PLAIN_STATES)
    print(f"explore: {came_to.states} states in {seconds:.1f} s, {came_to.states / seconds:.0f} a second")
    print(f"memory: {came_to.memory:.0f} MB by its own count, {peak:.0f} MB of the whole process")
    ratio = came_to.states / seconds / by_hand
    print(f"copying everything: {by_hand:.0f} states a second; explore is {ratio:.0f} times as fast")


if __name__ == "__main__":
    main()
