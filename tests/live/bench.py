"""A bench of our own that speaks the Maelstrom protocol over pipes: it knows nothing of what it drives.

It is the network: each message between nodes may be late, lost or doubled, or be stopped by a cut.
"""

import heapq
import itertools
import json
import os
import random
import selectors
import subprocess
import sys
import time

DEFINITE = {1, 10, 11, 12, 14, 20, 21, 22, 30}


class Bench:
    def __init__(self, node, count, *settings, latency=0.01, loss=0.0, doubled=0.0, seed=0, cwd=None):
        self.names = [f"n{number}" for number in range(count)]
        self.latency, self.loss, self.doubled = latency, loss, doubled
        self.cuts = set()
        self.between = 0  # messages between nodes
        self.replies = {}  # (client, msg_id) → body
        self._luck = random.Random(seed)
        self._due = []
        self._orders, self._ids = itertools.count(), itertools.count(1)
        self._rest = dict.fromkeys(self.names, b"")
        self._selector = selectors.DefaultSelector()
        self._processes = {}
        for name in self.names:
            process = self._processes[name] = subprocess.Popen(
                [sys.executable, "-m", "dscourse.live.maelstrom", node, *settings],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, bufsize=0, cwd=cwd,
                env={**os.environ, "PYTHONPATH": os.pathsep.join(entry for entry in sys.path if entry)},
            )  # fmt: skip
            self._selector.register(process.stdout, selectors.EVENT_READ, name)

    def __enter__(self):
        for name in self.names:
            answer = self.ask(
                "c0", name, {"type": "init", "node_id": name, "node_ids": self.names}, timeout=30.0
            )
            assert answer["type"] == "init_ok"
        return self

    def __exit__(self, *_):
        self.errors = {}
        for name, process in self._processes.items():
            process.stdin.close()
            assert process.wait(10.0) == 0
            self.errors[name] = process.stderr.read().decode()
            process.stdout.close()
            process.stderr.close()
        self._selector.close()

    def send(self, client, node, body):
        """A client's request, without waiting; return its number."""
        number = next(self._ids)
        self._put(client, node, {**body, "msg_id": number})
        return number

    def ask(self, client, node, body, timeout=2.0):
        """A client's request, and the body of the answer; None if there is none."""
        number = self.send(client, node, body)
        limit = time.monotonic() + timeout
        while (client, number) not in self.replies and time.monotonic() < limit:
            self._step(min(0.05, limit - time.monotonic()))
        return self.replies.pop((client, number), None)

    def run(self, seconds):
        limit = time.monotonic() + seconds
        while (left := limit - time.monotonic()) > 0:
            self._step(left)

    def cut(self, *groups):
        """Let nothing through between groups of nodes."""
        for one, other in itertools.permutations(groups, 2):
            self.cuts |= set(itertools.product(one, other))

    def heal(self):
        self.cuts.clear()

    def _put(self, source, to, body):
        text = json.dumps({"id": next(self._orders), "src": source, "dest": to, "body": body})
        self._processes[to].stdin.write(text.encode() + b"\n")

    def _step(self, longest):
        now = time.monotonic()
        wait = min(longest, max(0.0, self._due[0][0] - now)) if self._due else longest
        for key, _ in self._selector.select(max(0.0, wait)):
            self._read(key.data)
        while self._due and self._due[0][0] <= time.monotonic():
            _, _, source, to, body = heapq.heappop(self._due)
            self._put(source, to, body)

    def _read(self, name):
        read = os.read(self._processes[name].stdout.fileno(), 1 << 16)
        assert read, f"{name} has ended: {self._processes[name].stderr.read().decode()}"
        *lines, self._rest[name] = (self._rest[name] + read).split(b"\n")
        for line in lines:
            message = json.loads(line)
            assert set(message) <= {"id", "src", "dest", "body"}
            assert message["src"] == name
            self._route(message)

    def _route(self, message):
        source, to, body = message["src"], message["dest"], message["body"]
        if to not in self.names:
            assert (to, body["in_reply_to"]) not in self.replies, "one answer to a request"
            self.replies[to, body["in_reply_to"]] = body
            return
        self.between += 1
        if (source, to) in self.cuts or self._luck.random() < self.loss:
            return
        for _ in range(1 + (self._luck.random() < self.doubled)):
            late = self.latency * self._luck.uniform(0.2, 3.0)
            heapq.heappush(self._due, (time.monotonic() + late, next(self._orders), source, to, body))
