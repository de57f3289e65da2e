"""Nodes of ours under the protocol of the public bench, driven by a bench of our own."""

import subprocess
import sys
import time

import pytest
from bench import DEFINITE, Bench

from dscourse.consistency import CasRegister, History, Operation, check_linearizable
from dscourse.exercises.nodes.game_day import tell_everybody

BOUND = 20.0  # seconds


def until(condition, bench):
    """Run the bench until something holds; a busy machine may take its time."""
    limit = time.monotonic() + BOUND
    while time.monotonic() < limit:
        if condition():
            return True
        bench.run(0.1)
    return condition()


def test_echo_and_what_is_no_request():
    with Bench("dscourse.live.bench_nodes:Echo", 1) as bench:
        for value in ("Please echo 35", [1, {"a": None}][:1], 1.5, None):
            answer = bench.ask("c1", "n0", {"type": "echo", "echo": value})
            assert (answer["type"], answer["echo"]) == ("echo_ok", value)
        codes = {
            bench.ask("c1", "n0", body)["code"]: body
            for body in (
                {"type": "frob"},
                {"type": "echo"},
                {"type": "echo", "echo": {"a": 1}},
                {"type": "cas"},
            )
        }
        assert set(codes) == {10, 12}
    assert bench.errors == {"n0": ""}


def test_ids_are_unique():
    with Bench("dscourse.live.bench_nodes:UniqueIds", 2) as bench:
        found = [bench.ask("c1", bench.names[n % 2], {"type": "generate"})["id"] for n in range(60)]
    assert len(set(found)) == 60


def test_the_node_that_a_learner_writes_broadcasts_with_lost_late_and_doubled_messages(tmp_path):
    (tmp_path / "mine.py").write_text(tell_everybody.solution_code)
    with Bench("mine.py:Broadcaster", 4, loss=0.2, doubled=0.3, latency=0.02, cwd=tmp_path) as bench:
        ring = {"n0": ["n1", "n3"], "n1": ["n0", "n2"], "n2": ["n1", "n3"], "n3": ["n2", "n0"]}
        for name in bench.names:
            assert bench.ask("c0", name, {"type": "topology", "topology": ring})["type"] == "topology_ok"
        for value in range(8):
            if value == 3:
                bench.cut(["n0", "n1"], ["n2", "n3"])
            to = bench.names[value % 4]
            assert bench.ask("c1", to, {"type": "broadcast", "message": value})["type"] == "broadcast_ok"
        bench.run(0.5)
        assert set(bench.ask("c1", "n3", {"type": "read"})["messages"]) != set(range(8))
        bench.heal()

        def everybody_has_everything():
            reads = [bench.ask("c1", name, {"type": "read"}) for name in bench.names]
            return all(sorted(read["messages"]) == list(range(8)) for read in reads)

        assert until(everybody_has_everything, bench)
        bench.loss = 0.0

        def nobody_talks():
            before = bench.between
            bench.run(0.6)
            return bench.between == before

        assert until(nobody_talks, bench), "when all have everything"


@pytest.mark.parametrize(
    ("node", "values", "expected"),
    [
        ("GrowOnlySet", [("element", n) for n in range(9)], list(range(9))),
        ("Counter", [("delta", n - 4) for n in range(10)], 5),
    ],
)
def test_sets_and_counters_that_grow_everywhere(node, values, expected):
    with Bench(f"dscourse.live.bench_nodes:{node}", 3, loss=0.2, doubled=0.3) as bench:
        first = bench.ask("c1", "n2", {"type": "read"})["value"]
        assert first in ([], 0)
        for place, (field, value) in enumerate(values):
            answer = bench.ask("c1", bench.names[place % 3], {"type": "add", field: value})
            assert answer["type"] == "add_ok"

        def everybody_agrees():
            reads = [bench.ask("c1", name, {"type": "read"})["value"] for name in bench.names]
            return all(read == expected for read in reads)

        assert until(everybody_agrees, bench)


