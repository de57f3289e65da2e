"""Elections, held against Ongaro's dissertation (Stanford, 2014), chapter 9."""

import numpy as np
import pytest

from dscourse import datasets
from dscourse.consensus import election_downtimes, split_vote_probability
from dscourse.simulation import Uniform


@pytest.mark.parametrize(("failed", "spread", "probability"), [(1, 0.1, 0.0523), (2, 0.2, 0.488)])
def test_how_likely_a_split_vote_is(failed, spread, probability):
    """The formula of section 9.2 at two points of its figure."""
    assert split_vote_probability(5, failed, spread) == pytest.approx(probability, abs=1e-3)


def published(timeouts):
    table = datasets.load("election/raft_downtime")
    return table[(table.figure == "randomness") & (table.timeout_range_ms == timeouts)].downtime_ms.to_numpy()


@pytest.mark.parametrize(("timeouts", "median", "highest"), [("150-155", 287, 2143), ("150-200", 146, 513)])
def test_the_recorded_times_say_what_the_text_says(timeouts, median, highest):
    times = published(timeouts)
    assert np.median(times) == pytest.approx(median, abs=1)
    assert times.max() == pytest.approx(highest, abs=1)


@pytest.mark.parametrize("timeouts", ["150-155", "150-200"])
def test_how_long_a_cluster_is_without_a_leader(timeouts):
    """How far two distributions are apart at most: 300 elections of our nodes, 1000 of LogCabin's.

    Two samples of one distribution differ by more than 0.09 in one case of twenty.
    """
    shortest, longest = (int(number) / 1000 for number in timeouts.split("-"))
    ours = 1000 * np.array(election_downtimes((shortest, longest), trials=300))
    theirs = published(timeouts)
    grid = np.linspace(50, 2500, 4901)
    shares = [np.searchsorted(np.sort(times), grid) / len(times) for times in (ours, theirs)]
    assert np.abs(shares[0] - shares[1]).max() < 0.15
    assert np.median(ours) == pytest.approx(np.median(theirs), rel=0.08)


@pytest.mark.parametrize(("failed", "mean"), [(1, 0.475), (2, 0.650)])
def test_the_means_of_availsim(failed, mean):
    """Section 9.3: timeouts of 300 to 600 ms, one-way latencies of 30 to 40 ms, fresh timers, all logs alike."""
    times = election_downtimes(
        (0.3, 0.6), failed=failed, behind=0, latency=Uniform(0.03, 0.04), heartbeat_interval=0.0, trials=400
    )
    assert np.mean(times) == pytest.approx(mean, rel=0.05)


def test_a_fixed_delay_as_wide_as_the_range_hardly_ever_elects():
    assert min(election_downtimes((0.15, 0.151), latency=0.0075, trials=8)) > 3.0
