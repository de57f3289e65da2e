"""Steps: what an adversary without a clock can do to a cluster, as data.

A list of steps is a schedule: it says what arrives, in which order, which timers go off and who is down. Take it with
`script`.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from dscourse.arguments import items, text, whole
from dscourse.simulation.json_parts import part, rebuilt
from dscourse.simulation.messages import canonical_json, check_value, plain_json
from dscourse.simulation.names import unknown


class Step:
    """What all steps have: checked fields, and words."""

    def __post_init__(self) -> None:
        for field in dataclasses.fields(self):  # type: ignore[arg-type]
            check = _CHECKS[field.name]
            name = f"{field.name} of {type(self).__name__}"
            object.__setattr__(self, field.name, check(name, getattr(self, field.name)))

    @property
    def nodes(self) -> tuple[str, ...]:
        """The nodes that it names."""
        named = (getattr(self, name, None) for name in ("sender", "to", "node"))
        return tuple(name for name in named if name is not None)

    def to_json_value(self) -> dict[str, Any]:
        """The step as a dict for JSON: its kind under ``"step"``, and its fields."""
        values = {}
        for field in dataclasses.fields(self):  # type: ignore[arg-type]
            value = getattr(self, field.name)
            if value != field.default:
                values[field.name] = plain_json(value, f"{field.name} of {type(self).__name__}")
        return {"step": type(self).__name__, **values}

    def __repr__(self) -> str:
        """The step as code."""
        arguments = []
        for field in dataclasses.fields(self):  # type: ignore[arg-type]
            value = getattr(self, field.name)
            if field.default is dataclasses.MISSING:
                arguments.append(repr(value))
            elif value != field.default:
                arguments.append(f"{field.name}={value!r}")
        return f"{type(self).__name__}({', '.join(arguments)})"


@dataclass(frozen=True, repr=False)
class MailStep(Step):
    """What befalls one message that waits on a link.

    The messages that wait on a link stand in order of sending, copies last.

    Args:
        sender: who sent it.
        to: to whom.
        nth: which of those that wait on that link, from 1.
        message: only messages of this type count, a class or its name.
    """

    sender: str
    to: str
    nth: int = 1
    message: Any = None

    @property
    def words(self) -> str:
        """Which message, in words."""
        kind = f"{self.message} " if self.message else "message "
        return f"{kind}{self.nth} from {self.sender} to {self.to}"


@dataclass(frozen=True, repr=False)
class Deliver(MailStep):
    """A message arrives, see `MailStep`; at a node that is down it is dropped."""


@dataclass(frozen=True, repr=False)
class Lose(MailStep):
    """A message gets lost, see `MailStep`."""


@dataclass(frozen=True, repr=False)
class Repeat(MailStep):
    """The network makes a copy of a message, see `MailStep`; it waits behind all others. Nothing arrives yet."""


@dataclass(frozen=True, repr=False)
class Fire(Step):
    """A pending timer goes off, whatever others are pending.

    Args:
        node: whose.
        timer: its name.
    """

    node: str
    timer: str


@dataclass(frozen=True, repr=False)
class Ask(Step):
    """A client asks a node for something; the request arrives at once, and so does a reply. Each has its own client.

    Args:
        node: who is asked.
        operation: for what.
    """

    node: str
    operation: Any


@dataclass(frozen=True, repr=False)
class Down(Step):
    """A node crashes: its memory and its timers are gone; what it saved and what it sent remain.

    Args:
        node: which.
    """

    node: str


@dataclass(frozen=True, repr=False)
class Up(Step):
    """A node that is down boots again.

    Args:
        node: which.
    """

    node: str


STEPS: dict[str, type[Step]] = {kind.__name__: kind for kind in (Deliver, Lose, Repeat, Fire, Ask, Down, Up)}


def step_from_json_value(value: Any) -> Step:
    """Rebuild a step from what `Step.to_json_value` gave; unknown kinds and fields are refused."""
    if not isinstance(value, dict) or "step" not in value:
        raise ValueError(f'a step in JSON is an object with "step" in it, got {value!r}')
    kind = part("the kind of a step", value["step"], str)
    if kind not in STEPS:
        raise unknown("kind of step", kind, STEPS)
    step: Step = rebuilt(STEPS[kind], {name: given for name, given in value.items() if name != "step"})
    return step


def steps_to_json(steps: Iterable[Step]) -> str:
    """Steps as one line of JSON."""
    return canonical_json([step.to_json_value() for step in steps])


def steps_from_json(text: str) -> tuple[Step, ...]:
    """Steps from `steps_to_json`.

    Raises:
        ValueError: the text is no list of steps.
    """
    try:
        value = json.loads(text)
    except (TypeError, ValueError) as error:
        raise ValueError(f"these are no steps in JSON: {error}") from None
    return tuple(step_from_json_value(item) for item in part("steps", value, list))


def checked_steps(steps: object) -> tuple[Any, ...]:
    """Return the steps of a schedule."""
    return items("steps", steps, 'a list of steps, such as [Deliver("n0", "n1")]', Step)


def _message_type(name: str, value: Any) -> str | None:
    if value is None:
        return None
    return value.__name__ if isinstance(value, type) else text(name, value)


def _operation(name: str, value: Any) -> Any:
    value = _tuples(value)
    check_value(value, name)
    return value


def _tuples(value: Any) -> Any:
    """Lists become tuples: an operation may come from JSON."""
    return tuple(_tuples(item) for item in value) if isinstance(value, list) else value


_CHECKS: dict[str, Callable[[str, Any], Any]] = {
    "sender": text,
    "to": text,
    "node": text,
    "timer": text,
    "nth": lambda name, given: whole(name, given, at_least=1),
    "message": _message_type,
    "operation": _operation,
}
