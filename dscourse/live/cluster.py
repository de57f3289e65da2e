"""A cluster of real processes, and what can be done to it."""

from __future__ import annotations

import secrets
import shutil
import socket
import tempfile
import time
import weakref
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from dscourse.arguments import real, text
from dscourse.exploration.scripts import network_of
from dscourse.live.availability import require_processes
from dscourse.live.clients import ClientWorld, Clock, Endpoint, Questioner
from dscourse.live.cuts import Cuts
from dscourse.live.journal import Entry, JournalFile, Step, steps_of
from dscourse.live.node_processes import Cleaner, ProcessHandle
from dscourse.live.replay import CRASHED, PAUSED, UP, LiveScenario, Party, live_run
from dscourse.live.shipping import packed
from dscourse.simulation.clients import ClientOperation, Workload
from dscourse.simulation.engine.fault_schedule import plan_of
from dscourse.simulation.errors import NodeError
from dscourse.simulation.faults import (
    Crash,
    CutLink,
    Fault,
    Heal,
    Partition,
    Pause,
    Restart,
    Resume,
    check_names,
)
from dscourse.simulation.messages import check_value
from dscourse.simulation.moment import Beliefs, Status
from dscourse.simulation.names import unknown
from dscourse.simulation.recorder import RECORD
from dscourse.simulation.run import Run
from dscourse.simulation.source_line import own_line_of
from dscourse.simulation.virtual_time import MICROSECONDS, to_microseconds

if TYPE_CHECKING:
    import networkx as nx

    Nodes = Iterable[str] | nx.Graph[Any]

_POLL = 0.01  # seconds between two looks at what nodes have recorded
_WATCH = 0.1  # seconds between two looks whether all processes are well
_STARTING = 30.0  # seconds that a process may take to be ready
_BUFFER = 1 << 18  # bytes of a socket's buffers


