"""What the parts of the engine know of each other: the kernel, as contexts, clients and faults see it."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any, Protocol

from dscourse.simulation.engine.active_faults import ActiveFaults
from dscourse.simulation.engine.process import Link, Mail, Process
from dscourse.simulation.faults import Fault
from dscourse.simulation.network import Network
from dscourse.simulation.recorder import Row


class KernelPort(Protocol):
    """The event loop, as its parts use it."""

    seed: int
    network: Network
    now: int
    careful: bool
    heap: list[tuple[Any, ...]]
    write: Callable[[Row], None]
    next_number: Callable[[], int]
    last_message: Any
    last_text: str
    touched: set[str]
    active: dict[int, Fault]
    processes: dict[str, Process]
    active_faults: ActiveFaults

    def admit(self, message: Any) -> None:
        """Check a message and keep its canonical JSON."""

    def open_link(self, process: Process, to: str) -> Link:
        """The link to a neighbour."""

    def post(self, link: Link, message: Any, draw: float) -> None:
        """Send a message the long way."""

    def arrive(self, link: Link, message: Any, number: int, copy: int = 0) -> None:
        """A message is due."""

    def drop(self, reason: str, mail: Mail) -> None:
        """A message is lost."""

    def put_off(self, when: int, act: Callable[[], None], owner: Link | Process) -> None:
        """Have ``act`` called later."""

    def timer_order(self, process: Process) -> int:
        """The place of a new timer among the events of its instant."""

    def set_pace(self, process: Process, factor: float) -> None:
        """Let a server work faster or slower."""

    def begin_luck_anew(self, number: int) -> None:
        """Draw from new streams from now on."""

    def node_luck(self, process: Process) -> Random:
        """The stream that ``ctx.rng`` draws from."""
