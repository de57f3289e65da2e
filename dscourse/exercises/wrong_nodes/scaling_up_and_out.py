"""Right and wrong answers to the node of notebook 02: how many machines should there be?

Each is a cell; what is wrong with it shows under one load, in one number, which the tests name. `Autoscaler` of
`dscourse.scaling` is a right one.
"""

from __future__ import annotations

AUTOSCALER_STUB = '''\
from math import ceil

class Rule:
    """Asked every 30 s how many machines there should be, those that are starting included."""

    def __init__(self):
        self.low_since = None        # since when fewer have been enough

    def __call__(self, view):
        ...                          # view.time .running .starting .utilization .arrival_rate .queue

answer = Rule
'''


def _rule(body: str) -> str:
    return f"from math import ceil\n\ndef rule(view):\n{body}\nanswer = lambda: rule\n"


# name: the cell, and what to say to it
AUTOSCALER_WRONG = {
    "ignores what is starting": (
        _rule("""\
    wanted = ceil((view.arrival_rate + view.queue / 120) / 60)
    return view.running + view.starting + max(0, wanted - view.running)
"""),
        "What was ordered half a minute ago isn't there yet, so it is ordered again, and again.",
    ),
    "looks at processors only": (
        _rule("    return ceil(view.running * view.utilization / 0.6)\n"),
        "When the machines wait for something else, their processors are idle, and the queue grows.",
    ),
    "one at a time": (
        _rule("""\
    wanted = ceil((view.arrival_rate + view.queue / 120) / 60)
    there = view.running + view.starting
    return max(there - 1, min(there + 1, wanted))
"""),
        "A burst is over before one machine every half minute has caught up with it.",
    ),
    "no patience": (
        _rule("    return ceil((view.arrival_rate + view.queue / 120) / 60)\n"),
        "It sends machines away in every lull, and has to wait for new ones when the lull is over.",
    ),
    "aims at all of it": (
        "from dscourse.scaling import Autoscaler\n\nanswer = lambda: Autoscaler(target=1.0)\n",
        "Machines that work all the time have no room for chance: waiting explodes long before 100 %.",
    ),
    "adds beyond the peak": (
        "from dscourse.scaling import Autoscaler\n\nanswer = Autoscaler\n",
        "Where machines get in each other's way there is a number beyond which more of them do less.",
    ),
}
