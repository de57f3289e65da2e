"""What ought to hold in a run, and the words for when it doesn't.

    run.check(
        never(lambda now: sum(s.status == "leader" for s in now.status.values()) > 1, name="two leaders"),
        eventually(lambda now: len(now.status) == 5, after=10.0),
    )

A predicate is asked after every event, with the `Moment` then; besides the state it has ``now.event``, the event just
past. With ``after`` it is also asked at that time, for a state lasts until the next event; ``now.event`` is then None.
"""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dscourse.arguments import one_of, real, text
from dscourse.simulation.moment import Moment
from dscourse.simulation.virtual_time import LONGEST, to_microseconds

if TYPE_CHECKING:
    from dscourse.simulation.recording import Change
    from dscourse.simulation.trace import Trace

Predicate = Callable[[Any], Any]  # of a `Moment`; for "holds" of a `Run`
_BEFORE, _AFTER = 4, 6  # events shown around a violation


@dataclass(frozen=True)
class Property:
    """Something that ought to hold; made by `always`, `never`, `sometimes`, `eventually` and `holds`.

    Attributes:
        kind: which of the five.
        predicate: function of a `Moment` (for "holds" of a `Run`); true or false.
        name: in words.
        after: for "eventually": from when on, in seconds.
        stays: for "eventually": must still hold at the end.
    """

    kind: str
    predicate: Predicate
    name: str
    after: float = 0.0
    stays: bool = False

    def __post_init__(self) -> None:
        one_of("kind", self.kind, ("always", "never", "sometimes", "eventually", "holds"))
        if not callable(self.predicate):
            raise TypeError(
                f"{self.kind} takes a function of a moment, such as lambda now: ..., got {self.predicate!r}"
            )
        text("name", self.name)
        object.__setattr__(self, "after", real("after", self.after, at_least=0.0, at_most=LONGEST))
        if not isinstance(self.stays, bool):
            raise TypeError(f"stays must be True or False, got {self.stays!r}")

    @property
    def forbids(self) -> bool:
        """Whether one moment can break it, so that the rest of a run need not be looked at."""
        return self.kind in ("always", "never")

    def holds(self, moment: Any) -> bool:
        """What the predicate says of a moment, or of a run."""
        answer = self.predicate(moment)
        return answer if answer is True or answer is False else self.truth(answer)

    def truth(self, answer: Any) -> bool:
        """Whether an answer of the predicate means yes."""
        if answer is None and _has_no_return(self.predicate):
            raise TypeError(f"{self.kind}: {self.predicate.__name__} returns nothing; is a return missing?")
        try:
            return bool(answer)
        except ValueError:  # an array
            raise TypeError(
                f"{self.kind}({self.name}): the function must return true or false, got {answer!r}; "
                "say whether you mean .all() or .any() of it"
            ) from None


@dataclass(frozen=True)
class Verdict:
    """Whether a property held.

    Attributes:
        property: as given.
        holds: whether it did.
        time: when it was violated first, or (for "sometimes" and "eventually") came true first; None if never.
        nodes: that took part in the event at that time, and those whose fields it changed.
        index: of that event in the trace; None if there is none.
        text: all of it in words.
    """

    property: Property
    holds: bool
    time: float | None
    nodes: tuple[str, ...]
    index: int | None
    text: str

    def __bool__(self) -> bool:
        return self.holds

    def __repr__(self) -> str:
        return self.text


class Verdicts:
    """The verdicts on several properties; true if all hold."""

    def __init__(self, verdicts: Iterable[Verdict]) -> None:
        self._verdicts = tuple(verdicts)

    def __bool__(self) -> bool:
        return all(self._verdicts)

    def __len__(self) -> int:
        return len(self._verdicts)

    def __iter__(self) -> Iterator[Verdict]:
        return iter(self._verdicts)

    def __getitem__(self, place: int) -> Verdict:
        return self._verdicts[place]

    def __repr__(self) -> str:
        return "\n".join(verdict.text for verdict in self._verdicts) or "no properties"


def always(predicate: Predicate, name: str | None = None) -> Property:
    """``predicate`` must hold at every moment."""
    return _property("always", predicate, name)


def never(predicate: Predicate, name: str | None = None) -> Property:
    """``predicate`` must hold at no moment."""
    return _property("never", predicate, name)


def sometimes(predicate: Predicate, name: str | None = None) -> Property:
    """``predicate`` must hold at one moment at least. It shows that a test reaches what it is meant to test."""
    return _property("sometimes", predicate, name)


def eventually(
    predicate: Predicate, name: str | None = None, *, after: float = 0.0, stays: bool = False
) -> Property:
    """``predicate`` must come true, at some moment at or after ``after``.

    Args:
        predicate: function of a `Moment`.
        name: in words.
        after: seconds; the time at which the last fault ends, say.
        stays: it must also go on to hold to the end of the run.
    """
    return _property("eventually", predicate, name, after, stays)


