"""Right and wrong nodes of notebook 05: a follower, and a leader's rule for telling a client that its payment is safe."""

from __future__ import annotations

import textwrap

from dscourse.exercises._node_exercise import WrongNode

# ── A follower ────────────────────────────────────────────────────────────────────────────────────────────────────────

FOLLOWER_STUB = '''\
from dscourse.replication import Append, Received
from dscourse.simulation import Node

class Follower(Node):
    """Keeps the leader's log on its disk: in order, without gaps, each entry once."""

    def on_start(self, ctx):
        self.log = list(ctx.stored or [])

    def on_message(self, ctx, sender, message):
        if not isinstance(message, Append):
            return
        start = message.after[1]                 # the log must have this many entries before these
        if ...:                                  # is something missing before message.entries?
            ctx.send(sender, Received(message.epoch, len(self.log), False))
            return
        ...                                      # take those of message.entries that are new
        ctx.save(self.log)
        ctx.record("status", status="follower", label=f"log {len(self.log)}")
        ctx.send(sender, Received(message.epoch, ..., True))  # up to where is it complete?

answer = Follower
'''

_BEGIN = """
if not isinstance(message, Append):
    return
start = message.after[1]
"""
_REFUSE = """
if start > len(self.log):
    ctx.send(sender, Received(message.epoch, len(self.log), False))
    return
"""
_TAKE_NEW = "self.log += message.entries[len(self.log) - start:]\n"
_SAVE = "ctx.save(self.log)\n"
_SHOW = 'ctx.record("status", status="follower", label=f"log {len(self.log)}")\n'
_SAY = "ctx.send(sender, Received(message.epoch, start + len(message.entries), True))\n"


def _follower(*parts: str, also: str = "") -> str:
    head = FOLLOWER_STUB.partition("        if not isinstance")[0]
    body = textwrap.indent("\n".join(part.strip("\n") for part in (_BEGIN, *parts)), " " * 8)
    return f"{head}{body}\n{textwrap.indent(also, ' ' * 4)}\nanswer = Follower\n"


FOLLOWER_RIGHT = _follower(_REFUSE, _TAKE_NEW, _SAVE, _SHOW, _SAY)
FOLLOWER_EQUIVALENTS = (
    # Sends before it saves: a handler is over in one moment here, so that no crash falls between.
    _follower(_REFUSE, _TAKE_NEW, _SAY, _SAVE, _SHOW),
    # Says how long its own log is: with one leader there is nothing else in it. Only slower, as a gap isn't told.
    _follower(
        "if start <= len(self.log):\n    self.log += message.entries[len(self.log) - start:]\n",
        _SAVE,
        "ctx.send(sender, Received(message.epoch, len(self.log), True))",
    ),
)
FOLLOWER_WRONG = (
    WrongNode(
        "saves a moment later",
        _follower(
            _REFUSE,
            _TAKE_NEW,
            _SAY,
            _SHOW,
            'ctx.set_timer("save", 0.01)',
            also="\ndef on_timer(self, ctx, name):\n    ctx.save(self.log)\n",
        ),
        "Yours acknowledges what is not on its disk yet. If it crashes in between, the leader counts on a copy that nobody has: "
        "save first, then acknowledge.",
        0,
    ),
    WrongNode(
        "never saves",
        _follower(_REFUSE, _TAKE_NEW, _SHOW, _SAY),
        "Yours keeps the log in its memory alone. A crash takes it, and with it all that it has acknowledged: `ctx.save(self.log)`.",
        0,
    ),
    WrongNode(
        "takes entries in order of arrival",
        _follower(
            "self.log += [entry for entry in message.entries if entry not in self.log]\n", _SAVE, _SHOW, _SAY
        ),
        "Yours takes entries in the order in which they arrive. Messages overtake each other; an entry that comes before its "
        "predecessor must wait, or the replicas differ. What does message.after tell you?",
        1,
    ),
    WrongNode(
        "takes an entry twice",
        _follower(_REFUSE, "self.log += message.entries\n", _SAVE, _SHOW, _SAY),
        "Yours takes an entry twice when a message arrives twice. Entries that the log has already begin at message.after: skip "
        "these.",
        1,
    ),
    WrongNode(
        "acknowledges across a gap",
        _follower(
            "if start <= len(self.log):\n    self.log += message.entries[len(self.log) - start:]\n",
            _SAVE,
            _SHOW,
            _SAY,
        ),
        "Yours acknowledges the highest index that it has seen, although an entry before it is missing. The leader takes "
        "everything up to there for safe.",
        1,
    ),
    WrongNode(
        "is silent about a gap",
        _follower("if start > len(self.log):\n    return\n", _TAKE_NEW, _SAVE, _SHOW, _SAY),
        "Yours says nothing when entries are missing. The leader can't know what it lacks: answer with "
        "`Received(message.epoch, len(self.log), False)`.",
        1,
    ),
    WrongNode(
        "answers only to what is new",
        _follower(
            _REFUSE,
            "if start + len(message.entries) <= len(self.log):\n    return\n",
            _TAKE_NEW,
            _SAVE,
            _SHOW,
            _SAY,
        ),
        "Yours doesn't answer when it has all the entries already. But why does the leader send them again? Perhaps your "
        "acknowledgement got lost: give it once more.",
        1,
    ),
)

