"""A node of ours under the Maelstrom bench: JSON lines on standard input and output.

    python -m dscourse.live.maelstrom dscourse.replication:Broadcaster interval=0.25
    python -m dscourse.live.maelstrom my_nodes.py:Broadcaster

The bench (https://github.com/jepsen-io/maelstrom) starts one such process for each node and is the network between
them. Its requests become operations: echo → ("echo", value), generate → ("generate",), broadcast → ("broadcast",
value), add → ("add", value), read → ("read",) or, with a key, ("get", key), write → ("put", key, value), cas → ("cas",
key, old, new). An answer "fail" is a *definite* error: 22 if the value was another one, else 11; a request that nobody
answers in some seconds ends in the *indefinite* error 0: it may have been done, or be done yet.
"""

from __future__ import annotations

import ast
import importlib
import importlib.util
import json
import os
import selectors
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from dscourse.live.lines import Lines, StreamOver
from dscourse.live.machine import Identity, Machine, Sent
from dscourse.live.wire import from_wire, to_wire
from dscourse.simulation.messages import Reply, Request, check_value

TIMEOUT, NOT_SUPPORTED, UNAVAILABLE, MALFORMED, CRASH, NO_SUCH_KEY, NOT_AS_EXPECTED = (
    0,
    10,
    11,
    12,
    13,
    20,
    22,
)
PATIENCE = 4.0  # seconds until a request that nobody has answered is given up; the bench waits for 5
_OURS = "dscourse"  # type of the messages between nodes
_FIELDS: dict[str, tuple[str, ...]] = {
    "echo": ("echo",), "generate": (), "broadcast": ("message",), "add": (), "read": (),
    "write": ("key", "value"), "cas": ("key", "from", "to"),
}  # fmt: skip
_WORDS = {"write": "put"}
_NOT_EQUAL = "not equal"


class _Open(NamedTuple):
    """A request that has no answer yet."""

    kind: str
    has_key: bool
    until: float


class _Anybody(tuple[str, ...]):
    """The clients: whoever is no node."""

    __slots__ = ()

    def __contains__(self, name: object) -> bool:
        return name not in tuple(self)


class BenchError(Exception):
    """An error that goes back to who asked.

    Attributes:
        code: of the protocol.
    """

    def __init__(self, code: int, text: str) -> None:
        super().__init__(text)
        self.code = code


class Adapter:
    """One node between the bench's lines and its own handlers.

    Args:
        node_factory: called with ``(node_id, peers)`` when the bench has said who there is.
        write: takes a line for standard output.
    """

    def __init__(self, node_factory: Callable[..., Any], write: Callable[[str], None]) -> None:
        self._factory = node_factory
        self._write = write
        self._name = ""
        self._nodes: tuple[str, ...] = ()
        self._machine: Machine | None = None
        self._open: dict[tuple[str, int], _Open] = {}
        self._has_topology = False
        self._begun = time.monotonic()
        self._now = 0

    def take(self, line: bytes) -> None:
        """Take one line in."""
        if not line.strip():
            return
        message = json.loads(line)
        source, body = message["src"], message["body"]
        try:
            self._take(source, body)
        except BenchError as error:
            self._answer(source, body, {"type": "error", "code": error.code, "text": str(error)})

    def wait(self) -> float | None:
        """Seconds until something is due."""
        due = [one.until for one in self._open.values()]
        timer = None if self._machine is None else self._machine.next_timer()
        if timer is not None:
            due.append(self._begun + timer[1] / 1e6)
        return max(0.0, min(due) - time.monotonic()) if due else None

    def pass_time(self) -> None:
        """Do what is due."""
        machine = self._machine
        if machine is None:
            return
        limit = self._clock()
        while (timer := machine.next_timer()) is not None and timer[1] <= limit:
            del machine.timers[timer[0]]
            self._call("on_timer", timer[0])
        late = [key for key, one in self._open.items() if one.until <= time.monotonic()]
        for source, number in late:
            del self._open[source, number]
            text = f"no answer within {PATIENCE:g} s; it may have been done"
            self._answer(source, {"msg_id": number}, {"type": "error", "code": TIMEOUT, "text": text})

    # ── What comes in ──

    def _take(self, source: str, body: dict[str, Any]) -> None:
        kind = body.get("type")
        if kind == "init":
            self._name, self._nodes = body["node_id"], tuple(body["node_ids"])
            self._boot(tuple(name for name in self._nodes if name != self._name))
            self._answer(source, body, {"type": "init_ok"})
        elif self._machine is None:
            raise BenchError(UNAVAILABLE, "nobody has told this node yet who it is")
        elif kind == "topology":
            self._has_topology = True
            self._boot(tuple(body["topology"].get(self._name, ())))
            self._answer(source, body, {"type": "topology_ok"})
        elif kind == _OURS:
            self._call("on_message", source, from_wire(body["message"], {}))
        elif kind in _FIELDS:
            self._ask(source, kind, body)
        else:
            raise BenchError(NOT_SUPPORTED, f"this node knows no {kind!r}")

    def _boot(self, peers: tuple[str, ...]) -> None:
        """Start the node with these neighbours; nothing has happened yet when the bench names others."""
        identity = Identity(self._name, peers, _Anybody(self._nodes), 0, 0)
        self._machine = Machine(identity)
        self._machine.make(self._factory)
        self._call("on_start")

    def _ask(self, source: str, kind: str, body: dict[str, Any]) -> None:
        number = body.get("msg_id")
        if type(number) is not int:
            raise BenchError(MALFORMED, f"msg_id of {kind!r} must be a whole number, got {number!r}")
        operation = _operation_of(kind, body)
        self._open[source, number] = _Open(kind, "key" in body, time.monotonic() + PATIENCE)
        self._call("on_message", source, Request(number, operation))

    # ── What goes out ──

    def _call(self, handler: str, *arguments: Any) -> None:
        machine = self._machine
        if machine is None:
            return
        self._now = max(self._clock(), self._now + 1)
        try:
            machine.call(handler, self._now, *arguments)
        except Exception as error:
            for source, number in self._open:
                text = f"{handler} of {self._name} raised {type(error).__name__}: {error}"
                self._answer(source, {"msg_id": number}, {"type": "error", "code": CRASH, "text": text})
            raise
        for effect in machine.effects:
            if not isinstance(effect, Sent):
                continue
            if effect.to in self._nodes:
                self._send(effect.to, {"type": _OURS, "message": to_wire(effect.message)})
            elif isinstance(effect.message, Reply):
                self._reply(effect.to, effect.message)

    def _reply(self, to: str, reply: Reply) -> None:
        asked = self._open.pop((to, reply.number), None)
        if asked is not None:
            self._answer(to, {"msg_id": reply.number}, self._body_of(asked, reply))

    def _body_of(self, asked: _Open, reply: Reply) -> dict[str, Any]:
        kind, value = asked.kind, reply.value
        if reply.outcome != "ok":
            code = NOT_AS_EXPECTED if value == _NOT_EQUAL else UNAVAILABLE
            leader = f"; {value} may know" if value in self._nodes else ""
            text = "the value is another one" if code == NOT_AS_EXPECTED else f"not done here{leader}"
            return {"type": "error", "code": code, "text": text}
        if kind == "read" and asked.has_key and value is None:
            return {"type": "error", "code": NO_SUCH_KEY, "text": "nobody has written this key"}
        body: dict[str, Any] = {"type": f"{kind}_ok"}
        if kind == "read":
            body["messages" if self._has_topology else "value"] = value
        elif kind in ("echo", "generate"):
            body["id" if kind == "generate" else "echo"] = value
        return body

    def _answer(self, to: str, request: dict[str, Any], body: dict[str, Any]) -> None:
        if "msg_id" in request:
            self._send(to, {**body, "in_reply_to": request["msg_id"]})

    def _send(self, to: str, body: dict[str, Any]) -> None:
        self._write(json.dumps({"src": self._name, "dest": to, "body": body}))

    def _clock(self) -> int:
        return int((time.monotonic() - self._begun) * 1e6)


