"""Clients of a live cluster: those that ask by themselves, in a thread, and the one that asks what you ask.

They are the simulator's own clients, on another clock.
"""

from __future__ import annotations

import contextlib
import heapq
import selectors
import socket
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from itertools import count
from typing import Any

from dscourse.live.journal import Entry
from dscourse.live.wire import Classes, Parcel, opened, sealed
from dscourse.simulation.clients import Workload, words_of_operation
from dscourse.simulation.engine.client_actors import Client, client_actor
from dscourse.simulation.messages import Reply, Request, canonical_json, readable
from dscourse.simulation.recorder import FAIL, INVOKE, NOBODY, OK, UNKNOWN, Row
from dscourse.simulation.virtual_time import MICROSECONDS, to_microseconds

LARGEST_DATAGRAM = 65_536


class Clock:
    """True time of a cluster, in µs since it started."""

    def __init__(self) -> None:
        self.restart()

    def restart(self) -> None:
        """Let it be 0 now."""
        self.zero = time.monotonic_ns()

    def __call__(self) -> int:
        """What it says."""
        return (time.monotonic_ns() - self.zero) // 1000


class Endpoint:
    """One client's end of the network, and what it has written down.

    Attributes:
        entries: all that happened here.
        strays: datagrams that were none of the cluster's.
    """

    def __init__(
        self,
        name: str,
        index: int,
        its_socket: socket.socket,
        *,
        clock: Clock,
        ports: Mapping[str, int],
        secret: bytes,
        classes: Classes,
    ) -> None:
        self.name = name
        self.index = index
        self.socket = its_socket
        self.entries: list[Entry] = []
        self.strays = 0
        self.clock = clock
        self._ports = ports
        self._secret = secret
        self._classes = classes
        self._numbers = count(1)

    def tell(self, row: Row) -> None:
        """Write a row of the trace down."""
        self.entries.append(Entry(row[0], self.name, 0, "told", row[1:]))

    def send(self, to: str, message: Any, now: int) -> None:
        """Send a message to a node."""
        number = next(self._numbers)
        datagram = sealed(Parcel(self.name, 0, number, now, to, message), self._secret)
        self.entries.append(Entry(now, self.name, 0, "send", (to, number, False, message)))
        with contextlib.suppress(OSError):  # no room in a buffer: the message is lost, as messages are
            self.socket.sendto(datagram, ("127.0.0.1", self._ports[to]))

    def receive(self) -> tuple[str, Any, int] | None:
        """Sender, message and time of what has arrived, if it is one of the cluster's."""
        try:
            datagram = self.socket.recv(LARGEST_DATAGRAM)
        except OSError:
            return None
        parcel = opened(datagram, self._secret, self._classes)
        if parcel is None or parcel.to != self.name:
            self.strays += 1
            return None
        now = max(self.clock(), parcel.sent + 1)
        key = (parcel.sender, parcel.incarnation, parcel.number)
        self.entries.append(Entry(now, self.name, 0, "deliver", key))
        return parcel.sender, parcel.message, now


class _Party:
    """What the simulator's clients ask of a process."""

    def __init__(self, name: str, index: int) -> None:
        self.name = name
        self.index = index
        self.context: Any = None


class _Context:
    """What a client is given as its context: it only sends."""

    def __init__(self, world: ClientWorld, endpoint: Endpoint) -> None:
        self._world = world
        self._endpoint = endpoint

    def send(self, to: str, message: Any) -> None:
        """Send a message."""
        self._endpoint.send(to, message, self._world.now)


