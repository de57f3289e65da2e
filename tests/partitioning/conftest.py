"""A machine of the store without a simulation around it, for tests of one coordinator, message by message."""

import random

import pytest

from dscourse.partitioning.store.nodes import Proxy
from dscourse.simulation import Reply, Request


class FakeContext:
    """As much of a ctx as a machine of the store needs."""

    def __init__(self):
        self.rng = random.Random(0)
        self.stored = None
        self.sent, self.timers = [], []

    def send(self, to, message):
        self.sent.append((to, message))

    def set_timer(self, name, delay):
        self.timers.append(name)

    def cancel_timer(self, name):
        self.timers = [timer for timer in self.timers if timer != name]

    def save(self, state):
        self.stored = state


class Coordinating:
    """A proxy with its world: every call returns what it sends, [(node, message)]."""

    def __init__(self, ring, index="local"):
        self.ctx = FakeContext()
        self.node = Proxy("proxy", (), ring, index, patience=1.0)

    def _sent(self):
        sent, self.ctx.sent = self.ctx.sent, []
        return sent

    def begin(self, what, number=0):
        self.node.on_message(self.ctx, "c0", Request(number, what))
        return self._sent()

    def hear(self, sender, message):
        self.node.on_message(self.ctx, sender, message)
        return self._sent()

    def lose_patience(self, number=0):
        self.node.on_timer(self.ctx, f"c0/{number}")
        return self._sent()

    def restart(self):
        """Crash and return with nothing but what was saved."""
        self.node = Proxy("proxy", (), self.node._operations._owners, "local", patience=1.0)
        self.node.on_start(self.ctx)


def told(outcome, value=None, number=0):
    """What the client is told at the end."""
    return [("c0", Reply(number, outcome, value))]


@pytest.fixture
def ctx():
    return FakeContext()


@pytest.fixture
def coordinating():
    return Coordinating


@pytest.fixture(name="told")
def told_fixture():
    return told
