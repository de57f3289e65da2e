"""Work for later: a queue with a bound, and workers who follow it at their own pace.

    run = worker_scenario(load=1.2, deadline=5.0, queue_limit=5, attempts=3).run(200.0)

The queue is the node's own, and not the simulator's, since what is to be seen here is how it is kept: who is turned
away, who goes first, who is dropped.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from dscourse.arguments import one_of, real, whole
from dscourse.services.load_balancer import Done, LoadBalancer, Work, tiers
from dscourse.simulation import Context, Node, Reply, Request
from dscourse.simulation.pending_requests import PendingRequests
from dscourse.simulation.virtual_time import MICROSECONDS

if TYPE_CHECKING:
    import pandas as pd

    from dscourse.simulation import Scenario
    from dscourse.simulation.latency import LatencyModel

ANSWERS = ("when done", "accepted", "callback")


@dataclass(frozen=True)
class Job:
    """A piece of work in the queue.

    Attributes:
        asker: who brought it.
        number: the asker's number for it.
        operation: what is to be done.
        due: when its result is of no use any more, on the worker's clock.
        for_client: whether the asker is a client, and not a balancer.
    """

    asker: str
    number: int
    operation: Any
    due: float
    for_client: bool

    @property
    def name(self) -> str:
        """What it is known by."""
        return f"{self.asker}/{self.number}"


class WorkerPool(Node):
    """Some workers with one queue, in memory. At any moment: accepted = completed + dropped + waiting + in hand.

    Args:
        node_id: its name.
        peers: those it is linked with.
        workers: how many jobs are worked on at once.
        service_time: how long one takes: a latency model or seconds.
        queue_limit: how many may wait, those in hand apart; whoever comes then is refused. None: without a bound.
        deadline: seconds from arrival in which a result is of use; None: always.
        newest_first: serve the job that came last, instead of the one that came first.
        drop_expired: drop a job whose deadline is over when its turn comes, instead of doing it.
        says_busy: tell whoever is refused; otherwise nobody hears of it until their patience is over.
        answer: "when done"; or "accepted" at once: then `("status", number)` asks whether that job is done; or a
            "callback": accepted at once, and a second answer when it is done.
    """

    def __init__(
        self,
        node_id: str,
        peers: Sequence[str],
        *,
        workers: int = 1,
        service_time: LatencyModel | float = 1.0,
        queue_limit: int | None = None,
        deadline: float | None = None,
        newest_first: bool = False,
        drop_expired: bool = False,
        says_busy: bool = True,
        answer: str = "when done",
    ) -> None:
        from dscourse.simulation.latency import as_latency  # which loads NumPy

        super().__init__(node_id, peers)
        self.accepted = self.completed = self.dropped = self.refused = 0
        self.queue: list[Job] = []
        self.in_hand: dict[str, Job] = {}  # by the worker's timer
        self._idle = [f"worker {number}" for number in range(workers)][::-1]
        self._sample = as_latency("service_time", service_time).sampler()
        self._limit, self._deadline = queue_limit, deadline
        self._newest, self._drops, self._says_busy = newest_first, drop_expired, says_busy
        self._answer = answer
        self._done: dict[str, None] = {}  # jobs, where their askers may come back for them

    def on_message(self, ctx: Context, sender: str, message: object) -> None:
        """Take a job in, or refuse it, or say how one stands."""
        if not isinstance(message, Request | Work):
            return
        for_client = isinstance(message, Request)
        number = message.number if isinstance(message, Request) else message.ticket
        due = float("inf") if self._deadline is None else ctx.now + self._deadline
        job = Job(sender, number, message.operation, due, for_client)
        if isinstance(message.operation, tuple) and message.operation[:1] == ("status",):
            finished = f"{sender}/{message.operation[1]}" in self._done
            self._tell(ctx, job, "ok", "done" if finished else "pending")
        elif self._limit is not None and not self._idle and len(self.queue) >= self._limit:
            self.refused += 1
            if self._says_busy:
                self._tell(ctx, job, "fail", "busy")
        else:
            self.accepted += 1
            self.queue.append(job)
            self._serve(ctx)
            if self._answer != "when done":
                self._tell(ctx, job, "ok", "accepted")

    def on_timer(self, ctx: Context, name: str) -> None:
        """A worker is done with its job."""
        job = self.in_hand.pop(name)
        self._idle.append(name)
        self.completed += 1
        if self._answer == "accepted":
            self._done[job.name] = None
        else:
            self._tell(ctx, job, "ok", "done")
        self._serve(ctx)

    def _serve(self, ctx: Context) -> None:
        while self._idle and self.queue:
            job = self.queue.pop(-1 if self._newest else 0)
            if self._drops and ctx.now > job.due:
                self.dropped += 1
                continue
            worker = self._idle.pop()
            self.in_hand[worker] = job
            ctx.set_timer(worker, self._sample(ctx.rng.random()) / MICROSECONDS)
        ctx.record("status", status="up", label=f"{len(self.queue)} wait")

    def _tell(self, ctx: Context, job: Job, outcome: str, value: str) -> None:
        answer = Reply if job.for_client else Done
        ctx.send(job.asker, answer(job.number, outcome, value))


def worker_scenario(
    load: float,
    *,
    deadline: float,
    workers: int = 1,
    queue_limit: int | None = None,
    newest_first: bool = False,
    drop_expired: bool = False,
    says_busy: bool = True,
    answer: str = "when done",
    attempts: int = 1,
    burst: tuple[float, int] | None = None,
    one_way: float = 0.001,
    seed: int = 0,
) -> Scenario:
    """Return a scenario: clients ask a gateway "b0", which hands work to a pool of workers "w0".

    A job takes an exponential time of mean 1 s. The gateway waits for an answer as long as the deadline, and asks again
    if there is none, or a refusal.

    Args:
        load: jobs a second and worker.
        deadline: seconds for which a client wants the answer.
        workers: how many.
        queue_limit: how many may wait.
        newest_first: serve the job that came last.
        drop_expired: drop what is too late when its turn comes.
        says_busy: tell whoever is refused.
        answer: "when done", "accepted" or "callback" (a gateway takes the first of two answers).
        attempts: how often the gateway asks for one request, the first time included.
        burst: (when, how many): so many more requests come within one second.
        one_way: seconds between gateway and pool.
        seed: of the scenario.
    """
    from dscourse.simulation import Network, OpenLoop, Scenario

    count, patience = whole("workers", workers, at_least=1), real("deadline", deadline, above=0.0)
    tries = whole("attempts", attempts, at_least=1)
    factory = partial(
        _gateway_or_pool,
        attempts=tries,
        workers=count,
        queue_limit=None if queue_limit is None else whole("queue_limit", queue_limit, at_least=0),
        deadline=patience,
        newest_first=newest_first,
        drop_expired=drop_expired,
        says_busy=says_busy,
        answer=one_of("answer", answer, ANSWERS),
    )
    rate = real("load", load, above=0.0) * count
    clients = [OpenLoop((("do",),), rate=rate, to="b0", timeout=patience * tries + 1.0, repeat=True)]
    if burst is not None:
        clients.append(
            OpenLoop((("do",),) * burst[1], rate=float(burst[1]), to="b0", timeout=1e3, start=burst[0])
        )
    return Scenario(factory, Network(tiers(["b0"], ["w0"]), latency=one_way), clients=clients, seed=seed)


def _gateway_or_pool(
    node_id: str, peers: Sequence[str], *, attempts: int, deadline: float, **settings: Any
) -> Node:
    from dscourse.simulation import Exponential

    if node_id == "b0":
        return LoadBalancer(node_id, peers, servers=("w0",), patience=deadline, attempts=attempts)
    return WorkerPool(node_id, peers, service_time=Exponential(1.0), deadline=deadline, **settings)


class Customer(Node):
    """Brings jobs to a pool and wants to know when they are done; the pool's `answer` must fit.

    Args:
        node_id: its name.
        peers: the pool.
        poll_interval: seconds between two questions whether a job is done; None: it waits to be told.
    """

    def __init__(self, node_id: str, peers: Sequence[str], *, poll_interval: float | None = None) -> None:
        super().__init__(node_id, peers)
        self._poll_interval = poll_interval
        self._pending = PendingRequests(poll_interval)
        self._jobs = 0

    def on_message(self, ctx: Context, sender: str, message: object) -> None:
        """Hand a client's job on, or hear how it stands."""
        pool = self.peers[0]
        if isinstance(message, Request):
            self._jobs += 2  # jobs are even, questions odd
            request = self._pending.open(sender, message.number, self._jobs)
            if request is not None:
                self._pending.ask(ctx, request, [pool])
                ctx.send(pool, Work(self._jobs, message.operation))
        elif isinstance(message, Done):
            waiting = self._pending.get(message.ticket - message.ticket % 2)
            if waiting is not None and message.value not in ("accepted", "pending"):
                self._pending.reply(ctx, waiting, message.outcome, message.value)

    def on_timer(self, ctx: Context, name: str) -> None:
        """Ask whether a job is done by now."""
        request = self._pending.expired(name)
        if request is not None:
            self._pending.ask(ctx, request, self.peers[:1], afresh=True)
            ctx.send(self.peers[0], Work(request.key + 1, ("status", request.key)))


