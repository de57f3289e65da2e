"""Wrong nodes of notebook 08."""

from __future__ import annotations

from dscourse.exercises._node_exercise import WrongNode
from dscourse.exercises.wrong_nodes._written import written

# ── A heartbeat detector ──────────────────────────────────────────────────────────────────────────────────────────────

HEARTBEAT_STUB = '''\
from dataclasses import dataclass
from dscourse.simulation import Node

@dataclass(frozen=True)
class Heartbeat:
    pass

class Detector(Node):
    """Sends a heartbeat each second, and suspects whoever has been silent for three."""

    def on_start(self, ctx):
        self.suspected = []
        ...                          # watch every peer: one timer each, ctx.set_timer(peer, 3.0)
        self.on_timer(ctx, "beat")

    def on_timer(self, ctx, name):
        if name == "beat":
            ...                      # a Heartbeat() to every peer, and the next beat in 1.0 s
        else:
            ...                      # silent: self.suspected, ctx.record("suspect", peer=name)

    def on_message(self, ctx, sender, message):
        ...                          # watch anew; if suspected: ctx.record("trust", peer=sender)

answer = Detector
'''

_WATCH = """
    self.suspected = []
    for peer in self.peers:
        ctx.set_timer(peer, 3.0)
    self.on_timer(ctx, "beat")
"""
_WATCH_NOBODY = """
    self.suspected = []
    self.on_timer(ctx, "beat")
"""
_WATCH_ALL_AS_ONE = """
    self.suspected = []
    ctx.set_timer("silence", 3.0)
    self.on_timer(ctx, "beat")
"""
_BEAT = """
    if name == "beat":
        for peer in self.peers:
            ctx.send(peer, Heartbeat())
        ctx.set_timer("beat", 1.0)
"""
_BEAT_ONCE = """
    if name == "beat":
        for peer in self.peers:
            ctx.send(peer, Heartbeat())
"""
_SUSPECT = """
    else:
        self.suspected.append(name)
        ctx.record("suspect", peer=name)
"""
_SUSPECT_ALL = """
    else:
        for peer in self.peers:
            if peer not in self.suspected:
                self.suspected.append(peer)
                ctx.record("suspect", peer=peer)
"""
_HEAR = """
    ctx.set_timer(sender, 3.0)
"""
_HEAR_ANYBODY = """
    ctx.set_timer("silence", 3.0)
"""
_FORGIVE = """
    if sender in self.suspected:
        self.suspected.remove(sender)
        ctx.record("trust", peer=sender)
"""
_FORGIVE_ALWAYS = """
    self.suspected = [peer for peer in self.suspected if peer != sender]
    ctx.record("trust", peer=sender)
"""


def _detector(start: str, timer: str, message: str) -> str:
    return written(HEARTBEAT_STUB, on_start=start, on_timer=timer, on_message=message)


HEARTBEAT_RIGHT = _detector(_WATCH, _BEAT + _SUSPECT.lstrip("\n"), _HEAR + _FORGIVE)
# Whoever says of somebody trusted that it trusts them says nothing new.
HEARTBEAT_EQUIVALENTS = (_detector(_WATCH, _BEAT + _SUSPECT.lstrip("\n"), _HEAR + _FORGIVE_ALWAYS),)
HEARTBEAT_WRONG = (
    WrongNode(
        "never forgives",
        _detector(_WATCH, _BEAT + _SUSPECT.lstrip("\n"), _HEAR),
        "Yours never forgives. Silence is no proof of death: the link was cut for a while, say, or the peer was restarted. Who is "
        "heard again is trusted again.",
        1,
    ),
    WrongNode(
        "doesn't watch anew",
        _detector(_WATCH, _BEAT + _SUSPECT.lstrip("\n"), _FORGIVE),
        "Yours suspects peers that are well: the timer set at the start runs out although heartbeats come. Each heartbeat sets it "
        "anew; a pending timer of the same name is replaced.",
        0,
    ),
    WrongNode(
        "watches all peers with one timer",
        _detector(_WATCH_ALL_AS_ONE, _BEAT + _SUSPECT_ALL.lstrip("\n"), _HEAR_ANYBODY + _FORGIVE),
        "Yours watches all peers with one timer: as long as one of them is heard, nobody notices that another is dead. One timer "
        "for each peer, named after it.",
        1,
    ),
    WrongNode(
        "sends one heartbeat only",
        _detector(_WATCH, _BEAT_ONCE + _SUSPECT.lstrip("\n"), _HEAR + _FORGIVE),
        "Yours sends one heartbeat and then falls silent. A timer rings once: set it again each time.",
        0,
    ),
    WrongNode(
        "watches only whom it has heard",
        _detector(_WATCH_NOBODY, _BEAT + _SUSPECT.lstrip("\n"), _HEAR + _FORGIVE),
        "Yours begins to watch a peer at its first heartbeat. Whoever is dead from the start is never suspected: begin to watch "
        "when you start.",
        1,
    ),
)

# ── A second opinion ──────────────────────────────────────────────────────────────────────────────────────────────────

