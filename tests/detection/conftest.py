"""One way to run a group of detectors, shared by the tests of this folder."""

import random

import pytest

from dscourse.simulation import Constant, Network, Scenario, topology


@pytest.fixture
def simulate():
    """simulate(factory, members, until, …): a full mesh of `members` nodes."""

    def run(factory, members, until, *, faults=(), latency=None, loss=0.0, seed=1, graph=None):
        graph = topology.full_mesh(members) if graph is None else graph
        latency = Constant(0.01) if latency is None else latency
        network = Network(graph, latency=latency, loss=loss)
        return Scenario(factory, network, faults=tuple(faults), seed=seed).run(until)

    return run


class FakeContext:
    """A ctx without a simulation around it, for tests of a single handler."""

    def __init__(self):
        self.now = 0.0
        self.stored = None
        self.sent, self.records, self.timers = [], [], {}
        self.rng = random.Random(1)

    def send(self, to, message):
        self.sent.append((to, message))

    def set_timer(self, name, delay):
        self.timers[name] = self.now + delay

    def cancel_timer(self, name):
        self.timers.pop(name, None)

    def save(self, state):
        self.stored = state

    def record(self, kind, /, **fields):
        self.records.append((kind, fields))


@pytest.fixture
def ctx():
    return FakeContext()
