"""The learner as the examiner: properties or a schedule that tell a right node from wrong ones."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from dscourse.exercises._cluster_examination import EVENTS, ClusterExamination, Schedule
from dscourse.exercises._exercise import Exercise, Mistake, Unfit
from dscourse.exercises._feedback import Feedback
from dscourse.exercises._learner_code import is_untouched, run_answer
from dscourse.exercises._node_exercise import NodeExercise, WrongNode, named
from dscourse.exercises._stub import Stub
from dscourse.exploration.search import first_broken
from dscourse.exploration.shrink import whole_run
from dscourse.simulation import Fault, Property, Run

_Outcome = tuple[str | None, tuple[str, ...]]  # the schedule in which the right node is refused; who got away


class ExaminerExercise(Exercise):
    """Properties, or a list of faults, are to be written: they must accept the right node and catch the wrong ones.

    Args:
        name: "module.name", where the exercise stands.
        of: the exercise whose nodes are examined.
        stub: code with gaps, which ends with `answer = …`.
        mistakes: typical ones; one speaks if an answer refuses and catches the same.
        **texts: the texts of every `Exercise`.
    """

    def __init__(
        self, name: str, *, of: NodeExercise, stub: str, mistakes: Sequence[Mistake], **texts: Any
    ) -> None:
        super().__init__(name, **texts)
        if not isinstance(of.examination, ClusterExamination):
            raise TypeError(f"{name} examines nodes in a cluster, and {of.name} has none")
        self.stub = Stub(named(stub, self.answer_name))
        self._examination = of.examination
        self._wrong = of.wrong_nodes
        self._right_code = of.solution_code
        self._mistakes = tuple(mistakes)
        self._counterexample: Run | None = None
        self._found = ""

    @property
    def mistakes(self) -> tuple[Mistake, ...]:
        """The typical mistakes that it knows."""
        return self._mistakes

    @property
    def counterexample(self) -> Run:
        """A run of the right node that was refused, or of a wrong one that got away.

        Raises:
            LookupError: there was none.
        """
        if self._counterexample is None:
            raise LookupError("no right node was refused and no wrong one got away")
        return self._counterexample

    def judge(self, answer: object) -> Feedback:
        """Judge an answer without remembering it."""
        self._counterexample, self._found = None, ""
        feedback = super().judge(answer)
        return replace(feedback, found=self._found)

    def _is_untouched(self, answer: object) -> bool:
        items = answer if isinstance(answer, list | tuple) else [answer]
        predicates = [item.predicate for item in items if isinstance(item, Property)]
        return is_untouched(answer) or (
            bool(predicates) and all(is_untouched(predicate) for predicate in predicates)
        )

    def _fault_in(self, answer: object) -> str | None:
        properties, schedules = self._read(answer)
        outcome = self._outcome(properties, schedules)
        refused_in, escaped = outcome
        if refused_in is None and not escaped:
            return None
        door = f"`play({self._short_name()}.counterexample)`"
        if refused_in is not None:
            self._counterexample = self._run(
                self._right_code, next(s for s in schedules if s.name == refused_in)
            )
            self._found = f"To see a right node that you refuse: {door}"
            return (
                self._words_known.get(outcome)
                or f"You refuse a node that is right. Schedule: “{refused_in}”."
            )
        wrong = next(wrong for wrong in self._wrong if wrong.name == escaped[0])
        self._counterexample = self._shown(wrong, schedules)
        caught = len(self._wrong) - len(escaped)
        those = "; ".join(f"one that {name}" for name in escaped)
        self._found = f"You caught {caught} of {len(self._wrong)}; the ones that got away: {those}. To see the first: {door}"
        return self._words_known.get(outcome) or "You accept the right node, and some wrong ones, too."

    @functools.cached_property
    def _words_known(self) -> dict[_Outcome, str]:
        return {self._outcome(*self._read(run_answer(one.code))): one.message for one in self._mistakes}

    def _read(self, answer: object) -> tuple[Sequence[Property], Sequence[Schedule]]:
        """What is asked, in which schedules: a learner's list of faults is one more way for things to go wrong."""
        items = [answer] if isinstance(answer, Property | Fault) else answer
        if not isinstance(items, list | tuple) or not items:
            raise Unfit
        if all(isinstance(item, Property) for item in items):
            if any(item.kind == "sometimes" for item in items):
                raise Unfit("a `sometimes` says what a test must reach, and forbids nothing")
            return items, self._examination.schedules
        if all(isinstance(item, Fault) for item in items):
            try:
                self._examination.scenario(run_answer(self._right_code), items)
            except (LookupError, ValueError) as problem:
                raise Unfit(problem.args[0]) from None
            return self._examination.properties, [Schedule("yours", tuple(items))]
        raise Unfit

    def _outcome(self, properties: Sequence[Property], schedules: Sequence[Schedule]) -> _Outcome:
        right = run_answer(self._right_code)
        for schedule in schedules:
            if self._breaks(right, properties, schedule):
                return schedule.name, ()
        escaped = [
            wrong.name
            for wrong in self._wrong
            if not any(self._breaks(run_answer(wrong.code), properties, schedule) for schedule in schedules)
        ]
        return None, tuple(escaped)

    def _breaks(self, written: Any, properties: Sequence[Property], schedule: Schedule) -> bool:
        return bool(first_broken(*self._examination.scheduled(written, schedule), properties, EVENTS))

    def _shown(self, wrong: WrongNode, schedules: Sequence[Schedule]) -> Run:
        """A run of a wrong node, the one in which it does wrong where that is known."""
        broken = {name for name, _ in self._examination.broken(run_answer(wrong.code))}
        return self._run(wrong.code, next((s for s in schedules if s.name in broken), schedules[0]))

    def _run(self, code: str, schedule: Schedule) -> Run:
        return whole_run(*self._examination.scheduled(run_answer(code), schedule), EVENTS)