class ClientWorld:
    """Runs clients in a thread of its own, in real time; to them it is the kernel.

    Args:
        endpoints: of the clients.
        workloads: what each of them does.
        ids: of all nodes and clients.
        seed: of their luck.
    """

    def __init__(
        self, endpoints: Sequence[Endpoint], workloads: Sequence[Workload], ids: Sequence[str], seed: int
    ) -> None:
        self.seed = seed
        self.now = 0
        self.processes = {name: _Party(name, index) for index, name in enumerate(ids)}
        self._by_index = {endpoint.index: endpoint for endpoint in endpoints}
        self._heap: list[tuple[int, int, Callable[[], None]]] = []
        self._orders = count()
        self._actors: dict[str, Client] = {}
        self._over, self._end = socket.socketpair()
        self._thread = threading.Thread(target=self._run, name="clients of a live cluster", daemon=True)
        for endpoint, workload in zip(endpoints, workloads, strict=True):
            party = self.processes[endpoint.name]
            party.context = _Context(self, endpoint)
            self._actors[endpoint.name] = client_actor(workload, self, party)  # type: ignore[arg-type]

    def start(self) -> None:
        """Let them begin."""
        for actor in self._actors.values():
            actor.start()
        self._thread.start()

    def stop(self) -> None:
        """End the thread."""
        self._over.close()
        if self._thread.ident is not None:
            self._thread.join()
        self._end.close()

    def write(self, row: Row) -> None:
        """A client's row for the trace."""
        self._by_index[row[2]].tell(row)

    def put_off(self, when: int, act: Callable[[], None], _: Any) -> None:
        """Have ``act`` called at ``when`` (µs)."""
        heapq.heappush(self._heap, (when, next(self._orders), act))

    def _run(self) -> None:
        endpoints = list(self._by_index.values())
        if not endpoints:
            return
        clock = endpoints[0].clock
        with selectors.DefaultSelector() as selector:
            selector.register(self._end, selectors.EVENT_READ)
            for endpoint in endpoints:
                selector.register(endpoint.socket, selectors.EVENT_READ, endpoint)
            while True:
                patience = max(0.0, (self._heap[0][0] - clock()) / MICROSECONDS) if self._heap else None
                for key, _ in selector.select(patience):
                    if key.fileobj is self._end:
                        return
                    self._take(key.data)
                while self._heap and self._heap[0][0] <= clock():
                    _, _, act = heapq.heappop(self._heap)
                    self.now = max(clock(), self.now + 1)
                    act()

    def _take(self, endpoint: Endpoint) -> None:
        taken = endpoint.receive()
        if taken is not None:
            sender, message, now = taken
            self.now = max(now, self.now + 1)
            party = self.processes[endpoint.name]
            self._actors[endpoint.name].on_message(party.context, sender, message)


class Questioner:
    """The client that asks what it is told to ask, and waits for the answer."""

    def __init__(self, endpoint: Endpoint, ids: Sequence[str]) -> None:
        self._endpoint = endpoint
        self._places = {name: place for place, name in enumerate(ids)}
        self._numbers = count()

    def ask(self, to: str, operation: Any, timeout: float) -> tuple[int, int, int | None, str, Any]:
        """Ask a node; return number, µs of asking, µs of the answer, outcome and value."""
        endpoint, number = self._endpoint, next(self._numbers)
        asked = now = endpoint.clock()
        self._note(INVOKE, now, to, number, operation, {})
        endpoint.send(to, Request(number, operation), now)
        limit = asked + to_microseconds(timeout)
        while (left := limit - endpoint.clock()) > 0:
            endpoint.socket.settimeout(left / MICROSECONDS)
            taken = endpoint.receive()
            if taken is None:
                continue
            _, reply, now = taken
            if isinstance(reply, Reply) and reply.number == number:
                kind = OK if reply.outcome == "ok" else FAIL
                seconds = (now - asked) / MICROSECONDS
                self._note(kind, now, to, number, operation, {"value": reply.value, "seconds": seconds})
                return number, asked, now, reply.outcome, reply.value
        now = endpoint.clock()
        self._note(UNKNOWN, now, to, number, operation, {"seconds": (now - asked) / MICROSECONDS})
        return number, asked, None, "unknown", None

    def _note(self, kind: int, now: int, to: str, number: int, operation: Any, more: dict[str, Any]) -> None:
        detail = {"number": number, "operation": operation, **more}
        shown = canonical_json({name: readable(value) for name, value in detail.items()})
        cell = (words_of_operation(operation), detail)
        self._endpoint.tell((now, kind, self._endpoint.index, self._places[to], NOBODY, None, cell, shown))
