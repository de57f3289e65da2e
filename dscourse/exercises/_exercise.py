"""An exercise: a task, a check with its own words for typical mistakes, hints and a solution."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any

from dscourse.arguments import shown
from dscourse.exercises import _store
from dscourse.exercises._feedback import Feedback, Hints, Solution
from dscourse.exercises._learner_code import described, is_untouched, kind_of, learner_line, run_answer
from dscourse.exercises._prose import plain, rich, shortened
from dscourse.exercises._record import Record, Work

_NAME = re.compile(r"[a-z][a-z0-9_]*\.[a-z][a-z0-9_]*")


@dataclass(frozen=True)
class WrongExample:
    """A typical mistake, as code that defines `answer`, and what the check says to it, word for word."""

    code: str
    message: str

    def __post_init__(self) -> None:
        checked_text("code", self.code)
        checked_text("message", self.message)


class Exercise:
    """A task for the learner, with its check.

    Its own cell shows the task. `check(answer)` judges an answer, `hint()` gives one more hint each time, `solution()`
    shows one way to do it. An answer that never ends can't be stopped from here: interrupt the kernel (Kernel →
    Interrupt), and the check says at which line it was.

    Args:
        name: "module.name", where the exercise stands.
        task: what to do; `backticks` mark code.
        check: called as `check(answer)`; returns None if the answer is right, else what is wrong with it. It may call
            the learner's function: what that raises is shown with the learner's line.
        success: what is said to a right answer.
        hints: from the gentlest to the plainest.
        solution: code that defines a right `answer`.
        wrong_examples: typical mistakes with what the check says to them.
        stub: what the notebook's cell holds before the learner has touched it.
        expects: the kind of answer in words, such as "a number of seconds"; found from the solution if not given.

    Raises:
        ValueError: if the name has another form, or a text is missing.
        TypeError: if `check` can't be called, or hints or wrong examples are no list or tuple of such.
    """

    def __init__(
        self,
        name: str,
        *,
        task: str,
        check: Callable[[Any], str | None],
        success: str,
        hints: Iterable[str] = (),
        solution: str,
        wrong_examples: Iterable[WrongExample] = (),
        stub: object = ...,
        expects: str = "",
    ) -> None:
        if not callable(check):
            raise TypeError(f"check must be a function of the answer, got {shown(check)}")
        self.name = checked_name(name)
        self.task = checked_text("task", task)
        self.success = checked_text("success", success)
        self.hints = tuple(checked_text("each hint", hint) for hint in _several("hints", hints))
        self.solution_code = checked_text("solution", solution)
        self.wrong_examples = tuple(_several("wrong_examples", wrong_examples))
        for example in self.wrong_examples:
            if not isinstance(example, WrongExample):
                raise TypeError(f"each of wrong_examples must be a WrongExample, got {shown(example)}")
        if not isinstance(expects, str):
            raise TypeError(f"expects must be a text, got {shown(expects)}")
        self.stub = stub
        self.expects = expects
        self._check = check
        self._given = 0

    def check(self, answer: object = ...) -> Feedback:
        """Judge an answer."""
        feedback = self.judge(answer)
        if feedback.status == "not attempted":
            return feedback
        return replace(feedback, notice=self._remember(attempts=1, solved=bool(feedback)))

    def judge(self, answer: object) -> Feedback:
        """Judge an answer without remembering it."""
        if is_untouched(answer, self.stub):
            return Feedback("not attempted", "Write your answer first, then check again.")
        try:
            message = self._check(answer)
            if message is None:
                return Feedback("right", self.success)
            if isinstance(message, str):
                return Feedback("wrong", shortened(message))
            return self._unjudged(answer, f"the check returned {kind_of(message)}")
        except NotImplementedError:
            return Feedback(
                "not attempted",
                "Your code still raises NotImplementedError. Write its body, then check again.",
            )
        except KeyboardInterrupt as interrupt:
            return self._interrupted(interrupt)
        except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever the learner's code does, no stack of ours
            return self._raised(answer, error)

    def hint(self) -> Hints:
        """Give one more hint."""
        self._given = min(self._given + 1, len(self.hints))
        self._remember(hints=self._given)
        return Hints(self.hints[: self._given], len(self.hints) - self._given, self._short_name())

    def solution(self) -> Solution:
        """Show one way to do it."""
        self._remember(solution_seen=True)
        return Solution(self.solution_code)

    def __repr__(self) -> str:
        return f"{plain(self.task)}\n\n{plain(self._doors())}"

    def _repr_html_(self) -> str:
        return (
            "<div style='border:1px solid var(--jp-border-color1,#bbb);border-radius:4px;padding:0.6em 1em;max-width:48em'>"
            f"<strong>Exercise.</strong> {rich(self.task)}<div style='margin-top:0.6em;font-size:90%'>"
            f"{rich(self._doors())}</div></div>"
        )

    def _short_name(self) -> str:
        return f"exercises.{self.name.partition('.')[2]}"

    def _doors(self) -> str:
        name = self._short_name()
        return f"`{name}.check(answer)` judges your answer; `.hint()` and `.solution()` help."

    def _raised(self, answer: object, error: BaseException) -> Feedback:
        line = learner_line(error)
        if line is None:
            return self._unjudged(answer, shortened(described(error), 400))
        return Feedback("stopped", f"{shortened(described(error), 400)} ({line.place}):", code=line.text)

    def _interrupted(self, interrupt: KeyboardInterrupt) -> Feedback:
        line = learner_line(interrupt)
        if line is None:
            return Feedback("stopped", "You interrupted the check.")
        return Feedback("stopped", f"You interrupted it at {line.place}. Does it ever end?", code=line.text)

    def _unjudged(self, answer: object, reason: str) -> Feedback:
        return Feedback(
            "not judged",
            f"It is {kind_of(answer)}; what is expected is {self._expected()}. What went wrong: {reason}",
        )

    def _expected(self) -> str:
        return self.expects or kind_of(run_answer(self.solution_code))

    def _remember(
        self, attempts: int = 0, hints: int = 0, solution_seen: bool = False, solved: bool = False
    ) -> str:
        def change(record: Record) -> None:
            before = record.exercises.get(self.name, Work())
            news = Work(before.attempts + attempts, hints, solution_seen, solved)
            record.exercises[self.name] = before.merged(news)

        return _store.update(change)


def checked_name(name: str) -> str:
    """Return a name of the form "module.name"; refuse any other."""
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise ValueError(f'name must be like "scaling_metrics.speedup", got {shown(name)}')
    return name


def checked_text(what: str, text: str) -> str:
    """Return a text that says something; refuse an empty one."""
    if not isinstance(text, str) or not text.strip():
        raise ValueError(f"{what} must be a text that is not empty, got {shown(text)}")
    return text


def _several(what: str, values: Iterable[Any]) -> list[Any] | tuple[Any, ...]:
    """Return a list or tuple; refuse anything else, above all one text, which would come apart into letters."""
    if not isinstance(values, list | tuple):
        raise TypeError(f"{what} must be a list or tuple, got {shown(values)}")
    return values
