"""Availability with shared causes: exact against going through every state, and against luck."""

import itertools
import math

import pytest
from hypothesis import given, settings, strategies as st

from dscourse.fault_tolerance import (
    Part,
    all_of,
    any_of,
    at_least,
    k_of_n,
    parallel,
    parts_of,
    product_rule,
    replicated_service,
    series,
    simulate_availability,
    single_points_of_failure,
    system_availability,
)


def by_every_state(structure):
    """The slow truth: add up the probability of every combination of healths in which it works."""
    parts = parts_of(structure)
    total = []
    for healths in itertools.product((True, False), repeat=len(parts)):
        healthy = dict(zip(parts, healths, strict=True))
        if is_up(structure, healthy):
            total.append(math.prod(p.availability if up else 1 - p.availability for p, up in healthy.items()))
    return math.fsum(total)


def is_up(structure, healthy):
    if isinstance(structure, Part):
        return healthy[structure] and all(is_up(need, healthy) for need in structure.needs)
    return sum(is_up(member, healthy) for member in structure.members) >= structure.needed


@st.composite
def structures(draw):
    """Up to three causes (one may need another), parts that need some, groups of groups."""
    chance = st.floats(0, 1)
    causes = [Part(f"cause {i}", draw(chance)) for i in range(draw(st.integers(0, 2)))]
    if causes and draw(st.booleans()):
        causes.append(Part("deeper cause", draw(chance), needs=[draw(st.sampled_from(causes))]))
    parts = [
        Part(
            f"part {i}",
            draw(chance),
            needs=draw(st.lists(st.sampled_from(causes), max_size=2)) if causes else [],
        )
        for i in range(draw(st.integers(1, 4)))
    ]
    pool = list(parts)
    for _ in range(draw(st.integers(1, 3))):
        members = draw(st.lists(st.sampled_from(pool), min_size=1, max_size=4))
        pool.append(at_least(draw(st.integers(1, len(members))), *members))
    return pool[-1]


@settings(max_examples=150, deadline=None)
@given(structures())
def test_exact_is_what_going_through_every_state_gives(structure):
    assert system_availability(structure) == pytest.approx(by_every_state(structure), abs=1e-9)


@settings(max_examples=40, deadline=None)
@given(structures())
def test_a_redundant_structure_is_never_better_than_its_best_nor_worse_than_all_in_series(structure):
    value = system_availability(structure)
    assert -1e-12 <= value <= 1 + 1e-12
    assert value >= system_availability(all_of(*parts_of(structure))) - 1e-9


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 6), st.integers(1, 4), st.floats(0, 1), st.floats(0, 1), st.floats(0, 1))
def test_what_is_shared_hurts_where_one_is_enough_and_helps_where_all_are_needed(n, racks, own, rack, power):
    """Esary, Proschan and Walkup 1967: parts with common causes are associated."""
    settings_ = {"availability": own, "racks": racks, "rack_availability": rack, "power_availability": power}
    redundant, chain = (replicated_service(n, needed=needed, **settings_) for needed in (1, n))
    assert system_availability(redundant) <= product_rule(redundant) + 1e-9
    assert system_availability(chain) >= product_rule(chain) - 1e-9


def two_racks(needed=1):
    power = Part("power", 0.999)
    racks = [Part("rack a", 0.995, needs=[power]), Part("rack b", 0.995, needs=[power])]
    return at_least(needed, *(Part(f"replica {i}", 0.98, needs=[racks[i % 2]]) for i in range(4)))


def test_two_racks_by_hand():
    up_in_a_rack = 0.995 * parallel(0.98, 0.98)
    assert system_availability(two_racks()) == pytest.approx(
        0.999 * parallel(up_in_a_rack, up_in_a_rack), abs=1e-12
    )


@pytest.mark.parametrize("needed", [1, 2, 3, 4])
def test_monte_carlo_agrees(needed):
    structure = two_racks(needed)
    exact = system_availability(structure)
    trials = 200_000
    error = math.sqrt(exact * (1 - exact) / trials)
    assert simulate_availability(structure, trials, seed=needed) == pytest.approx(
        exact, abs=4.5 * error + 1e-9
    )


def test_without_anything_shared_it_is_the_product_rule():
    parts = [Part(f"p{i}", 0.9 + i / 100) for i in range(4)]
    values = [part.availability for part in parts]
    for group, expected in ((all_of(*parts), series(*values)), (any_of(*parts), parallel(*values))):
        assert system_availability(group) == pytest.approx(expected, abs=1e-12)
        assert product_rule(group) == pytest.approx(expected, abs=1e-12)
    like = [Part(f"q{i}", 0.9) for i in range(5)]
    assert system_availability(at_least(3, *like)) == pytest.approx(k_of_n(3, 5, 0.9), abs=1e-12)


def test_one_rack_below_all_replicas_caps_the_whole_and_the_product_rule_does_not_see_it():
    rack = Part("rack", 0.999)
    structure = any_of(*(Part(f"replica {i}", 0.99, needs=rack) for i in range(5)))
    assert system_availability(structure) <= 0.999
    assert product_rule(structure) > 0.99999999
    assert single_points_of_failure(structure) == [rack]


def test_the_same_part_named_twice_is_one_part():
    disk = Part("disk", 0.9)
    assert system_availability(any_of(disk, disk)) == pytest.approx(0.9)
    assert product_rule(any_of(disk, disk)) == pytest.approx(0.99)


def test_a_single_point_of_failure_is_what_all_need():
    structure = two_racks()
    assert [part.name for part in single_points_of_failure(structure)] == ["power"]
    assert {part.name for part in single_points_of_failure(two_racks(needed=4))} == {
        part.name for part in parts_of(structure)
    }


def test_repr_names_parts():
    assert repr(two_racks()) == "1 of 4: replica 0, replica 1, replica 2, replica 3"
    assert repr(Part("a", 0.5)) == "a (0.5)"
    assert "(1 of 1: a)" in repr(any_of(any_of(Part("a", 0.5))))
