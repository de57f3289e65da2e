"""One history before all models: from what a session may expect to what one copy would do."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from itertools import pairwise

from dscourse.consistency.causality import SESSION_GUARANTEES, check_causal, check_session_guarantee
from dscourse.consistency.history import History, Operation
from dscourse.consistency.linearizability import check_linearizable
from dscourse.consistency.models import Model, Register
from dscourse.consistency.sequential import check_sequential
from dscourse.consistency.verdict import HistoryVerdict

__all__ = ["CONSISTENCY_MODELS", "check_all", "deciding_operations", "implied_models"]

Check = Callable[[History, Model], HistoryVerdict]

# From weak to strong; each of the last three allows less than all before it.
CONSISTENCY_MODELS: tuple[str, ...] = (*SESSION_GUARANTEES, "causal", "sequential", "linearizable")
_CHAIN = ("causal", "sequential", "linearizable")


def implied_models(name: str) -> tuple[str, ...]:
    """The models that a history of this one keeps in any case."""
    if name not in _CHAIN:
        return ()
    return (*SESSION_GUARANTEES, *_CHAIN[: _CHAIN.index(name)])


def check_all(
    history: History, model: Model | None = None, *, decide: bool = True, most_states: int = 20_000
) -> dict[str, HistoryVerdict]:
    """Ask all consistency models about a history of reads and writes.

    Args:
        history: small, if the operations that decide are to be found: one check an operation.
        model: what a key holds at first; by default None.
        decide: whether to find, for each model that doesn't allow it, the operations that decide.
        most_states: of a search, after which its outcome is "unknown"; a tenth as many ways to say which write was
            read, where values were written more than once.

    Returns:
        The verdict of each of `CONSISTENCY_MODELS`, from weak to strong.

    Raises:
        ValueError: a process's operations overlap.
        LookupError: an operation that is neither a read nor a write.
    """
    store = Register() if model is None else model
    verdicts = {name: check(history, store) for name, check in _checks(most_states).items()}
    for weaker, name in pairwise(_CHAIN):
        if verdicts[name].outcome == "unknown" and verdicts[weaker].outcome == "illegal":
            verdicts[name] = replace(
                verdicts[weaker], explanation=f"It isn't even {weaker}. {verdicts[weaker].explanation}"
            )
    for name in reversed(_CHAIN):
        for weaker in implied_models(name) if verdicts[name] else ():
            if verdicts[weaker].outcome == "unknown":
                verdicts[weaker] = HistoryVerdict("ok", f"It is even {name}.")
    if not decide:
        return verdicts
    quick = _checks(max(1, most_states // 10))
    return {
        name: replace(verdict, deciding=deciding_operations(history, quick[name], store, verdict.culprit))
        if verdict.outcome == "illegal" and not verdict.deciding
        else verdict
        for name, verdict in verdicts.items()
    }


def _checks(most_states: int) -> dict[str, Check]:
    readings = max(1, most_states // 10)
    sessions: dict[str, Check] = {
        name: partial(_check_session, name, most_readings=readings) for name in SESSION_GUARANTEES
    }
    return {
        **sessions,
        "causal": partial(check_causal, most_readings=readings),
        "sequential": partial(check_sequential, most_states=most_states),
        "linearizable": partial(check_linearizable, most_states=most_states),
    }


def _check_session(guarantee: str, history: History, model: Model, *, most_readings: int) -> HistoryVerdict:
    return check_session_guarantee(history, guarantee, model, most_readings=most_readings)


def deciding_operations(
    history: History, check: Check, model: Model, culprit: Operation | None = None
) -> tuple[Operation, ...]:
    """Operations of an illegal history that are illegal by themselves; none but the culprit can be left out.

    A write is left out only together with the reads that returned it, since to read what nobody wrote is illegal for
    another reason.
    """
    kept = list(history)
    for one in reversed(history.operations):
        fewer = [other for other in kept if not _goes_with(other, one)]
        if len(fewer) < len(kept) and (culprit is None or culprit in fewer):
            kept = fewer if check(History(fewer), model).outcome == "illegal" else kept
    return tuple(kept)


def _goes_with(other: Operation, one: Operation) -> bool:
    """Whether an operation can't stay if another is left out."""
    return other is one or (
        not one.is_read and other.is_read and (other.key, other.value) == (one.key, one.value)
    )
