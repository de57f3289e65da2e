"""Recovery against the literature: copysets, erasure coding, times to data loss."""

import pytest

from dscourse.recovery import (
    copyset_loss_probability,
    copysets_in_use,
    erasure_loss_probability,
    mean_time_to_data_loss,
    probability_of_data_loss,
)

YEAR = 8766.0  # hours


def test_copysets_of_cidon_et_al():
    """Cidon et al., USENIX ATC 2013, abstract: Facebook's settings, 1 % of 5000 nodes fail: 22.8 % → 0.78 %."""
    assert copyset_loss_probability(5000, 50, 3, 8333) == pytest.approx(0.00781, rel=1e-3)
    window = copysets_in_use(
        5000, 3, 11, random=True
    )  # a window of ten nodes behind the first, and the first
    assert window == 275_000
    assert copyset_loss_probability(5000, 50, 3, window) == pytest.approx(0.2281, rel=1e-3)


def test_eleven_nines_of_backblaze():
    """Backblaze's calculator: 17 + 3 shards, 0.405 % a year, 6.5 days to rebuild."""
    assert erasure_loss_probability(17, 3, 0.00405, 6.5) == pytest.approx(7.354e-12, rel=1e-3)


@pytest.mark.parametrize(
    ("copies", "needed", "mttf", "hours"),
    [(2, 1, 1e6, 2.08348e10), (8, 7, 1e6, 7.4432e8), (8, 6, 1e6, 5.1687e12), (10, 9, 1e5, 530 * YEAR)],
    ids=["mirror", "RAID-5 of 8", "RAID-6 of 8", "RAID-5 of 10"],
)
def test_times_to_data_loss_with_a_day_of_repair(copies, needed, mttf, hours):
    assert mean_time_to_data_loss(copies, mttf, 24.0, needed=needed) == pytest.approx(hours, rel=3e-3)


@pytest.mark.parametrize(("repair", "chance"), [(1.0, 1.3e-13), (24.0, 7.6e-11), (168.0, 3.7e-9)])
def test_the_time_to_repair_decides_the_chance_of_a_year(repair, chance):
    """Three copies on disks of which 1.5 % fail in a year; all failed ones are repaired at once."""
    found = probability_of_data_loss(3, YEAR / 0.015, repair, YEAR, repairers="each")
    assert found == pytest.approx(chance, rel=0.03)


def test_at_three_copies_the_rate_of_loss_goes_with_the_square_of_the_repair_and_one_repairer_costs_a_factor_two():
    slow, fast = (mean_time_to_data_loss(3, 1e6, hours, repairers="each") for hours in (24.0, 12.0))
    assert fast / slow == pytest.approx(4, rel=0.001)
    assert slow / mean_time_to_data_loss(3, 1e6, 24.0) == pytest.approx(2, rel=0.001)
