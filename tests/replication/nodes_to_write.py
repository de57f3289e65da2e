"""The two nodes that a learner writes in notebook 05: a follower, and a leader's rule; one right, seven wrong.

The promise: a write that was acknowledged by k followers survives the loss of the leader and of k − 1 followers. An
examination that takes away less can't tell two of them from the right one; see `test_nodes_to_write`.
"""

from collections import Counter
from functools import partial

from dscourse.replication import Append, Gateway, Received, SingleLeaderReplica
from dscourse.simulation import Node


class Follower(Node):
    """Right: in order, without gaps, first onto the disk, and only then acknowledged."""

    def __init__(self, node_id, peers):
        super().__init__(node_id, peers)
        self.log = []
        self.values = {}

    def on_start(self, ctx):
        for entry in ctx.stored or ():
            self.take(entry)

    def take(self, entry):
        self.log.append(entry)
        self.values[entry.key] = entry.value

    def on_message(self, ctx, sender, message):
        if not isinstance(message, Append):
            return
        start = message.after[1]
        if start > len(self.log):
            ctx.send(sender, Received(message.epoch, len(self.log), complete=False))
            return
        for entry in message.entries[len(self.log) - start :]:
            self.take(entry)
        ctx.save(tuple(self.log))
        ctx.send(sender, Received(message.epoch, start + len(message.entries), complete=True))


class SavesAfterAcknowledging(Follower):
    """1. Acknowledges what is on its disk a little later only."""

    def on_message(self, ctx, sender, message):
        before = ctx.stored
        super().on_message(ctx, sender, message)
        if ctx.stored != before:
            ctx.save(before)
            ctx.set_timer("save", 0.05)

    def on_timer(self, ctx, name):
        ctx.save(tuple(self.log))


class TakesInOrderOfArrival(Follower):
    """2. Doesn't look where an entry belongs, if it is a new one."""

    def on_message(self, ctx, sender, message):
        if isinstance(message, Append):
            for entry in message.entries:
                if entry not in self.log:
                    self.take(entry)
            ctx.save(tuple(self.log))
            index = message.after[1] + len(message.entries)
            ctx.send(sender, Received(message.epoch, index, complete=True))


class TakesTwice(Follower):
    """3. Doesn't look whether it has an entry already."""

    def on_message(self, ctx, sender, message):
        if not isinstance(message, Append):
            return
        start = message.after[1]
        if start > len(self.log):
            ctx.send(sender, Received(message.epoch, len(self.log), complete=False))
            return
        for entry in message.entries:
            self.take(entry)
        ctx.save(tuple(self.log))
        ctx.send(sender, Received(message.epoch, start + len(message.entries), complete=True))


class AcknowledgesAcrossAGap(Follower):
    """5. Keeps what comes too early for later, and acknowledges the highest index it has seen."""

    def __init__(self, node_id, peers):
        super().__init__(node_id, peers)
        self.early = {}

    def on_message(self, ctx, sender, message):
        if not isinstance(message, Append):
            return
        start = message.after[1]
        self.early.update(enumerate(message.entries, start=start))
        while len(self.log) in self.early:
            self.take(self.early.pop(len(self.log)))
        ctx.save(tuple(self.log))
        ctx.send(sender, Received(message.epoch, start + len(message.entries), complete=True))


class CountsAcknowledgements(SingleLeaderReplica):
    """4. Counts acknowledgements, not who they are from: a message that arrives twice counts twice."""

    def __init__(self, *args, **settings):
        super().__init__(*args, **settings)
        self.counted = Counter()

    def on_received(self, ctx, sender, message):
        self.counted[message.index] += message.complete
        super().on_received(ctx, sender, message)

    def is_safe(self, index):
        return sum(count for other, count in self.counted.items() if other >= index) >= 2


GivesUpWaiting = partial(
    SingleLeaderReplica, fallback_after=0.4
)  # 6. async, silently, when a follower is stopped


def promotes_most_applied(received, applied):
    """7. Promotes the replica whose readers see most, and not the one that has received most."""
    return max(received, key=lambda node: applied[node])


def examined(node_id, peers, *, leader=SingleLeaderReplica, follower=SingleLeaderReplica):
    """A machine of the examination: n0 leads, and waits for two followers; n1 … follow."""
    if node_id == "n0":
        return leader(node_id, peers, mode="semi-sync", acknowledgements=2)
    return follower(node_id, peers)


class TakesReceivedForApplied(SingleLeaderReplica):
    """Compares a reader's position with what it has received: the reader finds the old value."""

    def has_applied(self, token):
        return token[1] <= self.received


class TellsByTheClock(Gateway):
    """Reads from any replica once its own clock says that a second has gone by since the user wrote."""

    def __init__(self, *args, **settings):
        super().__init__(*args, **settings)
        self.wrote_at = {}

    def _first_choice(self, ctx, operation):
        if operation[0] == "put":
            self.wrote_at[operation[1]] = ctx.now
        recent = ctx.now - self.wrote_at.get(operation[1], -1.0) < 1.0
        return self.leader if recent else super()._first_choice(ctx, operation)

    def token(self, client, key):
        return (0, 0)