class LiveCluster:
    """Nodes as processes on this machine, each with a socket of its own on 127.0.0.1. Use it in a ``with`` statement.

    The same classes of nodes, the same messages and the same trace as in a `Scenario`, with real time and what luck the
    machine gives. At the end of the statement, however it ends, no process, port or file is left; should Python itself
    be killed, another process tidies up.

    Args:
        node_factory: called with ``(node_id, peers)`` in the node's own process, and again there after a restart.
        node_ids: names of the nodes, each linked with all others; or a graph, whose links say who may send to whom.
        clients: `OpenLoop` and `ClosedLoop` objects that ask by themselves from the start on; their ids are c0, c1 …
        seed: of the nodes' own luck and the clients'.

    Raises:
        LiveUnavailable: there are no such processes here; see `what_is_missing`.
        TypeError: the node factory can't be sent to another process.

    Once started, whatever notices that a handler of a node failed raises `NodeError`.
    """

    def __init__(
        self,
        node_factory: Callable[..., Any],
        node_ids: Nodes,
        *,
        clients: Sequence[Workload] = (),
        seed: int = 0,
    ) -> None:
        require_processes()
        self._factory = node_factory
        self._network = network_of(node_ids)
        self._workloads = tuple(clients)
        self._seed = seed
        # One client more than asked for: it asks what `ask` is told to.
        self._client_ids = tuple(f"c{number}" for number in range(len(self._workloads) + 1))
        self._names = self._network.node_ids
        self._ids = (*self._names, *self._client_ids)
        self._scenario([], (), len(self._client_ids))  # refuses what no scenario would take
        self._package, self._classes = packed(node_factory)
        self._started = False
        self._ended: int | None = None  # µs

    # ── Beginning and end ──

    def __enter__(self) -> LiveCluster:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        try:
            if kind is None:
                self._look_after()
        finally:
            self.close()

    def start(self) -> LiveCluster:
        """Start the processes; time 0 is when all of them are ready."""
        if self._started:
            raise ValueError("this cluster was started before; make another one")
        self._started = True
        self._folder = Path(tempfile.mkdtemp(prefix="dscourse-live-"))
        self._secret = secrets.token_bytes(16)
        self._clock = Clock()
        self._sockets: dict[str, socket.socket] = {}
        self._processes: dict[str, ProcessHandle] = {}
        self._journals: list[JournalFile] = []
        self._fault_entries: list[Entry] = []
        self._parties = {name: Party(name, is_client=name not in self._names) for name in self._ids}
        self._incarnations = dict.fromkeys(self._names, 0)
        self._cuts = Cuts(self._parties)
        self._orders = 0
        self._beliefs = Beliefs()
        self._worlds: list[ClientWorld] = []
        cleaner = Cleaner(self._folder)
        self._group = cleaner.group
        self._tidy = weakref.finalize(
            self, _tidy, cleaner, self._processes, self._sockets, self._worlds, self._folder
        )
        try:
            self._boot_all()
        except BaseException:
            self._tidy()
            raise
        return self

    def close(self) -> None:
        """End all processes; what happened can still be had from ``run``."""
        if self._ended is None and self._started:
            for world in self._worlds:
                world.stop()
            self._worlds.clear()
            self._ended = self._clock() + 1
            for process in self._processes.values():
                process.kill()
            self._read()
            self._tidy()

    def _boot_all(self) -> None:
        for name in self._ids:
            one = self._sockets[name] = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            for buffer in (socket.SO_RCVBUF, socket.SO_SNDBUF):
                one.setsockopt(socket.SOL_SOCKET, buffer, _BUFFER)
            one.bind(("127.0.0.1", 0))
        self._ports = {name: one.getsockname()[1] for name, one in self._sockets.items()}
        self._endpoints = {
            name: Endpoint(
                name, self._ids.index(name), self._sockets[name],
                clock=self._clock, ports=self._ports, secret=self._secret, classes=self._classes,
            )
            for name in self._client_ids
        }  # fmt: skip
        for name in self._names:
            self._spawn(name)
        for name in self._names:
            self._wait_until_ready(name)
        self._clock.restart()
        for name in self._names:
            self._let_start(name)
        *by_themselves, asking = (self._endpoints[name] for name in self._client_ids)
        self._questioner = Questioner(asking, self._ids)
        world = ClientWorld(by_themselves, self._workloads, self._ids, self._seed)
        self._worlds.append(world)
        world.start()

    # ── What can be done to it ──

    def kill(self, node: str) -> None:
        """Kill a node's process (SIGKILL): memory and timers are gone, what it has saved is not."""
        self._expect(node, UP, PAUSED)
        process = self._processes[node]
        process.kill()
        self._is_down(node)

    def restart(self, node: str) -> None:
        """Start a new process for a node that is down; it finds what was saved."""
        self._expect(node, CRASHED)
        self._incarnations[node] += 1
        self._drain(node)
        self._spawn(node)
        self._wait_until_ready(node)
        self._drain(node)  # what came while it was starting met nobody
        self._begin(Restart(node, self._seconds()))
        self._parties[node].condition = UP
        self._let_start(node)

    def pause(self, node: str) -> None:
        """Stop a node's process (SIGSTOP): what is sent to it waits."""
        self._expect(node, UP)
        self._processes[node].stop()
        self._look_after()
        self._begin(Pause(node, self._seconds()))
        self._parties[node].condition = PAUSED

    def resume(self, node: str) -> None:
        """Let a paused process go on (SIGCONT)."""
        self._expect(node, PAUSED)
        self._begin(Resume(node, self._seconds()))
        self._parties[node].condition = UP
        self._processes[node].go_on()

    def cut(self, a: str, b: str, *, one_way: bool = False) -> None:
        """Let nothing through between two of them, or only nothing from ``a`` to ``b``."""
        self._disturb(lambda at: CutLink(a, b, at, one_way=one_way))

    def partition(self, groups: Iterable[Iterable[str]]) -> None:
        """Let nothing through between groups of nodes; those in none form a further one."""
        named = [list(group) for group in groups]
        self._disturb(lambda at: Partition(named, at))

    def heal(self, a: str | None = None, b: str | None = None) -> None:
        """End all cuts and partitions, or the cuts between two."""
        heal = Heal(self._seconds(), link=None if a is None or b is None else (a, b))
        check_names(heal, self._names, self._client_ids, self._network.has_link)
        self._begin(heal)
        self._tell_cuts()

    def follow(self, faults: Iterable[Fault], until: float) -> None:
        """Do what faults say, at their times (or as soon after as the machine can), and wait until a time.

        Args:
            faults: Crash, Restart, Pause, Resume, CutLink, Partition, Heal; times in seconds since the start.
            until: when to return, in seconds since the start.
        """
        for when, transitions in sorted(plan_of(tuple(faults)).items()):
            self.sleep(when / MICROSECONDS - self.now)
            for _, fault, phase in transitions:
                self._do(fault, phase)
        self.sleep(until - self.now)

    def ask(self, node: str, operation: Any, *, timeout: float = 2.0) -> ClientOperation:
        """Ask a node for something, as a client does, and wait for the answer.

        Args:
            node: whom.
            operation: what for, such as ``("put", "x", 1)``.
            timeout: seconds; after that the outcome is "unknown".
        """
        self._known(node)
        check_value(operation, "operation")
        seconds = real("timeout", timeout, above=0.0)
        number, asked, answered, outcome, value = self._questioner.ask(node, operation, seconds)
        self._look_after()
        ended = None if answered is None else answered / MICROSECONDS
        return ClientOperation(
            self._client_ids[-1], number, operation, node, asked / MICROSECONDS, ended, outcome, value
        )

    def sleep(self, seconds: float) -> None:
        """Let some time pass; returns at once if it isn't above 0."""
        limit = time.monotonic() + seconds
        while True:
            self._look_after()
            left = limit - time.monotonic()
            if left <= 0:
                return
            time.sleep(min(left, _WATCH))

    def wait_for(self, status: str, *, timeout: float = 10.0, besides: Iterable[str] = ()) -> str:
        """Wait until a node that is up has recorded a status, such as "leader", as its last; return its id.

        Args:
            status: that is waited for.
            timeout: seconds.
            besides: nodes that don't count.

        Raises:
            TimeoutError: none has.
        """
        text("status", status)
        not_these = set(besides)
        limit = time.monotonic() + real("timeout", timeout, above=0.0)
        while True:
            self._look_after()
            now = self.status
            for node in self._names:
                is_up = self._parties[node].condition == UP and node not in not_these
                if is_up and node in now and now[node].status == status:
                    return node
            if time.monotonic() > limit:
                shown = (
                    ", ".join(f"{node} {one.status}" for node, one in now.items()) or "nobody recorded any"
                )
                raise TimeoutError(f"no node has become {status!r} within {timeout:g} s: {shown}")
            time.sleep(_POLL)

    # ── What can be seen ──

    @property
    def now(self) -> float:
        """Seconds since the start."""
        return self._clock() / MICROSECONDS

    @property
    def condition(self) -> dict[str, str]:
        """``"up"``, ``"crashed"`` or ``"paused"``, by node id."""
        return {name: self._parties[name].condition for name in self._names}

    @property
    def status(self) -> dict[str, Status]:
        """What each node last recorded as its status; one that is down has none."""
        self._read()
        return dict(self._beliefs.status)

    @property
    def pids(self) -> dict[str, int]:
        """Numbers of the processes, of nodes that aren't down."""
        return {
            name: self._processes[name].pid
            for name in self._names
            if self._parties[name].condition != CRASHED
        }

    @property
    def ports(self) -> dict[str, int]:
        """The ports on 127.0.0.1, by node id."""
        return {name: self._ports[name] for name in self._names}

    @property
    def strays(self) -> dict[str, int]:
        """How many datagrams came to each node that were none of the cluster's."""
        self._read()
        counted = dict.fromkeys(self._names, 0)
        for journal in self._journals:
            counted[journal.party] += sum(entry.kind == "stray" for entry in journal.entries)
        return counted

    @property
    def run(self) -> Run:
        """What has happened so far, as a run: for the player, the checkers, the measures of a detector."""
        if not self._started:
            raise ValueError("this cluster has not been started: write `with LiveCluster(...) as cluster:`")
        until = self._clock() if self._ended is None else self._ended
        self._read()
        entries = list(self._fault_entries)
        for journal in self._journals:
            entries += journal.entries
        for endpoint in self._endpoints.values():
            entries += endpoint.entries
        faults = [entry.values[0] for entry in self._fault_entries]
        clients = len(self._workloads) + bool(self._endpoints[self._client_ids[-1]].entries)
        scenario = self._scenario(steps_of(entries, self._ids, until), faults, clients)
        return live_run(scenario, until / MICROSECONDS)

    # ── Processes ──

    def _spawn(self, name: str) -> None:
        life = self._incarnations[name]
        journal = JournalFile(self._folder / f"{name}.{life}.journal", name, life)
        earlier = [one.saved_version for one in self._journals if one.party == name]
        self._journals.append(journal)
        setting = {
            "identity": {
                "name": name, "peers": list(self._network.peers(name)), "clients": self._client_ids,
                "seed": self._seed, "incarnation": life,
            },
            "factory": self._package, "secret": self._secret.hex(), "ports": self._ports,
            "disk": str(self._folder / f"{name}.disk"),
            "saved": next((version for version in reversed(earlier) if version is not None), None),
            "blocked": self._cuts.blocked(name),
        }  # fmt: skip
        self._processes[name] = ProcessHandle(setting, self._sockets[name], self._group, journal)

    def _wait_until_ready(self, name: str) -> None:
        process = self._processes[name]
        if process.hear(_STARTING) is None or process.failure is not None:
            process.kill()
            raise self._error_of(name)

    def _let_start(self, name: str) -> None:
        self._processes[name].tell({"do": "start", "zero": self._clock.zero})

    def _drain(self, name: str) -> None:
        """Throw away what has come for a node that is down."""
        its = self._sockets[name]
        its.setblocking(False)
        try:
            while True:
                its.recv(1)
        except BlockingIOError:
            return

    def _look_after(self) -> None:
        """Raise NodeError if a process has ended by itself."""
        for name, process in self._processes.items():
            if self._parties[name].condition != CRASHED and not process.is_alive:
                process.kill()
                self._is_down(name)
                error = self._error_of(name)
                error.run = self.run
                raise error

    def _error_of(self, name: str) -> NodeError:
        process = self._processes[name]
        failure = process.failure
        if failure is None:
            cause = RuntimeError(f"its process has ended: {process.last_words() or 'without a word'}")
            return NodeError(name, "its process", self._seconds(), "", cause)
        error: Exception = type(failure.kind, (Exception,), {})(failure.text)
        made = NodeError(
            name, failure.handler, failure.time / MICROSECONDS, own_line_of(failure.frames), error
        )
        made.__cause__ = error
        return made

    def _is_down(self, name: str) -> None:
        self._read()
        last = max(journal.last_time for journal in self._journals if journal.party == name)
        self._begin(Crash(name, max(self._clock(), last + 1) / MICROSECONDS))
        self._parties[name].crash()
        self._beliefs.status.pop(name, None)

    # ── Faults ──

    def _do(self, fault: Fault, phase: str) -> None:
        match fault, phase:
            case (Crash(node=node), "start"):
                self.kill(node)
            case (Crash(node=node), "end") | (Restart(node=node), _):
                self.restart(node)
            case (Pause(node=node), "start"):
                self.pause(node)
            case (Pause(node=node), "end") | (Resume(node=node), _):
                self.resume(node)
            case (CutLink(a=a, b=b, one_way=one_way), "start"):
                self.cut(a, b, one_way=one_way)
            case (CutLink(a=a, b=b), "end"):
                self.heal(a, b)
            case (Partition(groups=groups), "start"):
                self.partition(groups)
            case (Partition(), "end"):
                self.heal()
            case (Heal(link=link), _):
                self.heal(*(link or ()))
            case _:
                raise ValueError(f"no process can suffer this: {fault!r}; leave it to the simulator")

    def _disturb(self, fault: Callable[[float], Fault]) -> None:
        """Begin a cut or a partition: in the trace it begins when every process knows of it."""
        first = fault(self._seconds())
        check_names(first, self._names, self._client_ids, self._network.has_link)
        self._cuts.begin(first)
        self._tell_cuts()
        self._note(fault(self._seconds()))

    def _begin(self, fault: Fault) -> None:
        """Let a fault begin now."""
        self._cuts.begin(fault)
        self._note(fault)

    def _note(self, fault: Fault) -> None:
        self._fault_entries.append(Entry(to_microseconds(fault.begins or 0.0), "", 0, "fault", (fault,)))

    def _tell_cuts(self) -> None:
        """Let every process know whom it can't talk to; one that is paused learns it first of all when it goes on."""
        self._orders += 1
        told = [name for name in self._names if self._parties[name].condition != CRASHED]
        for name in told:
            order = {"do": "cut", "number": self._orders, "blocked": self._cuts.blocked(name)}
            self._processes[name].tell(order)
        for name in told:
            if self._parties[name].condition == UP:
                self._wait_until_done(name)

    def _wait_until_done(self, name: str) -> None:
        while (said := self._processes[name].hear(_STARTING)) is not None and said.get(
            "done"
        ) != self._orders:
            pass
        self._look_after()

    # ── Odds and ends ──

    def _scenario(self, steps: list[Step], faults: Sequence[Fault], clients: int) -> LiveScenario:
        return LiveScenario(
            self._factory, self._network, faults=faults, clients=self._workloads, seed=self._seed,
            steps=steps, clients_in_all=clients,
        )  # fmt: skip

    def _read(self) -> None:
        for journal in self._journals:
            for entry in journal.read_on(self._classes):
                if entry.kind == "record":
                    self._beliefs.take(RECORD, entry.party, entry.values)

    def _known(self, node: str) -> None:
        if text("node", node) not in self._names:
            raise unknown("node", node, self._names)

    def _expect(self, node: str, *conditions: str) -> None:
        self._known(node)
        self._look_after()
        condition = self._parties[node].condition
        if condition not in conditions:
            raise ValueError(f"node must be {' or '.join(conditions)}, got {node}, which is {condition}")

    def _seconds(self) -> float:
        return self._clock() / MICROSECONDS


def _tidy(
    cleaner: Cleaner,
    processes: dict[str, ProcessHandle],
    sockets: dict[str, socket.socket],
    worlds: list[ClientWorld],
    folder: Path,
) -> None:
    """End whatever is left."""
    for world in worlds:
        world.stop()
    for process in processes.values():
        process.kill()
    for one in sockets.values():
        one.close()
    shutil.rmtree(folder, ignore_errors=True)
    cleaner.close()
