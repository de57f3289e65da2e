"""An exercise: a task, a check with its own words for typical mistakes, hints and a solution.

What an answer may be and how it is judged differs by kind: a number, a function, or something that is tried out.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, replace

from dscourse import progress
from dscourse.exercises._feedback import Feedback, Hints, Solution
from dscourse.exercises._learner_code import described, is_untouched, kind_of, learner_line, told
from dscourse.exercises._prose import plain, rich, shortened


@dataclass(frozen=True)
class Mistake:
    """A typical mistake, as code that defines `answer`, and what is said to it."""

    code: str
    message: str


class Unfit(Exception):  # noqa: N818 - the answer is unfit; nothing of ours went wrong
    """An answer that is no answer of the kind asked for; the text, if any, says what can't be tried about it."""


class Exercise(ABC):
    """A task for the learner, with its check.

    Its own cell shows the task. `check(answer)` judges an answer, `hint()` gives one more hint each time, `solution()`
    shows one way to do it. An answer that never ends can't be stopped from here: interrupt the kernel (Kernel →
    Interrupt), and the check says at which line it was.

    Args:
        name: "module.name", where the exercise stands.
        task: what to do; `backticks` mark code.
        expects: what the answer is, so that "The answer is …." is a sentence, such as "a number of seconds".
        success: what is said to a right answer.
        hints: from the gentlest to the plainest.
        solution: code that defines a right `answer`.
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
        """Judge an answer."""
        feedback = self.judge(answer)
        if feedback.status == "not attempted":
            return feedback
        notice = progress.record_exercise(self.name, attempts=1, solved=bool(feedback))
        return replace(feedback, notice=notice)

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
