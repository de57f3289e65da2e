"""A node that touches the world otherwise than through its context, or keeps something where a crash doesn't reach it."""

from __future__ import annotations

import dis
from collections.abc import Iterator
from types import BuiltinFunctionType, CodeType, FunctionType, MethodType, ModuleType
from typing import Any

from dscourse.exercises._learner_code import is_library

_INSTEAD = {
    "random": "its luck from `ctx.rng`",
    "secrets": "its luck from `ctx.rng`",
    "uuid": "its luck from `ctx.rng`",
    "time": "the time from `ctx.now`",
    "datetime": "the time from `ctx.now`",
}
_READS_A_NAME = {"LOAD_GLOBAL", "LOAD_NAME"}


def outside_help(written: object) -> str | None:
    """Return what is said to code that takes luck or time from elsewhere, or None if it doesn't."""
    for function in _functions(written):
        for code in _codes(function.__code__):
            for module, name in _modules_used(code, function.__globals__):
                return (
                    f"Your code uses `{name}`. A node takes {_INSTEAD[module]} and from nowhere else: the same schedule must "
                    "give the same run every time, or nobody could show you what went wrong."
                )
    return None


def kept_outside(written: object) -> dict[str, str]:
    """Return what the learner's code can reach besides its node: class attributes, globals and default arguments, written out."""
    kept: dict[str, str] = {}
    for kind in _classes(written):
        for name, value in vars(kind).items():
            if not name.startswith("__") and not _is_code(value):
                kept[f"the class attribute `{kind.__name__}.{name}`"] = _written(value)
    for function in _functions(written):
        for value in [*(function.__defaults__ or ()), *(function.__kwdefaults__ or {}).values()]:
            if not _is_code(value):
                kept.setdefault(f"a default argument of `{function.__name__}`", "")
                kept[f"a default argument of `{function.__name__}`"] += _written(value)
        for code in _codes(function.__code__):
            for name in code.co_names:
                if name in function.__globals__ and not _is_code(function.__globals__[name]):
                    kept[f"the global `{name}`"] = _written(function.__globals__[name])
    return kept


def mentions(written: object, name: str) -> bool:
    """Whether the learner's code reads a name or an attribute that is called so."""
    codes = (code for function in _functions(written) for code in _codes(function.__code__))
    return any(name in code.co_names for code in codes)


def told_of(place: str) -> str:
    """Return what is said to a node that keeps something outside itself."""
    return (
        f"Your node keeps something outside itself: in {place}. After a crash a node must know nothing but `ctx.stored`, and "
        "what one node keeps no other can see; yours survives the crash, and all of them share it. Keep it in `self`, or "
        "`ctx.save` it."
    )


def _classes(written: object) -> Iterator[type]:
    """The learner's own classes that a class is made of."""
    for kind in type.mro(written) if isinstance(written, type) else ():
        if any(not is_library(function.__code__.co_filename) for function in _methods(kind)):
            yield kind


def _methods(kind: type) -> Iterator[FunctionType]:
    for value in vars(kind).values():
        inner = getattr(value, "__func__", getattr(value, "fget", value))
        if isinstance(inner, FunctionType):
            yield inner


def _functions(written: object) -> Iterator[FunctionType]:
    """The learner's functions that a class or function is made of, and those of the same cell that these call."""
    todo = [written] if isinstance(written, FunctionType) else []
    todo += [function for kind in _classes(written) for function in _methods(kind)]
    seen: set[int] = set()
    while todo:
        function = todo.pop(0)
        if id(function) in seen or is_library(function.__code__.co_filename):
            continue
        seen.add(id(function))
        yield function
        for code in _codes(function.__code__):
            called = [function.__globals__.get(name) for name in code.co_names]
            todo += [value for value in called if isinstance(value, FunctionType)]


def _codes(code: CodeType) -> Iterator[CodeType]:
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _codes(constant)


def _modules_used(code: CodeType, scope: dict[str, Any]) -> Iterator[tuple[str, str]]:
    steps = list(dis.get_instructions(code))
    for step, after in zip(steps, [*steps[1:], None], strict=True):
        if step.opname == "IMPORT_NAME":
            module = str(step.argval).partition(".")[0]
            if module in _INSTEAD:
                yield module, module
        elif step.opname in _READS_A_NAME:
            value = scope.get(step.argval)
            module = _module_of(value)
            if module == "numpy" and after is not None and after.argval == "random":
                yield "random", f"{step.argval}.random"
            elif module in _INSTEAD:
                yield module, str(step.argval)


def _module_of(value: object) -> str:
    if isinstance(value, ModuleType):
        return value.__name__.partition(".")[0]
    if isinstance(value, BuiltinFunctionType | MethodType | type):
        owner = getattr(value, "__self__", None)
        module = (
            type(owner).__module__ if type(owner).__module__ in _INSTEAD else getattr(value, "__module__", "")
        )
        return str(module)
    return ""


def _is_code(value: object) -> bool:
    return callable(value) or isinstance(value, ModuleType | property | staticmethod | classmethod)


def _written(value: object) -> str:
    try:
        return repr(value)
    except Exception:  # noqa: BLE001 - a learner's class may not be able to write itself
        return f"a {type(value).__name__}"
