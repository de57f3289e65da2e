"""Histories from runs, logs, tables and text."""

import subprocess
import sys

import pandas as pd
import pytest

from dscourse.consistency import (
    CasRegister,
    History,
    Operation,
    Register,
    check_linearizable,
    history_from_text,
    text_of_history,
)
from dscourse.simulation import ClosedLoop, Crash, Network, Node, Reply, Request, Scenario, holds, topology


class OneCopy(Node):
    """A register in the memory of one node."""

    def on_start(self, ctx):
        self.values = {}

    def on_message(self, ctx, sender, message):
        match message:
            case Request(number, ("put", key, value)):
                self.values[key] = value
                ctx.send(sender, Reply(number, "ok"))
            case Request(number, ("get", key)):
                ctx.send(sender, Reply(number, "ok", self.values.get(key)))
            case Request(number, ("cas", key, expected, new)):
                done = self.values.get(key) == expected
                if done:
                    self.values[key] = new
                refusal = "not equal" if key == "x" else "not the leader"
                ctx.send(sender, Reply(number, "ok" if done else "fail", None if done else refusal))


def run_of(operations, faults=(), until=10.0):
    clients = [ClosedLoop(own, 0.1, to="n0", timeout=1.0) for own in operations]
    return Scenario(OneCopy, Network(topology.full_mesh(1)), faults=faults, clients=clients).run(until)


def test_a_run_becomes_a_history():
    asks = [
        ("put", "x", 1),
        ("get", "x"),
        ("cas", "x", 1, 2),
        ("cas", "x", 1, 3),
        ("cas", "y", 7, 8),
        ("get", "y"),
    ]
    history = History.from_run(run_of([asks]))
    assert [(one.operation, one.key, one.value, one.outcome) for one in history] == [
        ("put", "x", 1, "ok"),
        ("get", "x", 1, "ok"),
        ("cas", "x", (1, 2), "ok"),
        ("cas", "x", (1, 3), "fail"),  # y's is refused for a reason that says nothing of its value
        ("get", "y", None, "ok"),
    ]
    assert {one.process for one in history} == {"c0"}
    assert check_linearizable(history, CasRegister())


def test_after_an_unknown_outcome_a_client_goes_on_as_another():
    asks = [("put", "x", number) for number in range(6)]
    history = History.from_run(run_of([asks], [Crash("n0", at=0.15, restart_at=2.0)]))
    assert [one.process for one in history] == ["c0", "c0", "c0", "c0/1", "c0/2", "c0/2"][: len(history)]
    assert [one.outcome for one in history][:4] == ["ok", "ok", "unknown", "unknown"]
    history.by_process()


def test_a_lost_memory_shows():
    asks = [("put", "x", 1), *[("get", "x")] * 30]
    run = run_of([asks], [Crash("n0", at=0.55, restart_at=0.56)])
    verdict = check_linearizable(History.from_run(run), Register())
    assert verdict.culprit.operation == "get"
    assert verdict.culprit.value is None


def test_a_verdict_speaks_as_a_property_of_a_run():
    run = run_of([[("put", "x", 1), *[("get", "x")] * 30]], [Crash("n0", at=0.55, restart_at=0.56)])
    one_copy = holds(lambda run: check_linearizable(History.from_run(run), Register()), name="one copy")
    (verdict,) = run.check(one_copy)
    assert not verdict
    assert "No order explains c0's read of x that returned None" in str(verdict)


def test_other_operations_of_a_run_are_refused_in_words():
    with pytest.raises(LookupError, match=r"history is made of .*got \('add', 3\)"):
        History.from_run(run_of([[("add", 3)]]))
    with pytest.raises(TypeError, match="run must be a run"):
        History.from_run(3)


def test_text_and_table_there_and_back():
    text = "a write x=1 0-2\nb read x=- 0.5-1\na/1 write y=two 3-?"
    history = history_from_text(text)
    assert text_of_history(history) == text
    assert history.operations[2] == Operation("a/1", "write", "two", 3.0, None, "unknown", "y")
    assert History.from_frame(history.frame()) == history
    frame = pd.DataFrame({"process": ["a"], "operation": ["read"], "value": [3], "start": [0], "end": [1]})
    assert History.from_frame(frame).operations == (Operation("a", "read", 3, 0.0, 1.0),)
    assert history_from_text("a w 1 0–2; b r 1 3 to 4").by_process().keys() == {"a", "b"}


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda: Operation("a", "", 1, 0, 1), "operation must not be empty"),
        (lambda: Operation("a", "read", 1, 2, 1), "end must be at least 2"),
        (lambda: Operation("a", "read", 1, 2, None), 'end must be a number where the outcome is "ok"'),
        (lambda: Operation("a", "read", 1, 2, 3, "good"), "outcome must be one of"),
        (lambda: Operation("a", "read", [1], 2, 3), "value must be something that doesn't change"),
        (lambda: History("abc"), "operations must be a list"),
        (lambda: history_from_text("a reads x"), "an operation is written like"),
        (
            lambda: History.from_jepsen("INFO  jepsen.util - 0\t:ok\t:read\t3\n"),
            "line 1: process 0 returns without",
        ),
        (lambda: History.from_jepsen("nonsense: 3\n"), "line 1 is no line of a Jepsen log"),
        (lambda: History.from_porcupine_kv("nonsense: 3\n"), "line 1 is no line of a key-value log"),
        (lambda: History.from_frame(pd.DataFrame({"process": []})), "got none named operation"),
    ],
)
def test_unfit_input_is_refused_in_words(make, told):
    with pytest.raises((TypeError, ValueError), match=told):
        make()


def test_a_log_can_be_read_from_a_file(tmp_path):
    path = tmp_path / "log"
    path.write_text(
        "INFO  jepsen.util - 0\t:invoke\t:cas\t[1 2]\nINFO  jepsen.util - 0\t:info\t:cas\t:timed-out\n"
    )
    assert History.from_jepsen(path).operations == (Operation(0, "cas", (1, 2), 1.0, None, "unknown"),)
    assert History.from_jepsen(str(path)) == History.from_jepsen(path)


def test_operations_in_words():
    assert str(Operation("c0", "put", 3, 0.0, 1.5, key="x")) == "c0's write of 3 to x (0 to 1.5)"
    assert str(Operation(4, "cas", (1, 2), 0, None, "unknown")) == "4's change from 1 to 2 (0 to ?)"
    assert repr(history_from_text("a w 1 0-1; b r 1 0-1")) == "History(2 operations of 2 processes)"


def test_the_package_loads_without_pandas():
    program = (
        "import sys; from dscourse.consistency import check_all, History; print('pandas' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
