"""check_linearizable: recorded histories, hand-made ones, and a plain search beside it."""

from dataclasses import dataclass, replace

import histories
import pytest
from histories import parse

from dscourse import datasets
from dscourse.consistency import (
    REFUSED,
    CasRegister,
    History,
    KeyValue,
    Model,
    Operation,
    Register,
    check_linearizable,
    check_sequential,
)

RECORDED = datasets.load("consistency/porcupine").set_index("history")


def recorded(name):
    row = RECORDED.loc[name]
    if row.format == "jepsen":
        return History.from_jepsen(row.log), CasRegister()
    return History.from_porcupine_kv(row.log), KeyValue()


@pytest.mark.parametrize("name", RECORDED.index)
def test_recorded_histories_get_the_published_verdict(name):
    history, model = recorded(name)
    verdict = check_linearizable(history, model)
    assert verdict.outcome == ("ok" if RECORDED.linearizable[name] else "illegal")
    assert verdict.states < 2000
    if verdict:
        for key, own in history.by_key().items():
            order = [one for one in verdict.order if one.key == key]
            assert histories.is_order_of(order, own, model, histories.real_time(own))
    else:
        assert verdict.culprit in history.operations
        assert str(verdict.culprit) in verdict.explanation


def test_a_recorded_history_says_what_the_log_says():
    history, _ = recorded("etcd_000")
    assert history.operations[1] == Operation(3, "read", None, 2.0, 6.0)
    assert [one.outcome for one in history].count("unknown") == 16
    assert {one.operation for one in history if one.outcome == "fail"} == {"cas"}
    history, _ = recorded("c10-bad")
    assert len(history) == 405
    assert len(history.by_key()) == 10


# --- by hand: what a wrong checker gets wrong ---

BY_HAND = [
    # the cases of Porcupine's own tests
    ("a w100 0-100; b r100 25-75; c r- 30-60", "ok"),
    ("a w200 0-100; b r200 10-30; c r- 40-90", "illegal"),
    ("a r- 30-30; b r- 30-30", "ok"),
    ("a r1 10-10; b r1 10-10; c w1 10-20; d r- 40-90", "illegal"),
    # pending writes may take effect late, early or never
    ("a w1 0-1; b w2 2-?; c r1 3-4; c r2 5-6", "ok"),
    ("a w1 0-1; b w2 2-?; c r1 3-4; c r1 5-6", "ok"),
    ("a w1 0-1; b w2 2-?; c r2 3-4; c r1 5-6", "illegal"),
    ("b w2 5-?; c r2 3-4", "illegal"),
    ("a w1 0-?; b w1 1-?; c r1 2-3; d w5 4-5; c r1 6-7; d w5 8-9; c r1 10-11", "illegal"),
    ("a w1 0-?; b w1 1-?; c r1 2-3; d w5 4-5; c r1 6-7; d w5 8-9; c r5 10-11", "ok"),
    ("a r1 0-?", "ok"),
    # touching at one instant is overlap, but not within one process
    ("a w1 0-10; b r- 10-20", "ok"),
    ("a w1 0-10; b r- 11-20", "illegal"),
    ("a w1 0-10; a r- 10-20", "illegal"),
    ("a r- 10-10; a w1 10-10; a r1 10-10; b r1 5-15; b r1 15-15", "ok"),
    ("a w1 10-10; a r- 10-10", "illegal"),
    # process order alone is not enough
    ("a w1 0-1; b r- 2-3", "illegal"),
    # one stale read among many
    ("a w1 0-1; b r1 2-5; a w2 3-4; b r2 6-7; c r1 8-9", "illegal"),
    ("a w1 0-1; a w2 2-9; b r2 3-4; c r1 5-6", "illegal"),
    ("a w1 0-1; a w2 2-9; b r1 3-4; c r2 5-6", "ok"),
    ("", "ok"),
]


@pytest.mark.parametrize(("text", "outcome"), BY_HAND)
def test_histories_by_hand(text, outcome):
    assert check_linearizable(parse(text), Register()).outcome == outcome


def changed(**to):
    return lambda history: History(
        [replace(one, **to) if one.outcome == "unknown" else one for one in history]
    )


