"""Wrong nodes of notebook 04."""

from __future__ import annotations

from dscourse.exercises._node_exercise import WrongNode
from dscourse.exercises.wrong_nodes._written import written

STUB = '''\
from dscourse.exercises.nodes.partitioning import Decision, Prepare, Vote
from dscourse.simulation import Node

# Prepare(transaction)   Vote(transaction, yes)   Decision(transaction, commit)

class Participant(Node):
    """Has one seat, and promises it to one transaction at a time."""

    def on_start(self, ctx):
        self.seat = "free"           # or the transaction that it is promised to

    def on_message(self, ctx, sender, message):
        if isinstance(message, Prepare):
            ...                      # vote: yes if the seat is free, or promised to this one
        elif isinstance(message, Decision) and not message.commit:
            ...                      # aborted: what becomes of the seat?

answer = Participant
'''

_FORGET = """
    self.seat = "free"
"""
_REMEMBER = """
    self.seat = ctx.stored or "free"
"""
_VOTE = """
    if isinstance(message, Prepare):
        yes = self.seat in ("free", message.transaction)
        if yes:
            self.seat = message.transaction
            ctx.save(self.seat)
        ctx.send(sender, Vote(message.transaction, yes))
"""
_SAVE_AFTERWARDS = """
    if isinstance(message, Prepare):
        yes = self.seat in ("free", message.transaction)
        ctx.send(sender, Vote(message.transaction, yes))
        if yes:
            self.seat = message.transaction
            ctx.save(self.seat)
"""
_VOTE_UNSAVED = _VOTE.replace("            ctx.save(self.seat)\n", "")
_VOTE_ONCE = _VOTE.replace('in ("free", message.transaction)', '== "free"')
_VOTE_YES = """
    if isinstance(message, Prepare):
        self.seat = message.transaction
        ctx.save(self.seat)
        ctx.send(sender, Vote(message.transaction, True))
"""
_ABORT = """
    elif isinstance(message, Decision) and not message.commit and message.transaction == self.seat:
        self.seat = "free"
        ctx.save(self.seat)
"""
_ABORT_UNSAVED = _ABORT.replace("        ctx.save(self.seat)\n", "")
_ABORT_ANY = _ABORT.replace(" and message.transaction == self.seat", "")
_SAVE_COMMITS = """
    elif isinstance(message, Decision) and message.transaction == self.seat:
        self.seat = self.seat if message.commit else "free"
        ctx.save(self.seat)
"""
_NEVER_FREE = """
    elif isinstance(message, Decision) and not message.commit and message.transaction == self.seat:
        pass
"""


def _participant(start: str, message: str) -> str:
    return written(STUB, on_start=start, on_message=message)


RIGHT = _participant(_REMEMBER, _VOTE + _ABORT.lstrip("\n"))
# A handler runs to its end or not at all, so what it saves after it has sent is as safe as what it saves before.
EQUIVALENTS = (_participant(_REMEMBER, _SAVE_AFTERWARDS + _ABORT.lstrip("\n")),)
WRONG = (
    WrongNode(
        "forgets its vote in a crash",
        _participant(_FORGET, _VOTE_UNSAVED + _ABORT_UNSAVED.lstrip("\n")),
        "After a crash yours begins with a free seat, whatever it had promised before. A yes is a promise that must outlive the "
        "one who gave it: `ctx.save` it before the vote goes out, and begin with `ctx.stored`.",
        1,
    ),
    WrongNode(
        "saves only what was decided",
        _participant(_REMEMBER, _VOTE_UNSAVED + _SAVE_COMMITS.lstrip("\n")),
        "Yours saves the decision, and not the vote. Between the two it is in doubt, and there a crash makes it forget its "
        "promise: save when you vote yes.",
        1,
    ),
    WrongNode(
        "forgets in a crash that the seat is free again",
        _participant(_REMEMBER, _VOTE + _ABORT_UNSAVED.lstrip("\n")),
        "Yours frees the seat in its memory and not in what it saved: after a crash it keeps the seat for a transaction that "
        "was aborted long ago, and refuses everybody else. Save whenever the seat changes.",
        1,
    ),
    WrongNode(
        "frees the seat whoever was aborted",
        _participant(_REMEMBER, _VOTE + _ABORT_ANY.lstrip("\n")),
        "Yours frees the seat at any abort, also at that of a transaction which it had refused. The seat is promised to another "
        "one: compare `message.transaction` with `self.seat`.",
        0,
    ),
    WrongNode(
        "votes no when it is asked again",
        _participant(_REMEMBER, _VOTE_ONCE + _ABORT.lstrip("\n")),
        "Asked once more about a transaction for which it has voted yes, yours votes no. A vote may get lost, and then the "
        "coordinator asks again: the same question gets the same answer.",
        1,
    ),
    WrongNode(
        "promises the seat to everybody",
        _participant(_REMEMBER, _VOTE_YES + _ABORT.lstrip("\n")),
        "Yours votes yes while its seat is promised to another transaction: both may be committed, and the seat is sold twice.",
        0,
    ),
    WrongNode(
        "never frees the seat",
        _participant(_REMEMBER, _VOTE + _NEVER_FREE.lstrip("\n")),
        "Yours keeps the seat for a transaction that was aborted. Nobody will ever sit there.",
        0,
    ),
)
