"""Wrong nodes of notebook 06."""

from __future__ import annotations

from dscourse.exercises._node_exercise import WrongNode
from dscourse.exercises.wrong_nodes._written import written

# ── The merge of a set ────────────────────────────────────────────────────────────────────────────────────────────────

_SET_HEAD = '''\
class ORSet:
    """The copy of a set: an add bears a dot, its replica and its number there, from 1."""

    def __init__(self, dots, seen):
        self.dots = dots             # {("n0", 1): "milk", …}: the adds that are in force
        self.seen = seen             # {"n0": 1, …}: how many adds of each replica are known

    def knows(self, dot):
        replica, number = dot
        return number <= self.seen.get(replica, 0)

    def merge(self, other):
        """What one or the other knows."""
        dots, seen = {}, {}
'''
_SET_TAIL = """\
        return ORSet(dots, seen)

answer = ORSet
"""
SET_STUB = (
    _SET_HEAD
    + """\
        ...                          # known here and not here any more: removed
        ...                          # of each replica, how many adds does one or the other know?
"""
    + _SET_TAIL
)

_KEEP = """\
        for dot, element in {**self.dots, **other.dots}.items():
            here = dot in self.dots or not self.knows(dot)
            there = dot in other.dots or not other.knows(dot)
            if here and there:
                dots[dot] = element
"""
_KNOW = """\
        for replica in {**self.seen, **other.seen}:
            seen[replica] = max(self.seen.get(replica, 0), other.seen.get(replica, 0))
"""
_KEEP_ALL = """\
        dots = {**self.dots, **other.dots}
"""
_KEEP_COMMON = """\
        dots = {dot: element for dot, element in self.dots.items() if dot in other.dots}
"""
_ALL_OR_NONE = """\
        dots = {dot: element for dot, element in self.dots.items() if dot in other.dots or not other.knows(dot)}
        if not any(self.knows(dot) for dot in other.dots if dot not in self.dots):
            dots.update(other.dots)
"""
_SHORT_CUT = """\
        if all(other.seen.get(replica, 0) >= number for replica, number in self.seen.items()):
            return other
"""
_KNOW_ONLY_OWN = """\
        seen = dict(self.seen)
"""
_ADD_UP = """\
        for replica in {**self.seen, **other.seen}:
            seen[replica] = self.seen.get(replica, 0) + other.seen.get(replica, 0)
"""


def _set(keep: str, know: str = _KNOW) -> str:
    return _SET_HEAD + keep + know + _SET_TAIL


SET_RIGHT = _set(_KEEP)
SET_EQUIVALENTS = (
    _set(
        """\
        dots = {dot: element for dot, element in self.dots.items() if dot in other.dots or not other.knows(dot)}
        dots.update({dot: element for dot, element in other.dots.items() if not self.knows(dot)})
"""
    ),
)
SET_WRONG = (
    WrongNode(
        "keeps what anybody has",
        _set(_KEEP_ALL),
        "Yours keeps every add that one of the two has, so what was removed on one side comes back from the other. Somebody who "
        "knows an add and doesn't have it any more has removed it.",
        0,
    ),
    WrongNode(
        "keeps only what both have",
        _set(_KEEP_COMMON),
        "Yours keeps only what both have, so a new add dies at the first merge. Whoever doesn't know an add can't have removed it.",
        0,
    ),
    WrongNode(
        "takes the other's copy if that knows as many adds",
        _set(_SHORT_CUT + _KEEP),
        "Yours takes a short cut: who knows at least the same adds is taken to be newer. But a remove adds nothing to what is "
        "known, so a copy from before the remove knows as much, and brings the element back.",
        0,
    ),
    WrongNode(
        "takes all of the other's adds or none",
        _set(_ALL_OR_NONE),
        "Yours takes the other's adds all together or not at all: one that was removed here keeps new ones out, which nobody ever "
        "sends again as a message of their own. Decide about each dot by itself.",
        0,
    ),
    WrongNode(
        "doesn't learn what the other knows",
        _set(_KEEP, _KNOW_ONLY_OWN),
        "Yours takes the other's elements, and not what the other knows. When one of them is removed later and an old copy "
        "arrives, it looks new. What is known must grow with every merge.",
        0,
    ),
    WrongNode(
        "adds up what both know",
        _set(_KEEP, _ADD_UP),
        "Yours adds the two counts up. Both know mostly the same adds, so it soon claims to know adds that don't exist yet, and "
        "takes them for removed when they come. A merge takes the larger count: merging twice is merging once.",
        0,
    ),
)

# ── A quorum's coordinator ────────────────────────────────────────────────────────────────────────────────────────────

QUORUM_STUB = '''\
from dscourse.exercises.nodes.consistency import Fetch, Found, Store, Stored
from dscourse.simulation import Node, Reply, Request

# Store(client, number, value, time, writer) is answered by Stored(client, number, is_home)
# Fetch(client, number) by Found(client, number, value, time, writer)

class Coordinator(Node):
    """Asks three homes; a write, and what a read says, must be stored by two of them."""

    def on_start(self, ctx):
        self.open = {}               # (client, number) → what is known of it

    def on_message(self, ctx, sender, message):
        if isinstance(message, Request):
            key, (what, *value) = (sender, message.number), message.operation
            self.open[key] = {"found": {}, "stored": [], "value": None}
            for node in self.peers:  # the homes, and one that only stands in
                write = Store(*key, *value, ctx.now, self.node_id) if value else None
                ctx.send(node, write or Fetch(*key))
        elif (message.client, message.number) in self.open:
            ...                      # Found: of two answers the newest; who must know it first?
            ...                      # Stored: ctx.send(message.client, Reply(message.number, …))

answer = Coordinator
'''

