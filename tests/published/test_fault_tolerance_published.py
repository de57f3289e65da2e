"""Availability, failures and Byzantine agreement against published numbers."""

import pytest

from dscourse import datasets
from dscourse.fault_tolerance import (
    availability_from_times,
    downtime_per_year,
    failure_gaps,
    find_treason,
    fit_weibull,
    nines,
    oral_messages,
    system_table,
)


@pytest.fixture(scope="module")
def lanl():
    return datasets.load("failures/lanl")


@pytest.mark.parametrize(
    ("availability", "hours"), [(0.99, 87.66), (0.999, 8.766), (0.9999, 0.8766), (0.99999, 0.08766)]
)
def test_hours_down_a_year(availability, hours):
    assert downtime_per_year(availability) / 3600 == pytest.approx(hours, rel=1e-9)
    assert nines(availability) == pytest.approx(round(nines(availability)))


def test_the_availability_table_of_the_sre_book():
    """Beyer et al., Site Reliability Engineering (O'Reilly 2016), appendix A: 99.95 % is 4.38 hours a year."""
    assert downtime_per_year(0.9995) / 3600 == pytest.approx(4.38, abs=0.01)
    assert downtime_per_year(0.9999) / 60 == pytest.approx(52.6, abs=0.1)
    assert downtime_per_year(0.99999) / 60 == pytest.approx(5.26, abs=0.01)


def test_causes_and_repairs_at_los_alamos_1996_to_2005(lanl):
    hardware = lanl[lanl["cause"] == "Hardware"]["down_min"]
    assert len(lanl) == 23_739
    assert len(hardware) / len(lanl) == pytest.approx(0.604, abs=5e-4)
    assert hardware.median() == 68
    assert hardware.mean() == pytest.approx(343.8, abs=0.05)
    assert lanl["down_min"].median() == 59
    assert lanl["down_min"].mean() == pytest.approx(352, abs=0.5)


@pytest.mark.parametrize(("system", "shape"), [(2, 0.738), (16, 0.720)])
def test_positive_gaps_are_weibull_with_shape_below_1(lanl, system, shape):
    gaps = failure_gaps(lanl, system)
    fit = fit_weibull(gaps[gaps > 0])
    assert fit.shape == pytest.approx(shape, abs=0.02)
    assert fit.shape < 1
    assert fit.gain > 112  # twice that is beyond 1 − 1e-50 of χ² with one degree of freedom


def test_a_quarter_of_the_gaps_of_system_2_are_zero(lanl):
    assert (failure_gaps(lanl, 2) == 0).mean() == pytest.approx(0.24, abs=0.005)


def test_mttf_of_1000_hours_and_one_hour_of_repair_is_three_nines():
    assert nines(availability_from_times(999, 1)) == pytest.approx(3)


def test_lamport_shostak_pease_1982_three_generals_cannot_and_four_can():
    assert find_treason(3, 1).found is not None
    four = find_treason(4, 1)
    assert four.found is None
    assert four.exhaustive
    # figure 4 of the paper: a traitorous commander, three different stories, the same majority
    assert oral_messages(4, {0}, "attack", lies={((0,), 1): "attack", ((0,), 3): "attack"}).ic1


def test_findings_of_schroeder_and_gibson_2006_on_this_record(lanl):
    """Abstract: 20 to 1000 failures a year; Weibull with decreasing hazard between them; log-normal repairs."""
    systems = system_table(lanl)
    assert systems["failures a year"].min() == pytest.approx(20, rel=0.15)
    assert systems["failures a year"].max() == pytest.approx(1000, rel=0.25)
    assert systems["mean repair, h"].max() > 24
    assert (systems["Weibull shape"] < 1).sum() == 22
    assert len(systems) == 23
    assert (systems["log-normal gain"] > 0).all()
