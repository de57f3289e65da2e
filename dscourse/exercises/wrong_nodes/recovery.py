"""Wrong reconcilers of notebook 10."""

from __future__ import annotations

from dscourse.exercises._node_exercise import WrongNode

STUB = '''\
from dscourse.recovery import Create, Forget, Remove

class Reconciler:
    """Asked once a second; keeps a fleet at its size."""

    def __init__(self):
        self.silent_since = {}           # member -> when it was first seen unreachable

    def step(self, desired, observed, pending, now):
        for member in observed:
            if observed[member] == "unreachable":
                self.silent_since.setdefault(member, now)
            else:
                self.silent_since.pop(member, None)
        gone = ...                       # a list: the dead, and who is unreachable for 10 s
        lost = ...                       # a list: ids of orders that are 20 s old (pending[id])
        actions = [Remove(member) for member in gone] + [Forget(order) for order in lost]
        ...                              # too few? Create(n), but no more than 3 under way
        ...                              # too many? Remove: the unreachable first, then the newest
        return actions

answer = Reconciler
'''

_HEAD = STUB[: STUB.index("        gone = ")]
_GONE = """\
        gone = [
            member for member in observed
            if observed[member] == "dead" or now - self.silent_since.get(member, now) >= 10
        ]
"""
_LOST = """\
        lost = [order for order in pending if now - pending[order] >= 20]
"""
_ACTIONS = """\
        actions = [Remove(member) for member in gone] + [Forget(order) for order in lost]
        staying = [member for member in observed if member not in gone]
        under_way = len(pending) - len(lost)
"""
_TOO_FEW = """\
        missing = min(desired - len(staying) - under_way, 3 - under_way)
        if missing > 0:
            actions.append(Create(missing))
"""
_TOO_MANY = """\
        surplus = len(staying) + under_way - desired
        if surplus > 0:
            order = [m for m in staying if observed[m] != "up"] + [m for m in reversed(staying) if observed[m] == "up"]
            actions += [Remove(member) for member in order[:surplus]]
"""
_END = """\
        return actions

answer = Reconciler
"""


def _reconciler(
    gone: str = _GONE, lost: str = _LOST, few: str = _TOO_FEW, many: str = _TOO_MANY, actions: str = _ACTIONS
) -> str:
    return f"{_HEAD}{gone}{lost}{actions}{few}{many}{_END}"


RIGHT = _reconciler()
WRONG = (
    WrongNode(
        "orders again what is on its way",
        _reconciler(
            few=_TOO_FEW.replace(
                "min(desired - len(staying) - under_way, 3 - under_way)", "min(desired - len(staying), 3)"
            )
        ),
        "Yours counts only who is there. What it has ordered takes seven seconds to show up, and in each of them it orders the same "
        "again: more machines than anybody wanted. What is pending counts as there, too.",
        0,
    ),
    WrongNode(
        "waits forever for an order",
        _reconciler(lost="        lost = []\n"),
        "An order got lost, and yours counts it as on its way for ever: the fleet stays one short. An order that has come to nothing "
        "after 20 s is given up: `Forget` it.",
        1,
    ),
    WrongNode(
        "takes the silent for dead",
        _reconciler(gone='        gone = [member for member in observed if observed[member] != "up"]\n'),
        "A machine stood still for a few seconds, and yours replaced it at once; then it came back. Silence has many causes: wait for "
        "10 s before you take it out.",
        1,
    ),
    WrongNode(
        "waits for the dead verdict",
        _reconciler(gone='        gone = [member for member in observed if observed[member] == "dead"]\n'),
        "Yours leaves the unreachable in the fleet until somebody declares them dead, which takes half a minute. After 10 s of "
        "silence it is time to replace them.",
        1,
    ),
    WrongNode(
        "repairs all at once",
        _reconciler(
            few=_TOO_FEW.replace(
                "min(desired - len(staying) - under_way, 3 - under_way)", "desired - len(staying) - under_way"
            )
        ),
        "Many machines were lost at once, and yours ordered all of them at once. Repair takes away from the work: no more than three "
        "creations may be under way.",
        4,
    ),
    WrongNode(
        "takes out the newest, healthy or not",
        _reconciler(
            many=_TOO_MANY.replace(
                """[m for m in staying if observed[m] != "up"] + [m for m in reversed(staying) if observed[m] == "up"]""",
                "staying[::-1]",
            )
        ),
        "There was one machine too many, and yours stopped a healthy one while another was silent. Had that one been dead, you would "
        "have been one short. Take out the unreachable first.",
        1,
    ),
    WrongNode(
        "never takes one out",
        _reconciler(many=""),
        "There were more members than wanted, and yours went on paying for all of them. Too many is a difference, too: `Remove`.",
        0,
    ),
    WrongNode(
        "waits for half as long",
        _reconciler(gone=_GONE.replace(">= 10", ">= 5")),
        "A machine stood still for nine seconds, and yours had ordered another by the time it came back. There were never too many, "
        "and nothing was missing; but a machine was ordered, and paid for, that nobody needed. Wait for all of the 10 s.",
        1,
    ),
)
