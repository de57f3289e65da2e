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


def test_mistakes_are_explained():
    assert replicas_needed("Byzantine", 1) == 4
    with pytest.raises(LookupError, match="crash, omission, timing, byzantine"):
        replicas_needed("gremlins", 1)
    with pytest.raises(ValueError, match="at least 0"):
        replicas_needed("crash", -1)
    with pytest.raises(TypeError, match="whole number"):
        replicas_needed("crash", True)
    with pytest.raises(TypeError, match="True or False"):
        replicas_needed("crash", 1, agreement=1)
