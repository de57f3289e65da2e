"""Wrong nodes of notebook 00."""

from __future__ import annotations

from dscourse.exercises._node_exercise import WrongNode

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


def _greeter(start: str, message: str) -> str:
    """A node with these bodies of its two handlers."""
    head = STUB.partition("class Greeter")[0]
    bodies = ["class Greeter(Node):", "    def on_start(self, ctx):", *_indented(start)]
    bodies += [
        "",
        "    def on_message(self, ctx, sender, message):",
        *_indented(message),
        "",
        "answer = Greeter",
    ]
    return head + "\n".join(bodies) + "\n"


def _indented(body: str) -> list[str]:
    return [f"        {line}" for line in body.strip("\n").split("\n")]


_GREET = """
self.answered = []
for peer in self.peers:
    ctx.send(peer, Hello())
"""
_SHOW = 'ctx.record("status", status="up", label=f"{len(self.answered)} answered")'

RIGHT = _greeter(
    _GREET,
    f"""
if isinstance(message, Hello):
    ctx.send(sender, Welcome())
elif sender not in self.answered:
    self.answered.append(sender)
{_SHOW}
""",
)

SHORTER = _greeter(
    """
self.answered = []
for peer in self.peers:
    ctx.send(peer, Hello())
""",
    f"""
if isinstance(message, Welcome):
    self.answered = [*self.answered, sender] if sender not in self.answered else self.answered
else:
    ctx.send(sender, Welcome())
{_SHOW}
""",
)

WRONG = (
    WrongNode(
        "counts whoever greets it",
        _greeter(
            _GREET,
            f"""
if isinstance(message, Hello):
    ctx.send(sender, Welcome())
    if sender not in self.answered:
        self.answered.append(sender)
{_SHOW}
""",
        ),
        "Yours counts whoever greets it. A greeting is no answer: it only says that your peer is there, not that it has heard "
        "you. Note the sender when a `Welcome` comes.",
        0,
    ),
    WrongNode(
        "counts an answer twice",
        _greeter(
            _GREET,
            f"""
if isinstance(message, Hello):
    ctx.send(sender, Welcome())
else:
    self.answered.append(sender)
{_SHOW}
""",
        ),
        "Yours counts answers, and a message may arrive twice. Count peers: note a sender only if it isn't noted yet.",
        1,
    ),
    WrongNode(
        "answers nobody",
        _greeter(
            _GREET,
            f"""
if isinstance(message, Welcome) and sender not in self.answered:
    self.answered.append(sender)
{_SHOW}
""",
        ),
        "Yours greets and waits, and so do its peers: nobody answers. Send a `Welcome()` back to whoever greets you.",
        0,
    ),
    WrongNode(
        "answers answers, too",
        _greeter(
            _GREET,
            f"""
ctx.send(sender, Welcome())
if isinstance(message, Welcome) and sender not in self.answered:
    self.answered.append(sender)
{_SHOW}
""",
        ),
        "Yours answers answers, too: two such nodes thank each other for ever. Only a `Hello` is answered.",
        0,
    ),
    WrongNode(
        "greets one peer only",
        _greeter(
            """
self.answered = []
ctx.send(self.peers[0], Hello())
""",
            f"""
if isinstance(message, Hello):
    ctx.send(sender, Welcome())
elif sender not in self.answered:
    self.answered.append(sender)
{_SHOW}
""",
        ),
        "Yours greets one peer only. Go through all of `self.peers`.",
        0,
    ),
)
