"""Right and wrong answers to the nodes of notebook 03: picking a server, and a worker with a bounded queue."""

from __future__ import annotations

from dscourse.exercises._node_exercise import WrongNode
from dscourse.exercises.wrong_nodes._written import written

# ── Picking a server ──────────────────────────────────────────────────────────────────────────────────────────

PICK_STUB = '''\
def pick(view, rng):
    """Return one of view.servers.

    view.open_requests[server]: how many it holds, as far as this balancer knew at its last look;
    view.failures[server]: of its last ten answers, those that failed; view.answers[server]: of all;
    view.tried: servers that this request went to in vain. rng.random(): from 0 to below 1.
    """
    ...

answer = pick
'''

PICK_RIGHT = """\
def pick(view, rng):
    rest = [server for server in view.servers if server not in view.tried] or view.servers
    first = rest[int(rng.random() * len(rest))]
    second = rest[int(rng.random() * len(rest))]
    load = {server: view.open_requests[server] + 10 * view.failures[server] for server in (first, second)}
    return first if load[first] <= load[second] else second

answer = pick
"""

PICK_WRONG = (
    WrongNode(
        "min, and nothing else",
        """\
def pick(view, rng):
    return min(view.servers, key=lambda server: view.open_requests[server])

answer = pick
""",
        "That is everybody's first idea, and fine in a demonstration. Take one load at a time: whom does it pick while the view is old?",
        0,
    ),
    WrongNode(
        "the least of an old view",
        """\
def pick(view, rng):
    rest = [server for server in view.servers if server not in view.tried] or view.servers
    least = min(view.open_requests[server] + 10 * view.failures[server] for server in rest)
    best = [s for s in rest if view.open_requests[s] + 10 * view.failures[s] == least]
    return best[int(rng.random() * len(best))]

answer = pick
""",
        "Until the view is renewed everybody runs to the same few servers, which were the least loaded once.",
        0,
    ),
    WrongNode(
        "ties to the lowest",
        """\
def pick(view, rng):
    rest = [server for server in view.servers if server not in view.tried] or view.servers
    return min(rest, key=lambda server: view.open_requests[server] + 10 * view.failures[server])

answer = pick
""",
        "min takes the first of equals. Many balancers with few requests of their own see nothing but equals.",
        0,
    ),
    WrongNode(
        "loves the one that fails fast",
        """\
def pick(view, rng):
    rest = [server for server in view.servers if server not in view.tried] or view.servers
    first = rest[int(rng.random() * len(rest))]
    second = rest[int(rng.random() * len(rest))]
    return min(first, second, key=lambda server: view.open_requests[server])

answer = pick
""",
        "A server that fails at once has nothing open, and looks like the best of all: count its failures as load.",
        0,
    ),
    WrongNode(
        "tries the same server again",
        """\
def pick(view, rng):
    first = view.servers[int(rng.random() * len(view.servers))]
    second = view.servers[int(rng.random() * len(view.servers))]
    if view.tried:
        return view.tried[-1]
    load = {server: view.open_requests[server] + 10 * view.failures[server] for server in (first, second)}
    return first if load[first] <= load[second] else second

answer = pick
""",
        "What has failed a moment ago will most likely fail again: somebody else should have a try.",
        1,
    ),
    WrongNode(
        "any of them",
        """\
def pick(view, rng):
    return view.servers[int(rng.random() * len(view.servers))]

answer = pick
""",
        "It herds nowhere, and looks nowhere: some servers have a queue while others are idle.",
        0,
    ),
    WrongNode(
        "floods a newcomer",
        """\
def pick(view, rng):
    rest = [server for server in view.servers if server not in view.tried] or view.servers
    well = [server for server in rest if view.failures[server] == 0] or rest
    return min(well, key=lambda server: view.answers[server] + view.open_requests[server])

answer = pick
""",
        "You make up for the past: a newcomer, which has answered nothing yet, gets everything until it has caught up, just while it is cold.",
        1,
    ),
)

# ── A worker with a bounded queue ─────────────────────────────────────────────────────────────────────────────

WORKER_STUB = '''\
from dscourse.simulation import Node, Reply
WAITING, TRIES = 4, 3               # so many jobs may wait; so many attempts at one job

class Worker(Node):
    """Takes jobs in, says so at once, and works on one after the other: a second each."""

    def on_start(self, ctx):
        self.jobs = ctx.stored or []      # [name, due, sound, tries] each; the first is in hand
        self.begin(ctx)

    def on_message(self, ctx, sender, message):
        _, patience, sound = message.operation
        name = f"{sender}/{message.number}"
        ...            # ctx.send(sender, Reply(message.number, "ok" or "fail", "why"))

    def begin(self, ctx):
        ...            # what is past its due goes: ctx.record("expired", job=name)
        if self.jobs:
            ctx.record("begin", job=self.jobs[0][0])
            ctx.set_timer("work", 1.0)

    def on_timer(self, ctx, name):
        ...            # a second's work on self.jobs[0]: record "done" or, after TRIES, "set aside"

answer = Worker
'''

