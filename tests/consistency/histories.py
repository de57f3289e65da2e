"""Histories for the tests of the checkers: by hand in one line, at random, and from a store that is right."""

import itertools
import random
import re

from dscourse.consistency import REFUSED, History, Operation, history_from_text


def parse(text):
    """Read the short form of the tests: ``"a w1 0-1; b rx2 3-4"`` for ``a write 1 0-1; b read x=2 3-4``."""
    return history_from_text(
        re.sub(r"\b([rw])([a-z]?)(\d+|-)(?= )", lambda m: f"{m[1]} {m[2] and m[2] + '='}{m[3]}", text)
    )


def serial_store(seed, clients=4, count=20, keys=("x", "y"), model="register", unknown=0.1, think=1.0):
    """A history of a store that does each operation at one instant between call and return."""
    rng = random.Random(seed)
    free = {f"c{number}": 0.0 for number in range(clients)}
    planned = []
    for number in range(count):
        process = rng.choice(sorted(free))
        start = free[process] + think * rng.random()
        end = start + rng.expovariate(1.0)
        lost = rng.random() < unknown
        planned.append((rng.uniform(start, end), number, process, start, end, lost))
        if lost:
            del free[process]
            process = f"{process}'"
        free[process] = end
    state = dict.fromkeys(keys, "" if model == "kv" else None)
    operations = []
    for _, number, process, start, end, lost in sorted(planned):
        key = rng.choice(keys)
        kind = rng.choice(
            {"kv": ("get",) * 8 + ("append",) * 10 + ("put",), "cas": ("read", "write", "cas")}.get(
                model, ("read", "write")
            )
        )
        outcome, value = "unknown" if lost else "ok", state[key]
        if kind in ("write", "put", "append"):
            value = (
                f"x {process} {number} y"
                if model == "kv"
                else number
                if model == "register"
                else rng.randrange(4)
            )
            if not lost or rng.random() < 0.5:
                state[key] = state[key] + value if kind == "append" else value
        if kind == "cas":
            value = (rng.randrange(4), rng.randrange(4))
            if state[key] != value[0]:
                outcome = "fail" if not lost else outcome
            elif not lost or rng.random() < 0.5:
                state[key] = value[1]
        operations.append(Operation(process, kind, value, start, None if lost else end, outcome, key))
    return History(operations)


def any_history(seed, *, count=6, processes=3, values=3, keys=(None,), kinds=("read", "write"), instants=8):
    """A small history of no store at all: touching and zero-length operations, unknown and failed ones included."""
    rng = random.Random(seed)
    operations, free = [], {}
    for number in range(count):
        process = rng.randrange(processes)
        start = free.get(process, 0) + rng.randrange(instants // 2)
        end = start + rng.randrange(instants // 2)
        outcome = rng.choices(("ok", "unknown", "fail"), (8, 1, 1))[0]
        kind = rng.choice(kinds)
        free[process] = end
        name = f"p{process}" if outcome != "unknown" else f"p{process}u{number}"
        value = _any_value(rng, kind, values)
        end = end if outcome != "unknown" else None
        operations.append(Operation(name, kind, value, start, end, outcome, rng.choice(keys)))
    return History(operations)


def _any_value(rng, kind, values):
    match kind:
        case "read":
            return rng.choice([None, *range(values)])
        case "cas":
            return (rng.randrange(values), rng.randrange(values))
        case "get":
            return "".join(rng.choice("ab") for _ in range(rng.randrange(3)))
        case "put" | "append":
            return rng.choice("ab")
    return rng.randrange(values)


def explained_by_some_order(operations, model, precedes):
    """Try every choice of the unknown operations and every order, one after the other; slow, and plainly right."""
    told = [one for one in operations if model.tells(one)]
    sure = [one for one in told if one.outcome != "unknown"]
    maybe = [one for one in told if one.outcome == "unknown"]
    return any(
        _is_explained([*sure, *chosen], model, precedes, {})
        for size in range(len(maybe) + 1)
        for chosen in itertools.combinations(maybe, size)
    )


def _is_explained(left, model, precedes, state):
    if not left:
        return True
    for one in left:
        if any(precedes(other, one) for other in left if other is not one):
            continue
        after = model.step(state.get(one.key, model.initial), one)
        rest = [other for other in left if other is not one]
        if after is not REFUSED and _is_explained(rest, model, precedes, {**state, one.key: after}):
            return True
    return False


def real_time(operations):
    """What came before what, for a plain search: by returns and calls, and within a process as they stand."""
    place = {id(one): number for number, one in enumerate(operations)}

    def precedes(first, second):
        if first.returned < second.start:
            return True
        same = first.process == second.process
        return same and first.returned <= second.start and place[id(first)] < place[id(second)]

    return precedes


def is_order_of(order, history, model, precedes):
    """Whether an order explains all that was answered, and keeps to what came before what."""
    state = {}
    for number, one in enumerate(order):
        if any(precedes(later, one) for later in order[number + 1 :]):
            return False
        state[one.key] = model.step(state.get(one.key, model.initial), one)
        if state[one.key] is REFUSED:
            return False
    placed = set(map(id, order))
    return all(id(one) in placed or one.outcome != "ok" for one in history)


def hard(count, seed=0):
    """Concurrent changes between five values that can't all have been done: every set of them has to be looked at."""
    rng = random.Random(seed)
    pairs = [(rng.randrange(5), rng.randrange(5)) for _ in range(count)]
    changes = [Operation(f"p{number}", "cas", pair, 0.0, 100.0) for number, pair in enumerate(pairs)]
    return History(
        [Operation("p", "write", 0, -2.0, -1.0), *changes, Operation("p", "read", 7, 101.0, 102.0)]
    )