def _operation_of(kind: str, body: dict[str, Any]) -> tuple[Any, ...]:
    missing = [name for name in _FIELDS[kind] if name not in body]
    if kind == "add" and "element" not in body and "delta" not in body:
        missing = ["element"]
    if missing:
        raise BenchError(MALFORMED, f"{kind!r} lacks {missing[0]!r}")
    if kind == "add":
        values = [body["element"] if "element" in body else body["delta"]]
    elif kind == "read" and "key" in body:
        kind, values = "get", [body["key"]]
    else:
        values = [body[name] for name in _FIELDS[kind]]
    operation = (_WORDS.get(kind, kind), *(_tuples(value) for value in values))
    try:
        check_value(operation, kind)
    except (TypeError, ValueError) as error:
        raise BenchError(MALFORMED, str(error)) from None
    return operation


def _tuples(value: Any) -> Any:
    return tuple(_tuples(item) for item in value) if isinstance(value, list) else value


def node_named(text: str) -> Callable[..., Any]:
    """The class of nodes under a name: "package.module:Class" or "file.py:Class".

    Raises:
        LookupError: there is none.
    """
    place, _, name = text.rpartition(":")
    if place.endswith(".py"):
        path = Path(place)
        spec = importlib.util.spec_from_file_location(path.stem, path)
        if spec is None or spec.loader is None or not path.exists():
            raise LookupError(f"there is no file {place}")
        module = importlib.util.module_from_spec(spec)
        sys.modules[path.stem] = module  # messages are found by their module's name
        spec.loader.exec_module(module)
    elif place:
        module = importlib.import_module(place)
    if not place or not callable(getattr(module, name, None)):
        raise LookupError(f"NODE must be package.module:Class or file.py:Class, got {text}")
    found: Callable[..., Any] = getattr(module, name)
    return found


def main(arguments: list[str]) -> int:
    """Run a node under the bench until standard input ends; the result is the exit status."""
    if not arguments or arguments[0] in ("-h", "--help"):
        print(f"{__doc__}\nusage: python -m dscourse.live.maelstrom NODE [name=value …]", file=sys.stderr)
        return 0 if arguments else 2
    try:
        settings = dict(one.split("=", 1) for one in arguments[1:])
        factory = partial(
            node_named(arguments[0]), **{name: ast.literal_eval(text) for name, text in settings.items()}
        )
    except (ImportError, LookupError, ValueError, SyntaxError) as error:
        print(error, file=sys.stderr)
        return 2
    out = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)  # what a node prints is none of the bench's business
    adapter = Adapter(factory, lambda line: print(line, file=out))
    lines = Lines(0)
    with selectors.DefaultSelector() as selector:
        selector.register(0, selectors.EVENT_READ)
        while True:
            if selector.select(adapter.wait()):
                try:
                    lines.read()
                except StreamOver:
                    return 0
            while lines.arrived:
                adapter.take(lines.wait())
            adapter.pass_time()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