def answer_table(
    load: float = 0.8, *, poll_intervals: Sequence[float] = (0.5, 2.0), seed: int = 0
) -> pd.DataFrame:
    """Return what it costs to get the answer to a job of one second: to wait for it, to be called back, or to ask.

    Columns: `mean` seconds until the customer knows, and `messages` a job.

    Args:
        load: jobs a second, for one worker.
        poll_intervals: seconds between two questions.
        seed: of the runs.
    """
    import pandas as pd

    from dscourse.simulation import Network, OpenLoop, Scenario

    ways: dict[str, tuple[str, float | None]] = {"wait": ("when done", None), "callback": ("callback", None)}
    ways |= {f"poll every {seconds:g} s": ("accepted", seconds) for seconds in poll_intervals}
    client = OpenLoop((("do",),), rate=real("load", load, above=0.0), to="b0", timeout=1e3, repeat=True)
    rows = {}
    for way, (answer, interval) in ways.items():
        factory = partial(_customer_or_pool, answer=answer, poll_interval=interval)
        network = Network(tiers(["b0"], ["w0"]), latency=0.001)
        run = Scenario(factory, network, clients=[client], seed=seed).run(300.0)
        sent = [event for event in run.trace.select(kind="send") if {event.node, event.peer} == {"b0", "w0"}]
        rows[way] = {"mean": float(run.latencies().mean()), "messages": len(sent) / len(run.history())}
    return pd.DataFrame(rows).T


def _customer_or_pool(
    node_id: str, peers: Sequence[str], *, answer: str, poll_interval: float | None
) -> Node:
    from dscourse.simulation import Exponential

    if node_id == "b0":
        return Customer(node_id, peers, poll_interval=poll_interval)
    return WorkerPool(node_id, peers, service_time=Exponential(1.0), answer=answer)