# ── A leader's rule ───────────────────────────────────────────────────────────────────────────────────────────────────

RULE_STUB = '''\
class Rule:
    """Decides when a client may be told that its payment is safe."""

    def __init__(self, followers, needed):
        self.followers = followers               # their names
        self.needed = needed                     # how many of them must have a payment
        ...                                      # what you want to remember

    def on_received(self, follower, index):
        ...                                      # its disk has all payments up to this index

    def is_safe(self, index, waited):
        ...                                      # True or False; it has waited for so many seconds

answer = Rule
'''


def _rule(remember: str, received: str, safe: str) -> str:
    head = RULE_STUB.partition("        ...")[0]
    parts = [
        textwrap.indent(remember, " " * 8),
        "\n    def on_received(self, follower, index):\n" + textwrap.indent(received, " " * 8),
        "\n    def is_safe(self, index, waited):\n" + textwrap.indent(safe, " " * 8),
    ]
    return f"{head}{''.join(part + chr(10) for part in parts)}\nanswer = Rule\n"


_NOTHING_YET = "self.has = dict.fromkeys(followers, 0)"
_HIGHEST = "self.has[follower] = max(index, self.has[follower])"
_COUNT = "return sum(has >= index for has in self.has.values()) >= self.needed"

RULE_RIGHT = _rule(_NOTHING_YET, _HIGHEST, _COUNT)
RULE_EQUIVALENTS = (
    # A late acknowledgement of less takes something back: a client waits longer, and nothing is lost.
    _rule(_NOTHING_YET, "self.has[follower] = index", _COUNT),
)
RULE_WRONG = (
    WrongNode(
        "tells the client at once",
        _rule("pass", "pass", "return True"),
        "Yours tells the client at once, when nobody but the leader has the payment. That is asynchronous replication: if the leader "
        "dies now, an acknowledged payment is gone.",
        0,
    ),
    WrongNode(
        "one follower is enough",
        _rule(_NOTHING_YET, _HIGHEST, "return max(self.has.values()) >= index"),
        "Yours is content with one follower. The promise is that the leader and one follower may be lost: then nobody is left who "
        "has the payment. Wait for `self.needed` of them.",
        1,
    ),
    WrongNode(
        "counts acknowledgements, not followers",
        _rule(
            "self.seen = []",
            "self.seen.append(index)",
            "return sum(seen >= index for seen in self.seen) >= self.needed",
        ),
        "Yours counts acknowledgements, not followers: a message that arrives twice counts twice, and so do two acknowledgements by "
        "one follower. Remember who has what.",
        1,
    ),
    WrongNode(
        "gives up waiting",
        _rule(_NOTHING_YET, _HIGHEST, f"if waited > 0.5:\n    return True\n{_COUNT}"),
        "Yours gives up waiting and tells the client that the payment is safe. Nothing became safer by the waiting: this is what "
        "semi-synchronous replication does after its timeout, and it says so to nobody.",
        1,
    ),
    WrongNode(
        "waits for all",
        _rule(_NOTHING_YET, _HIGHEST, "return min(self.has.values()) >= index"),
        "Yours waits for every follower, so that one that has stopped stops all payments. The promise needs `self.needed` of them.",
        1,
    ),
    WrongNode(
        "counts this very index alone",
        _rule(
            "self.has = {}",
            "self.has.setdefault(index, set()).add(follower)",
            "return len(self.has.get(index, ())) >= self.needed",
        ),
        "Yours counts only acknowledgements of this very index. Who has everything up to 5 has payment 4, too, even if the message "
        "that said so got lost.",
        2,
    ),
)
