"""Nodes that tests run as processes: in a module of their own, which those processes import."""

import sys
import time
from dataclasses import dataclass

from dscourse.consensus import KeyValueNode
from dscourse.simulation import Node, Reply, Request

NAMES = ("n0", "n1", "n2")


@dataclass(frozen=True)
class Tick:
    number: int
    words: tuple = ()


class Ticker(Node):
    """Ticks to all peers, twenty times a second; counts what comes; keeps what it is told."""

    def __init__(self, node_id, peers):
        super().__init__(node_id, peers)
        self.ticks = 0
        self.heard = dict.fromkeys(peers, 0)
        self.kept = ()

    def on_start(self, ctx):
        self.kept = ctx.stored or ()
        ctx.record("status", status="up", label=f"kept {len(self.kept)}")
        ctx.set_timer("tick", 0.05 * (0.9 + 0.2 * ctx.rng.random()))

    def on_timer(self, ctx, name):
        self.ticks += 1
        for peer in self.peers:
            ctx.send(peer, Tick(self.ticks, ("a", ("b", 1.5, None))))
        ctx.set_timer("tick", 0.05)

    def on_message(self, ctx, sender, message):
        if isinstance(message, Tick):
            assert message.words == ("a", ("b", 1.5, None))
            self.heard[sender] = message.number
            return
        match message.operation:
            case ("keep", value):
                self.kept = (*self.kept, value)
                ctx.save(self.kept)
                ctx.send(sender, Reply(message.number, "ok"))
            case ("kept",):
                ctx.send(sender, Reply(message.number, "ok", self.kept))
            case ("state",):
                ctx.send(sender, Reply(message.number, "ok", (self.ticks, tuple(self.heard.items()))))
            case ("fail",):
                raise ZeroDivisionError("asked for")
            case ("leave",):
                sys.exit(3)
            case ("too much",):
                ctx.send(self.peers[0], Tick(1, ("x" * 70_000,)))
            case ("clock",):
                ctx.record("clock", says=time.time())


class Heavy(KeyValueNode):
    """A member of a store that says which heavy modules its process has loaded."""

    def on_start(self, ctx):
        super().on_start(ctx)
        ctx.record("loaded", names=sorted({"networkx", "numpy", "pandas", "matplotlib"} & set(sys.modules)))


class Unmakeable(Node):
    """A node whose object can't be made."""

    def __init__(self, node_id, peers):
        raise RuntimeError(f"no {node_id} today")


class Asked(Node):
    """Answers whatever it is asked."""

    def __init__(self, node_id, peers, lock=None):
        super().__init__(node_id, peers)

    def on_message(self, ctx, sender, message):
        if isinstance(message, Request):
            ctx.send(sender, Reply(message.number, "ok", message.operation))


class Bomb(Node):
    """Fails after a while."""

    def on_start(self, ctx):
        ctx.set_timer("bang", 0.1)

    def on_timer(self, ctx, name):
        {}[name]