# What wrong checkers do, each as the right one before which the history, or after which the verdict, is spoilt.
MUTANTS = {
    "pending must take effect": lambda history: check_linearizable(
        changed(outcome="ok", end=99.0)(history), Register()
    ),
    "pending never takes effect": lambda history: check_linearizable(
        changed(outcome="fail")(history), Register()
    ),
    "touching is before": lambda history: check_linearizable(
        History(
            [one if one.end is None else replace(one, end=max(one.start, one.end - 0.5)) for one in history]
        ),
        Register(),
    ),
    "touching within a process is overlap": lambda history: check_linearizable(
        History([replace(one, process=str(place)) for place, one in enumerate(history)]), Register()
    ),
    "process order only": lambda history: check_sequential(history, Register()),
    "illegal for unknown": lambda history: check_linearizable(history, Register(), most_states=1),
}


@pytest.mark.parametrize("name", MUTANTS)
def test_wrong_checkers_are_caught_by_the_histories_by_hand(name):
    def told(text):
        try:
            return MUTANTS[name](parse(text)).outcome.replace("unknown", "illegal")
        except ValueError:  # an order of processes isn't asked for here
            return None

    assert any(told(text) not in (None, outcome) for text, outcome in BY_HAND)


def test_a_definite_failure_is_no_maybe():
    written = Operation("a", "write", 3, 1.0, 2.0, "fail")
    read = Operation("b", "read", 3, 0.0, 4.0)
    verdict = check_linearizable(History([written, read]), Register())
    assert (verdict.outcome, verdict.culprit) == ("illegal", read)
    assert check_linearizable(History([replace(written, outcome="unknown"), read]), Register())


def test_a_failed_compare_and_set_says_that_the_value_was_another():
    history = [Operation("a", "write", 1, 0.0, 1.0), Operation("b", "cas", (1, 2), 2.0, 3.0, "fail")]
    verdict = check_linearizable(History(history), CasRegister())
    assert verdict.culprit == history[1]
    assert "refused change from 1 to 2" in verdict.explanation
    assert check_linearizable(History([history[0], replace(history[1], value=(7, 2))]), CasRegister())


def test_a_crashed_read_followed_by_writes_is_legal():
    """Once taken for illegal by another checker: what nobody heard of constrains nothing."""
    operations = [Operation("p", "read", None, 0.0, None, "unknown")]
    operations += [
        Operation("q", kind, value, 2.0 * time + 1, 2.0 * time + 2)
        for time, (kind, value) in enumerate(
            [("write", 2), ("write", 4), ("read", 4), ("write", 0), ("read", 0)]
        )
    ]
    assert check_linearizable(History(operations), CasRegister())


def test_the_operation_that_cannot_be_placed_is_named():
    history = parse("a w0 0-1; b r3 2-9; a w4 3-4; c r4 5-6; a w5 10-11")
    verdict = check_linearizable(history, Register())
    assert verdict.culprit == Operation("b", "read", 3, 2.0, 9.0)
    assert "b's read that returned 3 (2 to 9)" in verdict.explanation
    verdict = check_linearizable(parse("a wx1 0-1; a wy1 2-3; b rx1 4-5; b ry- 6-7"), Register())
    assert verdict.culprit == Operation("b", "read", None, 6.0, 7.0, key="y")
    assert "b's read of y that returned None (6 to 7)" in verdict.explanation


def test_a_model_of_ones_own():
    @dataclass(frozen=True)
    class Counter(Model):
        initial: int = 0

        def step(self, state, operation):
            if operation.operation == "add":
                return state + operation.value
            return state if operation.value == state else REFUSED

    adds = [Operation(f"a{one}", "add", 2, 0.0, 1.0) for one in range(5)]
    assert check_linearizable(History([*adds, Operation("b", "read", 10, 2.0, 3.0)]), Counter())
    assert not check_linearizable(History([*adds, Operation("b", "read", 9, 2.0, 3.0)]), Counter())
    with pytest.raises(NotImplementedError, match="must say in step"):
        check_linearizable(History(adds), Model())


# --- against a plain search ---


MODELS = {
    "register": (Register(), {}),
    "registers": (Register(), {"keys": ("x", "y")}),
    "cas": (CasRegister(), {"kinds": ("read", "write", "cas")}),
    "kv": (KeyValue(), {"kinds": ("get", "get", "put", "append")}),
}


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("part", range(10))
def test_agrees_with_a_plain_search(name, part):
    model, settings = MODELS[name]
    outcomes = []
    for seed in range(50 * part, 50 * part + 50):
        history = histories.any_history(seed, count=5 + seed % 3, **settings)
        precedes = histories.real_time(history.operations)
        verdict = check_linearizable(history, model)
        expected = histories.explained_by_some_order(history.operations, model, precedes)
        assert bool(verdict) == expected, history.operations
        outcomes.append(expected)
        if verdict and name != "registers":
            assert histories.is_order_of(verdict.order, history, model, precedes)
        if not verdict:
            assert is_first_that_is_too_many(verdict.culprit, history, model)
    assert len(set(outcomes)) == 2


