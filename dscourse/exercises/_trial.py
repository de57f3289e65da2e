"""An exercise whose answer is tried out: a design, a list of faults, keys to break a ring with."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any, Generic, TypeVar

from dscourse.exercises._exercise import Exercise, Mistake, Unfit
from dscourse.exercises._learner_code import learner_line, run_answer
from dscourse.exercises._misconception import Misconception
from dscourse.simulation import Fault, SimulationError

Tried = TypeVar("Tried")


class Rule(Generic[Tried]):
    """Something that an answer must not do, what is said to one that does, and answers that do.

    Args:
        message: what is said, as a text or as a function of what was tried.
        broken: whether what was tried breaks the rule.
        *examples: code of answers that keep every rule before this one, and break this.
        misconception: what somebody believes who breaks it, if it has a name; its message is a text then.
    """

    def __init__(
        self,
        message: str | Callable[[Tried], str],
        broken: Callable[[Tried], bool],
        *examples: str,
        misconception: Misconception | None = None,
    ) -> None:
        self.message = message
        self.broken = broken
        self.examples = examples
        self.misconception = misconception

    def words(self, tried: Tried) -> str:
        """Return what is said to an answer that breaks the rule."""
        return self.message if isinstance(self.message, str) else self.message(tried)


class TrialExercise(Exercise, Generic[Tried]):
    """Something to be designed or broken. The first rule that an answer breaks speaks; who breaks none has solved it.

    Args:
        name: "module.name", where the exercise stands.
        read: makes of an answer what is tried, or raises `Unfit`; what it makes may run whatever the rules ask of it.
        rules: in the order in which they are asked.
        **texts: the texts of every `Exercise`.

    Raises:
        ValueError: if a rule has no example, two rules say the same, or one answer is an example twice or the solution.
    """

    def __init__(
        self, name: str, *, read: Callable[[Any], Tried], rules: Sequence[Rule[Tried]], **texts: Any
    ) -> None:
        super().__init__(name, **texts)
        self._read = read
        self._rules = rules
        codes = [self.solution_code, *(code for rule in rules for code in rule.examples)]
        if len(set(codes)) < len(codes):
            raise ValueError(f"{name} has one answer twice")
        if not all(rule.examples for rule in rules):
            raise ValueError(f"{name} has a rule without an answer that breaks it")
        if len({rule.message for rule in rules}) < len(rules):
            raise ValueError(f"{name} has two rules that say the same")

    @cached_property
    def mistakes(self) -> tuple[Mistake, ...]:
        """The typical mistakes that it knows: every example of a rule, with the rule's words."""
        return tuple(
            Mistake(code, rule.words(self._read(run_answer(code))))
            for rule in self._rules
            for code in rule.examples
        )

    def _known(self) -> Sequence[Any]:
        return self._rules

    def _fault_in(self, answer: object) -> str | None:
        tried = self._read(answer)
        return next((rule.words(tried) for rule in self._rules if rule.broken(tried)), None)


def tried_with(run: Callable[[Sequence[Fault]], Tried], answer: object) -> Tried:
    """Return what comes of running an answer that is a list of faults.

    It raises Unfit if that is none, or can't be run, as when it names a node that isn't there.
    """
    if (
        not isinstance(answer, list | tuple)
        or not answer
        or not all(isinstance(fault, Fault) for fault in answer)
    ):
        raise Unfit
    try:
        return run(answer)
    except (LookupError, SimulationError, TypeError, ValueError) as problem:
        if learner_line(problem) is not None:  # a liar's behaviour of the learner's own
            raise
        raise Unfit(problem.args[0] if problem.args else problem) from None
