"""Numbers as the course writes them; the forms of times and of floats are asked in the tests of scaling."""

import pytest

from dscourse.readable import readable_number, readable_percent


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (999, "999"),
        (1000, "1 000"),
        (23_739, "23 739"),
        (10**15 - 1, "999 999 999 999 999"),
        (10**15, "1e+15"),
        (-(10**15), "-1e+15"),
        (123_456 * 10**400, "1.235e+405"),
    ],
)
def test_whole_numbers_stand_in_groups_of_three_however_many_digits_they_have(value, text):
    assert readable_number(value) == text


@pytest.mark.parametrize(
    ("share", "digits", "text"),
    [(0.093, 1, "9.3 %"), (0.6, 0, "60 %"), (0.0, 0, "0 %"), (1.0, 2, "100.00 %")],
)
def test_a_share_is_told_in_per_cent_with_a_space(share, digits, text):
    assert readable_percent(share, digits) == text


def test_only_numbers_can_be_written_so():
    with pytest.raises(TypeError, match="share must be a number"):
        readable_percent("a tenth")
    with pytest.raises(TypeError, match="value must be a number"):
        readable_number(True)
