"""Right and wrong answers to the node of notebook 02: how many machines should there be?

What is wrong with one shows under a named load, in one number.
"""

from __future__ import annotations

from dscourse.exercises._node_exercise import WrongNode

STUB = '''\
from math import ceil

class Autoscaler:
    """Asked every 30 s how many machines there should be, those that are starting included."""

    def __init__(self):
        self.low_since = None        # since when fewer would do; None: they wouldn't

    def __call__(self, view):
        there = view.running + view.starting
        wanted = ...                 # made of view.arrival_rate, .queue, .utilization, .most
        if wanted >= there:
            ...                      # up, at once
        ...                          # down, when view.time says that it has been quiet for long

answer = Autoscaler
'''

_WANTED = "min(view.most, ceil((view.arrival_rate + view.queue / 120) / 60))"
_COMPARE = """\
        if wanted >= there:
            self.low_since = None
            return wanted
        if self.low_since is None:
            self.low_since = view.time
        return {down} if view.time - self.low_since >= 300 else there
"""


def _autoscaler(wanted: str = _WANTED, body: str = _COMPARE.format(down="wanted")) -> str:
    return f"""\
from math import ceil

class Autoscaler:
    def __init__(self):
        self.low_since = None

    def __call__(self, view):
        there = view.running + view.starting
        wanted = {wanted}
{body}
answer = Autoscaler
"""


RIGHT = _autoscaler()
EQUIVALENTS = (
    _autoscaler(body=_COMPARE.format(down="there - 1")),
    _autoscaler("min(view.most, ceil((view.running * view.utilization * 100 + view.queue / 120) / 60))"),
    "from dscourse.scaling import Autoscaler\n\nanswer = Autoscaler\n",
)
WRONG = (
    WrongNode(
        "ignores what is starting",
        _autoscaler(body=_COMPARE.replace("wanted >= there", "wanted >= view.running").format(down="wanted")
                    .replace("return wanted\n        if", "return there + wanted - view.running\n        if")),
        "What you ordered half a minute ago isn't there yet, so you order it again, and again. Those that are starting are on their "
        "way: count them.",
        0,
    ),
    WrongNode(
        "looks at processors only",
        _autoscaler("min(view.most, ceil(view.running * view.utilization / 0.6))"),
        "Processors can't be busier than 100 %, so they don't tell how much more comes; and while they wait for the database they "
        "are idle although the queue grows. Look at what comes in and at what waits.",
        0,
    ),
    WrongNode(
        "forgets the queue",
        _autoscaler("min(view.most, ceil(view.arrival_rate / 60))"),
        "You provide for what comes in, and not for what already waits. When the database stalls, or the new machines are late, a "
        "queue is left that somebody must work off.",
        0,
    ),
    WrongNode(
        "one at a time",
        _autoscaler(body="        return max(there - 1, min(there + 1, wanted))\n"),
        "A burst is over before one machine every half minute has caught up with it. Order at once what is missing.",
        0,
    ),
    WrongNode(
        "no patience",
        _autoscaler(body="        return wanted\n"),
        "You send machines away in every lull, and must wait two minutes for new ones when it is over. An idle machine costs little; "
        "keep it for a while.",
        0,
    ),
    WrongNode(
        "aims at all of it",
        _autoscaler(_WANTED.replace("/ 60", "/ 100")),
        "Machines that work all the time have no room for chance: waiting explodes long before 100 % (notebook 01). Aim lower.",
        0,
    ),
    WrongNode(
        "adds beyond the peak",
        _autoscaler("ceil((view.arrival_rate + view.queue / 120) / 60)"),
        "Where machines get in each other's way there is a number beyond which more of them do less; the longer the queue, the more "
        "of them you add, and the longer the queue. Stop at `view.most`.",
        0,
    ),
)  # fmt: skip
