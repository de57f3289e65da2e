"""What a store ought to do if there were only one copy and one thing happened at a time.

A model of your own is a class with `initial` and `step`, and the rest inherited:

    @dataclass(frozen=True)
    class Counter(Model):
        initial: int = 0

        def step(self, state, operation):
            if operation.operation == "add":
                return state + operation.value
            return state if operation.value == state else REFUSED
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Any, Final, Literal

from dscourse.consistency.history import Operation

__all__ = ["REFUSED", "CasRegister", "KeyValue", "Model", "Register"]


class _Refused(Enum):
    """What `step` returns where an operation could not have returned what it did."""

    REFUSED = "refused"


REFUSED: Final = _Refused.REFUSED


@dataclass(frozen=True)
class Model:
    """One object: its first state, and what each operation does to it.

    A history with keys has one such object a key. States must be hashable.
    """

    initial: Any = None

    def step(self, state: Any, operation: Operation) -> Any | Literal[_Refused.REFUSED]:
        """The state after an operation that takes effect in a state; `REFUSED` if it can't have taken effect there."""
        raise NotImplementedError(
            f"{type(self).__name__} must say in step(state, operation) what operations do"
        )

    def only_looks(self, operation: Operation) -> bool:
        """Whether an operation leaves every state as it is."""
        return operation.is_read

    def overwrites(self, operation: Operation) -> bool:
        """Whether it doesn't matter after an operation what was there before."""
        return operation.operation in ("write", "put")

    def can_become(self, state: Any, value: Any) -> bool:
        """Whether a state may become another by operations that don't overwrite it.

        Saying no, where that is certain, saves a search much time. Operations that don't overwrite must be possible in
        every state then.
        """
        return True

    def tells(self, operation: Operation) -> bool:
        """Whether an operation says anything: a failed one wasn't done, and a read without an answer tells nothing."""
        return operation.outcome == "ok" or (
            operation.outcome == "unknown" and not self.only_looks(operation)
        )


@dataclass(frozen=True)
class Register(Model):
    """Read and write one value."""

    def step(self, state: Any, operation: Operation) -> Any | Literal[_Refused.REFUSED]:
        """A read returns what was written last."""
        if operation.is_read:
            return state if operation.value == state else REFUSED
        if operation.operation in ("write", "put"):
            return operation.value
        raise _unknown_operation(self, operation, "read, get, write, put")

    def can_become(self, state: Any, value: Any) -> bool:
        """Only a write changes it."""
        return bool(state == value)


@dataclass(frozen=True)
class CasRegister(Register):
    """A register with compare-and-set: ("cas", (expected, new)) writes only if the value is the expected one.

    A "cas" that failed says that the value was another one; leave out those that failed for another reason.
    """

    def step(self, state: Any, operation: Operation) -> Any | Literal[_Refused.REFUSED]:
        """A "cas" is done where the value is the expected one, and fails elsewhere."""
        if operation.operation != "cas":
            return super().step(state, operation)
        expected, new = operation.value
        if operation.outcome == "fail":
            return state if state != expected else REFUSED
        return new if state == expected else REFUSED

    can_become = Model.can_become  # a "cas" may change it

    def only_looks(self, operation: Operation) -> bool:
        """Reads, and a "cas" that failed."""
        return operation.is_read or operation.outcome == "fail"

    def tells(self, operation: Operation) -> bool:
        """What every model says, and of a failed "cas" that the value was another one."""
        return super().tells(operation) or (operation.operation == "cas" and operation.outcome == "fail")


@dataclass(frozen=True)
class KeyValue(Register):
    """Keys that are got, put and appended to; a key that nobody has put holds the empty text."""

    initial: Any = ""

    def step(self, state: Any, operation: Operation) -> Any | Literal[_Refused.REFUSED]:
        """An "append" puts its value behind what is there."""
        if operation.operation == "append":
            return state + operation.value
        return super().step(state, operation)

    def can_become(self, state: Any, value: Any) -> bool:
        """Appends leave what there is at the beginning."""
        return bool(value.startswith(state)) if isinstance(value, str) else True


def _unknown_operation(model: Model, operation: Operation, known: str) -> LookupError:
    return LookupError(
        f"{type(model).__name__} knows no operation {operation.operation!r}, only {known}; "
        "CasRegister has cas, and KeyValue has append"
    )