def is_first_that_is_too_many(culprit, history, model):
    """Whether all is well as long as this operation's return isn't known, and nothing that returned later."""

    def known_until(when, also):
        def is_known(one):
            return one.returned < when or (one.returned == when and also)

        return [
            one if is_known(one) else replace(one, outcome="unknown")
            for one in history
            if one.key == culprit.key and one.start <= when and (is_known(one) or one.outcome != "fail")
        ]

    before, after = known_until(culprit.returned, also=False), known_until(culprit.returned, also=True)
    return check_linearizable(History(before), model) and not check_linearizable(History(after), model)


@pytest.mark.parametrize("model", ["register", "cas", "kv"])
@pytest.mark.parametrize("seed", range(20))
def test_what_a_right_store_answers_is_legal(model, seed):
    history = histories.serial_store(seed, clients=6, count=80, model=model)
    checked = {"register": Register(), "cas": CasRegister(), "kv": KeyValue()}[model]
    verdict = check_linearizable(history, checked)
    assert verdict.outcome == "ok", verdict.explanation


@pytest.mark.parametrize("seed", range(20))
def test_one_stale_read_is_illegal(seed):
    history = histories.serial_store(seed, clients=5, count=80, unknown=0.0)
    read = next(
        (one, late[-1])
        for one in reversed(history.operations)
        if one.operation == "read"
        and len(
            late := [
                other
                for other in history
                if (other.key, other.operation) == (one.key, "write") and other.end < one.start
            ]
        )
        > 5
    )[0]
    verdict = check_linearizable(
        History([replace(one, value=None) if one is read else one for one in history]), Register()
    )
    assert verdict.outcome == "illegal"


# --- size ---


def test_fifty_clients_on_ten_keys_are_settled_in_few_states():
    keys = tuple("0123456789")
    for seed in range(3):
        history = histories.serial_store(
            seed, clients=50, count=1700, keys=keys, model="kv", unknown=0.0, think=0.01
        )
        verdict = check_linearizable(history, KeyValue(), most_states=20_000)
        assert verdict.outcome == "ok", verdict.explanation
        read = next(one for one in history.operations[1000:] if one.is_read and one.value.count("x") > 8)
        stale = History(
            [
                replace(one, value=one.value[: one.value.index("x", 1)]) if one is read else one
                for one in history
            ]
        )
        assert check_linearizable(stale, KeyValue(), most_states=20_000).outcome == "illegal"


def test_a_history_made_to_be_hard_is_unknown_and_not_illegal():
    verdict = check_linearizable(histories.hard(24), CasRegister(), most_states=5000)
    assert (verdict.outcome, verdict.culprit, bool(verdict)) == ("unknown", None, False)
    assert verdict.states == 5000
    assert "5000 states" in verdict.explanation
    assert check_linearizable(histories.hard(8), CasRegister()).outcome == "illegal"
    assert check_linearizable(histories.hard(24), CasRegister(), time_limit=1e-6).outcome == "unknown"


def test_what_is_illegal_on_another_key_is_still_found():
    easy = parse("a wx1 0-1; b rx- 2-3").operations
    hard = histories.hard(24).operations
    both = History([*hard, *(replace(one, process=f"e{one.process}") for one in easy)])
    verdict = check_linearizable(both, CasRegister(), most_states=500)
    assert (verdict.outcome, verdict.culprit.key) == ("illegal", "x")


@pytest.mark.parametrize(
    ("call", "told"),
    [
        (lambda h: check_linearizable([], Register()), "history must be a History"),
        (lambda h: check_linearizable(h, None), "model must be a model"),
        (lambda h: check_linearizable(h, Register), "model must be a model"),
        (lambda h: check_linearizable(h, Register(), most_states=0), "most_states must be at least 1"),
        (lambda h: check_linearizable(h, Register(), time_limit=-1), "time_limit must be above 0"),
        (
            lambda h: check_linearizable(History([Operation("a", "cas", (1, 2), 0, 1)]), Register()),
            "CasRegister has cas",
        ),
    ],
)
def test_unfit_arguments_are_refused_in_words(call, told):
    with pytest.raises((TypeError, ValueError, LookupError), match=told):
        call(parse("a w1 0-1"))