_OPEN = """
    self.open = {}
"""
_BEGIN = """
    if isinstance(message, Request):
        key, (what, *value) = (sender, message.number), message.operation
        self.open[key] = {"found": {}, "stored": [], "value": None}
        for node in self.peers:
            write = Store(*key, *value, ctx.now, self.node_id) if value else None
            ctx.send(node, write or Fetch(*key))
        return
    key = message.client, message.number
    if key not in self.open:
        return
    known = self.open[key]
"""
_ASK_TWO = """
    if isinstance(message, Found):
        known["found"][sender] = message
        if len(known["found"]) == 2:
            newest = max(known["found"].values(), key=lambda one: (one.time, one.writer))
            known["value"] = newest.value
            for node in self.peers:
                ctx.send(node, Store(*key, newest.value, newest.time, newest.writer))
"""
_COUNT_HOMES = """
    elif message.is_home and sender not in known["stored"]:
        known["stored"].append(sender)
        if len(known["stored"]) == 2:
            del self.open[key]
            ctx.send(message.client, Reply(message.number, "ok", known["value"]))
"""
_TELL = """
            del self.open[key]
            ctx.send(message.client, Reply(message.number, "ok", newest.value))
"""
_FIRST = _ASK_TWO.replace("== 2", "== 1")
_LAST = _ASK_TWO.replace('max(known["found"].values(), key=lambda one: (one.time, one.writer))', "message")
_BY_TIME = _ASK_TWO.replace("(one.time, one.writer)", "one.time")
_NO_WRITE_BACK = _ASK_TWO[: _ASK_TWO.index("            known[")] + _TELL.lstrip("\n")
_NO_WAIT = _ASK_TWO + _TELL.lstrip("\n")
_UNLESS_TWO_AGREE = _ASK_TWO.replace(
    '            known["value"]',
    """\
            if all(one.value == newest.value for one in known["found"].values()):
                del self.open[key]
                ctx.send(message.client, Reply(message.number, "ok", newest.value))
                return
            known["value"]""",
)
_COUNT_ANYBODY = _COUNT_HOMES.replace("message.is_home and ", "")
_COUNT_TWICE = _COUNT_HOMES.replace(' and sender not in known["stored"]', "")


def _coordinator(found: str = _ASK_TWO, stored: str = _COUNT_HOMES) -> str:
    body = _BEGIN + found.lstrip("\n") + stored.lstrip("\n")
    return written(QUORUM_STUB, on_start=_OPEN, on_message=body)


QUORUM_RIGHT = _coordinator()
QUORUM_EQUIVALENTS = (
    # The one that stands in needn't be told what is written back: one home may be out of order, and not two.
    _coordinator(_ASK_TWO.replace("for node in self.peers:", "for node in self.peers[:3]:")),
    # If two homes say the same, two homes have it.
    _coordinator(_UNLESS_TWO_AGREE),
)
QUORUM_WRONG = (
    WrongNode(
        "believes the first home that answers",
        _coordinator(_FIRST),
        "Yours believes the first answer. That home may be the one that has missed the last write: ask two, for two of three have "
        "it.",
        0,
    ),
    WrongNode(
        "takes the last answer for the newest",
        _coordinator(_LAST),
        "Yours takes what arrives last for the newest. When an answer arrives says nothing about when its value was written: "
        "compare what the homes tell you of that.",
        0,
    ),
    WrongNode(
        "tells two writes of one time apart by luck",
        _coordinator(_BY_TIME),
        "Two values were written at the same instant, and yours takes whichever comes first. Another reader takes the other one. "
        "Everybody must decide alike: by time, and then by writer.",
        0,
    ),
    WrongNode(
        "doesn't write back",
        _coordinator(_NO_WRITE_BACK),
        "Yours says what it has found, though perhaps only one home has it yet. The next reader asks the two others, and is told "
        "something older. Store it at two homes before you say it.",
        0,
    ),
    WrongNode(
        "writes back and doesn't wait for it",
        _coordinator(_NO_WAIT),
        "Yours writes back what it says, and says it at once. Until the message has arrived, the next reader is told something "
        "older: wait until two homes have stored it.",
        0,
    ),
    WrongNode(
        "counts the one that stands in",
        _coordinator(stored=_COUNT_ANYBODY),
        "Yours counts n6, which is no home. It hands over what it keeps in a second or so; until then readers, who ask the homes, "
        "find nothing. Only homes make a quorum: look at `message.is_home`.",
        0,
    ),
    WrongNode(
        "counts a home twice",
        _coordinator(stored=_COUNT_TWICE),
        "Yours counts messages, and one message may come twice: then a single home is a quorum by itself. Count each home once.",
        1,
    ),
)
