"""Byzantine generals: theorems over every lie where there are few, over random lies where there are many."""

import itertools

import pytest
from hypothesis import given, settings, strategies as st

from dscourse.fault_tolerance import find_treason, oral_message_count, oral_messages, signed_messages
from dscourse.fault_tolerance.byzantine import _forgeable

ORDERS = ("attack", "retreat")


def oral_by_the_book(generals, traitors, order, m, lie):
    """OM(m) as the paper words it, a procedure that calls itself; lie(path, to) is what a traitor says."""

    def om(commander, lieutenants, value, depth, path):
        """Return {lieutenant: what he takes the commander's value to be}."""
        told = {i: lie(path, i) if commander in traitors else value for i in lieutenants}
        if depth == 0:
            return told
        heard = {i: {i: told[i]} for i in lieutenants}
        for j in lieutenants:
            others = [i for i in lieutenants if i != j]
            for i, taken in om(j, others, told[j], depth - 1, (*path, j)).items():
                heard[i][j] = taken
        return {
            i: "attack" if list(votes.values()).count("attack") * 2 > len(votes) else "retreat"
            for i, votes in heard.items()
        }

    decided = om(0, list(range(1, generals)), order, m, (0,))
    return {i: decision for i, decision in decided.items() if i not in traitors}


@settings(max_examples=80, deadline=None)
@given(st.integers(2, 6), st.integers(0, 2), st.sampled_from(ORDERS), st.integers(0, 10**6), st.data())
def test_oral_messages_does_what_the_papers_procedure_does(generals, rounds, order, seed, data):
    traitors = data.draw(st.sets(st.integers(0, generals - 1), max_size=generals - 1))
    run = oral_messages(generals, traitors, order, rounds, seed)
    expected = oral_by_the_book(generals, traitors, order, rounds, lambda path, to: run.lies[path, to])
    assert run.decided == expected


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2), st.integers(0, 3), st.sampled_from(ORDERS), st.integers(0, 10**6), st.data())
def test_oral_messages_hold_with_more_than_three_times_as_many_generals(m, spare, order, seed, data):
    generals = max(2, 3 * m + 1) + (spare if m < 2 else 0)
    traitors = data.draw(st.sets(st.integers(0, generals - 1), max_size=m))
    run = oral_messages(generals, traitors, order, rounds=m, seed=seed)
    assert run.ic1
    assert run.ic2
    assert run.messages == oral_message_count(generals, m)


@pytest.mark.parametrize("generals", [4, 5, 6])
def test_with_one_traitor_no_placement_order_or_lie_breaks_four_or_more(generals):
    treason = find_treason(generals, 1)
    assert treason.found is None
    assert treason.exhaustive


@pytest.mark.parametrize("traitors", [1, 2, 3])
@pytest.mark.parametrize("order", ORDERS)
def test_the_worst_lie_against_a_loyal_commander_fails_for_every_placement(traitors, order):
    """IC2, exhaustively: a decision is a monotone function of all that is said, so contradicting always is worst."""
    generals = 3 * traitors + 1
    wrong = ORDERS[order == "attack"]

    class Contradict(dict):
        def get(self, key, default=None):
            return wrong

    # generals are alike, so one placement among the lieutenants stands for all where there are many
    placements = [range(1, traitors + 1)]
    if traitors < 3:
        placements = list(itertools.combinations(range(1, generals), traitors))
    for placement in placements:
        assert oral_messages(generals, placement, order, lies=Contradict()).hold


@pytest.mark.parametrize("accomplice_relays", ORDERS)
def test_seven_generals_agree_whatever_two_traitors_one_in_command_tell_them(accomplice_relays):
    """IC1 for every order the commander gives and every story about it that his accomplice tells.

    What the accomplice says about the word of a *loyal* lieutenant can't matter (IC2 of OM(1) with six generals and one
    traitor), so a constant stands for it.
    """
    loyal = range(2, 7)
    for told in itertools.product(ORDERS, repeat=5):
        for story in itertools.product(ORDERS, repeat=5):
            lies = {((0,), to): order for to, order in zip(loyal, told, strict=True)}
            lies |= {((0, 1), to): order for to, order in zip(loyal, story, strict=True)}
            lies |= {((0, via, 1), to): accomplice_relays for via in loyal for to in loyal if to != via}
            assert oral_messages(7, {0, 1}, "attack", lies=lies).ic1


@pytest.mark.parametrize(("generals", "traitors"), [(3, 1), (4, 2), (5, 2), (6, 2), (9, 3)])
def test_with_too_few_generals_the_search_finds_a_treason_that_can_be_replayed(generals, traitors):
    treason = find_treason(generals, traitors)
    assert treason.found is not None
    assert not treason.found.hold
    assert treason.replay() == treason.found
    again = oral_messages(
        generals, treason.found.traitors, treason.found.order, treason.found.rounds, lies=treason.found.lies
    )
    assert not (again.ic1 and again.ic2)


def test_the_classic_impossibility_with_three_generals():
    """A loyal commander says attack, general 1 claims to have heard retreat: general 2 ties, and retreats."""
    run = oral_messages(3, {1}, "attack", lies={((0, 1), 2): "retreat"})
    assert run.decided[2] == "retreat"
    assert not run.ic2
    assert oral_messages(3, {1}, "retreat", lies={((0, 1), 2): "attack"}).hold  # the tie happens to help here


def test_too_few_rounds_break_what_enough_generals_would_hold():
    assert find_treason(7, 2, rounds=1).found is not None
    assert find_treason(7, 2, rounds=2, most_tries=2_000).found is None


@pytest.mark.parametrize(("generals", "traitors"), [(3, 1), (4, 1), (4, 2), (3, 2)])
def test_signed_messages_hold_with_any_number_of_generals(generals, traitors):
    treason = find_treason(generals, traitors, signed=True)
    assert treason.found is None
    assert treason.exhaustive


