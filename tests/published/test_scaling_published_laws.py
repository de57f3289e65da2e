"""Published fits of the Universal Scalability Law, on the measurements they were made from.

R package usl (S. Möding), raytracer of N. J. Gunther, *Guerrilla Capacity Planning*, Springer 2007; usl4j's ModelTest
on B. Schwartz's measurements. The confidence intervals are Student's t with n − 3 degrees of freedom.
"""

import math

import pytest

from dscourse import datasets
from dscourse.scaling import amdahl_speedup, fit_usl


@pytest.fixture(scope="module")
def raytracer():
    frame = datasets.load("scaling/raytracer")
    return frame.processors, frame.throughput


def test_raytracer_first_six_rows(raytracer):
    fit = fit_usl(raytracer[0][:6], raytracer[1][:6])
    assert round(fit.contention, 5) == 0.02444
    assert round(fit.coherency, 5) == 0.00163
    assert fit.single_throughput == pytest.approx(20.85605, rel=1e-3)
    assert fit.confidence_interval("contention") == pytest.approx((-0.002259, 0.051147), rel=1e-3)
    assert fit.confidence_interval("coherency") == pytest.approx((7.949e-4, 2.4587e-3), rel=1e-3)
    assert fit.confidence_interval("single_throughput") == pytest.approx((18.3467, 23.3654), rel=1e-3)


def test_raytracer_all_rows_has_no_peak(raytracer):
    fit = fit_usl(*raytracer)
    assert fit.contention == pytest.approx(0.05777, rel=1e-3)
    assert fit.coherency == 0.0
    assert fit.single_throughput == pytest.approx(21.849, rel=1e-3)
    assert fit.peak_load == math.inf
    assert fit.peak_throughput == pytest.approx(378.2, rel=1e-3)


def test_cisco_schwartz():
    frame = datasets.load("scaling/cisco_schwartz")
    fit = fit_usl(frame.concurrency, frame.throughput)
    assert fit.contention == pytest.approx(0.02671591, rel=2e-4)
    assert fit.coherency == pytest.approx(7.690945e-4, rel=2e-4)
    assert fit.single_throughput == pytest.approx(995.6486, rel=2e-4)
    assert fit.peak_load == pytest.approx(35.57, abs=0.01)
    assert fit(35) == pytest.approx(12341, rel=2e-4)


def test_oracledb():
    frame = datasets.load("scaling/oracledb")
    fit = fit_usl(frame.db_time, frame.txn_rate)
    assert fit.contention == pytest.approx(0.44137, rel=1e-3)
    assert fit.coherency == pytest.approx(0.045298, rel=1e-3)
    assert fit.single_throughput == pytest.approx(3.38608, rel=1e-3)
    assert fit.peak_load == pytest.approx(3.512, rel=1e-3)
    assert fit.r_squared == pytest.approx(0.586, rel=1e-3)


def test_amdahls_limit_of_five_per_cent():
    assert amdahl_speedup(1e9, 0.05) == pytest.approx(20, rel=1e-6)
    assert amdahl_speedup(1024, 0.05) == pytest.approx(19.64, abs=0.01)
