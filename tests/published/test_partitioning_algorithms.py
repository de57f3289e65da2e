"""Partitioning against the numbers of its papers."""

import numpy as np
import pytest

from dscourse.partitioning import (
    BoundedLoadRing,
    ConsistentHashRing,
    JumpPartitioner,
    jump_hash,
    maglev_table,
    rebalance,
    twitter_zipf_exponents,
    zipf_probabilities,
)


def test_jump_hash_vectors():
    """Lamping & Veach 2014, figure 1, as in the reference vectors of its ports."""
    assert [jump_hash(key, 100) for key in range(10)] == [0, 55, 62, 8, 45, 59, 86, 97, 82, 59]
    assert jump_hash(256, 1024) == 520


def test_jump_from_10_to_12_buckets_moves_a_sixth():
    change = rebalance(
        JumpPartitioner([f"b{k}" for k in range(10)]), np.arange(200_000), add={"b10": 1, "b11": 1}
    )
    assert change.moved == pytest.approx(1 / 6, abs=0.003)


@pytest.mark.parametrize(("points", "error"), [(10, 0.315), (100, 0.0997)])
def test_standard_error_of_a_rings_load(points, error):
    """Lamping & Veach 2014 (arXiv:1406.2294): exact arcs, mean over 100 rings of 100 nodes."""
    deviations = []
    for trial in range(100):
        ring = ConsistentHashRing([f"ring{trial}-n{k}" for k in range(100)], virtual_nodes=points)
        deviations.append(np.std(list(ring.shares().values())) * 100)
    assert np.mean(deviations) == pytest.approx(error, rel=0.03)


def test_maglevs_example():
    """Eisenbud and others, NSDI 2016, table 1 and figure: three backends, then B1 is gone."""
    assert maglev_table([3, 0, 3], [4, 2, 1], 7).tolist() == [1, 0, 1, 0, 2, 2, 0]
    assert maglev_table([3, 3], [4, 1], 7).tolist() == [0, 0, 0, 0, 1, 1, 1]  # B0 and B2


def test_bounded_loads():
    """Mirrokni, Thorup & Zadimoghaddam 2018: no node above ⌈(1 + ε)·m/n⌉, here if all ask for one key."""
    for epsilon, most in ((0.25, 125), (0.1, 110), (1.0, 200)):
        ring = BoundedLoadRing([f"n{k}" for k in range(10)], epsilon)
        counts = np.unique(ring.owners(np.zeros(1000, dtype=int)), return_counts=True)[1]
        assert counts.max() == most
        assert counts.sum() == 1000


def test_ycsbs_zipfian():
    """YCSB's constant θ = 0.99 over 1000 keys."""
    shares = zipf_probabilities(1000, 0.99)
    assert 1 / shares[0] == pytest.approx(7.728953, rel=1e-4)
    assert shares[0] == pytest.approx(0.1294, abs=1e-4)
    assert shares[:10].sum() == pytest.approx(0.3825, abs=1e-4)


def test_twitters_clusters():
    """Yang, Yue & Vinayak, OSDI 2020: Zipf exponents of the clusters for which one was fitted."""
    exponents = twitter_zipf_exponents()
    assert len(exponents) == 51
    assert exponents.mean() == pytest.approx(1.087, abs=1e-3)
    assert exponents.median() == pytest.approx(1.2117, abs=1e-3)
