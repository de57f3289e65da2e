"""Sweeps in one process: the table, failures, interrupts, what is refused."""

import os
import random
import re
import signal
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from dscourse.exploration import sweep


def queue(seed, load, servers=1):
    luck = random.Random(seed)
    return {
        "time": luck.expovariate(1.0) / (1.0 - load),
        "served": int(10 * servers * load),
        "late": luck.random() < load,
    }


GRID = {"load": [0.5, 0.9], "servers": [1, 2]}


def test_one_row_a_run_the_same_as_a_plain_loop_gives():
    expected = [
        {"load": load, "servers": servers, "seed": seed, **queue(seed, load, servers)}
        for load in GRID["load"]
        for servers in GRID["servers"]
        for seed in range(5)
    ]
    pd.testing.assert_frame_equal(sweep(queue, GRID, seeds=5).rows, pd.DataFrame(expected))


def test_every_variant_gets_the_same_seeds_and_seed_by_seed():
    called = []

    def experiment(seed, load):
        called.append((load, seed))
        return {"x": seed}

    result = sweep(experiment, {"load": [1, 2]}, seeds=[7, 3])
    assert called == [(1, 7), (2, 7), (1, 3), (2, 3)]
    assert result.rows[["load", "seed"]].to_numpy().tolist() == [[1, 7], [1, 3], [2, 7], [2, 3]]


def test_variants_may_be_named_one_by_one_and_leave_a_parameter_to_its_default():
    result = sweep(queue, [{"load": 0.5}, {"load": 0.5, "servers": 3}], seeds=2)
    assert result.rows["served"].tolist() == [5, 5, 15, 15]
    assert result.rows["servers"].isna().tolist() == [True, True, False, False]


def test_parameters_may_be_arrays_and_objects():
    def experiment(seed, load, node):
        return {"x": load + node()}

    result = sweep(experiment, {"load": np.array([0.5, 1.0]), "node": [partial(int, "7")]}, seeds=1)
    assert result.rows["x"].tolist() == [7.5, 8.0]
    assert type(result.variants[0]["load"]) is float  # so that it reads as it would be typed


def test_no_parameters_are_one_variant():
    assert sweep(lambda seed: {"x": seed}, {}, seeds=3).rows["x"].tolist() == [0, 1, 2]


def test_numbers_of_numpy_become_python_s_own():
    def experiment(seed):
        return {"a": np.int64(1), "b": np.float32(0.5), "c": np.True_}

    result = sweep(experiment, {}, seeds=1)
    assert result.rows.dtypes.astype(str).tolist() == ["int64", "int64", "float64", "bool"]


def test_the_table_is_the_reader_s_own():
    result = sweep(queue, GRID, seeds=2)
    rows = result.rows
    rows["time"] = 0.0
    assert result.rows["time"].min() > 0.0


def test_the_example_of_the_package_page_runs():
    text = (Path(__file__).resolve().parents[2] / "docs" / "package.md").read_text(encoding="utf-8")
    first, *others = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    example = next(one for one in others if "result = sweep(" in one)
    names = {}
    exec(compile(first + example.replace("seeds=100", "seeds=5"), "package.md", "exec"), names)
    assert names["result"].summary()["runs"].tolist() == [5, 5]
    assert names["result"].failures.empty


# --- failures ---


def unlucky(seed, load):
    if (seed, load) == (3, 0.9):
        raise ValueError("no route to n3")
    return {"time": load}


def test_a_run_that_fails_is_told_and_takes_nothing_else_with_it():
    with pytest.warns(UserWarning, match=r"1 runs failed .*load=0.9, seed=3: ValueError: no route to n3"):
        result = sweep(unlucky, {"load": [0.5, 0.9]}, seeds=5)
    assert len(result.rows) == 9
    (failure,) = result.failures.to_dict("records")
    assert (failure["load"], failure["seed"]) == (0.9, 3)
    line = unlucky.__code__.co_firstlineno + 2
    assert failure["error"] == f"ValueError: no route to n3 (line {line}, in unlucky)"
    assert "9 of 10 runs finished, 1 failed" in repr(result)
    assert "seed=3" in repr(result)
    assert result.summary()["runs"].tolist() == [5, 4]


