"""Wrong nodes of notebook 07."""

from __future__ import annotations

from dscourse.exercises._exercise import Mistake
from dscourse.exercises._node_exercise import WrongNode
from dscourse.exercises.wrong_nodes._written import written

STUB = '''\
from dscourse.exercises.nodes.faults_and_redundancy import Answer, Read
from dscourse.simulation import Node, Reply, Request

# Read(client, number)   Answer(client, number, value): with the client and number of the Read

class FrontEnd(Node):
    """Asks all replicas; answers a client when it knows the value, and once."""

    def on_start(self, ctx):
        self.answers = {}            # for each open request, (client, number): {replica: value}

    def on_message(self, ctx, sender, message):
        if isinstance(message, Request):
            self.answers[sender, message.number] = {}
            for replica in self.peers:
                ctx.send(replica, Read(sender, message.number))
        elif (message.client, message.number) in self.answers:
            ...                      # an Answer: note it; when do you know enough?
                                     # ctx.send(message.client, Reply(message.number, "ok", value))

answer = FrontEnd
'''

_START = """
    self.answers = {}
"""
_ASK = """
    if isinstance(message, Request):
        self.answers[sender, message.number] = {}
        for replica in self.peers:
            ctx.send(replica, Read(sender, message.number))
        return
"""
_TWO_AGREE = """
    key = message.client, message.number
    if key in self.answers:
        self.answers[key][sender] = message.value
        if list(self.answers[key].values()).count(message.value) == 2:
            del self.answers[key]
            ctx.send(message.client, Reply(message.number, "ok", message.value))
"""
_MOST_COMMON = """
    key = message.client, message.number
    if key in self.answers:
        self.answers[key][sender] = message.value
        values = sorted(self.answers[key].values())
        if len(values) - len(set(values)) >= 1:
            del self.answers[key]
            best = max(values, key=values.count)
            ctx.send(message.client, Reply(message.number, "ok", best))
"""
_FIRST = """
    key = message.client, message.number
    if key in self.answers:
        del self.answers[key]
        ctx.send(message.client, Reply(message.number, "ok", message.value))
"""
_ALL_THREE = """
    key = message.client, message.number
    if key in self.answers:
        self.answers[key][sender] = message.value
        values = list(self.answers[key].values())
        if len(values) == 3:
            del self.answers[key]
            ctx.send(message.client, Reply(message.number, "ok", max(values, key=values.count)))
"""
_FIRST_TWO = """
    key = message.client, message.number
    if key in self.answers:
        self.answers[key][sender] = message.value
        values = list(self.answers[key].values())
        if len(values) == 2:
            del self.answers[key]
            outcome = "ok" if values[0] == values[1] else "fail"
            ctx.send(message.client, Reply(message.number, outcome, values[0]))
"""
_COUNT_ANSWERS = """
    key = message.client, message.number
    if key in self.answers:
        place = len(self.answers[key])
        self.answers[key][place] = message.value
        if list(self.answers[key].values()).count(message.value) == 2:
            del self.answers[key]
            ctx.send(message.client, Reply(message.number, "ok", message.value))
"""
_EVERY_TIME = _TWO_AGREE.replace("            del self.answers[key]\n", "").replace("== 2", ">= 2")


def _front_end(answered: str) -> str:
    return written(STUB, on_start=_START, on_message=_ASK + answered.lstrip("\n"))


RIGHT = _front_end(_TWO_AGREE)
EQUIVALENTS = (_front_end(_MOST_COMMON),)
WRONG = (
    WrongNode(
        "takes the first answer",
        _front_end(_FIRST),
        "Yours believes whoever answers first. A liar is as fast as anybody: a value is known only when two replicas say the same, "
        "for at most one of them lies.",
        1,
    ),
    WrongNode(
        "waits for all three",
        _front_end(_ALL_THREE),
        "Yours waits for all three answers, and one may never come. Two that agree are enough: then the third can't change it.",
        1,
    ),
    WrongNode(
        "gives up when the first two differ",
        _front_end(_FIRST_TWO),
        "Yours gives up when the first two answers differ. One of them is a lie, and the third answer tells which: wait for it.",
        1,
    ),
    WrongNode(
        "counts answers, not replicas",
        _front_end(_COUNT_ANSWERS),
        "Yours counts answers, and one answer may arrive twice: then a single liar has two votes. Keep one answer for each "
        "replica, by `sender`.",
        2,
    ),
    WrongNode(
        "answers more than once",
        _front_end(_EVERY_TIME),
        "Yours answers the client again when the third replica speaks up. Forget the request once it is answered.",
        0,
    ),
)

# ── The learner as the examiner ───────────────────────────────────────────────────────────────────────────────────────

EXAMINER_STUB = """\
from dscourse.simulation import holds

def told_the_truth(run):
    ...      # run.history(): a row for each operation, .outcome "ok", "fail" or "unknown", .value

answer = [holds(told_the_truth, name="what a client is told is true")]   # and what else?
"""

_TRUTH = """\
from dscourse.simulation import holds

def told_the_truth(run):
    return all(operation.value == "blue" for operation in run.history() if operation.outcome == "ok")
"""
_ANSWERED = """
def answered(run):
    return all(operation.outcome == "ok" for operation in run.history())
"""
_ONCE = """
def once(run):
    replies = [event for event in run.trace.select(kind="send", node="n0") if event.name == "Reply"]
    return len(replies) == len(run.history())
"""
_NO_FAULT_ALLOWED = """\
from dscourse.simulation import holds

def nobody_lies(run):
    return all(event.message.value == "blue" for event in run.trace.select(kind="send") if event.name == "Answer")

answer = [holds(nobody_lies)]
"""

EXAMINER_RIGHT = (
    f"{_TRUTH}{_ANSWERED}{_ONCE}\nanswer = [holds(told_the_truth), holds(answered), holds(once)]\n"
)
EXAMINER_MISTAKES = (
    Mistake(
        f"{_TRUTH}\nanswer = [holds(told_the_truth)]\n",
        "You ask that nothing false is told. Whoever tells nothing keeps that: ask also that something good happens in the end.",
    ),
    Mistake(
        f"{_TRUTH}{_ANSWERED}\nanswer = [holds(told_the_truth), holds(answered)]\n",
        "You ask what the client is told. It hears the first answer only; what comes after it stands in the trace and nowhere else.",
    ),
    Mistake(
        _NO_FAULT_ALLOWED,
        "You forbid a replica to lie. That is what the front end has to live with: ask what comes out at the client, not what goes "
        "in.",
    ),
)
