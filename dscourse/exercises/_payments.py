"""A bank for a payment service that the learner writes, and what must hold of its runs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from dscourse.exercises._breach import Breach
from dscourse.simulation import Event, Node, Reply, Request, Run

if TYPE_CHECKING:
    from dscourse.simulation import Context

SERVICE, BANK = "n0", "n1"
DECLINES = (1.2, 1.6)  # seconds between which the bank says no to everybody
_THINKS = 0.25  # seconds that it takes the bank to say yes or no

TWICE = "nobody is charged twice for one payment"
OWN = "clients have their own payments, whatever their keys"
BUSY = "while a payment is under way, its key gets 409"
BODY = "a key that comes with another amount gets 422"
KEPT = "what is paid is answered so again, a crash later, too"
AGAIN = "what is not paid and not under way may be tried"
SETTLED = "an answer of the bank settles one payment, once"


@dataclass(frozen=True)
class Authorise:
    """May this client pay that much? Nothing is charged yet."""

    client: str
    key: str
    amount: int


@dataclass(frozen=True)
class Authorised:
    """Yes (`ok`) or no. `authorisation`: its number, if it is a yes."""

    client: str
    key: str
    ok: bool
    authorisation: int


@dataclass(frozen=True)
class Capture:
    """Charge what was authorised under this number."""

    authorisation: int


@dataclass(frozen=True)
class Captured:
    """It is charged."""

    client: str
    key: str


class Bank(Node):
    """Thinks before it authorises, and captures each authorisation once; it knows nothing of keys."""

    def on_start(self, ctx: Context) -> None:
        """Begin with nothing in hand."""
        self.charges: list[tuple[str, str, int]] = []
        self._asked: dict[int, tuple[str, Authorise]] = {}
        self._count = 0

    def on_message(self, ctx: Context, sender: str, message: Any) -> None:
        """Take a question, or charge."""
        if isinstance(message, Authorise):
            self._count += 1
            self._asked[self._count] = (sender, message)
            ctx.set_timer(str(self._count), _THINKS)
        elif isinstance(message, Capture) and message.authorisation in self._asked:
            _, payment = self._asked.pop(message.authorisation)
            self.charges.append((payment.client, payment.key, payment.amount))
            ctx.record("charge", client=payment.client, key=payment.key, amount=payment.amount)
            ctx.send(sender, Captured(payment.client, payment.key))

    def on_timer(self, ctx: Context, name: str) -> None:
        """Say yes or no."""
        number = int(name)
        sender, payment = self._asked[number]
        ok = not DECLINES[0] <= ctx.now < DECLINES[1]
        if not ok:
            del self._asked[number]
        ctx.send(sender, Authorised(payment.client, payment.key, ok, number if ok else 0))


def charged_twice(run: Run) -> Iterator[Breach]:
    """A second charge of one client under one key."""
    known = set()
    for event in run.trace.select(kind="record", name="charge"):
        client, key, amount = (event.detail[name] for name in ("client", "key", "amount"))
        if (client, key, amount) in known:
            yield Breach(event.time, f"{client} is charged {amount} a second time for {key!r}")
        known.add((client, key, amount))


def wrongly_answered(run: Run, rule: str) -> Iterator[Breach]:
    """The first time that the service does something else than it should, if that is against this rule."""
    found = _first(run)
    if found is not None and found[0] == rule:
        yield found[1]


@lru_cache(maxsize=1)
def _first(run: Run) -> tuple[str, Breach] | None:
    """The first difference; each rule asks for it, of one run after the other."""
    return next(_wrong(run), None)


def _wrong(run: Run) -> Iterator[tuple[str, Breach]]:
    """Hold each thing that the service does against a service that does right, until they differ."""
    paid: dict[tuple[str, str], int] = {}
    under_way: dict[tuple[str, str], tuple[int, int]] = {}
    others: dict[str, str] = {}  # who has paid under a key
    right: list[tuple[str, Any]]
    for event, sent in _handled(run):
        if event.kind == "fault":
            under_way.clear()
        elif isinstance(event.message, Request):
            client, (key, amount), number = str(event.peer), event.message.operation, event.message.number
            name = (client, key)
            known = paid.get(name, under_way.get(name, (amount, 0))[0])
            if known != amount:
                rule, right = BODY, [(client, Reply(number, "fail", 422))]
            elif name in paid:
                rule, right = KEPT, [(client, Reply(number, "ok", "paid"))]
            elif name in under_way:
                rule, right = BUSY, [(client, Reply(number, "fail", 409))]
            else:
                under_way[name] = (amount, number)
                rule, right = AGAIN, [(BANK, Authorise(client, key, amount))]
                if others.get(key, client) != client:
                    rule = OWN
            if sent != right:
                yield (
                    rule,
                    Breach(event.time, f"{client} asks to pay {amount} as {key!r}, and {_said(sent, right)}"),
                )
            others.setdefault(key, client)
        elif isinstance(event.message, Authorised):
            name = (event.message.client, event.message.key)
            amount, number = under_way.pop(name, (0, -1))
            right = []
            if number >= 0 and event.message.ok:
                paid[name] = amount
                right = [(BANK, Capture(event.message.authorisation)), (name[0], Reply(number, "ok", "paid"))]
            elif number >= 0:
                right = [(name[0], Reply(number, "fail", 402))]
            if sorted(sent, key=repr) != sorted(right, key=repr):
                word = "authorises" if event.message.ok else "declines"
                yield (
                    SETTLED,
                    Breach(event.time, f"the bank {word} {name[1]!r} of {name[0]}, and {_said(sent, right)}"),
                )
        elif sent:
            yield SETTLED, Breach(event.time, f"n0 sends {_told(sent)}, and nobody has asked for that")


def _handled(run: Run) -> Iterator[tuple[Event, list[tuple[str, Any]]]]:
    """What reaches the service, with what it sends for it, and its crashes."""
    coming: Event | None = None
    sent: list[tuple[str, Any]] = []
    for event in run.trace.select(node=SERVICE, kind=("deliver", "timer", "fault", "send")):
        if event.kind == "send":
            sent.append((str(event.peer), event.message))
        elif event.kind != "fault" or (event.name == "Crash" and not event.detail.get("moot")):
            if coming is not None:
                yield coming, sent
            coming, sent = event, []
    if coming is not None:
        yield coming, sent


def _said(sent: list[tuple[str, Any]], right: list[tuple[str, Any]]) -> str:
    return f"n0 sends {_told(sent)}; right is {_told(right)}"


def _told(sent: list[tuple[str, Any]]) -> str:
    return " and ".join(f"{message!r} to {to}" for to, message in sent) or "nothing"
