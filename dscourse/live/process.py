"""One node as an operating-system process: what is run in it.

Three things come in: orders of the process that started this one (through standard input), datagrams, and time. Before
the messages of a handler leave, what it did is in the journal; so whatever anybody else knows of it can be read there,
even after `kill -9`. When standard input ends, the process that started this one is gone, and this one ends, too.
"""

from __future__ import annotations

import contextlib
import json
import os
import pickle
import selectors
import signal
import socket
import sys
import time
import traceback
from pathlib import Path
from typing import Any

from dscourse.live.lines import Lines, StreamOver
from dscourse.live.machine import Identity, Machine, Recorded
from dscourse.live.shipping import unpacked
from dscourse.live.wire import Parcel, opened, sealed, to_wire

_MOST = 64  # datagrams before the next look at timers
_LARGEST_DATAGRAM = 65_536
_NANOSECONDS = 1000  # of a microsecond


def main() -> None:
    """Be the node that the first line of standard input tells of, until that ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # an interrupt is meant for who started this process
    # Who was stopped when that one died is sent SIGHUP and SIGCONT; it is to go on, and read that its input has ended.
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    reports = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)  # what a node prints goes to its log
    orders = Lines(0)
    setting = json.loads(orders.wait())
    with contextlib.suppress(StreamOver):
        NodeProcess(setting, orders, reports).run()


class NodeProcess:
    """A node, its socket, its journal and its disk.

    Args:
        setting: what the process that started this one says: who the node is, of which class, and who the others are.
        orders: where it goes on saying things.
        reports: where to answer.
    """

    def __init__(self, setting: dict[str, Any], orders: Lines, reports: Any) -> None:
        identity = Identity(**{**setting["identity"], "peers": tuple(setting["identity"]["peers"])})
        self._name, self._incarnation = identity.name, identity.incarnation
        self._orders, self._reports = orders, reports
        self._secret = bytes.fromhex(setting["secret"])
        self._ports: dict[str, int] = setting["ports"]
        self._zero = 0  # what the clock said at time 0, in ns
        self._socket = socket.socket(fileno=setting["socket"])
        self._socket.setblocking(False)
        self._journal = os.open(setting["journal"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        self._disk = Path(setting["disk"])
        # Names to which nothing gets through, and, with "<" before them, names from which nothing does.
        self._blocked = frozenset(setting["blocked"])
        self._now = 0
        self._sent = 0
        factory, self._classes = unpacked(setting["factory"])
        version = setting["saved"]
        saved = None if version is None else pickle.loads(self._saved_as(version).read_bytes())  # noqa: S301 - its own
        self._machine = Machine(identity, saved)
        self._machine.saves = self._version = version or 0
        try:
            self._machine.make(factory)
        except Exception as error:  # noqa: BLE001 - the learner's own
            self._fail("node_factory", error)

    def run(self) -> None:
        """Wait for the word to start, then do what comes."""
        self._report(ready=True)
        self._zero = json.loads(self._orders.wait())["zero"]
        self._obey()
        self._call("on_start", ["boot"])
        with selectors.DefaultSelector() as selector:
            selector.register(self._orders.descriptor, selectors.EVENT_READ)
            selector.register(self._socket, selectors.EVENT_READ)
            while True:
                ready = {key.fd for key, _ in selector.select(self._patience())}
                if self._orders.descriptor in ready:  # first of all: a cut holds for what waits here
                    self._orders.read()
                self._obey()
                if self._socket.fileno() in ready:
                    self._receive()
                self._fire()

    # ── What comes in ──

    def _obey(self) -> None:
        while self._orders.arrived:
            order = json.loads(self._orders.wait())
            self._blocked = frozenset(order["blocked"])
            self._report(done=order["number"])

    def _receive(self) -> None:
        for _ in range(_MOST):
            try:
                datagram = self._socket.recv(_LARGEST_DATAGRAM)
            except BlockingIOError:
                return
            parcel = opened(datagram, self._secret, self._classes)
            if parcel is None or parcel.to != self._name:
                self._write([["stray", self._tick()]])
                continue
            arrival = [parcel.sender, parcel.incarnation, parcel.number]
            if f"<{parcel.sender}" in self._blocked:
                self._write([["drop", self._tick(parcel.sent), *arrival]])
            else:
                self._call(
                    "on_message", ["deliver", *arrival], parcel.sender, parcel.message, after=parcel.sent
                )

    def _fire(self) -> None:
        limit = self._clock()
        while (timer := self._machine.next_timer()) is not None and timer[1] <= limit:
            name, _ = timer
            del self._machine.timers[name]
            self._call("on_timer", ["timer", name], name)

    def _patience(self) -> float | None:
        timer = self._machine.next_timer()
        return None if timer is None else max(0.0, (timer[1] - self._clock()) / 1e6)

    # ── What goes out ──

    def _call(self, handler: str, entry: list[Any], *arguments: Any, after: int = 0) -> None:
        """Run a handler; journal it and what it did, then send its messages."""
        machine, now = self._machine, self._tick(after)
        kind, *rest = entry
        try:
            machine.call(handler, now, *arguments)
            entries, datagrams = self._effects(now)
        except BaseException as error:  # noqa: BLE001 - the learner's own; sys.exit is one, too
            self._fail(handler, error, [kind, now, *rest])
        if machine.saves != self._version:
            self._put_on_disk(machine.saves)
            entries.insert(0, ["save", now, machine.saves])
        self._write([[kind, now, *rest], *entries])
        if machine.saves != self._version:
            self._saved_as(self._version).unlink(missing_ok=True)
            self._version = machine.saves
        for to, datagram in datagrams:
            try:
                self._socket.sendto(datagram, ("127.0.0.1", self._ports[to]))
            except OSError:  # no room in a buffer: the message is lost, as messages are
                continue

    def _effects(self, now: int) -> tuple[list[list[Any]], list[tuple[str, bytes]]]:
        """What the last handler did, for the journal, and the datagrams that follow from it."""
        entries: list[list[Any]] = []
        datagrams = []
        for effect in self._machine.effects:
            if isinstance(effect, Recorded):
                entries.append(["record", now, effect.kind, effect.detail])
                continue
            to, message = effect
            self._sent += 1
            parcel = Parcel(self._name, self._incarnation, self._sent, now, to, message)
            datagram = sealed(parcel, self._secret)
            is_cut = to in self._blocked
            entries.append(["send", now, to, self._sent, is_cut, to_wire(message)])
            if not is_cut:
                datagrams.append((to, datagram))
        return entries, datagrams

    def _put_on_disk(self, version: int) -> None:
        """Write a new file beside the old one; it counts from the moment the journal says so.

        There is no fsync: what a process has written outlives it in the system's memory, and no `kill -9` can tell.
        """
        try:
            content = pickle.dumps(self._machine.saved)
        except (pickle.PicklingError, AttributeError, TypeError):
            import cloudpickle  # the state is of a class that no import finds

            content = cloudpickle.dumps(self._machine.saved)
        self._saved_as(version).write_bytes(content)

    def _saved_as(self, version: int) -> Path:
        return self._disk.with_name(f"{self._disk.name}.{version}")

    def _write(self, entries: list[list[Any]]) -> None:
        lines = "".join(json.dumps(entry, separators=(",", ":")) + "\n" for entry in entries)
        os.write(self._journal, lines.encode())

    def _fail(self, handler: str, error: BaseException, entry: list[Any] | None = None) -> None:
        """Tell of an error in the learner's code, and end."""
        frames = [(frame.filename, frame.lineno) for frame in traceback.extract_tb(error.__traceback__)]
        if entry is not None:
            self._write([entry, ["error", entry[1]]])
        time_of = 0 if entry is None else entry[1]
        self._report(error=[handler, time_of, type(error).__name__, str(error), frames])
        sys.exit(1)

    def _report(self, **said: Any) -> None:
        self._reports.write(json.dumps(said) + "\n")

    # ── Time ──

    def _clock(self) -> int:
        return (time.monotonic_ns() - self._zero) // _NANOSECONDS

    def _tick(self, after: int = 0) -> int:
        """The time of the next thing that happens here, in µs: later than the last, and than ``after``."""
        self._now = max(self._clock(), self._now + 1, after + 1)
        return self._now


if __name__ == "__main__":
    main()
