"""Copies near the users, and the ceiling of writes."""

import pytest

from dscourse.replication import FIVE_REGIONS, distance_km, light_floor, measure_regions, read_throughput


@pytest.mark.parametrize(
    ("a", "b", "km"),
    [("Frankfurt", "Washington DC", 6550), ("London", "Frankfurt", 640), ("Tokyo", "Sydney", 7800)],
)
def test_distances_are_those_of_an_atlas(a, b, km):
    assert distance_km(a, b) == pytest.approx(km, rel=0.02)
    assert distance_km(b, a) == distance_km(a, b)
    assert distance_km(a, a) == 0.0


def test_light_needs_65_ms_across_the_atlantic_and_back():
    assert light_floor("Frankfurt", "Washington DC") == pytest.approx(0.065, abs=0.001)


def test_no_measured_round_trip_is_faster_than_light():
    from dscourse import datasets

    for row in datasets.load("latency/region_rtt").to_dict("records"):
        assert row["rtt_ms"] / 1000 >= light_floor(row["from"], row["to"])


@pytest.fixture(scope="module")
def near():
    return measure_regions().set_index("region")


@pytest.fixture(scope="module")
def far():
    return measure_regions(FIVE_REGIONS[:1]).set_index("region")


def test_a_replica_near_by_makes_reads_fast_and_leaves_writes_where_they_were(near, far):
    away = list(FIVE_REGIONS[1:])
    assert (near.read_p99 < 0.002).all()
    assert (far.read_p50[away] > 0.08).all()
    assert near.write_p50[away].tolist() == pytest.approx(far.write_p50[away].tolist(), rel=0.05)


def test_nothing_is_faster_than_light(near, far):
    sync = measure_regions(mode="sync").set_index("region")
    for table in (near, far, sync):
        assert (table.read_p50 > table.read_floor).all()
        assert (table.write_p50 > table.write_floor).all()
    assert (sync.write_p50 > near.write_p50 + 0.1).all()
    assert (sync.read_p50 < 0.002).all()


def test_the_nearest_replica_is_the_one_that_answers_first_not_the_one_on_the_map():
    """Tokyo is nearer to Frankfurt, but its cables lead across the Pacific."""
    table = measure_regions(["Washington DC", "Frankfurt"], users=["Tokyo"]).set_index("region")
    assert distance_km("Tokyo", "Frankfurt") < distance_km("Tokyo", "Washington DC")
    assert table.read_p50["Tokyo"] < 0.16


@pytest.mark.parametrize("share", [0.0, 0.05, 0.2])
def test_reads_scale_up_to_the_ceiling_of_writes(share):
    ceiling = [1000 / (share + (1 - share) / replicas) for replicas in (1, 2, 4)]
    measured = [read_throughput(replicas, share, seconds=0.8) for replicas in (1, 2, 4)]
    assert measured == pytest.approx(ceiling, rel=0.02)


def test_an_unknown_region_is_told_with_those_there_are():
    with pytest.raises(LookupError, match="did you mean 'Tokyo'"):
        measure_regions(["Tokio"])
    with pytest.raises(LookupError, match="region"):
        distance_km("Tokio", "London")
