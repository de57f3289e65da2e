"""An exercise in which the learner writes a node, or a part of one, and the machine looks for what breaks it."""

from __future__ import annotations

import contextlib
import functools
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from types import CodeType, FunctionType
from typing import Any

from dscourse.exercises._exercise import Exercise, Mistake
from dscourse.exercises._feedback import Feedback
from dscourse.exercises._learner_code import learner_line, run_answer
from dscourse.exercises._line_limit import EndlessHandlerError
from dscourse.exercises._prose import plain, shortened
from dscourse.exercises._report import Examination, Report
from dscourse.exercises._stub import Stub
from dscourse.simulation import NodeError


@dataclass(frozen=True)
class WrongNode:
    """A typical wrong node, kept as code.

    Attributes:
        name: what it does, in a few words: "takes the first answer".
        code: that defines `answer`.
        message: what is said to a learner whose node breaks the same, in the same schedules.
        faults: how many faults (or calls) its counterexample needs.
    """

    name: str
    code: str
    message: str
    faults: int


class NodeExercise(Exercise):
    """A node to be written; its cell holds the stub, a class with gaps.

    A node that sends in the order of a set is told so: its runs would differ from one start of Python to the next. (It is
    run under other names, which a set holds in another order; one that draws from ``ctx.rng`` can't be tried so.)

    `check(answer)` says which requirements hold already and what broke first, and leaves `counterexample`: a run to be
    played, or the calls that show it. `stub` gives the cell's first text back.

    Args:
        name: "module.name", where the exercise stands.
        stub: code with gaps (`...`), which ends with `answer = …`.
        examination: how it is tried.
        wrong_nodes: typical ones.
        equivalents: code that looks wrong and that nothing can tell from the right one.
        **texts: the texts of every `Exercise`.
    """

    def __init__(
        self,
        name: str,
        *,
        stub: str,
        examination: Examination,
        wrong_nodes: Sequence[WrongNode],
        equivalents: Sequence[str] = (),
        **texts: Any,
    ) -> None:
        super().__init__(name, **texts)
        self._stub_code = stub
        self.stub = Stub(named(stub, self.answer_name))
        self.examination = examination
        self.wrong_nodes = tuple(wrong_nodes)
        self.equivalents = tuple(equivalents)
        self.report = Report()

    @property
    def mistakes(self) -> tuple[Mistake, ...]:
        """The typical wrong nodes."""
        return tuple(Mistake(wrong.code, wrong.message) for wrong in self.wrong_nodes)

    @property
    def counterexample(self) -> Any:
        """What broke the answer that was checked last: a `Run`, or the calls that show it.

        Raises:
            LookupError: nothing did.
        """
        if self.report.counterexample is None:
            raise LookupError(
                f"nothing was found yet that breaks an answer; {self._short_name()}.check({self.answer_name}) looks for it"
            )
        return self.report.counterexample

    def judge(self, answer: object) -> Feedback:
        """Judge an answer without remembering it."""
        self.report = Report()
        feedback = super().judge(answer)
        return replace(feedback, found=self._found(), held=self.report.held)

    def _is_untouched(self, answer: object) -> bool:
        return super()._is_untouched(answer) or _same_code(answer, self._written_stub)

    def _fault_in(self, answer: object) -> str | None:
        written = self.examination.read(answer)
        with contextlib.redirect_stdout(io.StringIO()):  # what a node prints, it prints in hundreds of runs
            self.report = self.examination.examine(written)
        if self.report.is_right:
            return None
        if self.report.outside:
            return self.report.outside
        known = self._words_known.get(self.report.broken)
        if known is None and self.report.error is not None:
            raise self.report.error
        return known or self._unknown()

    def _unknown(self) -> str:
        known = [words for words, _ in self.report.held]
        name = next((words for words in self.report.broken[0] if words in known), None)
        if name is None:
            return "A run of yours never ends: its nodes go on and on without time going by."
        return f"“{name}”: that does not hold yet."

    def _found(self) -> str:
        report = self.report
        if report.counterexample is None:
            return ""
        section = f" Section “{report.section}” says why it must hold." if report.section else ""
        door = f"{self._short_name()}.counterexample"
        see = (
            f" `{door}` shows it."
            if not hasattr(report.counterexample, "trace")
            else f" To see it: `play({door})`"
        )
        return shortened(f"{report.explanation}{section}{see}")

    def _raised(self, answer: object, error: BaseException) -> Feedback:
        cause = error.__cause__
        if not isinstance(error, NodeError) or cause is None:
            return super()._raised(answer, error)
        if isinstance(cause, NotImplementedError):
            return Feedback(
                "not attempted",
                "Your code still raises NotImplementedError. Write its body, then check again.",
            )
        line = learner_line(cause)
        where = f"At {error.time:.4g} s, `{error.handler}` of {error.node}"
        if isinstance(cause, EndlessHandlerError):
            said = f"{where} never ends: {cause}. It was here"
        else:
            said = f"{where} raised {type(cause).__name__}: {cause}"
        return Feedback(
            "stopped",
            shortened(f"{said} ({line.place}):" if line else said, 500),
            code=line.text if line else "",
        )

    def _doors(self) -> str:
        name = self._short_name()
        return (
            f"`{name}.check({self.answer_name})` judges what you have written, `{name}.counterexample` is what broke it, `{name}.stub` "
            "is the cell to begin with; `.hint()` and `.solution()` help."
        )

    @functools.cached_property
    def _written_stub(self) -> Any:
        return run_answer(self._stub_code)

    @functools.cached_property
    def _words_known(self) -> dict[tuple[tuple[str, str], ...], str]:
        """The words for each typical wrong node, by what breaks where."""
        found: dict[tuple[tuple[str, str], ...], str] = {}
        for wrong in self.wrong_nodes:
            found.setdefault(self.examination.broken(run_answer(wrong.code)), wrong.message)
        return found

    def __repr__(self) -> str:
        return f"{plain(self._shown_task())}\n\n{plain(self._doors())}\n\n{self.stub.code}"


def named(code: str, name: str) -> str:
    """Return a stub that ends with the answer's own name."""
    return re.sub(r"^answer = ", f"{name} = ", code, flags=re.MULTILINE)


def _same_code(one: object, other: object) -> bool:
    """Whether two classes or functions do the same, instruction by instruction."""
    if isinstance(one, FunctionType) and isinstance(other, FunctionType):
        return _alike(one.__code__, other.__code__)
    if isinstance(one, type) and isinstance(other, type):
        first, second = (
            {name: value for name, value in vars(kind).items() if isinstance(value, FunctionType)}
            for kind in (one, other)
        )
        return list(first) == list(second) and all(_same_code(first[name], second[name]) for name in first)
    return False


def _alike(one: CodeType, other: CodeType) -> bool:
    return (
        one.co_code == other.co_code
        and one.co_names == other.co_names
        and all(
            _alike(a, b) if isinstance(a, CodeType) and isinstance(b, CodeType) else a == b
            for a, b in zip(one.co_consts, other.co_consts, strict=False)
        )
    )
