"""How many replicas a kind of fault takes."""

import pytest

from dscourse.fault_tolerance import FAULT_TYPES, replicas_needed


@pytest.mark.parametrize(
    ("fault", "plain", "agreement"),
    [("crash", 3, 5), ("omission", 3, 5), ("timing", 3, 5), ("byzantine", 7, 7)],
)
def test_for_two_faults(fault, plain, agreement):
    assert replicas_needed(fault, 2) == plain
    assert replicas_needed(fault, 2, agreement=True) == agreement


def test_without_faults_one_is_enough():
    assert {replicas_needed(fault, 0, agreement) for fault in FAULT_TYPES for agreement in (True, False)} == {
        1
    }
