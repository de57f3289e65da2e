"""Wrong nodes of notebook 00."""

from __future__ import annotations

from dscourse.exercises._node_exercise import WrongNode
from dscourse.exercises.wrong_nodes._written import written

STUB = """\
from dataclasses import dataclass
from dscourse.simulation import Node

@dataclass(frozen=True)
class Hello:
    pass

@dataclass(frozen=True)
class Welcome:
    pass

class Greeter(Node):
    def on_start(self, ctx):
        self.answered = []
        for peer in self.peers:
            ...                              # greet the peer: ctx.send(…, Hello())

    def on_message(self, ctx, sender, message):
        if isinstance(message, Hello):
            ...                              # whoever greets you gets a Welcome()
        elif sender not in self.answered:
            ...                              # a Welcome: note the sender in self.answered
        ctx.record("status", status="up", label=f"{len(self.answered)} answered")

answer = Greeter
"""

_GREET = """
    self.answered = []
    for peer in self.peers:
        ctx.send(peer, Hello())
"""
_GREET_ONE = """
    self.answered = []
    ctx.send(self.peers[0], Hello())
"""
_SHOW = """
    ctx.record("status", status="up", label=f"{len(self.answered)} answered")
"""
_RIGHT = """
    if isinstance(message, Hello):
        ctx.send(sender, Welcome())
    elif sender not in self.answered:
        self.answered.append(sender)
"""
_KEPT_BY_NAME = """
    if isinstance(message, Welcome):
        self.answered = sorted({*self.answered, sender})
    else:
        ctx.send(sender, Welcome())
"""
_COUNTS_GREETINGS = """
    if isinstance(message, Hello):
        ctx.send(sender, Welcome())
        if sender not in self.answered:
            self.answered.append(sender)
"""
_COUNTS_TWICE = """
    if isinstance(message, Hello):
        ctx.send(sender, Welcome())
    else:
        self.answered.append(sender)
"""
_ANSWERS_NOBODY = """
    if isinstance(message, Welcome) and sender not in self.answered:
        self.answered.append(sender)
"""
_ANSWERS_ANSWERS = """
    ctx.send(sender, Welcome())
    if isinstance(message, Welcome) and sender not in self.answered:
        self.answered.append(sender)
"""


def _greeter(start: str, message: str) -> str:
    return written(STUB, on_start=start, on_message=message + _SHOW)


RIGHT = _greeter(_GREET, _RIGHT)
EQUIVALENTS = (_greeter(_GREET, _KEPT_BY_NAME),)
WRONG = (
    WrongNode(
        "counts whoever greets it",
        _greeter(_GREET, _COUNTS_GREETINGS),
        "Yours counts whoever greets it. A greeting is no answer: it only says that your peer is there, not that it has heard "
        "you. Note the sender when a `Welcome` comes.",
        0,
    ),
    WrongNode(
        "counts an answer twice",
        _greeter(_GREET, _COUNTS_TWICE),
        "Yours counts answers, and a message may arrive twice. Count peers: note a sender only if it isn't noted yet.",
        1,
    ),
    WrongNode(
        "answers nobody",
        _greeter(_GREET, _ANSWERS_NOBODY),
        "Yours greets and waits, and so do its peers: nobody answers. Send a `Welcome()` back to whoever greets you.",
        0,
    ),
    WrongNode(
        "answers answers, too",
        _greeter(_GREET, _ANSWERS_ANSWERS),
        "Yours answers answers, too: two such nodes thank each other for ever. Only a `Hello` is answered.",
        0,
    ),
    WrongNode(
        "greets one peer only",
        _greeter(_GREET_ONE, _RIGHT),
        "Yours greets one peer only. Go through all of `self.peers`.",
        0,
    ),
)