@pytest.mark.parametrize(("generals", "traitors"), [(3, 1), (4, 2), (5, 3)])
def test_signed_messages_with_one_round_too_few_break(generals, traitors):
    treason = find_treason(generals, traitors, rounds=traitors - 1, signed=True)
    assert treason.found is not None
    assert treason.replay() == treason.found


@settings(max_examples=120, deadline=None)
@given(st.integers(2, 7), st.sampled_from(ORDERS), st.integers(0, 10**6), st.data())
def test_signed_messages_hold_for_random_lies(generals, order, seed, data):
    traitors = data.draw(st.sets(st.integers(0, generals - 1), max_size=generals - 1))
    run = signed_messages(generals, traitors, order, seed=seed)
    assert run.ic1
    assert run.ic2
    assert signed_messages(generals, traitors, order, lies=run.lies).decided == run.decided


def test_a_traitor_cannot_forge_the_commanders_signature():
    """General 1 wants to pass on retreat, which the loyal commander never signed: it is left out."""
    run = signed_messages(3, {1}, "attack", lies={(2, 1, 2): ("retreat", "attack")})
    assert run.lies == {(2, 1, 2): ("attack",)}
    assert run.decided[2] == "attack"


def test_traitors_use_each_others_signatures():
    """The commander is silent in round 1; in round 2 his accomplice delivers an order he signed for her."""
    run = signed_messages(4, {0, 1}, "attack", lies={(2, 1, 2): ("attack",)})
    assert run.said[(0, 1), 2] == "attack"
    assert run.decided == {2: "attack", 3: "attack"}  # and 2 passes it on in time


def test_in_signed_messages_a_commander_cannot_speak_late():
    assert signed_messages(3, {0}, "attack", lies={(2, 0, 1): ("attack",)}).decided == {
        1: "retreat",
        2: "retreat",
    }


def test_loyal_generals_do_as_told():
    for order in ORDERS:
        for run in (oral_messages(4, (), order), signed_messages(4, (), order)):
            assert run.decided == dict.fromkeys((1, 2, 3), order)
            assert run.hold


def test_the_same_seed_tells_the_same_lies():
    one, same, other = (oral_messages(7, {0, 3}, "attack", seed=seed) for seed in (5, 5, 6))
    assert one == same
    assert one.lies != other.lies
    told_by_the_commander = {said for (path, _), said in one.lies.items() if path == (0,)}
    assert told_by_the_commander == set(ORDERS)  # differently to each peer


def test_numbers_of_messages_in_the_paper():
    """(n−1)(n−2)…(n−m−1) messages of the last round and all before them."""
    assert [oral_message_count(4, 1), oral_message_count(7, 2)] == [3 + 6, 6 + 30 + 120]
    assert oral_messages(7, {1, 2}, "attack").messages == 156
    assert signed_messages(4, (), "attack", rounds=1).messages == 3 + 6


def test_who_asks_for_a_replay_of_nothing_is_told():
    with pytest.raises(ValueError, match="no treason works"):
        find_treason(4, 1).replay()
    assert "not all there are" in repr(find_treason(7, 2, most_tries=50))
    assert "BROKEN" in repr(find_treason(3, 1))


def test_more_rounds_than_generals_change_nothing_and_take_no_time():
    assert oral_message_count(4, 10**9) == oral_message_count(4, 3) == 3 + 3 * 2 + 3 * 2 * 1
    assert oral_messages(4, [1], "attack", 10**9, 5).decided == oral_messages(4, [1], "attack", 3, 5).decided
    few, many = (signed_messages(4, [0, 1], "attack", m, 5) for m in (4, 10**9))
    assert (few.decided, few.messages) == (many.decided, many.messages)


@pytest.mark.parametrize("traitors", [{0}, {2}, {0, 1}, {1, 3}, {0, 1, 3}, {1, 2, 3}])
@pytest.mark.parametrize("seed", range(4))
def test_nobody_signs_twice_and_nobody_is_sent_what_he_has_signed(traitors, seed):
    said = signed_messages(6, traitors, "attack", 4, seed).said
    assert said
    for path, to in said:
        assert path[0] == 0
        assert len(set(path)) == len(path)
        assert to not in path


@pytest.mark.parametrize(
    ("stolen", "sender", "to", "length", "chain"),
    [
        ([(0, 2)], 3, 4, 3, (0, 2, 3)),  # one traitor's signature below what a loyal general has signed
        ([(0, 2)], 3, 4, 4, (0, 2, 1, 3)),  # another traitor helps to make it longer
        ([(0, 2)], 3, 4, 5, None),  # there is no third
        ([(0, 2)], 3, 4, 2, None),  # what a loyal general has signed can't be made shorter
        ([(0, 2, 1)], 1, 4, 4, None),  # he has signed it already
        ([(0, 2, 1)], 3, 2, 4, None),  # to whom it is sent has signed it
        ([(0, 2, 1)], 3, 4, 5, None),  # nor does a helper sign twice
        ([], 3, 4, 1, None),  # without the commander's signature there is nothing
    ],
)
def test_which_chains_two_traitors_can_make_under_a_loyal_commander(stolen, sender, to, length, chain):
    assert _forgeable(stolen, sender, to, frozenset({1, 3}), length) == chain


def test_a_traitor_in_command_signs_first_or_not_at_all():
    bad = frozenset({0, 3})
    assert _forgeable([()], 0, 4, bad, 1) == (0,)
    assert _forgeable([()], 3, 4, bad, 2) == (0, 3)
    assert _forgeable([()], 3, 4, bad, 1) is None
    assert _forgeable([()], 0, 4, bad, 2) is None
