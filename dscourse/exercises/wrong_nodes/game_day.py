"""Right and wrong nodes of notebook 12: a broadcast node."""

from __future__ import annotations

from dscourse.exercises._node_exercise import WrongNode

STUB = """\
from dscourse.replication.gossip import Told
from dscourse.simulation import Node, Reply, Request

class Broadcaster(Node):
    def on_start(self, ctx):
        self.values = list(ctx.stored or [])
        self.owed = {peer: list(self.values) for peer in self.peers}   # not known to be there
        ctx.set_timer("tell", 0.2)

    def on_message(self, ctx, sender, message):
        if isinstance(message, Request):
            if message.operation[0] == "broadcast":
                ...                      # take in the value message.operation[1]
            ctx.send(sender, Reply(message.number, "ok", tuple(self.values)))
        elif message.heard:
            ...                          # these have arrived: what is the sender owed now?
        else:
            ...                          # take in message.values; tell the sender that you have

    def on_timer(self, ctx, name):
        ...                              # tell each peer what it is owed: Told(values)
        ctx.set_timer("tell", 0.2)

answer = Broadcaster
"""

_BEGIN = STUB[: STUB.index("        ctx.set_timer")]
_TIMER = '        ctx.set_timer("tell", 0.2)\n'
_REPLY = '            ctx.send(sender, Reply(message.number, "ok", tuple(self.values)))\n'
_REQUEST = f"""
    def on_message(self, ctx, sender, message):
        if isinstance(message, Request):
            if message.operation[0] == "broadcast":
                self.take_in(ctx, message.operation[1:], None)
{_REPLY}"""
_HEARD = """\
        elif message.heard:
            self.owed[sender] = [value for value in self.owed[sender] if value not in message.values]
"""
_NEWS = """\
        else:
            self.take_in(ctx, message.values, sender)
            ctx.send(sender, Told(message.values, heard=True))
"""
_TAKE_IN = """
    def take_in(self, ctx, values, sender):
        for value in values:
            if value not in self.values:
                self.values.append(value)
                for peer in self.peers:
                    if peer != sender:
                        self.owed[peer].append(value)
        ctx.save(self.values)
"""
_TELL = """
    def on_timer(self, ctx, name):
        for peer in self.peers:
            if self.owed[peer]:
                ctx.send(peer, Told(tuple(self.owed[peer])))
        ctx.set_timer("tell", 0.2)
"""


def _node(
    *,
    begin: str = _BEGIN + _TIMER,
    request: str = _REQUEST,
    heard: str = _HEARD,
    news: str = _NEWS,
    take_in: str = _TAKE_IN,
    tell: str = _TELL,
) -> str:
    return f"{begin}{request}{heard}{news}{take_in}{tell}\nanswer = Broadcaster\n"


RIGHT = _node()
EQUIVALENTS = (
    # Owes it to the sender, too: one message more, and no harm.
    _node(
        take_in=_TAKE_IN.replace(
            """\
                    if peer != sender:
                        self.owed[peer].append(value)
""",
            """\
                    self.owed[peer].append(value)
""",
        )
    ),
    # Whoever tells a value has it: one message less.
    _node(
        news="""\
        else:
            self.owed[sender] = [value for value in self.owed[sender] if value not in message.values]
            self.take_in(ctx, message.values, sender)
            ctx.send(sender, Told(message.values, heard=True))
"""
    ),
)
WRONG = (
    WrongNode(
        "takes in what it has",
        _node(
            take_in="""
    def take_in(self, ctx, values, sender):
        for value in values:
            self.values.append(value)
            for peer in self.peers:
                if value not in self.owed[peer]:
                    self.owed[peer].append(value)
        ctx.save(self.values)
"""
        ),
        "Yours takes a value in again when it has it already, and passes it on again, also to whom it came from. So each value goes "
        "round for ever. Ask first: `if value not in self.values`.",
        0,
    ),
    WrongNode(
        "tells once",
        _node(
            begin=_BEGIN,
            heard="        elif message.heard:\n            pass\n",
            take_in="""
    def take_in(self, ctx, values, sender):
        new = tuple(value for value in values if value not in self.values)
        self.values += new
        ctx.save(self.values)
        for peer in self.peers:
            if new and peer != sender:
                ctx.send(peer, Told(new))
""",
            tell="",
        ),
        "Yours passes a value on once, when it comes in. What is sent into a partition is gone, and nobody sends it again: keep what "
        "a peer is owed until it says that it has come.",
        1,
    ),
    WrongNode(
        "never crosses out",
        _node(heard="        elif message.heard:\n            pass\n"),
        "Yours goes on telling what has long arrived: messages flow although everybody has everything, and more of them the longer "
        "it runs. `heard` says what a peer is owed no longer.",
        0,
    ),
    WrongNode(
        "crosses out when it sends",
        _node(
            heard="        elif message.heard:\n            pass\n",
            tell=_TELL.replace(
                "                ctx.send(peer, Told(tuple(self.owed[peer])))\n",
                "                ctx.send(peer, Told(tuple(self.owed[peer])))\n                self.owed[peer] = []\n",
            ),
        ),
        "Yours takes a value for known as soon as it has sent it. A message may get lost; only the peer's own word, `heard`, says "
        "that it has come.",
        1,
    ),
    WrongNode(
        "answers when all have it",
        _node(
            begin=_BEGIN + "        self.asked = []\n" + _TIMER,
            request="""
    def on_message(self, ctx, sender, message):
        if isinstance(message, Request):
            if message.operation[0] == "broadcast":
                self.take_in(ctx, message.operation[1:], None)
                self.asked.append((sender, message.number, message.operation[1]))
            else:
                ctx.send(sender, Reply(message.number, "ok", tuple(self.values)))
""",
            heard=_HEARD
            + """\
            for client, number, value in list(self.asked):
                if not any(value in owed for owed in self.owed.values()):
                    self.asked.remove((client, number, value))
                    ctx.send(client, Reply(number, "ok", tuple(self.values)))
""",
        ),
        "Yours answers a client when all its peers have the value. One of them that stands still then stops every client: say ok when "
        "the value is on your own disk, and spread it afterwards.",
        1,
    ),
    WrongNode(
        "forgets in a crash",
        _node(take_in=_TAKE_IN.replace("        ctx.save(self.values)\n", "")),
        "Yours forgets all values when it is restarted, and its peers, who know that it had them, won't tell it again. What is "
        "acknowledged must be on the disk: `ctx.save(self.values)`.",
        1,
    ),
    WrongNode(
        "waits for a full batch",
        _node(
            tell=_TELL.replace("if self.owed[peer]:", "if len(self.owed[peer]) >= 4:"),
        ),
        "Yours waits until there are four values to tell. After the last ones none comes, so these are never told: a batch needs a "
        "limit in time, not only in size.",
        0,
    ),
)
