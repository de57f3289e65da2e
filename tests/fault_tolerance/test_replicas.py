"""How many replicas a kind of fault takes."""

from itertools import combinations

import pytest

from dscourse.fault_tolerance import FAULT_TYPES, replicas_needed


@pytest.mark.parametrize(
    ("fault", "plain", "agreement"),
    [("crash", 3, 5), ("omission", 3, 5), ("timing", 3, 5), ("byzantine", 5, 7)],
)
def test_for_two_faults(fault, plain, agreement):
    assert replicas_needed(fault, 2) == plain
    assert replicas_needed(fault, 2, agreement=True) == agreement


@pytest.mark.parametrize("f", [1, 2, 3])
def test_a_trusted_voter_outvotes_the_liars_and_with_one_replica_fewer_it_does_not(f):
    def right_whoever_lies(replicas):
        answers = [
            ["lie" if node in liars else "truth" for node in range(replicas)]
            for liars in combinations(range(replicas), f)
        ]
        return all(answer.count("truth") > answer.count("lie") for answer in answers)

    assert right_whoever_lies(replicas_needed("byzantine", f))
    assert not right_whoever_lies(replicas_needed("byzantine", f) - 1)


def test_without_faults_one_is_enough():
    assert {replicas_needed(fault, 0, agreement) for fault in FAULT_TYPES for agreement in (True, False)} == {
        1
    }
