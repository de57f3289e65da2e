"""Session guarantees, causal, sequential: each by hand, beside a plain search, and in their order of strength."""

import itertools
from dataclasses import replace

import histories
import pytest
from histories import parse

from dscourse.consistency import (
    CONSISTENCY_MODELS,
    SESSION_GUARANTEES,
    CasRegister,
    History,
    Operation,
    Register,
    check_all,
    check_causal,
    check_linearizable,
    check_sequential,
    check_session_guarantee,
    implied_models,
)

# history → what doesn't allow it
BROKEN = {
    "a wx1 0-1; a rx1 2-3; b rx1 4-5": set(),
    "a wx1 0-1; a rx- 2-3": {"read your writes", "causal", "sequential", "linearizable"},
    "a wx1 0-1; b rx1 2-3; b rx- 4-5": {"monotonic reads", "causal", "sequential", "linearizable"},
    "a wx1 0-1; a wx2 2-3; b rx2 4-5; b rx1 6-7": {
        "monotonic reads",
        "causal",
        "sequential",
        "linearizable",
    },
    "a wx1 0-1; a wy1 2-3; b ry1 4-5; b rx- 6-7": {
        "monotonic writes",
        "causal",
        "sequential",
        "linearizable",
    },
    "a wx1 0-1; b rx1 2-3; b wy1 4-5; c ry1 6-7; c rx- 8-9": {
        "writes follow reads",
        "causal",
        "sequential",
        "linearizable",
    },
    # a chain through two others: no single guarantee is broken
    "a wx1 0-1; b rx1 2-3; b wy1 4-5; c ry1 6-7; c wz1 8-9; d rz1 10-11; d rx- 12-13": {
        "causal",
        "sequential",
        "linearizable",
    },
    # two readers who disagree on two writes that know nothing of each other
    "a wx1 0-1; b wx2 0-1; c rx1 2-3; c rx2 4-5; d rx2 2-3; d rx1 4-5": {"sequential", "linearizable"},
    # store buffers: each writes, and then sees nothing of the other
    "a wx1 0-1; b wy1 0-1; a ry- 2-3; b rx- 2-3": {"sequential", "linearizable"},
    # late news
    "a wx1 0-1; b rx- 2-3": {"linearizable"},
    "a wx1 0-1; b rx- 2-3; b rx1 4-5": {"linearizable"},
    # no causal memory, though nothing is plainly older: what must come between comes before
    "a wx1 0-1; a wy1 2-3; b wx2 0-1; b ry1 4-5; b rx2 6-7; b rx1 8-9": {
        "causal",
        "sequential",
        "linearizable",
    },
}


@pytest.mark.parametrize("text", BROKEN)
def test_histories_by_hand(text):
    verdicts = check_all(parse(text))
    assert tuple(verdicts) == CONSISTENCY_MODELS
    assert {name for name, verdict in verdicts.items() if not verdict} == BROKEN[text], verdicts
    for name, verdict in verdicts.items():
        if not verdict:
            assert verdict.culprit in verdict.deciding
            assert str(verdict.culprit) in verdict.explanation
            again = check_all(History(verdict.deciding))[name]
            assert again.outcome == "illegal", (name, verdict.deciding)


def test_every_model_but_the_strongest_allows_something_that_the_next_does_not():
    broken = [frozenset(names) for names in BROKEN.values()]
    for name in CONSISTENCY_MODELS:
        assert any(name in names and not set(implied_models(name)) & names for names in broken)


def test_the_operations_that_decide_are_named():
    history = parse("a wy7 0-1; a wx1 2-3; a wx2 4-5; b ry7 6-7; b rx2 8-9; b rx1 10-11; c wz3 0-1")
    verdicts = check_all(history)
    assert [str(one) for one in verdicts["monotonic reads"].deciding] == [
        "a's write of 1 to x (2 to 3)",
        "a's write of 2 to x (4 to 5)",
        "b's read of x that returned 2 (8 to 9)",
        "b's read of x that returned 1 (10 to 11)",
    ]
    assert {str(one)[:1] for one in verdicts["linearizable"].deciding} == {"a", "b"}
    assert len(verdicts["linearizable"].deciding) == 3
    assert "b ought to know of a newer write: a's write of 2 to x" in verdicts["monotonic reads"].explanation


def test_the_example_of_maelstroms_sequential_store():
    """Legal sequentially, not linearizably: a reader that lags behind."""
    words = [("a", "write", 1), ("b", "cas", (1, 2)), ("a", "write", 1), ("b", "read", 2)]
    history = History(
        [
            Operation(process, kind, value, 2.0 * n, 2.0 * n + 1)
            for n, (process, kind, value) in enumerate(words)
        ]
    )
    assert check_sequential(history, CasRegister())
    assert check_linearizable(history, CasRegister()).culprit == history.operations[3]


def test_to_read_what_nobody_wrote_is_not_causal_and_breaks_no_session():
    verdicts = check_all(parse("a rx5 0-1"))
    assert [name for name in CONSISTENCY_MODELS if not verdicts[name]] == [
        "causal",
        "sequential",
        "linearizable",
    ]