class Clients:
    """Clients of a register; what they asked and were told."""

    def __init__(self, bench):
        self.bench = bench
        self.operations = []
        self.codes = set()
        self._process = 0

    def do(self, node, body, timeout=1.0):
        """One operation, and its outcome: a client that doesn't know goes on as another."""
        start = time.monotonic()
        answer = self.bench.ask(f"c{self._process}", node, body, timeout)
        end = time.monotonic()
        kind = body["type"]
        value = {"read": None, "write": body.get("value"), "cas": (body.get("from"), body.get("to"))}[kind]
        outcome = "ok"
        if answer is None or answer["type"] == "error":
            code = None if answer is None else answer["code"]
            self.codes.add(code)
            outcome = "fail" if code in DEFINITE else "unknown"
            if code == 20:
                outcome, answer = "ok", {"value": None}
        if kind == "read" and outcome == "ok":
            value = answer["value"]
        known = not (kind == "cas" and outcome == "fail" and answer["code"] != 22)
        if known and not (kind == "read" and outcome != "ok"):
            ended = None if outcome == "unknown" else end
            self.operations.append(Operation(self._process, kind, value, start, ended, outcome))
        self._process += outcome == "unknown"
        return answer if outcome == "ok" else None

    def until_done(self, nodes, body):
        limit = time.monotonic() + BOUND
        while time.monotonic() < limit:
            for node in nodes:
                answer = self.do(node, body)
                if answer is not None:
                    return node
            self.bench.run(0.1)
        raise TimeoutError(body)


def test_a_store_on_raft_is_linearizable_and_its_errors_mean_what_they_say():
    settings = ("election_timeout=(0.4,0.8)", "heartbeat_interval=0.1")
    with Bench(
        "dscourse.consensus:KeyValueNode", 3, *settings, loss=0.05, doubled=0.1, latency=0.003
    ) as bench:
        clients = Clients(bench)
        key = {"key": 1}
        clients.until_done(bench.names, {"type": "read", **key})
        assert 20 in clients.codes
        leader = clients.until_done(bench.names, {"type": "write", **key, "value": 1})
        clients.until_done(bench.names, {"type": "cas", **key, "from": 1, "to": 2})
        assert 11 in clients.codes or leader == "n0"
        clients.do(leader, {"type": "cas", **key, "from": 7, "to": 8})
        rest = [name for name in bench.names if name != leader]
        bench.cut([leader], rest)
        lonely = bench.ask("c99", leader, {"type": "write", **key, "value": 99}, timeout=BOUND)
        clients.operations.append(Operation("c99", "write", 99, time.monotonic() - BOUND, None, "unknown"))
        assert lonely["code"] in (0, 11), "it doesn't know; or it has stepped down, and has done nothing"
        clients.until_done(rest, {"type": "write", **key, "value": 3})
        bench.heal()
        clients.until_done(bench.names, {"type": "read", **key})
        for value in range(4, 8):
            clients.until_done(bench.names, {"type": "write", **key, "value": value})
            clients.until_done(bench.names[::-1], {"type": "read", **key})
    assert check_linearizable(History(clients.operations), CasRegister())
    assert clients.codes <= {None, *DEFINITE, 0}


@pytest.mark.parametrize(
    ("arguments", "told", "status"),
    [
        ([], "usage: python -m dscourse.live.maelstrom NODE", 2),
        (["--help"], "usage: python -m dscourse.live.maelstrom NODE", 0),
        (["nowhere.py:Node"], "there is no file nowhere.py", 2),
        (["dscourse.live.bench_nodes:Nobody"], "NODE must be package.module:Class or file.py:Class", 2),
        (["dscourse.live.bench_nodes:Echo", "interval"], "", 2),
    ],
)
def test_what_it_cannot_run_it_says(arguments, told, status):
    done = subprocess.run(
        [sys.executable, "-m", "dscourse.live.maelstrom", *arguments],
        input="",
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stdout) == (status, "")
    assert told in done.stderr
