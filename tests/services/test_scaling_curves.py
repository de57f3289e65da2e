"""The five patterns: against closed networks of queues where theory is exact, and against what each is known for."""

import pytest

from dscourse.services import PATTERNS, measure_scaling, pattern_table

SIZES = [1, 2, 4, 8, 16, 32]
few = {"requests": 20_000}


def test_nothing_shared_scales_in_proportion():
    curve = measure_scaling("shared-nothing", SIZES, **few)
    assert curve.speedup == pytest.approx(SIZES, rel=0.05)
    assert curve.fit.contention < 0.003
    assert curve.bottleneck == "node"


def test_a_shared_twentieth_ends_at_twenty():
    curve = measure_scaling("shared-nothing", [1, 8, 64], shared=0.05, requests=60_000)
    assert curve.throughput[2] == pytest.approx(20, rel=0.02)
    assert curve.bottleneck == "lock"
    assert curve.utilization["lock"] > 0.99
    assert curve.utilization["node"] < 0.5


@pytest.mark.parametrize("users", [1, 4, 16])
def test_partitions_do_what_a_closed_network_of_queues_does(users):
    """K users at N equal stations, asked at random: N·K/(N + K − 1), Gordon and Newell."""
    curve = measure_scaling("partitioning", [1, 4, 16], users=users, requests=60_000)
    for nodes, throughput in zip(curve.nodes, curve.throughput, strict=True):
        clients = users * nodes
        assert throughput == pytest.approx(nodes * clients / (nodes + clients - 1), rel=0.02)


@pytest.mark.parametrize("share", [0.05, 0.2])
def test_contention_is_the_share_of_requests_that_need_all_partitions(share):
    """On average a request costs 1 + share·(n − 1): the scalability law itself."""
    assert measure_scaling(
        "partitioning", SIZES, cross_partition=share, **few
    ).fit.contention == pytest.approx(share, abs=0.015)


@pytest.mark.parametrize("writes", [0.05, 0.2])
def test_writes_limit_what_replicas_give(writes):
    curve = measure_scaling("read replicas", SIZES, writes=writes, **few)
    assert curve.fit.contention == pytest.approx(writes, abs=0.015)
    assert curve.fit.peak_throughput == pytest.approx(1 / writes, rel=0.35)


def test_stale_reads_grow_with_the_lag_and_the_number_of_replicas():
    near = measure_scaling("read replicas", [1, 4, 16], lag=2.0, **few).stale_share
    far = measure_scaling("read replicas", [1, 4, 16], lag=40.0, **few).stale_share
    assert near[0] == far[0] == 0.0
    assert far[1] < far[2]
    assert far[2] > 8 * near[2] > 0
    writes_a_unit = 0.1 * measure_scaling("read replicas", [16], **few).throughput[0]
    assert far[2] == pytest.approx(15 / 16 * writes_a_unit * 40 / 1000, rel=0.1)  # of a thousand keys


def test_the_store_and_the_broker_are_the_next_bottleneck():
    stateless = measure_scaling("stateless", [1, 8, 64], store=0.05, requests=40_000)
    assert stateless.throughput[2] == pytest.approx(20, rel=0.02)
    assert stateless.bottleneck == "store"
    later = measure_scaling("asynchronous", [1, 8, 64], broker=0.05, requests=40_000)
    assert later.throughput[2] == pytest.approx(20, rel=0.02)
    assert later.bottleneck == "broker"
    assert measure_scaling("asynchronous", [8], **few).throughput[0] == pytest.approx(8, rel=0.02)


def test_the_table_is_measured():
    table = pattern_table([1, 2, 4], requests=3000)
    assert list(table.index) == list(PATTERNS)
    assert table.loc["shared-nothing", "speedup"] > table.loc["read replicas", "speedup"]
    assert table.loc["read replicas", "stale reads"] > 0


def test_sizes():
    assert measure_scaling("stateless", 8, requests=500).nodes == (1, 2, 4, 8)
    assert measure_scaling("stateless", (3,), requests=500).nodes == (3,)
    assert measure_scaling("stateless", 4, requests=500) == measure_scaling("stateless", 4, requests=500)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("sharding", 4), "pattern must be one of"),
        (("stateless", 0), "nodes must be at least 1"),
        (("stateless", []), "nodes must not be empty"),
        (("stateless", [1, 0]), "a number in nodes must be at least 1"),
    ],
)
def test_refusals(arguments, told):
    with pytest.raises(ValueError, match=told):
        measure_scaling(*arguments)
    with pytest.raises(ValueError, match="shared must lie between"):
        measure_scaling("shared-nothing", 4, shared=5)
