"""The runs of the ping detector are what they were when its messages bore the names of SWIM's.

A digest covers the names of the messages. The table puts the old ones back; then the digests are those of before.
"""

from functools import partial

import pytest

from dscourse.detection import PingDetector
from dscourse.detection.ping import EchoReply, EchoRequest
from dscourse.simulation import (
    Crash,
    CutLink,
    Duplicate,
    Lossy,
    Network,
    Pause,
    Scenario,
    Uniform,
    messages,
    topology,
)

OLD_NAMES = {EchoRequest: "Ping", EchoReply: "Ack"}

GROUP = "69146a0194eed8389a7017b76977487d74e292f0d42f39ffeb0729d86ce6b9d3"


@pytest.fixture
def old_names(monkeypatch):
    monkeypatch.setattr(messages, "_SHAPES", {})
    names = {kind: kind.__name__ for kind in OLD_NAMES}
    for kind, name in OLD_NAMES.items():
        kind.__name__ = name
    yield
    for kind, name in names.items():
        kind.__name__ = name


def group():
    faults = (
        Crash("n1", at=5.2, restart_at=9.0),
        Pause("n2", at=11.0, until=18.0),
        Lossy(0.2, at=20.0, until=24.0),
        CutLink("n0", "n2", at=26.0, until=29.0, one_way=True),
        Duplicate(0.3, at=30.0, until=33.0),
    )
    network = Network(topology.full_mesh(5), latency=Uniform(0.01, 0.3))
    return Scenario(partial(PingDetector, timeout=0.4, attempts=2), network, faults=faults, seed=3).run(60.0)


def test_a_group_in_trouble_is_the_same_but_for_the_names_of_messages(old_names):
    assert group().digest() == GROUP


def test_with_the_names_of_today_the_digest_is_another():
    assert group().digest() != GROUP
