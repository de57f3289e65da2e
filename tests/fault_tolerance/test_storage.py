"""Fault, error, failure: what a block store hands out when a bit has flipped."""

import itertools

from hypothesis import given, settings, strategies as st

from dscourse.fault_tolerance import BlockStore


def store(copies, checksums, damaged=()):
    made = BlockStore(copies, checksums)
    made.write(7, b"balance: 100")
    for copy in damaged:
        made.damage(copy, 7)
    return made


def test_without_checksums_a_wrong_bit_is_a_silent_failure_however_many_copies():
    reading = store(3, False, [0]).read(7)
    assert (reading.failure, reading.errors) == ("wrong data", 0)
    assert reading.data != b"balance: 100"
    assert store(3, False, [1]).read(7).failure == ""  # the fault sleeps on a copy that nobody asks


def test_with_a_checksum_it_is_an_honest_failure():
    reading = store(1, True, [0]).read(7)
    assert (reading.data, reading.failure, reading.errors) == (None, "no data", 1)


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 4), st.data())
def test_with_checksums_any_good_copy_is_enough_and_mends_the_others(copies, data):
    damaged = data.draw(st.sets(st.integers(0, copies - 1)))
    made = store(copies, True, damaged)
    reading = made.read(7)
    if len(damaged) == copies:
        assert reading.failure == "no data"
    else:
        assert (reading.data, reading.failure, reading.repaired) == (b"balance: 100", "", len(damaged))
        assert made.read(7).errors == 0


def test_repr_says_what_happened():
    texts = {repr(store(c, s, d).read(7)) for c, s, d in itertools.product((1, 2), (True, False), ([], [0]))}
    assert "1 error detected, 1 repaired; no failure" in texts
    assert "0 errors detected, 0 repaired; FAILURE: wrong data" in texts