OPINION_STUB = """\
from dscourse.exercises.nodes.failure_detection import Ack, Ping, PingFor
from dscourse.simulation import Node

# Ping(origin)   Ack(target, origin)   PingFor(target, origin): ping it for me (origin wants it)

class Member(Node):
    def on_start(self, ctx):
        self.suspected = []
        ctx.set_timer("round", 1.0)

    def on_timer(self, ctx, name):
        what, _, peer = name.partition(" ")  # "round", "ask n2" or "suspect n2"
        if what == "round":
            for peer in self.peers:
                ctx.send(peer, Ping(self.node_id))
                ctx.set_timer(f"ask {peer}", 0.3)
            ctx.set_timer("round", 1.0)
        ...    # "ask": PingFor(…) to all others, and ctx.set_timer(f"suspect {peer}", 0.4)
               # "suspect": self.suspected.append(peer), ctx.record("suspect", peer=peer), once

    def on_message(self, ctx, sender, message):
        ...    # Ping and PingFor: carry them out; Ack for another origin: pass it on
               # Ack for me: ctx.cancel_timer(…) both; if suspected, ctx.record("trust", peer=…)

answer = Member
"""

_BEGIN = """
    self.suspected = []
    ctx.set_timer("round", 1.0)
"""
_ROUND = """
    what, _, peer = name.partition(" ")
    if what == "round":
        for peer in self.peers:
            ctx.send(peer, Ping(self.node_id))
            ctx.set_timer(f"ask {peer}", 0.3)
        ctx.set_timer("round", 1.0)
"""
_ASK_OTHERS = """
    elif what == "ask":
        for other in self.peers:
            if other != peer:
                ctx.send(other, PingFor(peer, self.node_id))
        ctx.set_timer(f"suspect {peer}", 0.4)
"""
_ASK_ONE = """
    elif what == "ask":
        others = [other for other in self.peers if other != peer]
        ctx.send(others[0], PingFor(peer, self.node_id))
        ctx.set_timer(f"suspect {peer}", 0.4)
"""
_ASK_AGAIN = """
    elif what == "ask":
        ctx.send(peer, Ping(self.node_id))
        ctx.set_timer(f"suspect {peer}", 0.4)
"""
_NOTE = """
    elif peer not in self.suspected:
        self.suspected.append(peer)
        ctx.record("suspect", peer=peer)
"""
_DO_PINGS = """
    if isinstance(message, Ping):
        ctx.send(sender, Ack(self.node_id, message.origin))
    elif isinstance(message, PingFor):
        ctx.send(message.target, Ping(message.origin))
"""
_DO_PINGS_UNASKED = """
    if isinstance(message, Ping):
        ctx.send(sender, Ack(self.node_id, message.origin))
    elif isinstance(message, PingFor):
        ctx.send(sender, Ack(message.target, message.origin))
"""
_RELAY = """
    elif message.origin != self.node_id:
        ctx.send(message.origin, message)
"""
_KEEP = """
    elif message.origin != self.node_id:
        pass
"""
_CLEAR = """
    else:
        ctx.cancel_timer(f"ask {message.target}")
        ctx.cancel_timer(f"suspect {message.target}")
        if message.target in self.suspected:
            self.suspected.remove(message.target)
            ctx.record("trust", peer=message.target)
"""
_CLEAR_SENDER = _CLEAR.replace("message.target", "sender")


def _member(timer: tuple[str, ...], message: tuple[str, ...]) -> str:
    bodies = ["".join([first, *(part.lstrip("\n") for part in more)]) for first, *more in (timer, message)]
    return written(OPINION_STUB, on_start=_BEGIN, on_timer=bodies[0], on_message=bodies[1])


OPINION_RIGHT = _member((_ROUND, _ASK_OTHERS, _NOTE), (_DO_PINGS, _RELAY, _CLEAR))
OPINION_WRONG = (
    WrongNode(
        "asks nobody else",
        _member((_ROUND, _NOTE), (_DO_PINGS, _RELAY, _CLEAR)),
        "Yours suspects on its own word. The silence may be the fault of your own link: have the others ping the peer, and suspect "
        "only when they hear nothing either.",
        1,
    ),
    WrongNode(
        "asks once more over the same link",
        _member((_ROUND, _ASK_AGAIN, _NOTE), (_DO_PINGS, _RELAY, _CLEAR)),
        "Yours asks a second time, over the same link. If that link is bad, the second answer is as lost as the first: ask by way "
        "of the others.",
        1,
    ),
    WrongNode(
        "vouches for a peer without asking it",
        _member((_ROUND, _ASK_OTHERS, _NOTE), (_DO_PINGS_UNASKED, _RELAY, _CLEAR)),
        "Yours vouches for a peer without asking it, so the dead are never missed. A `PingFor` is carried out: send the target a "
        "`Ping` in the name of the origin.",
        1,
    ),
    WrongNode(
        "passes no answer on",
        _member((_ROUND, _ASK_OTHERS, _NOTE), (_DO_PINGS, _KEEP, _CLEAR)),
        "Yours pings for others and keeps the answer to itself. An `Ack` whose origin is somebody else is passed on to them.",
        1,
    ),
    WrongNode(
        "clears the messenger",
        _member((_ROUND, _ASK_OTHERS, _NOTE), (_DO_PINGS, _RELAY, _CLEAR_SENDER)),
        "Yours clears whoever brings the answer. An `Ack` that comes by way of a helper is about `message.target`, not about its "
        "`sender`.",
        1,
    ),
    WrongNode(
        "asks only one other",
        _member((_ROUND, _ASK_ONE, _NOTE), (_DO_PINGS, _RELAY, _CLEAR)),
        "Yours asks one other only, and that one may be dead, or have a bad link itself. Ask all of them: one answer is enough.",
        1,
    ),
)
