"""The widget: it sends a run to the browser and answers what the learner does there."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import anywidget
import traitlets

from dscourse import progress
from dscourse.arguments import instance, items, truth
from dscourse.simulation import Fault, NodeError, NotDeterministic, Run
from dscourse.simulation.behaviours import Behaviour
from dscourse.views import cluster
from dscourse.views.picture import Picture, with_still
from dscourse.views.player import bundle
from dscourse.views.player.code import caller, code_for, name_of
from dscourse.views.player.commands import ended, fault_for
from dscourse.views.player.lanes import Lane
from dscourse.views.player.node_state import insides
from dscourse.views.player.payload import pack
from dscourse.views.player.tasks import Task
from dscourse.views.shown import let_go_of_earlier


class Player(anywidget.AnyWidget):
    """A run in the player; made by `play`.

    Each fault that is added forks the run at the fault's time: the past stays, event for event, the future runs again.

    Attributes:
        run: the run that is shown now.
        faults: what the learner has added by hand, in order.
        done: names of the tasks that are done.
        code: Python that makes the run that is shown now.
        problem: what went wrong with the last command, in words; empty if nothing did.
    """

    _esm = bundle.javascript()
    _css = bundle.style()
    payload = traitlets.Bytes(b"").tag(sync=True)
    before = traitlets.Bytes(b"").tag(sync=True)
    acts = traitlets.List(traitlets.Unicode()).tag(sync=True)
    code = traitlets.Unicode("").tag(sync=True)
    fields = traitlets.Unicode("").tag(sync=True)
    problem = traitlets.Unicode("").tag(sync=True)
    answered = traitlets.Int(0).tag(sync=True)
    tasks = traitlets.Unicode("[]").tag(sync=True)
    hides_future = traitlets.Bool(True).tag(sync=True)
    hides_faults = traitlets.Bool(False).tag(sync=True)

    def __init__(
        self,
        run: Run,
        before: Run | None = None,
        name: str = "",
        *,
        tasks: Sequence[Task] = (),
        lanes: Sequence[Lane] = (),
        hide_future: bool = True,
        hide_faults: bool = False,
        lies: Sequence[Behaviour] = (),
    ) -> None:
        self._runs = [run]
        self._lies = tuple(lies)
        self._given_before = before
        self._lanes = tuple(lanes)
        self._hidden = (
            frozenset((*run.faults, *(before.faults if before else ()))) if hide_faults else frozenset()
        )
        self._tasks = {task.name: task for task in tasks}
        self._done = set(progress.tasks_done()) & set(self._tasks)
        self._faults: list[Fault] = []
        self._endless: dict[Fault, Fault] = {}  # a fault that was given an end → as it was before
        self._compares = before is not None
        self._name = name
        super().__init__(
            payload=self._packed(run),
            problem=_stopped(run),
            before=self._packed(before) if before is not None else b"",
            code=self._code(()),
            tasks=self._told_tasks(),
            hides_future=hide_future,
            hides_faults=hide_faults,
        )
        self._first_payload = self.payload
        self.on_msg(self._on_command)

    def __repr__(self) -> str:
        run = self.run
        return f"Player of a run of {run.until:g} s with {len(run.nodes)} nodes and {len(run.trace)} events"

    @property
    def run(self) -> Run:
        """The run that is shown now."""
        return self._runs[-1]

    @property
    def faults(self) -> tuple[Fault, ...]:
        """What the learner has added by hand, in order."""
        return tuple(self._faults)

    @property
    def done(self) -> tuple[str, ...]:
        """Names of the tasks that are done, in the order of the list."""
        return tuple(name for name in self._tasks if name in self._done)

    def reveal(self) -> None:
        """Show the faults of a run that was given with `hide_faults`."""
        self._hidden = frozenset()
        self.hides_faults = False
        self._first_payload = self._packed(self._runs[0])
        if self._given_before is not None:
            self.before = self._packed(self._given_before)
        self._show(self._runs, self._faults, self.problem)

    def add(self, fault: Fault) -> None:
        """Add a fault: fork the run at the fault's time and show the fork.

        Raises:
            ValueError, LookupError: if the run refuses the fault.
        """
        run, problem = _fork(self.run, fault)
        self._show([*self._runs, run], [*self._faults, fault], problem)

    def undo(self, index: int | None = None) -> None:
        """Take back a fault: the last one, or the one at ``index``. Of one that was given an end, first the end.

        Raises:
            IndexError: if there is no such fault.
        """
        if not self._faults:
            raise IndexError("there is no fault to undo")
        place = range(len(self._faults))[-1 if index is None else index]
        before = self._endless.get(self._faults[place])
        self._put_at(place, [] if before is None else [before])

    def _put_at(self, place: int, instead: list[Fault]) -> None:
        """Put these faults, or none, in the place of one; they come last, as what was done last."""
        faults = [*self._faults[:place], *self._faults[place + 1 :], *instead]
        runs, problem = self._runs[: place + 1], ""
        for fault in faults[place:]:
            run, problem = _fork(runs[-1], fault)
            runs.append(run)
        self._show(runs, faults, problem or _stopped(runs[-1]))

    def _show(self, runs: list[Run], faults: list[Fault], problem: str) -> None:
        payload = self._packed(runs[-1], min((fault.begins or 0.0 for fault in faults), default=None))
        self._runs, self._faults = runs, faults
        with self.hold_sync():  # one message: what belongs together arrives together
            if not self._compares:
                self.before = self._first_payload if faults else b""
            self.payload = payload
            self.acts = [repr(fault) for fault in faults]
            self.code = self._code(faults)
            self.problem = problem
            self._ask_tasks()

    def _packed(self, run: Run, changed_from: float | None = None) -> bytes:
        return pack(run, self._hidden, self._lanes, changed_from, self._lies)

    def _code(self, faults: Sequence[Fault]) -> str:
        name = self._name or ("run" if self._hidden else "")  # the scenario as JSON would tell of its faults
        return code_for(faults, name, self._runs[0])

    def _told_tasks(self) -> str:
        told = [
            {
                "name": name,
                "text": task.text,
                "done": name in self._done,
                "visits": [
                    [round(visit.begin * 1e6), round(visit.end * 1e6)] for visit in task.visits(self.run)
                ],
            }
            for name, task in self._tasks.items()
        ]
        return json.dumps(told)

    def _ask_tasks(self) -> None:
        for task in self._tasks.values():
            if task.name not in self._done and task.is_done_by(self.run):
                self._tick(task.name)
        self.tasks = self._told_tasks()  # what there is to find depends on the run

    def _tick(self, name: str) -> None:
        if name not in self._tasks:
            raise LookupError(f"there is no task {name!r}")
        self._done.add(name)
        notice = progress.record_task(name)
        self.tasks = self._told_tasks()
        self.problem = self.problem or notice

    def _on_command(self, _widget: object, command: Any, _buffers: object) -> None:
        try:
            self._obey(command)
        except Exception as error:  # noqa: BLE001 - whatever goes wrong is told where the learner looks
            self.problem = _in_words(error)
        if command.get("type") not in ("fields", "visited"):
            self.answered += 1

    def _obey(self, command: dict[str, Any]) -> None:
        kind = command.get("type")
        if kind == "act":
            self._act(command["act"], int(command["time"]) / 1e6)
        elif kind == "undo":
            self.undo(command.get("index"))
        elif kind == "fields":
            if self._hidden:
                raise ValueError("Reveal the faults first: what is inside the nodes would tell them.")
            self.fields = json.dumps(insides(self.run, int(command["time"])))
        elif kind == "visited":
            self._tick(command["name"])
        elif kind == "reveal":
            self.reveal()
        else:
            raise LookupError(f"the player knows no command {kind!r}")

    def _act(self, act: dict[str, Any], at: float) -> None:
        end = ended(act, at, self.run, self._faults, self._hidden)
        if end is None:
            self.add(fault_for(act, at, self.run, self._hidden, self._lies))
            return
        place, fault = end
        self._endless[fault] = self._faults[place]
        self._put_at(place, [fault])

    def close(self) -> None:
        """End the player, in the kernel and in the page."""
        if self.comm is not None:
            self.layout.close()
        super().close()  # type: ignore[no-untyped-call]

    def picture(self) -> Picture:
        """Return a still picture of the run, for places where no widget can live."""
        return cluster.run_picture(self.run, self._hidden)

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        let_go_of_earlier(self)
        shown: Any = super()._repr_mimebundle_(**kwargs)
        try:
            return with_still(shown, self.picture())
        except NotDeterministic as error:  # the trace can be played all the same
            self.problem = str(error)
        views, metadata = shown if isinstance(shown, tuple) else (shown or {}, {})
        return ({**views, "text/plain": str(self.problem)}, metadata)


def _fork(run: Run, fault: Fault) -> tuple[Run, str]:
    """Return the fork and what went wrong in it: up to a mistake in a handler it can be played."""
    try:
        return run.fork(fault.begins or 0.0, fault), ""
    except NodeError as error:
        if error.run is None:
            raise
        return error.run, str(error)


def _stopped(run: Run) -> str:
    if run.stopped is None:
        return ""
    return f"This run ended early, at {run.stopped:g} s: a handler of a node failed, or you stopped it."


def _in_words(error: Exception) -> str:
    text = str(error.args[0]) if isinstance(error, LookupError) and error.args else str(error)
    return text if isinstance(error, ValueError | LookupError) and text else f"{type(error).__name__}: {text}"


def play(
    run: Run,
    before: Run | None = None,
    *,
    tasks: Sequence[Task] = (),
    lanes: Sequence[Lane] = (),
    hide_future: bool = True,
    hide_faults: bool = False,
    lies: Sequence[Behaviour] = (),
) -> Player:
    """Show a run in the cluster player.

    Args:
        run: what to play.
        before: another run to show beside it, such as the one that `run` was forked from.
        tasks: a checklist that ticks itself and is kept with the learner's progress.
        lanes: what to draw over time under the time line, such as ``lanes.latency(0.99)``.
        hide_future: draw the run only as far as it has been played; a switch shows all of it.
        hide_faults: tell nothing of the faults in `run` and `before` until the learner asks for them.
        lies: behaviours that the menu of every node offers, such as ``Corrupt()``.

    Returns:
        A widget. Its ``run`` is the run that it shows at the moment, its ``faults`` what the learner has added by hand,
        its ``done`` the names of the tasks that are done.

    Raises:
        TypeError: if one of them is of the wrong kind.
        LookupError: if the run was made with ``trace=False``, so that there is nothing to play.

    Example:
        >>> player = play(scenario.run(until=8.0))  # doctest: +SKIP
    """
    for role, given in (("run", run), ("before", run if before is None else before)):
        instance(role, given, Run, "a Run, as scenario.run(until=…) or run.fork(…) returns it")
    return Player(
        run,
        before,
        name_of(run, caller()),
        tasks=items("tasks", tasks, "a list of Task(name, text, done)", Task),
        lanes=items("lanes", lanes, "a list of lanes, such as lanes.throughput()", Lane),
        hide_future=truth("hide_future", hide_future),
        hide_faults=truth("hide_faults", hide_faults),
        lies=items("lies", lies, "a list of registered behaviours, such as [Corrupt()]"),
    )
