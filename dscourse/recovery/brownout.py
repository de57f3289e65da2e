"""Graceful degradation: a server that answers less when it can't answer all, on one dial.

At level 0 an answer has everything, at level 1 the parts that cost much and bring little are left out, at level 2 only
what the request is about is there. Features go by what they bring for what they cost. The idea and the name are those
of C. Klein, M. Maggio, K.-E. Årzén, F. Hernández-Rodriguez, *Brownout: Building More Robust Cloud Applications*, ICSE
2014, whose dial is the share of answers with optional content.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from dscourse.arguments import real, whole
from dscourse.simulation import (
    Constant,
    Context,
    Network,
    Node,
    OpenLoop,
    Reply,
    Request,
    Run,
    Scenario,
    topology,
)

LEVELS = ("full", "lean", "bare")
_ONE_WAY = 0.002  # seconds


class BrownoutServer(Node):
    """Serves one request after another, at a level that is fixed or follows the wait.

    The dial goes down by one level when the request that is begun has waited longer than `target`, at most once in a
    quarter of `hold`, so that a step can show its effect; and up again when none has waited for more than a quarter of
    the target for `hold` seconds: else it would flap.

    Args:
        node_id: its id.
        peers: not used.
        level: 0, 1 or 2 for good; None: by the wait.
        service_times: seconds for an answer of each level.
        values: what an answer of each level is worth.
        target: seconds of waiting.
        hold: seconds.
    """

    def __init__(
        self,
        node_id: str,
        peers: Sequence[str],
        *,
        level: int | None = None,
        service_times: Sequence[float] = (0.02, 0.01, 0.004),
        values: Sequence[float] = (1.0, 0.8, 0.4),
        target: float = 0.2,
        hold: float = 2.0,
    ) -> None:
        super().__init__(node_id, peers)
        self._fixed = None if level is None else whole("level", level, at_least=0, at_most=len(LEVELS) - 1)
        self._times = [real("each of service_times", time, above=0.0) for time in service_times]
        self._values = [real("each of values", value, at_least=0.0) for value in values]
        self._target = real("target", target, above=0.0)
        self._hold = real("hold", hold, at_least=0.0)
        self._queue: deque[tuple[str, int, float]] = deque()
        self._calm_since = 0.0
        self._turned_at = 0.0
        self.level = self._fixed or 0

    @property
    def waiting(self) -> int:
        """How many requests wait or are being answered."""
        return len(self._queue)

    def on_start(self, ctx: Context) -> None:
        """Show the level."""
        self._show(ctx)

    def on_message(self, ctx: Context, sender: str, message: Any) -> None:
        """Take a request into the queue."""
        if isinstance(message, Request):
            self._queue.append((sender, message.number, ctx.now))
            if len(self._queue) == 1:
                self._begin(ctx)

    def on_timer(self, ctx: Context, name: str) -> None:
        """An answer is ready."""
        sender, number, _ = self._queue.popleft()
        ctx.send(sender, Reply(number, "ok", self._values[int(name.split()[1])]))
        if self._queue:
            self._begin(ctx)

    def _begin(self, ctx: Context) -> None:
        if self._fixed is None:
            self._turn(ctx, ctx.now - self._queue[0][2])
        ctx.set_timer(f"answer {self.level}", self._times[self.level])

    def _turn(self, ctx: Context, waited: float) -> None:
        if waited > self._target / 4:
            self._calm_since = ctx.now
        settled = ctx.now - self._turned_at >= self._hold / 4
        if waited > self._target and settled and self.level < len(LEVELS) - 1:
            self.level += 1
        elif ctx.now - self._calm_since >= self._hold and self.level > 0:
            self.level -= 1
        else:
            return
        self._calm_since = self._turned_at = ctx.now
        self._show(ctx)

    def _show(self, ctx: Context) -> None:
        ctx.record("status", status="up", label=LEVELS[self.level])


def brownout_scenario(
    *,
    level: int | None = None,
    calm: float = 30.0,
    rush: float = 150.0,
    rush_from: float = 10.0,
    rush_for: float = 20.0,
    deadline: float = 1.0,
    seed: int = 0,
) -> Scenario:
    """A server with users, and a rush of more of them for a while.

    Args:
        level: of the server; None: by the wait.
        calm: requests a second, always.
        rush: requests a second more, for a while.
        rush_from: when the rush begins, in seconds.
        rush_for: how long it lasts, in seconds.
        deadline: after which an answer is worth nothing.
        seed: of the run.
    """
    more = max(1, round(real("rush", rush, above=0.0) * real("rush_for", rush_for, above=0.0)))
    clients = [
        OpenLoop(("page",), calm, to="n0", timeout=deadline, repeat=True),
        OpenLoop(("page",) * more, rush, to="n0", timeout=deadline, start=rush_from),
    ]
    network = Network(topology.full_mesh(1), latency=Constant(_ONE_WAY))
    return Scenario(partial(BrownoutServer, level=level), network, clients=clients, seed=seed)


@dataclass(frozen=True)
class Service:
    """What users got.

    Attributes:
        answered: share of the requests that were answered within their deadline.
        value: mean worth of a request; one without an answer is worth nothing.
    """

    answered: float
    value: float


def service_of(run: Run, begin: float = 0.0, end: float | None = None) -> Service:
    """Return what users got for the requests that they made in [begin, end)."""
    last = run.until if end is None else end
    asked = [one for one in run.history() if begin <= one.invoked < last]
    got = [float(one.value) for one in asked if one.outcome == "ok"]
    return Service(len(got) / max(1, len(asked)), sum(got) / max(1, len(asked)))
