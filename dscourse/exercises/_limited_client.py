"""What must hold of the runs of a client with a deadline, attempts and a budget, which the learner writes."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import TypeAlias

from dscourse.exercises._breach import Breach
from dscourse.exercises._planned_server import CLIENT, Answer, Ask
from dscourse.simulation import Reply, Request, Run

ATTEMPTS, PATIENCE, FIRST_WAIT = 3, 0.2, 0.1  # seconds
TOKENS, GAIN = 10.0, 0.5

IN_TIME = "at the deadline it is over, and before a wait that would reach it"
FEW = "after three attempts it is over"
WITHIN = "with half of the tokens or fewer there is no retry"
TRIES = "who may try again does, 0.1 s after the first attempt and 0.2 s after the second"
ANSWERED = "everybody gets one answer, and good ones are passed on"
TRAVELS = "the deadline travels with each attempt"

_EXACT = 3e-6  # seconds: a timer counts microseconds
_Name: TypeAlias = tuple[str, int]


@dataclass
class _Asked:
    """How far a request has come."""

    deadline: float
    next_attempt: float  # when it is due; inf: one is under way
    attempt: int = 0
    silence: float = math.inf  # when the attempt under way is given up


def keeps_no_limit(run: Run, rule: str) -> Iterator[Breach]:
    """The first time that the client does something else than it should, if that is against this rule."""
    found = _first(run)
    if found is not None and found[0] == rule:
        yield found[1]


@lru_cache(maxsize=1)
def _first(run: Run) -> tuple[str, Breach] | None:
    """The first difference; each rule asks for it, of one run after the other."""
    return next(_Judge().differences(run), None)


class _Judge:
    """Follows what reaches a client, and says when that does otherwise than it should."""

    def __init__(self) -> None:
        self.tokens = TOKENS
        self.open: dict[_Name, _Asked] = {}
        self.owed: dict[_Name, tuple[float, str]] = {}  # replies that are due
        self.over: dict[
            _Name, tuple[str, str]
        ] = {}  # the rule for which there is no further attempt, in words, too

    def differences(self, run: Run) -> Iterator[tuple[str, Breach]]:
        """Go through the trace."""
        for event in run.trace.select(node=CLIENT, kind=("deliver", "timer", "send")):
            time, message = event.time, event.message
            # Where an answer and a timer are due at one instant, the order in which they came counts.
            yield from self.pass_time(time - _EXACT if event.kind == "deliver" else time + _EXACT, time)
            if isinstance(message, Request):
                deadline = message.operation[1]
                name = (str(event.peer), message.number)
                self.open[name] = _Asked(deadline, time)
                if time >= deadline:
                    self.end(time, name, "fail", IN_TIME, f"its deadline was at {deadline:.4g} s")
            elif isinstance(message, Answer):
                self.answered(time, message)
            elif isinstance(message, Ask):
                yield from self.asks(time, message)
            elif isinstance(message, Reply):
                yield from self.replies(time, (str(event.peer), message.number), message.outcome)
        yield from self.pass_time(run.until, run.until)

    def pass_time(self, silent: float, time: float) -> Iterator[tuple[str, Breach]]:
        """Give up who has been silent for too long, and say what should have happened by now."""
        while self.open:
            name, one = min(self.open.items(), key=lambda item: item[1].silence)
            if one.silence > silent:
                break
            self.failed(one.silence, name)
        for name, one in self.open.items():
            if one.next_attempt < time - _EXACT:
                yield (
                    TRIES,
                    Breach(
                        one.next_attempt,
                        f"attempt {one.attempt + 1} for {_told(name)} is due, and does not come",
                    ),
                )
        for name, (since, outcome) in self.owed.items():
            if since < time - _EXACT:
                rule, why = self.over[name]
                yield rule, Breach(since, f"{_told(name)} should be answered: {outcome!r}; {why}")

    def answered(self, time: float, answer: Answer) -> None:
        """An answer counts for the attempt that is under way."""
        name = (answer.client, answer.number)
        one = self.open.get(name)
        if one is None or one.silence == math.inf or answer.attempt != one.attempt:
            return
        if answer.ok:
            self.tokens = min(TOKENS, self.tokens + GAIN)
            self.end(time, name, "ok", ANSWERED, "it has its answer")
        else:
            self.failed(time, name)

    def failed(self, time: float, name: _Name) -> None:
        """An attempt has failed: another one, or the end."""
        one = self.open[name]
        self.tokens = max(0.0, self.tokens - 1.0)
        wait = FIRST_WAIT * 2 ** (one.attempt - 1)
        if one.attempt >= ATTEMPTS:
            self.end(time, name, "fail", FEW, f"it has had {ATTEMPTS} attempts")
        elif time + wait >= one.deadline:
            self.end(time, name, "fail", IN_TIME, f"its deadline is at {one.deadline:.4g} s")
        elif self.tokens <= TOKENS / 2:
            self.end(
                time,
                name,
                "fail",
                WITHIN,
                f"there were {self.tokens:g} tokens when the one before had failed",
            )
        else:
            one.next_attempt, one.silence = time + wait, math.inf

    def end(self, time: float, name: _Name, outcome: str, rule: str, why: str) -> None:
        """The reply is due."""
        del self.open[name]
        self.owed[name], self.over[name] = (time, outcome), (rule, why)

    def asks(self, time: float, ask: Ask) -> Iterator[tuple[str, Breach]]:
        """The learner's client begins an attempt."""
        name = (ask.client, ask.number)
        one, what = self.open.get(name), f"attempt {ask.attempt} for {_told(name)} begins"
        if one is None:
            rule, why = self.over.get(name, (ANSWERED, "nobody waits for it"))
            yield rule, Breach(time, f"{what}, and {why}")
        elif abs(time - one.next_attempt) > _EXACT or ask.attempt != one.attempt + 1:
            yield (
                TRIES,
                Breach(time, f"{what}, and attempt {one.attempt + 1} should at {one.next_attempt:.4g} s"),
            )
        elif abs(ask.deadline - one.deadline) > _EXACT:
            yield (
                TRAVELS,
                Breach(
                    time, f"{what} with {ask.deadline:.4g} s as its deadline instead of {one.deadline:.4g} s"
                ),
            )
        else:
            one.attempt, one.next_attempt, one.silence = (
                ask.attempt,
                math.inf,
                min(time + PATIENCE, one.deadline),
            )

    def replies(self, time: float, name: _Name, outcome: str) -> Iterator[tuple[str, Breach]]:
        """The learner's client answers."""
        due = self.owed.pop(name, None)
        if due is not None and due[1] == outcome:
            return
        rule, why = (
            (TRIES, "it may try again")
            if name in self.open and outcome == "fail"
            else (ANSWERED, "should not be")
        )
        yield rule, Breach(time, f"{_told(name)} is answered: {outcome!r}, and {why}")


def _told(name: _Name) -> str:
    return f"request {name[1]} of {name[0]}"