@pytest.mark.parametrize(
    ("returned", "told"),
    [
        (3.0, "must return {name: number}, got 3.0"),
        (None, "must return {name: number}, got None"),
        ({"x": "3"}, "the result 'x' must be a number, got '3'"),
        ({"x": [1]}, "the result 'x' must be a number"),
        ({"load": 1}, "a name that no parameter has"),
        ({"seed": 1}, "a name that no parameter has"),
        ({1: 1}, "a name that no parameter has"),
    ],
)
def test_what_is_no_result_is_told_as_a_failure(returned, told):
    with pytest.warns(UserWarning, match="runs failed"):
        result = sweep(lambda seed, load: returned, {"load": [0.5]}, seeds=1)
    assert told in result.failures["error"][0]
    assert result.rows.columns.tolist() == ["load", "seed"]
    assert result.summary().empty


def test_leaving_python_or_an_error_that_can_t_be_written_is_one_failure_too():
    class MuteError(Exception):
        def __str__(self):
            raise RuntimeError

    def experiment(seed):
        if seed == 0:
            raise SystemExit(2)
        raise MuteError

    with pytest.warns(UserWarning, match="2 runs failed"):
        errors = sweep(experiment, {}, seeds=2).failures["error"].tolist()
    assert errors[0].startswith("SystemExit: 2 (")
    assert errors[1].startswith("MuteError (")


# --- interrupts ---


class Interrupted:
    """An experiment that is interrupted, as by Ctrl-C, when it is called for the n-th time."""

    def __init__(self, nth):
        self.nth = nth
        self.called = 0

    def __call__(self, seed, load, servers):
        self.called += 1
        if self.called == self.nth:
            os.kill(os.getpid(), signal.SIGINT) if os.name != "nt" else signal.raise_signal(signal.SIGINT)
        return queue(seed, load, servers)


def test_an_interrupt_keeps_what_is_finished_and_resume_goes_on_from_there():
    experiment = Interrupted(8)
    with pytest.warns(
        UserWarning, match="Interrupted after 0.0 s of the run load=0.9, servers=2, seed=1. 13 runs"
    ):
        first = sweep(experiment, GRID, seeds=5)
    assert len(first.rows) == 7
    assert "7 of 20 runs finished, 13 not run" in repr(first)
    assert "resume=" in repr(first)
    whole = sweep(experiment, GRID, seeds=5, resume=first)
    assert experiment.called == 8 + 13
    assert whole.stopped == ""
    pd.testing.assert_frame_equal(whole.rows, sweep(queue, GRID, seeds=5).rows)
    assert len(first.rows) == 7  # and stays as it was


def test_resume_goes_on_to_more_seeds_and_variants():
    called = []

    def experiment(seed, load):
        called.append((load, seed))
        return {"x": load * seed}

    few = sweep(experiment, {"load": [1, 2]}, seeds=2)
    called.clear()
    more = sweep(experiment, {"load": [3, 2, True]}, seeds=3, resume=few)
    assert (2, 0) not in called
    assert (True, 0) in called  # True is no 1
    assert len(called) == 7
    assert more.rows["x"].tolist() == [0, 3, 6, 0, 2, 4, 0, 1, 2]


def test_resume_knows_parameters_that_were_made_anew():
    called = []

    def experiment(seed, node, sizes):
        called.append(seed)
        return {"x": seed}

    def parameters():
        return {"node": [partial(int, base=2)], "sizes": [np.array([1, 2])]}

    first = sweep(experiment, parameters(), seeds=2)
    assert first.variants[0]["node"] != parameters()["node"][0]
    sweep(experiment, parameters(), seeds=3, resume=first)
    assert called == [0, 1, 2]


