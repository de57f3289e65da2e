"""How much of a busy worker's work is still of use to anybody when it is done?"""

from __future__ import annotations

from collections import deque

import numpy as np

from dscourse.arguments import real, truth, whole

_WARM_UP = 0.1


def worker_goodput(
    load: float,
    *,
    deadline: float,
    queue_limit: int | None = None,
    newest_first: bool = False,
    drop_expired: bool = False,
    requests: int = 100_000,
    seed: int = 0,
) -> float:
    """Return the useful completions per service time of one worker, for one way of keeping its queue.

    Requests come at random (Poisson), each takes an exponential time of mean 1, and is of use if it is done within
    `deadline` of its arrival. First come, first served, without a bound: load · (1 − e^(−(1 − load)·deadline)), since
    the time in an M/M/1 queue is exponential with rate 1 − load. At loads from 1 on the queue grows without end, so
    that there the result falls with the number of requests. The first tenth of the requests is warm-up.

    Args:
        load: requests that come in one service time, above 0.
        deadline: in service times, above 0.
        queue_limit: whoever finds so many waiting, the one in service apart, is turned away; by default nobody is.
        newest_first: serve the one that came last, instead of the one that came first.
        drop_expired: when service would begin and the deadline is over, drop the request and take the next one.
        requests: how many.
        seed: of the random numbers.

    Raises:
        TypeError, ValueError: what is wrong with an argument.
    """
    rate, patience = real("load", load, above=0.0), real("deadline", deadline, above=0.0)
    limit = None if queue_limit is None else whole("queue_limit", queue_limit, at_least=0)
    newest, dropping = truth("newest_first", newest_first), truth("drop_expired", drop_expired)
    count = whole("requests", requests, at_least=10)
    rng = np.random.default_rng([whole("seed", seed, at_least=0), 5])
    came = np.cumsum(rng.exponential(1.0 / rate, count))
    useful = _useful(came.tolist(), rng.exponential(1.0, count).tolist(), patience, limit, newest, dropping)
    first = int(_WARM_UP * count)
    return float(useful[first:].sum() / (came[-1] - came[first]))


def _useful(
    came: list[float],
    needs: list[float],
    deadline: float,
    limit: int | None,
    newest: bool,
    dropping: bool,
) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Return for each request whether it was done in time."""
    useful = np.zeros(len(came), bool)
    waiting: deque[int] = deque()
    take = waiting.pop if newest else waiting.popleft
    free = 0.0  # when the worker can begin its next piece of work

    def serve_until(now: float) -> None:
        nonlocal free
        while waiting and free <= now:
            request = take()
            if dropping and free > came[request] + deadline:
                continue
            free += needs[request]
            useful[request] = free <= came[request] + deadline

    for request, now in enumerate(came):
        serve_until(now)
        if not waiting and free <= now:
            free = now + needs[request]
            useful[request] = needs[request] <= deadline
        elif limit is None or len(waiting) < limit:
            waiting.append(request)
    serve_until(float("inf"))
    return useful