_START = """
    self.jobs = ctx.stored or []
    self.begin(ctx)
"""
_TAKE = """
    _, patience, sound = message.operation
    name = f"{sender}/{message.number}"
    if len(self.jobs) > WAITING:
        ctx.send(sender, Reply(message.number, "fail", "busy"))
        return
    self.jobs.append([name, ctx.now + patience, sound, 0])
    ctx.save(self.jobs)
    ctx.send(sender, Reply(message.number, "ok", "accepted"))
    if len(self.jobs) == 1:
        self.begin(ctx)
"""
_BEGIN = """
    while self.jobs and ctx.now > self.jobs[0][1]:
        ctx.record("expired", job=self.jobs.pop(0)[0])
    ctx.save(self.jobs)
    if self.jobs:
        ctx.record("begin", job=self.jobs[0][0])
        ctx.set_timer("work", 1.0)
"""
_WORK = """
    job = self.jobs[0]
    job[3] += 1
    if job[2] or job[3] == TRIES:
        ctx.record("done" if job[2] else "set aside", job=job[0])
        self.jobs.pop(0)
    self.begin(ctx)
"""
_UNBOUNDED = """
    _, patience, sound = message.operation
    self.jobs.append([f"{sender}/{message.number}", ctx.now + patience, sound, 0])
    ctx.save(self.jobs)
    ctx.send(sender, Reply(message.number, "ok", "accepted"))
    if len(self.jobs) == 1:
        self.begin(ctx)
"""
_NO_SIGNAL = """
    _, patience, sound = message.operation
    if len(self.jobs) > WAITING:
        return
    self.jobs.append([f"{sender}/{message.number}", ctx.now + patience, sound, 0])
    ctx.save(self.jobs)
    ctx.send(sender, Reply(message.number, "ok", "accepted"))
    if len(self.jobs) == 1:
        self.begin(ctx)
"""
_NOT_SAVED = """
    _, patience, sound = message.operation
    name = f"{sender}/{message.number}"
    if len(self.jobs) > WAITING:
        ctx.send(sender, Reply(message.number, "fail", "busy"))
        return
    self.jobs.append([name, ctx.now + patience, sound, 0])
    ctx.send(sender, Reply(message.number, "ok", "accepted"))
    if len(self.jobs) == 1:
        self.begin(ctx)
"""
_DEAD_TOO = """
    ctx.save(self.jobs)
    if self.jobs:
        ctx.record("begin", job=self.jobs[0][0])
        ctx.set_timer("work", 1.0)
"""
_FORGOTTEN_EARLY = """
    while self.jobs and ctx.now > self.jobs[0][1]:
        ctx.record("expired", job=self.jobs.pop(0)[0])
    ctx.save(self.jobs[1:])
    if self.jobs:
        ctx.record("begin", job=self.jobs[0][0])
        ctx.set_timer("work", 1.0)
"""
_TAKE_ALL_BUT_THE_FIRST = """
    _, patience, sound = message.operation
    name = f"{sender}/{message.number}"
    if len(self.jobs) > WAITING:
        ctx.send(sender, Reply(message.number, "fail", "busy"))
        return
    self.jobs.append([name, ctx.now + patience, sound, 0])
    ctx.save(self.jobs[1:] if len(self.jobs) > 1 else self.jobs)
    ctx.send(sender, Reply(message.number, "ok", "accepted"))
    if len(self.jobs) == 1:
        self.begin(ctx)
"""
_FOR_EVER = """
    job = self.jobs[0]
    if job[2]:
        ctx.record("done", job=job[0])
        self.jobs.pop(0)
    self.begin(ctx)
"""


def _worker(take: str = _TAKE, begin: str = _BEGIN, work: str = _WORK) -> str:
    return written(WORKER_STUB, on_start=_START, on_message=take, begin=begin, on_timer=work)


WORKER_RIGHT = _worker()
WORKER_EQUIVALENTS = (
    _worker(work=_WORK.replace("self.begin(ctx)", "ctx.save(self.jobs)\n    self.begin(ctx)")),
)
WORKER_WRONG = (
    WrongNode(
        "takes everything in",
        _worker(take=_UNBOUNDED),
        "Nothing ends your queue. At a load above 1 it grows for as long as the load lasts, and so does the wait of all who come.",
        0,
    ),
    WrongNode(
        "serves the dead",
        _worker(begin=_DEAD_TOO),
        "You work for those who have given up. Look at the deadline when a job's turn comes, not when it arrives.",
        0,
    ),
    WrongNode(
        "gives no signal",
        _worker(take=_NO_SIGNAL),
        'Whoever finds you full hears nothing, waits in vain, and can\'t slow down. Say "fail" at once.',
        0,
    ),
    WrongNode(
        "retries a poisoned job for ever",
        _worker(work=_FOR_EVER),
        "A job that can't succeed is tried again and again, and all others wait behind it. Count, and set it aside.",
        0,
    ),
    WrongNode(
        "says accepted before it saved",
        _worker(take=_NOT_SAVED),
        "You promise first and save later: a crash in between loses a job that somebody was told is safe.",
        1,
    ),
    WrongNode(
        "acknowledges before it finished",
        _worker(take=_TAKE_ALL_BUT_THE_FIRST, begin=_FORGOTTEN_EARLY),
        "The job leaves your disk when its work begins. Crash in the middle, and nobody knows of it any more.",
        1,
    ),
)
