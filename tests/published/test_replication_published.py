"""Probabilistically bounded staleness: the rows that Bailis et al. printed (PVLDB 5(8), 2012)."""

import pytest

from dscourse.replication import exponential_delay, linkedin_delays, probabilistically_bounded_staleness

# R, W: 99.9th percentiles of reads and of writes, and how long until 99.9 % of reads are fresh, all in ms
ROWS = {
    ("ssd", 1, 1): (0.66, 0.66, 1.85),
    ("ssd", 2, 1): (1.63, 0.65, 0.0),
    ("ssd", 2, 2): (1.62, 1.64, 0.0),
    ("spinning", 1, 1): (0.66, 10.99, 45.5),
    ("spinning", 2, 1): (1.63, 10.9, 13.6),
    ("spinning", 2, 2): (1.64, 20.96, 0.0),
}


@pytest.mark.parametrize(("disk", "r", "w"), ROWS)
def test_rows_of_the_paper(disk, r, w):
    read, write, fresh = ROWS[disk, r, w]
    drawn = probabilistically_bounded_staleness(
        **linkedin_delays(disk), n=3, w=w, r=r, trials=1_000_000, seed=7
    )
    assert drawn.read_latency(0.999) == pytest.approx(read, rel=0.02)
    assert drawn.write_latency(0.999) == pytest.approx(write, rel=0.02)
    # What is printed is biased low: a scan that stops at the first success.
    exact = drawn.time_to_fresh(0.999)
    assert 0.85 * exact <= fresh <= 1.02 * exact


@pytest.mark.parametrize(("disk", "share"), [("ssd", 0.974), ("spinning", 0.439)])
def test_share_of_reads_that_are_fresh_at_once(disk, share):
    drawn = probabilistically_bounded_staleness(
        **linkedin_delays(disk), n=3, w=1, r=1, trials=1_000_000, seed=8
    )
    assert drawn.probability_fresh(0.0) == pytest.approx(share, abs=0.005)


def test_writes_ten_times_slower_than_all_else():
    drawn = probabilistically_bounded_staleness(
        *map(exponential_delay, (10.0, 1.0, 1.0, 1.0)), n=3, w=1, r=1, trials=1_000_000, seed=9
    )
    assert drawn.probability_fresh(0.0) == pytest.approx(0.419, abs=0.003)
