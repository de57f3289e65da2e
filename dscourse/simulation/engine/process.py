"""A node (or a client) while a run goes on: its present object, its timers, its clock, its queue, its links."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from dscourse.simulation.behaviours import Behaviour
from dscourse.simulation.faults import MessageFault
from dscourse.simulation.network import LinkSettings
from dscourse.simulation.random_streams import SPARSE_DRAWS, Stream, dense_stream, sparse_draw

UP, CRASHED, PAUSED = "up", "crashed", "paused"


class Mail(NamedTuple):
    """A message that has arrived and waits for its turn."""

    link: Link
    message: Any
    number: int
    copy: int
    arrived: int


class HeldTimer(NamedTuple):
    """A timer that came due while its node was paused."""

    name: str
    order: int
    due: int


class Clock:
    """A clock that was stepped or drifts. A node whose clock was never touched has none, and reads true time."""

    __slots__ = ("_local", "_true", "rate")

    def __init__(self, now: int) -> None:
        self._true = now
        self._local = now
        self.rate = 0.0

    def read(self, now: int) -> int:
        """Local microseconds at true ``now``."""
        passed = now - self._true
        return self._local + passed + round(passed * self.rate)

    def step(self, now: int, by: int) -> None:
        """Jump."""
        self._local, self._true = self.read(now) + by, now

    def drift(self, now: int, rate: float) -> None:
        """Run at another rate from now on."""
        self._local, self._true = self.read(now), now
        self.rate = rate

    def true_delay(self, now: int, local: int) -> int:
        """True microseconds from ``now`` until this clock reads (at least) ``local`` microseconds more."""
        delay = math.ceil(local / (1.0 + self.rate))
        while (short := local - self.read(now + delay) + self.read(now)) > 0:  # since readings are rounded
            delay += math.ceil(short / (1.0 + self.rate))
        return delay


class Service:
    """One server with a queue: messages are handled one after the other, each takes its time."""

    __slots__ = ("due", "factor", "left", "limit", "queue", "round", "sample", "serving", "stream")

    def __init__(self, sample: Callable[[float], int], limit: int | None, key: int) -> None:
        self.sample = sample
        self.limit = limit
        self.stream = Stream(key)
        self.factor = 1.0
        self.queue: deque[Mail] = deque()
        self.serving: Mail | None = None
        self.round = (
            0  # which service is going on; one that a crash or a pause ended is known by its old number
        )
        self.due = 0  # when the job in service will be done
        self.left: int | None = None  # what is left of it, while the server stands still

    @property
    def is_full(self) -> bool:
        """Whether one more message would be too many (the one in service doesn't count)."""
        return self.limit is not None and len(self.queue) + (self.serving is not None) > self.limit

    def next_duration(self) -> int:
        """How long the next piece of work takes."""
        return int(self.sample(self.stream.draw()) * self.factor + 0.5)

    def stand_still(self, now: int) -> None:
        """Stop working; the job in service keeps what is left of it."""
        if self.serving is not None:
            self.left = self.due - now
            self.round += 1

    def set_pace(self, now: int, factor: float) -> bool:
        """Work ``factor`` times as long as when all is well; return whether the job in service is due anew."""
        ratio, self.factor = factor / self.factor, factor
        if self.left is not None:
            self.left = int(self.left * ratio + 0.5)
        elif self.serving is not None and ratio != 1.0:
            self.due = now + int((self.due - now) * ratio + 0.5)
            return True
        return False

    def empty(self) -> list[Mail]:
        """Drop everything; return what was there, the one in service first."""
        dropped = ([self.serving] if self.serving else []) + list(self.queue)
        self.queue.clear()
        self.serving = self.left = None
        self.round += 1
        return dropped


class Process:
    """Whoever takes part in a run."""

    __slots__ = (
        "behaviours", "clock", "condition", "context", "held", "incarnation", "index", "is_client", "links",
        "name", "node", "quick", "receiving_key", "saved", "sending_key",
        "service", "timers",
    )  # fmt: skip

    def __init__(self, index: int, name: str, sending_key: int, receiving_key: int) -> None:
        self.index = index
        self.name = name
        self.sending_key = sending_key
        self.receiving_key = receiving_key
        self.node: Any = None
        self.context: Any = None  # the node's Context, whose clock the kernel sets
        self.condition = UP
        self.incarnation = 0
        self.timers: dict[str, int] = {}  # name → order of its entry in the heap
        self.links: dict[str, Link] = {}
        self.clock: Clock | None = None
        self.service: Service | None = None
        self.saved: Any = None
        self.held: list[Mail | HeldTimer] = []  # by a pause
        self.behaviours: list[tuple[Behaviour, int]] = []  # with the key of their luck
        self.is_client = False
        self.quick = False

    def refresh(self) -> None:
        """Note whether the kernel may take the short way with this process."""
        self.quick = (
            self.condition == UP and self.service is None and self.clock is None and not self.is_client
        )

    def local_time(self, now: int) -> int:
        """Microseconds on its own clock."""
        return now if self.clock is None else self.clock.read(now)

    def waiting_mail(self) -> Iterator[Mail]:
        """Messages that have arrived and were not handled yet, the one in service first."""
        if self.service is not None:
            if self.service.serving is not None:
                yield self.service.serving
            yield from self.service.queue
        for item in self.held:
            if isinstance(item, Mail):
                yield item


class Link:
    """One direction of a link in a run: its settings, its luck and its queue. Made when first used."""

    __slots__ = ("befalls", "count", "more", "random", "sent", "settings", "source", "target")

    def __init__(self, source: Process, target: Process, settings: LinkSettings) -> None:
        self.source = source
        self.target = target
        self.settings = settings
        self.random: Callable[[], float] | None = None
        self.count = 0
        self.more: LinkExtras | None = None
        self.befalls: dict[int, list[MessageFault]] = {}  # by the number of the message
        self.sent = 0  # messages, counted only where something befalls one

    def key(self, purpose: int) -> int:
        """The key of this link's stream for a purpose."""
        return self.source.sending_key + self.target.receiving_key + purpose

    def draw(self) -> float:
        """One draw for the latency, while there have been few; later ``random`` does it."""
        count = self.count
        self.count = count + 1
        if count + 1 >= SPARSE_DRAWS:
            self.random = dense_stream(self.key(0))
        return sparse_draw(self.source.sending_key + self.target.receiving_key, count)

    def begin_luck_anew(self) -> None:
        """Draw from new streams from now on."""
        self.random, self.count = None, 0
        if self.more is not None:
            self.more.begin_luck_anew()

    def extras(self) -> LinkExtras:
        """What only some links need."""
        if self.more is None:
            self.more = LinkExtras(self)
        return self.more


class LinkExtras:
    """Streams for loss and duplication, and the queue of a link with limited capacity."""

    __slots__ = ("_link", "_streams", "free_at", "starts")

    def __init__(self, link: Link) -> None:
        self._link = link
        self._streams: dict[int, Stream] = {}
        self.free_at = 0
        self.starts: deque[int] = deque()  # when the waiting messages will get their turn

    def draw(self, purpose: int) -> float:
        """One draw of the stream for ``purpose``."""
        stream = self._streams.get(purpose)
        if stream is None:
            stream = self._streams[purpose] = Stream(self._link.key(purpose))
        return stream.draw()

    def begin_luck_anew(self) -> None:
        """Draw from new streams from now on."""
        self._streams.clear()

    def transmit(self, now: int) -> int | None:
        """Take a message in; return the microseconds until it has left, or None if the queue is full."""
        settings, starts = self._link.settings, self.starts
        while starts and starts[0] <= now:
            starts.popleft()
        if settings.queue_limit is not None and len(starts) >= settings.queue_limit and self.free_at > now:
            return None
        start = max(now, self.free_at)
        if start > now:
            starts.append(start)
        self.free_at = start + settings.transmission
        return self.free_at - now
