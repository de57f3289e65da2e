"""An exercise: a task, a check with its own words for typical mistakes, hints and a solution, each at a button.

What an answer may be and how it is judged differs by kind: a number, a function, or something that is tried out.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from dscourse import progress
from dscourse.exercises._buttons import Said, TaskWithButtons
from dscourse.exercises._feedback import Feedback, Hints, Solution
from dscourse.exercises._learner_code import (
    described,
    is_untouched,
    kind_of,
    learner_line,
    named_in_notebook,
    told,
)
from dscourse.exercises._misconception import Misconception
from dscourse.exercises._prose import plain, rich, shortened


@dataclass(frozen=True)
class Mistake:
    """A typical mistake, as code that defines `answer`, what is said to it, and the misconception behind it."""

    code: str
    message: str
    misconception: Misconception | None = None


class Unfit(Exception):  # noqa: N818 - the answer is unfit; nothing of ours went wrong
    """An answer that is no answer of the kind asked for; the text, if any, says what can't be tried about it."""


class Exercise(ABC):
    """A task for the learner, with its check.

    Its own cell shows the task with buttons for check, hint and solution, or as text where no buttons are. The answer is
    looked for in the notebook under the exercise's own name, `exercises.busy_threads` under `busy_threads`; in code,
    `check(answer)` judges any answer, `hint()` gives one more hint each time, `solution()` shows one way. An answer that never ends can't be stopped from here: interrupt the kernel (Kernel →
    Interrupt), and the check says at which line it was.

    Args:
        name: "module.name", where the exercise stands.
        task: what to do; `backticks` mark code.
        expects: what the answer is, so that "The answer is …." is a sentence, such as "a number of seconds".
        success: what is said to a right answer.
        hints: from the gentlest to the plainest.
        solution: code that defines a right `answer`. (Where code is shown, the answer's own name stands for `answer`.)
    """

    def __init__(
        self, name: str, *, task: str, expects: str, success: str, hints: Sequence[str], solution: str
    ) -> None:
        self.name = name
        self.task = task
        self.expects = expects
        self.success = success
        self.hints = tuple(hints)
        self.solution_code = solution
        self._given = 0
        self._widget: TaskWithButtons | None = None

    @property
    @abstractmethod
    def mistakes(self) -> tuple[Mistake, ...]:
        """The typical mistakes that it knows."""

    @abstractmethod
    def _fault_in(self, answer: object) -> str | None:
        """Return what is wrong with an answer, or None; raise Unfit if it is none of this kind.

        It may run the learner's code: what that raises is shown with the learner's line.
        """

    def _is_untouched(self, answer: object) -> bool:
        """Whether an answer is still what the notebook put there."""
        return is_untouched(answer)

    def check(self, answer: object = ...) -> Feedback:
        """Judge an answer; without one, what the notebook holds under the exercise's own name."""
        if answer is ...:
            try:
                answer = named_in_notebook(self.answer_name)
            except LookupError as error:
                return Feedback("not attempted", str(error.args[0]))
        feedback = self.judge(answer)
        if feedback.status == "not attempted":
            return feedback
        notice = progress.record_exercise(self.name, attempts=1, solved=bool(feedback))
        self._note(feedback)
        return replace(feedback, notice=notice)

    @property
    def answer_name(self) -> str:
        """The name under which the notebook holds the answer: the exercise's own."""
        return self.name.rpartition(".")[2]

    def _known(self) -> Sequence[Any]:
        """Return what has words of its own for a wrong answer: `.message` and `.misconception` each."""
        return self.mistakes

    def _note(self, feedback: Feedback) -> None:
        """Remember which misconception an answer showed, or which a right one has overcome."""
        named = [(one.message, one.misconception) for one in self._known() if one.misconception]
        if feedback:
            for _, misconception in named:
                misconception.record_overcome()
        for misconception in [one for message, one in named if message == feedback.message][:1]:
            misconception.record_shown()

    def judge(self, answer: object) -> Feedback:
        """Judge an answer without remembering it."""
        try:
            if self._is_untouched(answer):
                return Feedback("not attempted", "Write your answer first, then check again.")
            fault = self._fault_in(answer)
        except Unfit as unfit:
            reason = f"Yours can't be tried: {unfit}" if str(unfit) else f"Yours is {told(answer)}"
            return Feedback("wrong", shortened(f"The answer is {self.expects}. {reason}."))
        except NotImplementedError:
            unwritten = "Your code still raises NotImplementedError. Write its body, then check again."
            return Feedback("not attempted", unwritten)
        except KeyboardInterrupt as interrupt:
            return self._interrupted(interrupt)
        except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever the learner's code does, no stack of ours
            return self._raised(answer, error)
        return Feedback("right", self.success) if fault is None else Feedback("wrong", shortened(fault))

    def hint(self) -> Hints:
        """Give one more hint."""
        self._given = min(self._given + 1, len(self.hints))
        progress.record_exercise(self.name, hints=self._given)
        return Hints(self.hints[: self._given], len(self.hints) - self._given, self._short_name())

    def solution(self) -> Solution:
        """Show one way to do it."""
        progress.record_exercise(self.name, solution_seen=True)
        return Solution(re.sub(r"\banswer\b", self.answer_name, self.solution_code))

    def __repr__(self) -> str:
        return f"{plain(self._shown_task())}\n\n{plain(self._doors())}"

    def _repr_html_(self) -> str:
        return (
            "<div style='border:1px solid var(--jp-border-color1,#bbb);border-radius:4px;padding:0.6em 1em;max-width:48em'>"
            f"<strong>Exercise.</strong> {rich(self._shown_task())}<div style='margin-top:0.6em;font-size:90%'>"
            f"{rich(self._doors())}</div></div>"
        )

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        view = self.widget()._repr_mimebundle_()
        made = view[0] if isinstance(view, tuple) else (view or {})
        return {**made, "text/plain": repr(self), "text/html": self._repr_html_()}

    def widget(self) -> TaskWithButtons:
        """Return the exercise as a widget."""
        if self._widget is None:
            asks: dict[str, Callable[[], Feedback | Hints | Solution]]
            asks = {"Check": self.check, "Hint": self.hint, "Solution": self.solution}
            self._widget = TaskWithButtons(
                "Exercise.",
                self._shown_task(),
                f"Your answer: `{self.answer_name}`. Run its cell, then check.",
                {word: _parts_of(act) for word, act in asks.items()},
            )
        return self._widget

    def _shown_task(self) -> str:
        """Return the task with the answer's own name in its code."""
        return re.sub(r"`[^`]*`", lambda code: re.sub(r"\banswer\b", self.answer_name, code[0]), self.task)

    def _short_name(self) -> str:
        return f"exercises.{self.answer_name}"

    def _doors(self) -> str:
        name = self._short_name()
        return f"`{name}.check({self.answer_name})` judges your answer; `.hint()` and `.solution()` help."

    def _raised(self, answer: object, error: BaseException) -> Feedback:
        line = learner_line(error)
        ended = shortened(described(error), 400)
        if line is None:
            reason = f"Yours is {kind_of(answer)}, and trying it ended with {ended}"
            return Feedback("not judged", f"The answer is {self.expects}. {reason}")
        return Feedback("stopped", f"{ended} ({line.place}):", code=line.text)

    def _interrupted(self, interrupt: KeyboardInterrupt) -> Feedback:
        line = learner_line(interrupt)
        if line is None:
            return Feedback("stopped", "You interrupted the check.")
        return Feedback("stopped", f"You interrupted it at {line.place}. Does it ever end?", code=line.text)


def _parts_of(act: Callable[[], Feedback | Hints | Solution]) -> Callable[[], Said]:
    return lambda: act().parts()