def test_failures_are_not_tried_again_by_resume():
    with pytest.warns(UserWarning, match="1 runs failed"):
        first = sweep(unlucky, {"load": [0.9]}, seeds=4)
    with pytest.warns(UserWarning, match="1 runs failed"):
        again = sweep(unlucky, {"load": [0.9]}, seeds=5, resume=first)
    assert again.failures["seed"].tolist() == [3]


@pytest.mark.parametrize(("limit", "given_up"), [(1e-9, True), (1000.0, False)])
def test_without_an_executor_an_interrupt_gives_a_run_up_that_has_taken_longer_than_its_limit(
    limit, given_up
):
    with pytest.warns() as told:
        first = sweep(Interrupted(3), {"load": [0.5], "servers": [1]}, seeds=4, cell_timeout=limit)
    assert len(first.rows) == 2
    assert first.failures["seed"].tolist() == ([2] if given_up else [])
    assert first.unfinished() == ([(0, 3)] if given_up else [(0, 2), (0, 3)])
    assert "Interrupted after" in str(told[-1].message)
    if given_up:
        assert "given up" in first.failures["error"][0]


# --- what is refused, before anything runs ---


@pytest.mark.parametrize(
    ("arguments", "error", "told"),
    [
        ({"experiment": 3}, TypeError, "experiment must be a function, got 3"),
        ({"experiment": lambda load: {}}, TypeError, r"experiment\(seed=…, load=…\)"),
        ({"parameters": {"laod": [1]}}, TypeError, r"experiment\(seed=…, laod=…\)"),
        ({"parameters": 3}, TypeError, "list of dicts, got 3"),
        ({"parameters": "load"}, TypeError, "list of dicts"),
        ({"parameters": [3]}, TypeError, "a variant must be a dict"),
        ({"parameters": [{1: 2}]}, TypeError, "a variant must be a dict of parameters by name"),
        ({"parameters": []}, ValueError, "at least one variant"),
        ({"parameters": {"load": 0.5}}, TypeError, r"parameters\['load'\] must be a list of values, got 0.5"),
        ({"parameters": {"load": "high"}}, TypeError, "must be a list of values, got 'high'"),
        ({"parameters": {"load": []}}, ValueError, "at least one value"),
        ({"parameters": {"seed": [1]}}, ValueError, "can't be named 'seed'"),
        ({"parameters": [{"mean": 1}]}, ValueError, "can't be named 'mean'"),
        ({"seeds": 0}, ValueError, "seeds must be at least 1, got 0"),
        ({"seeds": 2.5}, TypeError, "a count or a list of whole numbers, got 2.5"),
        ({"seeds": True}, TypeError, "seeds must be a whole number, got True"),
        ({"seeds": "12"}, TypeError, "a count or a list of whole numbers, got '12'"),
        ({"seeds": [1, "2"]}, TypeError, "each of seeds must be a whole number, got '2'"),
        ({"seeds": [-1]}, ValueError, "each of seeds must be at least 0"),
        ({"seeds": []}, ValueError, "at least one seed"),
        ({"seeds": [1, 2, 1]}, ValueError, "seeds must differ"),
        ({"executor": 2}, TypeError, "executor must be a concurrent.futures.Executor, .* got 2"),
        ({"cell_timeout": 0}, ValueError, "cell_timeout must be above 0"),
        ({"cell_timeout": "1"}, TypeError, "cell_timeout must be a number"),
        ({"resume": pd.DataFrame()}, TypeError, "resume must be a Sweep"),
    ],
)
def test_a_wrong_argument_is_told_before_anything_runs(arguments, error, told):
    called = []

    def experiment(seed, load):
        called.append(seed)
        return {}

    right = {"experiment": experiment, "parameters": {"load": [0.5]}, "seeds": 2} | arguments
    with pytest.raises(error, match=told):
        sweep(right.pop("experiment"), right.pop("parameters"), **right)
    assert called == []