def test_to_read_what_will_be_written_because_of_it_is_not_causal():
    verdict = check_causal(parse("a rx1 0-1; a wy1 2-3; b ry1 0-1; b wx1 2-3"), Register())
    assert verdict.outcome == "illegal"
    assert len(verdict.deciding) == 4


# --- against a plain search ---


def program_order(operations):
    place = {id(one): number for number, one in enumerate(operations)}
    return lambda first, second: first.process == second.process and place[id(first)] < place[id(second)]


def causally_before(operations):
    """Chains of program order and of reads, by walking."""
    in_process = program_order(operations)

    def links(one):
        for other in operations:
            if in_process(one, other) or (
                not one.is_read and other.is_read and (one.key, one.value) == (other.key, other.value)
            ):
                yield other

    after = {}
    for one in operations:
        found, queue = {}, [one]
        while queue:
            for other in links(queue.pop()):
                if id(other) not in found:
                    found[id(other)] = other
                    queue.append(other)
        after[id(one)] = found
    return lambda first, second: id(second) in after[id(first)]


def plainly_causal(history):
    """Whether each process has an order of all writes and its own reads that keeps to what is causally before what."""
    precedes = causally_before(history.operations)
    if any(precedes(one, one) for one in history):
        return False
    return all(
        histories.explained_by_some_order(
            [one for one in history if not one.is_read or one.process == process], Register(), precedes
        )
        for process in history.by_process()
    )


def written_once(seed, count=6, processes=3, keys="xy"):
    """A history in which each value is written once."""
    rng = histories.random.Random(seed)
    operations, written = [], {key: [] for key in keys}
    plan = [(rng.choice(keys), rng.random() < 0.45) for _ in range(count)]
    for number, (key, writes) in enumerate(plan):
        written[key] += [number] * writes
    for number, (key, writes) in enumerate(plan):
        process = f"p{rng.randrange(processes)}"
        value = number if writes else rng.choice([None, *written[key], *written[key]])
        kind = "write" if writes else "read"
        operations.append(Operation(process, kind, value, 2.0 * number, 2.0 * number + 1, key=key))
    return History(operations)


@pytest.mark.parametrize("part", range(10))
def test_agrees_with_a_plain_search(part):
    seen = set()
    for seed in range(60 * part, 60 * part + 60):
        history = written_once(seed, count=5 + seed % 5, processes=2 + seed % 3)
        causal, sequential = check_causal(history, Register()), check_sequential(history, Register())
        precedes = program_order(history.operations)
        assert bool(causal) == plainly_causal(history), history.operations
        assert bool(sequential) == histories.explained_by_some_order(history.operations, Register(), precedes)
        if sequential:
            assert histories.is_order_of(sequential.order, history, Register(), precedes)
        seen.add((bool(causal), bool(sequential)))
    assert {(True, True), (False, False)} <= seen


@pytest.mark.parametrize("kinds", [("read", "write"), ("read", "write", "cas")])
def test_sequential_with_unknown_and_failed_operations_agrees_with_a_plain_search(kinds):
    outcomes = []
    for seed in range(300):
        history = histories.any_history(seed, count=6, keys=("x", "y"), kinds=kinds)
        try:
            verdict = check_sequential(history, CasRegister())
        except ValueError:
            continue
        expected = histories.explained_by_some_order(
            history.operations, CasRegister(), program_order(history.operations)
        )
        assert bool(verdict) == expected, history.operations
        outcomes.append(expected)
    assert set(outcomes) == {True, False}


@pytest.mark.parametrize("part", range(5))
def test_what_a_stronger_model_allows_all_weaker_ones_allow(part):
    counts = dict.fromkeys(CONSISTENCY_MODELS, 0)
    for seed in range(200 * part, 200 * part + 200):
        verdicts = check_all(
            written_once(1000 + seed, count=5 + seed % 5, processes=2 + seed % 3, keys="xyz"[: 1 + seed % 2]),
            decide=False,
        )
        for name, verdict in verdicts.items():
            counts[name] += bool(verdict)
            if verdict:
                assert all(verdicts[weaker] for weaker in implied_models(name)), verdicts
    assert 0 < counts["linearizable"] < counts["sequential"] <= counts["causal"] < 200
    assert all(counts["causal"] < counts[name] < 200 for name in SESSION_GUARANTEES), counts


# --- values written more than once ---


def written_again(seed, count, processes):
    """A history in which few values are written, some of them several times, and that of the beginning, too."""
    rng = histories.random.Random(seed)
    operations = []
    for number in range(count):
        kind = "write" if rng.random() < 0.5 else "read"
        value = rng.choice([1, 2, 2, None]) if kind == "write" else rng.choice([1, 2, None])
        process, key = f"p{rng.randrange(processes)}", rng.choice("xy")
        operations.append(Operation(process, kind, value, 2.0 * number, 2.0 * number + 1, key=key))
    return History(operations)


