"""The scored game day: a design meets a hidden day of past incidents.

    day = GameDay(level=1, seed=7)
    result = day.play(Design(zones=3, servers=6, copies=3, store="quorum"))
    result.score, result.grade

A *service-level objective* says which share of the orders must be answered well and within two seconds; what it leaves
is the *error budget* of the day. An order that is late or gets no answer uses one of it; an order that was confirmed
and is lost, or one sold twice, uses ten. The score is what is left of the budget in percent (below zero if more is
used) minus what the design costs, so that neither the cheapest nor the dearest wins.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from random import Random
from typing import TYPE_CHECKING, Any

from dscourse.arguments import instance, items, whole
from dscourse.chaos.design import GATEWAY, WATCHER, Design
from dscourse.chaos.incidents import INCIDENTS, ORDER_TIMEOUT, Incident
from dscourse.chaos.servers import Sold
from dscourse.chaos.shop import shop_node
from dscourse.simulation.random_streams import key_of

if TYPE_CHECKING:
    from dscourse.simulation import Run, Scenario, Workload

IN_TIME = 2.0  # seconds
WRONG_WEIGHS = 10  # as much as so many late orders
QUIET, BUSY = 4.0, 5.0  # orders a second always, and on top in the busy part of the day
BUSY_PART = (0.2, 0.9)
COST_WEIGHS = 40  # points for a bill as high as the budget
GRADES = (("A", 25), ("B", 10))  # of a day that was won; C below


@dataclass(frozen=True)
class Level:
    """How difficult a day is.

    Attributes:
        incidents: how many.
        seconds: how long the day is.
        objective: share of the orders that must go well.
        budget: for the bill.
    """

    incidents: int
    seconds: float
    objective: float
    budget: float


LEVELS = {1: Level(1, 60.0, 0.9, 20.0), 2: Level(2, 80.0, 0.9, 18.0), 3: Level(3, 100.0, 0.93, 18.0)}
NAIVE = Design(zones=2, servers=4, copies=2)


class GameDay:
    """One day, with its incidents hidden until they are named.

    Args:
        level: 1, 2 or 3.
        seed: which day; the same for all who are to be compared.
        rehearsal: names of `INCIDENTS`, for a day on which these come, and everybody knows it; an empty list for a calm
            day.

    Raises:
        LookupError: no such incident.
    """

    def __init__(self, level: int = 1, seed: int = 1, *, rehearsal: Sequence[str] | None = None) -> None:
        self.level = whole("level", level, at_least=1, at_most=3)
        self.seed = whole("seed", seed, at_least=0)
        self.rehearsal = None if rehearsal is None else tuple(_known(name) for name in rehearsal)
        self.rules = LEVELS[self.level]
        self._again = 0

    def __repr__(self) -> str:
        """The day as code."""
        known = f", rehearsal={list(self.rehearsal)!r}" if self.rehearsal is not None else ""
        return f"GameDay(level={self.level}, seed={self.seed}{known})"

    @cached_property
    def _schedule(self) -> tuple[tuple[float, str], ...]:
        """When which incident begins."""
        block, place = divmod(self.seed, len(INCIDENTS))
        random = Random(key_of(block, "game days", self.level)).random
        order = sorted(
            INCIDENTS, key=lambda _: random()
        )  # of seven days running, each has another first incident
        hidden = [order[(place + more) % len(order)] for more in range(self.rules.incidents)]
        chosen = hidden if self.rehearsal is None else self.rehearsal
        when = Random(key_of(self.seed, "times of a game day", self.level, self._again)).random
        first, last = 0.25 * self.rules.seconds, 0.85 * self.rules.seconds
        step = (last - first) / max(1, len(chosen))
        return tuple(
            (round(first + step * place + 0.2 * step * when(), 3), name) for place, name in enumerate(chosen)
        )

    def _incidents(self) -> list[tuple[float, Incident]]:
        return [(at, INCIDENTS[name]) for at, name in self._schedule]

    def scenario(self, design: Design) -> Scenario:
        """Return the day as it will be with this design; it holds the incidents, so whoever looks, knows."""
        from dscourse.simulation import Constant, Network, OpenLoop, Scenario

        instance("design", design, Design, "a Design")
        begin, end = (share * self.rules.seconds for share in BUSY_PART)
        more = (("order",),) * round(BUSY * (end - begin))
        clients: list[Workload] = [
            OpenLoop(("order",), QUIET, to=GATEWAY, timeout=ORDER_TIMEOUT, repeat=True),
            OpenLoop(more, BUSY, to=GATEWAY, timeout=ORDER_TIMEOUT, start=begin),
        ]
        faults = []
        for at, incident in self._incidents():
            faults += incident.faults(design, at, round(at + incident.seconds, 3))
            clients += incident.workload(at)
        return Scenario(
            partial(shop_node, design=design, seconds=self.rules.seconds),
            Network(design.layout.graph(), latency=Constant(0.005)),
            faults=faults,
            clients=clients,
            seed=self.seed,
        )

    def play(self, design: Design) -> DayResult:
        """Run the day with this design."""
        return DayResult(self, design, self.scenario(design).run(self.rules.seconds))

    def other_moments(self, number: int = 1) -> GameDay:
        """Return a day with the same incidents at other moments: a fix must hold there, too."""
        other = GameDay(self.level, self.seed, rehearsal=self.rehearsal)
        other._again = whole("number", number, at_least=0)
        return other

    def name_incidents(self, *names: str) -> Naming:
        """Say what it was; then it is told.

        Raises:
            LookupError: no such incident.
        """
        named = tuple(_known(name) for name in names)
        return Naming(named, tuple(incident for _, incident in self._incidents()))


def _known(name: str) -> str:
    if name not in INCIDENTS:
        raise LookupError(f"There is no incident {name!r}. There are: {', '.join(INCIDENTS)}.")
    return name


@dataclass(frozen=True)
class Naming:
    """What somebody took the incidents of a day for, and what they were."""

    named: tuple[str, ...]
    were: tuple[Incident, ...]

    @property
    def right(self) -> int:
        """How many were named."""
        return sum(INCIDENTS[name] in self.were for name in dict.fromkeys(self.named))

    def __repr__(self) -> str:
        """How many, and what it was."""
        told = [f"{one.name} ({one.source}). {one.model}" for one in self.were]
        return "\n".join([f"{self.right} of {len(self.were)} named.", *told])


@dataclass(frozen=True)
class Trouble:
    """A time in which the service suffered, and what could be seen of it.

    Attributes:
        begin, end: seconds.
        failed: orders of that time that went wrong or came late.
        hints: what could be seen.
    """

    begin: float
    end: float
    failed: int
    hints: tuple[str, ...]


class DayResult:
    """What became of a design on a day.

    Attributes:
        day, design, run: what was played.
    """

    def __init__(self, day: GameDay, design: Design, run: Run) -> None:
        self.day, self.design, self.run = day, design, run

    @cached_property
    def orders(self) -> list[Any]:
        """The orders that were due to end within the day."""
        last = self.day.rules.seconds - ORDER_TIMEOUT
        return [order for order in self.run.history() if order.invoked < last]

    @cached_property
    def taken(self) -> int:
        """Orders that were confirmed, late ones included."""
        return sum(order.outcome == "ok" for order in self.orders)

    @cached_property
    def late(self) -> int:
        """Orders that were confirmed after two seconds or more, or not at all."""
        return sum(not self._is_good(order) for order in self.orders)

    @staticmethod
    def _is_good(order: Any) -> bool:
        return bool(order.outcome == "ok" and order.latency <= IN_TIME)

    @cached_property
    def _book(self) -> tuple[str, ...]:
        """The book that counts in the end."""
        books = [
            (event.detail["epoch"], len(event.detail["keys"]), event.detail["keys"])
            for event in self.run.trace.select(kind="record", name="book")
        ]
        return tuple(max(books)[2]) if books else ()

    @cached_property
    def lost(self) -> int:
        """Orders that were confirmed, with an item that belongs to somebody else, or to nobody, in the end."""
        book = self._book
        return sum(
            order.outcome == "ok"
            and (order.value > len(book) or book[order.value - 1] != f"{order.client}/{order.number}")
            for order in self.orders
        )

    @cached_property
    def sold_twice(self) -> int:
        """Items that two customers were told are theirs, and orders that stand in the book more than once."""
        items_told = Counter(order.value for order in self.run.history() if order.outcome == "ok")
        keys = Counter(self._book)
        return sum(count - 1 for count in items_told.values()) + sum(count - 1 for count in keys.values())

    @cached_property
    def p99(self) -> float:
        """Seconds within which 99 % of the orders were confirmed; who got nothing waited until the timeout."""
        times = sorted(order.latency if order.outcome == "ok" else ORDER_TIMEOUT for order in self.orders)
        return float(times[int(0.99 * (len(times) - 1))])

    @cached_property
    def bill(self) -> float:
        """What the day cost."""
        changes = [
            (event.time, event.detail["on"]) for event in self.run.trace.select(kind="record", name="fleet")
        ]
        ends = [at for at, _ in changes[1:]] + [self.run.until]
        paid = sum(on * (end - at) for (at, on), end in zip(changes, ends, strict=True))
        return round(self.design.bill(paid / self.run.until), 2)

    @cached_property
    def budget_left(self) -> float:
        """Share of the error budget that is left; below 0 if more was used."""
        used = self.late + WRONG_WEIGHS * (self.lost + self.sold_twice)
        return 1.0 - used / ((1.0 - self.day.rules.objective) * len(self.orders))

    @cached_property
    def score(self) -> int:
        """What is left of the error budget, in percent, at least −100, minus the price.

        The price is 40 for a bill as high as the budget, and three times as much for what goes beyond.
        """
        price = self.bill / self.day.rules.budget
        price += 2 * max(0.0, price - 1.0)
        return round(100 * max(-1.0, self.budget_left) - COST_WEIGHS * price)

    @property
    def won(self) -> bool:
        """Whether the objective was met within the budget."""
        return self.budget_left >= 0 and self.bill <= self.day.rules.budget

    @property
    def grade(self) -> str:
        """A, B or C for a day that was won, by the score; else D."""
        if not self.won:
            return "D"
        return next((grade for grade, least in GRADES if self.score >= least), "C")

    def __repr__(self) -> str:
        """The result in a line."""
        return (
            f"{self.grade}, {self.score} points: {self.taken} of {len(self.orders)} orders taken, "
            f"{self.late} late or not at all, "
            f"{self.lost} lost, {self.sold_twice} sold twice, p99 {self.p99:.2f} s, "
            f"bill {self.bill:g} of {self.day.rules.budget:g}"
        )

    @cached_property
    def trouble(self) -> tuple[Trouble, ...]:
        """When the service suffered, and what could be seen: seconds in which a fifth of the orders went wrong."""
        asked: Counter[int] = Counter(int(order.invoked) for order in self.orders)
        bad: Counter[int] = Counter(int(order.invoked) for order in self.orders if not self._is_good(order))
        seconds = [second for second in sorted(bad) if 5 * bad[second] >= asked[second]]
        spans: list[list[int]] = []
        for second in seconds:
            if spans and second <= spans[-1][1] + 2:
                spans[-1][1] = second + 1
            else:
                spans.append([second, second + 1])
        return tuple(
            Trouble(float(a), float(b), sum(bad[s] for s in range(a, b)), self._hints(a, b)) for a, b in spans
        )

    def _hints(self, begin: float, end: float) -> tuple[str, ...]:
        select = partial(self.run.trace.select, between=(begin, end))
        loads = list(select(kind="record", name="load"))
        silent = [
            name
            for name in self.design.layout.zone
            if name != WATCHER and not any(e.node == name for e in loads)
        ]
        full: dict[str, int] = {}
        for event in loads:
            name = str(event.node)
            full[name] = full.get(name, 0) + (event.detail["occupied"] >= 0.99)
        busy = [name for name, count in sorted(full.items()) if 2 * count >= end - begin]
        shop = [event for event in loads if event.node in self.design.layout.servers]
        idle = shop and sum(event.detail["utilization"] for event in shop) / len(shop) < 0.4
        asked = [order for order in self.orders if begin <= order.invoked < end]
        attempts = sum(e.node == GATEWAY and type(e.message).__name__ == "Order" for e in select(kind="send"))
        refused = sum(isinstance(e.message, Sold) and e.message.item is None for e in select(kind="deliver"))
        said = [
            (silent, f"{', '.join(silent)} told nothing"),
            (busy, f"{', '.join(busy)} full: occupied all the time for half of the seconds or more"),
            (idle and not silent, "processors of the servers less than 40 % at work, and yet orders late"),
            (
                len(asked) > 20 and attempts > 1.5 * len(asked),
                f"{attempts / (len(asked) or 1):.1f} attempts for each order",
            ),
            (refused > 5, f"{refused} attempts refused or left without an answer by the store"),
            (len(asked) > 14 * (end - begin), f"{len(asked) / (end - begin):.0f} orders a second"),
            (any(select(kind="record", name="repair")), "a copy of the store is being made anew"),
            (len(list(select(kind="record", name="leads"))) > 1, "the store has changed its leader more than once"),
        ]  # fmt: skip
        return tuple(words for holds, words in said if holds)


def holds(result: DayResult, days: int = 3) -> bool:
    """Return whether a day that was won is also won with its incidents at so many other moments."""
    return result.won and all(
        result.day.other_moments(number).play(result.design).won for number in range(1, days + 1)
    )


def result_sheet(results: Iterable[tuple[str, DayResult]]) -> Any:
    """Return one page on which teams compare: a row each, the best first.

    Args:
        results: (team, result) pairs.
    """
    import pandas as pd

    rows = [
        {
            "team": team,
            "day": f"{one.day.level}-{one.day.seed}",
            "score": one.score,
            "grade": one.grade,
            "taken": one.taken,
            "late or none": one.late,
            "lost": one.lost,
            "sold twice": one.sold_twice,
            "p99, s": round(one.p99, 2),
            "bill": one.bill,
            "zones": one.design.layout.zones,
            "servers": one.design.servers,
            "copies": len(one.design.layout.copies),
            "who sells": one.design.store,
            "policies": len(one.design.policies),
        }
        for team, one in items("results", results, "a list of (team, result)")
    ]
    return pd.DataFrame(rows).sort_values("score", ascending=False, kind="stable", ignore_index=True)
