"""Right and wrong answers to the node of notebook 01: a load generator that nothing keeps from asking."""

from __future__ import annotations

from dscourse.exercises._node_exercise import WrongNode

_HEAD = '''\
from dscourse.scaling import Ask
from dscourse.simulation import Node
INTERVAL, CONNECTIONS = 0.25, 4   # s between two that are due; so many under way at most

class LoadGenerator(Node):
    """Request number k is due at k * INTERVAL; while no connection is free, it waits."""
    def on_start(self, ctx):
        self.due = self.sent = self.answered = 0          # how many
        self.on_timer(ctx, "due")
'''
_TAIL = "\nanswer = LoadGenerator\n"

STUB = f"""{_HEAD}
    def on_timer(self, ctx, name):
        self.due += 1
        ...              # when is number self.due due? ctx.set_timer("due", seconds from ctx.now)
        self.send(ctx)

    def send(self, ctx):
        ...              # while one is due and a connection free: ctx.send(self.peers[0], Ask(…))

    def on_message(self, ctx, sender, message):
        self.answered += 1
        seconds = ...    # that message.number took
        ctx.record("latency", number=message.number, seconds=seconds)
        ...              # what can be done now?
{_TAIL}"""

_TIMER = """
    def on_timer(self, ctx, name):
        self.due += 1
        ctx.set_timer("due", max(0.0, self.due * INTERVAL - ctx.now))
        self.send(ctx)
"""
_SEND = """
    def send(self, ctx):
        while self.sent < self.due and self.sent - self.answered < CONNECTIONS:
            ctx.send(self.peers[0], Ask(self.sent))
            self.sent += 1
"""
_ANSWER = """
    def on_message(self, ctx, sender, message):
        self.answered += 1
        seconds = ctx.now - message.number * INTERVAL
        ctx.record("latency", number=message.number, seconds=seconds)
        self.send(ctx)
"""


def _generator(timer: str = _TIMER, send: str = _SEND, answer: str = _ANSWER) -> str:
    return _HEAD + timer + send + answer + _TAIL


RIGHT = _generator()
EQUIVALENTS = (
    _generator(  # it keeps what waits, and when each was due
        timer="""
    def on_timer(self, ctx, name):
        self.waiting = getattr(self, "waiting", []) + [self.due]
        self.due += 1
        ctx.set_timer("due", max(0.0, self.due * INTERVAL - ctx.now))
        self.send(ctx)
""",
        send="""
    def send(self, ctx):
        while self.waiting and self.sent - self.answered < CONNECTIONS:
            ctx.send(self.peers[0], Ask(self.waiting.pop(0)))
            self.sent += 1
""",
    ),
    _generator(  # it catches up at once after standing still
        timer="""
    def on_timer(self, ctx, name):
        while self.due * INTERVAL <= ctx.now + 1e-9:
            self.due += 1
        ctx.set_timer("due", self.due * INTERVAL - ctx.now)
        self.send(ctx)
"""
    ),
)
WRONG = (
    WrongNode(
        "waits for each answer",
        _generator(
            timer="""
    def on_timer(self, ctx, name):
        self.since = ctx.now
        ctx.send(self.peers[0], Ask(self.sent))
        self.sent += 1
""",
            answer="""
    def on_message(self, ctx, sender, message):
        self.answered += 1
        ctx.record("latency", number=message.number, seconds=ctx.now - self.since)
        ctx.set_timer("due", max(0.0, self.since + INTERVAL - ctx.now))
""",
        ),
        "You wait for each answer before you send the next, so you ask once while the server stalls. Users don't wait for each other: "
        "keep to the times at which requests are due.",
        1,
    ),
    WrongNode(
        "counts from the send",
        _generator(
            send="""
    def send(self, ctx):
        self.sent_at = getattr(self, "sent_at", {})
        while self.sent < self.due and self.sent - self.answered < CONNECTIONS:
            self.sent_at[self.sent] = ctx.now
            ctx.send(self.peers[0], Ask(self.sent))
            self.sent += 1
""",
            answer=_ANSWER.replace("message.number * INTERVAL", "self.sent_at[message.number]"),
        ),
        "You send what has waited, and start its clock only then: the wait for a connection is left out. A user's clock runs from when the "
        "request was due.",
        1,
    ),
    WrongNode(
        "leaves out those that find no connection",
        _generator(
            timer="""
    def on_timer(self, ctx, name):
        if self.sent - self.answered < CONNECTIONS:
            ctx.send(self.peers[0], Ask(self.due))
            self.sent += 1
        self.due += 1
        ctx.set_timer("due", max(0.0, self.due * INTERVAL - ctx.now))
""",
            answer=_ANSWER.replace("        self.send(ctx)\n", ""),
        ),
        "Who is due while no connection is free is never sent, and so never counted: you leave out exactly the slow ones.",
        1,
    ),
    WrongNode(
        "opens connections without end",
        _generator(send=_SEND.replace(" and self.sent - self.answered < CONNECTIONS", "")),
        "You keep to the times, but with more than four under way: that is another load than the one that was asked for.",
        1,
    ),
    WrongNode(
        "lets the schedule slip",
        _generator(timer=_TIMER.replace("max(0.0, self.due * INTERVAL - ctx.now)", "INTERVAL")),
        "When your generator itself stands still, all that was due meanwhile is put off, and never made up for. Each request has a time of its "
        "own: number k is due at `k * INTERVAL`.",
        1,
    ),
    WrongNode(
        "takes the slow ones for outliers",
        _generator(
            answer=_ANSWER.replace(
                '        ctx.record("latency", number=message.number, seconds=seconds)\n',
                '        if seconds < 1.0:\n            ctx.record("latency", number=message.number, seconds=seconds)\n',
            )
        ),
        "You leave out what took a second or more. Those are no errors of measurement; they are what you were looking for.",
        1,
    ),
    WrongNode(
        "forgets those that wait",
        _generator(answer=_ANSWER.replace("        self.send(ctx)\n", "")),
        "An answer frees a connection, and you don't use it until the next request is due: those that wait, wait for longer than they must.",
        1,
    ),
)