def readings(history):
    """The history with another value for each write, for every way to say which of them a read returned."""
    names = {id(one): number for number, one in enumerate(history)}
    reads = [one for one in history if one.is_read]
    choices = [
        [names[id(other)] for other in history
         if not other.is_read and (other.key, other.value) == (one.key, one.value)] + [None] * (one.value is None)
        for one in reads
    ]  # fmt: skip
    for values in itertools.product(*(choice or ["nobody"] for choice in choices)):
        of_read = dict(zip(map(id, reads), values, strict=True))
        yield History([replace(one, value=of_read.get(id(one), names[id(one)])) for one in history])


@pytest.mark.parametrize("part", range(4))
def test_where_values_are_written_again_one_reading_that_fits_is_enough(part):
    seen = set()
    for seed in range(50 * part, 50 * part + 50):
        history = written_again(seed, count=4 + seed % 4, processes=2 + seed % 2)
        apart = list(readings(history))
        causal = check_causal(history, Register())
        assert bool(causal) == any(map(plainly_causal, apart)), history.operations
        for guarantee in SESSION_GUARANTEES:
            verdict = check_session_guarantee(history, guarantee, Register())
            if causal:
                assert verdict, (guarantee, history.operations)
            possible = [one for one in apart if not any(causally_before(one.operations)(a, a) for a in one)]
            fits = [one for one in possible if check_session_guarantee(one, guarantee, Register())]
            if len(apart) > 1:
                assert bool(verdict) == bool(fits), (guarantee, history.operations)
        seen.add((bool(causal), len(apart) > 1))
    assert {(True, True), (False, True)} <= seen


@pytest.mark.parametrize("part", range(2))
def test_what_is_sequential_is_causal_though_values_are_written_again(part):
    counts = dict.fromkeys(CONSISTENCY_MODELS, 0)
    for seed in range(100 * part, 100 * part + 100):
        verdicts = check_all(written_again(500 + seed, count=4 + seed % 5, processes=2 + seed % 2))
        for name, verdict in verdicts.items():
            counts[name] += bool(verdict)
            assert not verdict or all(verdicts[weaker] for weaker in implied_models(name)), verdicts
            if verdict.outcome == "illegal":
                assert verdict.culprit in verdict.deciding
    assert 0 < counts["sequential"] <= counts["causal"] < 100


def test_too_many_ways_to_say_which_write_was_read_are_given_up():
    writes = [Operation(f"p{one}", "write", 1, 0.0, 1.0) for one in range(6)]
    reads = [Operation("q", "read", 1, 2.0 * one, 2.0 * one + 1) for one in range(1, 9)]
    old = [Operation("z", "write", 7, 0.0, 0.5), Operation("z", "read", None, 20.0, 21.0)]
    verdict = check_causal(History([*writes, *reads, *old]), Register(), most_readings=100)
    assert verdict.outcome == "unknown"
    assert "None of 100 ways" in verdict.explanation
    verdicts = check_all(History([*writes, *reads]), most_states=10)
    assert all(verdicts.values()), verdicts  # the first reading fits


def test_a_right_store_keeps_all_models():
    for seed in range(20):
        history = histories.serial_store(seed, clients=4, count=40, unknown=0.05)
        verdicts = check_all(history, decide=False)
        assert all(verdicts.values()), verdicts


def test_sequential_gives_up_in_words():
    operations = [Operation(f"p{one}", "write", one, 0.0, 9.0) for one in range(14)]
    history = History([*operations, Operation("q", "read", 99, 0.0, 1.0)])
    verdict = check_sequential(history, Register(), most_states=1000)
    assert verdict.outcome == "unknown"
    assert "1000 states" in verdict.explanation


def test_what_a_weaker_model_forbids_is_forbidden_though_the_search_gave_up():
    writes = [Operation(f"p{one}", "write", one, 0.0, 9.0) for one in range(12)]
    verdicts = check_all(History([*writes, Operation("q", "read", 99, 0.0, 1.0)]), most_states=500)
    assert {name for name in CONSISTENCY_MODELS if not verdicts[name]} == {
        "causal",
        "sequential",
        "linearizable",
    }
    assert {verdicts[name].outcome for name in ("causal", "sequential", "linearizable")} == {"illegal"}
    assert verdicts["sequential"].explanation.startswith(
        "It isn't even causal. Nobody wrote what is returned"
    )
    assert verdicts["sequential"].deciding == verdicts["causal"].deciding


@pytest.mark.parametrize(
    ("check", "text", "told"),
    [
        (check_sequential, "a w1 0-5; a r1 3-6", "must not overlap"),
        (check_sequential, "a w1 0-?; a r1 3-6", "under another name, such as 'a/1'"),
        (check_causal, "a w1 0-5; a r1 3-6", "must not overlap"),
    ],
)
def test_histories_that_can_not_be_judged_are_refused_in_words(check, text, told):
    with pytest.raises(ValueError, match=told):
        check(parse(text), Register())


def test_other_operations_and_guarantees_are_refused_in_words():
    with pytest.raises(LookupError, match="reads and writes alone"):
        check_causal(History([Operation("a", "append", 1, 0, 1)]), Register())
    with pytest.raises(ValueError, match="one of 'read your writes', 'monotonic reads'"):
        check_session_guarantee(parse(""), "monotonic", Register())
