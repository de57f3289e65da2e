"""The Python that reproduces what the learner did by hand."""

from __future__ import annotations

import inspect
import re
from collections.abc import Sequence
from functools import partial
from types import FrameType

from dscourse.simulation import Byzantine, Fault, Run


def code_for(faults: Sequence[Fault], name: str, base: Run) -> str:
    """Return code that makes the run that is in the player now and calls it ``forked``.

    Args:
        faults: what the learner added, in order.
        name: of the variable that holds the run given to `play`; empty if there is none, then the code builds that run
            from the scenario's JSON.
        base: the run given to `play`.
    """
    named = {type(fault).__name__ for fault in faults}
    lies = {type(fault.behaviour) for fault in faults if isinstance(fault, Byzantine)}
    named |= {lie.__name__ for lie in lies if lie.__module__.startswith("dscourse.simulation.")}
    is_new = not name and base.scenario.takes_faults
    kinds = sorted(named | ({"Scenario"} if is_new else set()))
    lines = [f"from dscourse.simulation import {', '.join(kinds)}"] if kinds else []
    lines += [
        f"from {lie.__module__} import {lie.__name__}"
        for lie in sorted(lies, key=lambda lie: lie.__name__)
        if re.match(r"dscourse\.(?!simulation\.)", lie.__module__)  # those of the notebook are there
    ]
    if name:
        lines.append("")
    else:
        lines += _base_lines(base)
    lines += _fork_lines(faults, name or "run")
    return "\n".join(lines).lstrip("\n") + "\n"


def _fork_lines(faults: Sequence[Fault], start: str) -> list[str]:
    """One line per fault, in the order in which they were added, which decides between faults at the same instant."""
    if not faults:
        return [f"forked = {start}"]
    lines = []
    for fault in faults:
        lines.append(f"forked = {start}.fork({fault.begins or 0.0!r}, {fault!r})")
        start = "forked"
    return lines


def _base_lines(base: Run) -> list[str]:
    if not (base.scenario.takes_faults or base.scenario.is_script):
        return ["# This run was live, and nothing gives it again: keep it under a name.", ""]
    factory, settings = base.scenario.node_factory, ""
    lines = []
    if isinstance(factory, partial):
        given = [*map(repr, factory.args), *(f"{name}={value!r}" for name, value in factory.keywords.items())]
        factory, settings = factory.func, "".join(f", {setting}" for setting in given)
        lines.append("from functools import partial")
    module, named = getattr(factory, "__module__", ""), getattr(factory, "__name__", "NodeFactory")
    if module and module != "__main__":
        lines.append(f"from {module} import {named}")
    if settings:
        named = f"partial({named}{settings})"
    kind = "Scenario"
    if base.scenario.is_script:
        kind = "ScriptScenario"
        lines.append(f"from dscourse.exploration import {kind}")
    return [
        *lines,
        "",
        f"scenario = {kind}.from_json({base.scenario.to_json()!r}, {named})",
        f"run = scenario.run(until={base.until!r})",
    ]


def name_of(run: Run, frame: FrameType | None) -> str:
    """Return the name under which a caller's frame knows a run, or "" if it has none (an underscore doesn't count)."""
    while frame is not None and frame.f_globals.get("__name__", "").startswith("dscourse.views"):
        frame = frame.f_back
    if frame is None:
        return ""
    for names in (frame.f_locals, frame.f_globals):
        for name, value in names.items():
            if value is run and name.isidentifier() and not name.startswith("_"):
                return str(name)
    return ""


def caller() -> FrameType | None:
    """Return the frame of whoever called the function that calls this."""
    here = inspect.currentframe()
    return here.f_back.f_back if here is not None and here.f_back is not None else None
