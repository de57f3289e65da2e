"""The nodes of notebook 11: a circuit breaker, a payment service that charges once, a client that keeps its limits."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from dscourse.exercises import ClusterExamination, NodeExercise, Requirement, Schedule
from dscourse.exercises._breach import unbroken
from dscourse.exercises._guarded_caller import (
    CLOSED,
    FEW as FEW_PROBES,
    SHUT,
    TRIED,
    as_caller,
    guarded,
    lets_pass_wrongly,
)
from dscourse.exercises._limited_client import (
    ANSWERED,
    FEW as FEW_ATTEMPTS,
    IN_TIME,
    TRAVELS,
    TRIES,
    WITHIN,
    keeps_no_limit,
)
from dscourse.exercises._payments import (
    AGAIN,
    BANK,
    BODY,
    BUSY,
    KEPT,
    OWN,
    SETTLED,
    TWICE,
    Authorise,
    Authorised,
    Bank,
    Capture,
    Captured,
    charged_twice,
    wrongly_answered,
)
from dscourse.exercises._planned_server import CLIENT, SERVER, Answer, Ask, PlannedServer
from dscourse.exercises.wrong_nodes.resilience import (
    BREAKER_EQUIVALENTS,
    BREAKER_RIGHT,
    BREAKER_STUB,
    BREAKER_WRONG,
    CLIENT_EQUIVALENTS,
    CLIENT_RIGHT,
    CLIENT_STUB,
    CLIENT_WRONG,
    PAY_EQUIVALENTS,
    PAY_RIGHT,
    PAY_STUB,
    PAY_WRONG,
)
from dscourse.exploration import FaultMix
from dscourse.simulation import (
    Crash,
    DelayMessage,
    Network,
    Node,
    OpenLoop,
    Pause,
    RepeatMessage,
    Scenario,
    topology,
)

__all__ = [
    "Answer",
    "Ask",
    "Authorise",
    "Authorised",
    "Capture",
    "Captured",
    "ask_within_limits",
    "charge_once",
    "trip_the_breaker",
]

_BREAKING, _PAYING, _ASKING = (
    "Stop calling who can't answer",
    "Once, however often it is asked",
    "Try again, within limits",
)

# ── A payment service ─────────────────────────────────────────────────────────────────────────────────────────────────


def _payer(*payments: tuple[str, int], start: float) -> OpenLoop:
    return OpenLoop(payments, 1.25, "n0", timeout=1.0, start=start, arrivals="regular")


charge_once = NodeExercise(
    "resilience.charge_once",
    task=(
        "Write a payment service. A client asks to pay: `(key, amount)`. The service asks the bank, its only peer: "
        "`Authorise(client, key, amount)`; the bank answers `Authorised(client, key, ok, authorisation)`. If ok, send it "
        '`Capture(authorisation)`, which charges at once, and answer `"ok", "paid"`; if not, `"fail", 402`. Clients ask again with the '
        'same key, and each client has its own keys. What is paid gets the same answer again, at once; what is under way, `"fail", 409`; '
        'a known key with another amount, `"fail", 422`. Your service may crash at any time; nothing is under way then.'
    ),
    expects="your class of nodes, such as Payments, without brackets",
    success=(
        "Right: once for each client and key, whatever comes twice, late or in between. The step that can't be undone and the note of it "
        "are one step here. What would you do if they were in two systems?"
    ),
    hints=(
        "Four cases for a request, in this order: another amount than the known one, paid, under way, new.",
        "A new one: `self.under_way[sender, key] = (amount, message.number)` before the bank is asked.",
        "An answer of the bank: nobody waits, ignore it. Else take it out of `under_way`; if it is a yes, note it in `paid` and save.",
    ),
    solution=PAY_RIGHT,
    stub=PAY_STUB,
    wrong_nodes=PAY_WRONG,
    equivalents=PAY_EQUIVALENTS,
    examination=ClusterExamination(
        network=Network(topology.full_mesh(2), latency=0.02),
        until=4.6,
        clients=(
            _payer(("a", 30), ("a", 30), ("b", 20), ("b", 25), ("a", 30), start=0.0),
            _payer(("a", 30), ("c", 10), ("c", 10), ("c", 10), ("a", 30), start=0.35),
        ),
        others={BANK: Bank},
        requirements=(
            Requirement(unbroken(TWICE, charged_twice), _PAYING),
            *(
                Requirement(unbroken(rule, partial(wrongly_answered, rule=rule)), _PAYING)
                for rule in (OWN, BUSY, BODY, KEPT, AGAIN, SETTLED)
            ),
        ),
        schedules=(
            Schedule("nothing goes wrong"),
            Schedule("a request comes twice", (RepeatMessage("c0", "n0", 1),)),
            Schedule("a crash, and the bank's answer is lost in it", (Crash("n0", 0.1, restart_at=0.5),)),
            Schedule("a short crash, and the bank answers after it", (Crash("n0", 0.1, restart_at=0.15),)),
            Schedule("a crash when the bank has been told to charge", (Crash("n0", 0.3, restart_at=0.4),)),
            Schedule(
                "a short crash, and the bank answers the second try, too",
                (Crash("n0", 0.1, restart_at=0.15), DelayMessage("n1", "n0", 1, by=0.7)),
            ),
            Schedule("the bank answers twice", (RepeatMessage("n1", "n0", 1),)),
            Schedule("a crash long after", (Crash("n0", 0.5, restart_at=0.6),)),
            Schedule("the bank's answer is late", (DelayMessage("n1", "n0", 1, by=0.7),)),
            Schedule("the service stands still", (Pause("n0", 0.2, until=1.9),)),
        ),
        faults=FaultMix(partitions=False, cuts=False, loss=False, clocks=False, spared=(BANK,)),
        seeds=60,
    ),
)

# ── A circuit breaker ─────────────────────────────────────────────────────────────────────────────────────────────────

_TICK = 0.4  # seconds between calls


def _calls(plan: str, callers: int = 1) -> Callable[[Any], Scenario]:
    """A caller whose server does this with one call after the other, each made by so many callers at once."""

    def cluster(answer: Any) -> Scenario:
        return Scenario(
            partial(_client_or_server, guarded(answer)),
            Network(topology.full_mesh(2), latency=0.03),
            clients=_callers(plan, callers),
        )

    return cluster


def _client_or_server(client: Callable[..., Node], node_id: str, peers: tuple[str, ...]) -> Node:
    return PlannedServer(node_id, peers) if node_id == SERVER else client(node_id, peers)


def _callers(plan: str, callers: int = 1) -> list[OpenLoop]:
    words = tuple(plan.split())
    return [OpenLoop(words, 1 / _TICK, CLIENT, timeout=3.5, arrivals="regular") for _ in range(callers)]


_FAILS = (
    "bad bad bad bad no no no no"  # opens at 1.26 s and is tried again at 2.8 s; "no": what isn't let through
)

trip_the_breaker = NodeExercise(
    "resilience.trip_the_breaker",
    task=(
        "Write a circuit breaker: two methods, told the time. Closed, it opens when at least half of the last four results are "
        "failures (with fewer than four, never). Open, it refuses every call for 1.5 s. Then it is half-open: two calls may try; if "
        "both go well it closes, if one fails it opens again at once. One that is silent for 3 s has failed, which you see when you are "
        "next asked. A result of a call that began before the last change of state counts for nothing."
    ),
    expects="your class, such as Breaker, without brackets; it has the methods allow(now) and record(now, ok, token)",
    success=(
        "Right, half-open included, where most of the published breakers have had their bugs. Which of your four numbers would you "
        "change for a server that is called once a minute?"
    ),
    hints=(
        "In `allow`, in this order: a silent probe (`now - self.probes[0][1] >= 3`), the time to try again, then whether to refuse.",
        "Half-open, count what has been handed out: `len(self.probes) + len(self.results)`.",
        "In `record`: a token whose first part isn't `self.since` is of an earlier time. `self.results[-4:]` are the last four.",
    ),
    solution=BREAKER_RIGHT,
    stub=BREAKER_STUB,
    wrong_nodes=BREAKER_WRONG,
    equivalents=BREAKER_EQUIVALENTS,
    examination=ClusterExamination(
        network=Network(topology.full_mesh(2), latency=0.03),
        until=10.0,
        clients=_callers("ok bad ok ok ok bad " * 2 + "bad bad " * 3 + "ok " * 8, 3),
        others={SERVER: PlannedServer},
        as_node=as_caller,
        requirements=tuple(
            Requirement(unbroken(rule, partial(lets_pass_wrongly, rule=rule)), _BREAKING)
            for rule in (SHUT, FEW_PROBES, CLOSED, TRIED)
        ),
        schedules=(
            Schedule("all goes well", cluster=_calls("ok " * 12)),
            Schedule("two of four fail", cluster=_calls("ok ok bad bad ok ok")),
            Schedule("the first call fails", cluster=_calls("bad ok ok ok ok")),
            Schedule("one of four fails, again and again", cluster=_calls("bad ok ok ok " * 3)),
            Schedule("it fails after a long time", cluster=_calls("ok " * 12 + "bad bad ok ok")),
            Schedule("ten callers wait for the end of it", cluster=_calls("bad no no no no ok ok ok", 10)),
            Schedule(
                "a call that tries again is never answered",
                cluster=_calls("bad bad bad bad no no no never ok " + "ok " * 18),
            ),
            Schedule(
                "a call that tries again fails",
                cluster=_calls("bad bad bad bad no no no bad ok ok ok ok ok ok ok"),
            ),
            Schedule(
                "the second one fails", cluster=_calls("bad bad bad bad no no no ok bad ok ok ok ok ok ok ok")
            ),
            Schedule(
                "an early answer is late",
                cluster=_calls("bad bad ok@2.7 bad bad no no no never ok ok ok ok ok ok ok ok"),
            ),
        ),
        faults=FaultMix(clocks=False, victims=1, spared=(CLIENT,)),
        seeds=40,
    ),
)

# ── A client that keeps its limits ────────────────────────────────────────────────────────────────────────────────────


def _asking(plans: str, start: float = 0.0, rate: float = 4.0, given: float = 1.0) -> OpenLoop:
    """Requests one after the other, each with what the server will do about its attempts, and its deadline."""
    asks = tuple(
        (plan.strip(), round(start + place / rate + given, 6)) for place, plan in enumerate(plans.split(","))
    )
    return OpenLoop(asks, rate, CLIENT, timeout=3.0, start=start, arrivals="regular")


def _asked(plans: str, **settings: float) -> Callable[[Any], Scenario]:
    """A client that is asked for one thing after the other."""

    def cluster(answer: Any) -> Scenario:
        return Scenario(
            partial(_client_or_server, answer),
            Network(topology.full_mesh(2), latency=0.013),
            clients=[_asking(plans, **settings)],
        )

    return cluster


ask_within_limits = NodeExercise(
    "resilience.ask_within_limits",
    task=(
        "Write a client that asks a server for others. A request is `(what, deadline)`. It gets up to three attempts, each an "
        "`Ask(client, number, attempt, deadline, what)`. An attempt that is answered badly, or not within 0.2 s or by the deadline, has "
        "failed: the next begins 0.1 s later, the third 0.2 s after the second. It needs more than 5 tokens after this failure, and must "
        'begin before the deadline; otherwise the client is told "fail" at once. There are 10 tokens: a failed attempt takes one (never '
        "below 0), a good one gives half of one back (never above 10). What comes late is ignored."
    ),
    expects="your class of nodes, such as Client, without brackets",
    success=(
        "Right: no attempt in vain, no wait in vain, and in an outage hardly any retries. What would the load upon the server be with "
        "four such clients in a row, each with three attempts and no budget?"
    ),
    hints=(
        'An attempt: `made + 1` goes into both counts; send the `Ask`; set the timer "silence …" to `min(0.2, deadline - ctx.now)`.',
        "`ended` is for the attempt under way only: `attempt == self.open[name][0] != 0`. Then set that to 0, and cancel the timer.",
        "After attempt number k the wait is `0.1 * 2 ** (k - 1)`. Ask all three questions at once: attempts, tokens, `ctx.now + wait < deadline`.",
    ),
    solution=CLIENT_RIGHT,
    stub=CLIENT_STUB,
    wrong_nodes=CLIENT_WRONG,
    equivalents=CLIENT_EQUIVALENTS,
    examination=ClusterExamination(
        network=Network(topology.full_mesh(2), latency=0.013),
        until=6.0,
        clients=(
            _asking(
                "bad bad bad bad,ok,bad ok,ok,bad bad ok,ok,never ok,ok,ok,bad,ok,never,ok,ok,ok"
                + ",bad" * 6,
                0.0,
            ),
            _asking(
                "ok,ok,bad bad bad,ok,ok,ok,ok@0.23 bad,bad@0.23 ok,ok,ok" + ",never" * 4, 0.117, given=0.41
            ),
        ),
        others={SERVER: PlannedServer},
        requirements=tuple(
            Requirement(unbroken(rule, partial(keeps_no_limit, rule=rule)), _ASKING)
            for rule in (IN_TIME, FEW_ATTEMPTS, WITHIN, TRIES, ANSWERED, TRAVELS)
        ),
        schedules=(
            Schedule("all goes well", cluster=_asked("ok,ok,ok")),
            Schedule("a request fails four times", cluster=_asked("ok,bad bad bad bad")),
            Schedule("the time is over during an attempt", cluster=_asked("ok,never", given=0.35)),
            Schedule("there is no time for another attempt", cluster=_asked("ok,never", given=0.28)),
            Schedule("everything fails", cluster=_asked(",".join(["bad"] * 6))),
            Schedule("it fails below the half, not at it", cluster=_asked("bad ok," + "bad," * 5 + "ok")),
            Schedule(
                "everything fails, after good times",
                cluster=_asked("ok," * 8 + ",".join(["bad"] * 6), rate=6.0),
            ),
            Schedule(
                "all is well again, after bad times",
                cluster=_asked("bad," * 10 + "ok," * 16 + "bad ok,bad ok", rate=8.0),
            ),
            Schedule("an answer is late", cluster=_asked("ok@0.23 never ok,ok")),
            Schedule("a bad answer is late", cluster=_asked("bad@0.23 bad@0.23 ok,ok")),
        ),
        faults=FaultMix(clocks=False, victims=1, spared=(CLIENT,)),
        seeds=40,
    ),
)