def holds(predicate: Predicate, name: str | None = None) -> Property:
    """``predicate`` must be true of the whole run; it is asked once, when the run is over.

    Args:
        predicate: function of a `Run`: of its history, its latencies, its trace. It may return a verdict of its own,
            true or false, whose ``explanation`` says why in words.
        name: in words.
    """
    return _property("holds", predicate, name)


def judge(item: Any) -> Judge:
    """What will watch a run for one property."""
    if not isinstance(item, Property):
        raise TypeError(f"check takes properties, such as always(lambda now: ...), got {item!r}")
    return Judge(item)


class Judge:
    """Watches one property through a run.

    Attributes:
        property: what is watched.
        begin: from when on, in µs.
        is_broken: whether it is known already that the property does not hold.
    """

    def __init__(self, item: Property) -> None:
        self.property = item
        self.begin = to_microseconds(item.after)
        self.is_broken = False
        self._found: tuple[float, int | None, tuple[str, ...]] | None = None
        self._predicate = item.predicate
        self._is_simple = not item.stays and not self.begin and item.kind != "holds"
        self._breaks = item.kind != "always"  # the answer that is noted when it first comes

    def see(self, moment: Moment, changes: Sequence[Change] = ()) -> None:
        """One event is over."""
        item = self.property
        if self._is_simple:
            if self._found is None:
                answer = self._predicate(moment)
                if answer is not True and answer is not False:
                    answer = item.truth(answer)
                if answer is self._breaks:
                    self._note(moment, changes)
            return
        if item.kind == "holds" or moment.time_us < self.begin:
            return
        if item.stays:
            if not item.holds(moment):
                self._found = None
            elif self._found is None:
                self._note(moment, changes)
        elif self._found is None and item.holds(moment) == (item.kind != "always"):
            self._note(moment, changes)

    def holds_of(self, run: Any) -> bool:
        """Whether the property holds, now that the `Run` is over."""
        if self.property.kind == "holds":
            return self.property.holds(run)
        return (self._found is not None) == (self.property.kind in ("sometimes", "eventually"))

    def verdict(self, run: Any) -> Verdict:
        """The `Run` is over."""
        item, found = self.property, self._found
        if item.kind == "holds":
            return _of_whole_run(item, run)
        holds = self.holds_of(run)
        time, index, nodes = found if found is not None else (None, None, ())
        return Verdict(item, holds, time, nodes, index, _words(item, holds, found, run))

    def _note(self, moment: Moment, changes: Sequence[Change]) -> None:
        self.is_broken = self.property.forbids
        event = moment.event
        named = [] if event is None else [event.node, event.peer]
        named += [change.node for change in changes]
        nodes = tuple(dict.fromkeys(name for name in named if name is not None))
        self._found = (moment.time, None if event is None else event.index, nodes)


def _has_no_return(predicate: Predicate) -> bool:
    """Whether a function has no return with a value, as far as its source can be had."""
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(predicate)))
    except (OSError, TypeError, SyntaxError):
        return False
    if not isinstance(tree.body[0], ast.FunctionDef):
        return False
    return not any(isinstance(node, ast.Return) and node.value is not None for node in ast.walk(tree))


def _property(
    kind: str, predicate: Predicate, name: str | None, after: float = 0.0, stays: bool = False
) -> Property:
    if name is None:
        name = getattr(predicate, "__name__", "").replace("_", " ").replace("<lambda>", "the property")
    return Property(kind, predicate, name, after, stays)


def _of_whole_run(item: Property, run: Any) -> Verdict:
    answer = item.predicate(run)
    fulfilled = item.truth(answer)
    why = getattr(answer, "explanation", "")
    words = f"{item.kind}({item.name}): {'holds' if fulfilled else 'violated'}{f'. {why}' if why else '.'}"
    return Verdict(item, fulfilled, None, (), None, words)


def _words(
    item: Property, holds: bool, found: tuple[float, int | None, tuple[str, ...]] | None, run: Any
) -> str:
    label = f"{item.kind}({item.name})"
    whole = f"the run of {run.until:g} s" + (
        "" if run.stopped is None else f", which was stopped at {run.stopped:g} s"
    )
    span = f" at or after {item.after:g} s" if item.after else ""
    if found is None:
        if holds:
            return f"{label}: holds throughout {whole}."
        true = "true and stayed true" if item.stays else "true"
        return f"{label}: violated. It never was {true}{span} in {whole}."
    time, index, nodes = found
    if holds:
        return f"{label}: holds; true {'from' if item.stays else 'at'} {time:.6g} s{' on' if item.stays else ''}."
    lines = [
        f"{label}: violated at {time:.6g} s" + (f", with {', '.join(nodes)} taking part." if nodes else ".")
    ]
    if index is not None:
        lines += _around(run.trace, index)
    return "\n".join(lines)


def _around(trace: Trace, index: int) -> list[str]:
    places = range(max(0, index - _BEFORE), min(len(trace), index + _AFTER + 1))
    return [f"  {'→' if place == index else ' '} {trace[place].text}" for place in places]
