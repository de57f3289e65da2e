"""The learner as the adversary: a cluster without time, in which every message and every timer waits for a click."""

from __future__ import annotations

import ast
import inspect
import json
import linecache
import textwrap
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import anywidget
import ipywidgets as widgets
import traitlets

from dscourse.arguments import items
from dscourse.exploration import Ask, Down, Fire, Lose, Repeat, Step, Up, explore
from dscourse.exploration.scripts import ScriptScenario, network_of
from dscourse.exploration.steps import MailStep, step_from_json_value
from dscourse.exploration.untimed import UntimedCluster
from dscourse.exploration.untimed_search import code_of
from dscourse.simulation import Node, NodeError, Property, Run
from dscourse.simulation.moment import Status
from dscourse.simulation.node_state import public_fields
from dscourse.simulation.recorder import Recorder
from dscourse.simulation.virtual_time import MICROSECONDS
from dscourse.views.cluster import cluster_map
from dscourse.views.picture import Picture, with_still
from dscourse.views.player import Player
from dscourse.views.shown import let_go_of_earlier

if TYPE_CHECKING:
    from dscourse.exploration.scripts import Cluster

_HERE = Path(__file__).parent
_LONGEST = 160  # characters of a value that is shown
_STATES = 20_000  # that are looked through for the shortest way


class AdversaryPanel(anywidget.AnyWidget):
    """What the browser shows of an `Adversary`, and the commands it sends."""

    _esm = (_HERE / "adversary.js").read_text(encoding="utf-8")
    _css = (_HERE / "adversary.css").read_text(encoding="utf-8")
    shown = traitlets.Unicode("{}").tag(sync=True)
    source = traitlets.Unicode("").tag(sync=True)
    code = traitlets.Unicode("").tag(sync=True)
    problem = traitlets.Unicode("").tag(sync=True)
    score = traitlets.Unicode("").tag(sync=True)
    answered = traitlets.Int(0).tag(sync=True)


class Adversary(widgets.VBox):
    """A cluster in the hands of the learner; made by `adversary`.

    Attributes:
        panel: what the browser shows.
        player: the player, once the schedule was opened in it; None before.
    """

    def __init__(
        self, scenario: ScriptScenario, properties: tuple[Property, ...], asks: tuple[Ask, ...]
    ) -> None:
        self._empty = scenario
        self._properties = properties
        self._asks = asks
        self._fewest: dict[str, str] = {}
        self._verdicts: list[tuple[Property, float | None]] = []
        self.panel = AdversaryPanel(source=source_of(scenario))
        self.player: Player | None = None
        self._show(())
        self.panel.on_msg(self._on_command)
        super().__init__([self.panel])

    def __repr__(self) -> str:
        return f"{len(self._empty.node_ids)} nodes after {_steps(len(self.steps))}. {self._verdict_words()}"

    @property
    def steps(self) -> tuple[Step, ...]:
        """The steps taken so far, for `script`."""
        return self._run.scenario.steps  # type: ignore[attr-defined,no-any-return]

    @property
    def run(self) -> Run:
        """The run of the steps so far."""
        return self._run

    @property
    def broken(self) -> tuple[str, ...]:
        """Names of the properties that are broken."""
        return tuple(item.name for item, time in self._verdicts if time is not None)

    @property
    def won(self) -> bool:
        """Whether a property is broken."""
        return bool(self.broken)

    def take(self, *steps: Step) -> None:
        """Take steps, as a click does.

        Raises:
            LookupError: one of them can't be done.
        """
        self._show((*self.steps, *steps))

    def undo(self, count: int = 1) -> None:
        """Take back the last steps."""
        self._show(self.steps[: max(0, len(self.steps) - count)])

    def play(self) -> Player:
        """Open the schedule in the player, below."""
        if self.player is not None:
            self.player.close()
        self.player = Player(self._run)
        self.children = [self.panel, self.player]
        return self.player

    def shortest(self) -> str:
        """How many steps it takes to break what is broken, by as many crashes, losses, copies and timers as were used.

        It is found by `explore`, within a limit of states.
        """
        if not self.won:
            return "Nothing is broken yet."
        item, time = next((item, time) for item, time in self._verdicts if time is not None)
        used = self.steps[: int(time or 0)]
        key = f"{item.name} {used!r}"
        if key not in self._fewest:
            self._fewest[key] = self._in_how_many(item, used)
        return self._fewest[key]

    def _in_how_many(self, item: Property, used: tuple[Step, ...]) -> str:
        count = {kind: sum(isinstance(step, kind) for step in used) for kind in (Down, Lose, Repeat, Fire)}
        asked = [step for step in used if isinstance(step, Ask)]
        took = f"You took {_steps(len(used))}"
        if item.kind == "holds":
            return f"{took}. It is judged from whole runs, so whether fewer would do can't be told here."
        try:
            tried = explore(
                self._empty.node_factory, self._empty.network.graph, item, asks=asked, crashes=count[Down],
                losses=count[Lose], repeats=count[Repeat], fires=count[Fire], states=_STATES,
            )  # fmt: skip
        except (LookupError, ValueError) as error:
            return f"{took}; whether fewer would do can't be told here: {_in_words(error)}"
        if tried.counterexample is None:
            return f"{took}; with {tried.depth} or fewer it can't be done, and nobody knows about those in between."
        fewest = len(tried.counterexample.steps)
        if fewest == len(used):
            return f"{took}, and no schedule by the same means is shorter."
        return f"{took}; by the same means {_steps(fewest)} would do."

    # ── What is shown ─────────────────────────────────────────────────────────────────────────────────────

    def _show(self, steps: tuple[Step, ...]) -> None:
        scenario = ScriptScenario(self._empty.node_factory, self._empty.network, steps)
        problem = ""
        try:
            run = scenario.run()
        except NodeError as error:
            if error.run is None:
                raise
            run, problem = error.run, str(error)
        earlier = dict(self._verdicts)
        verdicts = [(item, _broken_at(run, item, earlier.get(item), len(steps))) for item in self._properties]
        cluster, before, words = self._cluster_after(steps)
        self._run, self._verdicts = run, verdicts
        with self.panel.hold_sync():  # one message: what belongs together arrives together
            self.panel.shown = json.dumps(self._described(cluster, before, words))
            self.panel.code = _script_code(scenario)
            self.panel.problem = problem
            self.panel.score = ""

    def _cluster_after(
        self, steps: tuple[Step, ...]
    ) -> tuple[UntimedCluster, dict[str, dict[str, str]], list[str]]:
        """The cluster after the steps, the nodes' fields before the last one, and each step in words."""
        clients = sum(isinstance(step, Ask) for step in steps)
        recorder = Recorder(keep=False)
        cluster = UntimedCluster(self._empty.node_factory, self._empty.network, clients, recorder)
        before: dict[str, dict[str, str]] = {}
        words: list[str] = []
        try:
            cluster.boot()
            for step in steps:
                before = _fields(cluster)
                words.append(_words(step, cluster))
                cluster.take(step)
        except NodeError:
            pass  # the run tells of it
        return cluster, before, words

    def _described(
        self,
        cluster: UntimedCluster,
        before: dict[str, dict[str, str]],
        words: list[str],
    ) -> dict[str, Any]:
        asked = sum(isinstance(step, Ask) for step in self.steps)
        coming = self._asks[asked] if asked < len(self._asks) else None
        status = self._run.at(self._run.until).status
        return {
            "nodes": [_node(cluster, name, before.get(name), status.get(name)) for name in self._run.nodes],
            "ask": None
            if coming is None
            else {"words": _words(coming, cluster), "step": coming.to_json_value()},
            "asks": bool(self._asks),
            "steps": words,
            "properties": [
                {"name": item.name, "broken": time is not None, "words": _property_words(item, time)}
                for item, time in self._verdicts
            ],
            "over": self._run.stopped is not None,
        }

    def _verdict_words(self) -> str:
        return "; ".join(f"{item.name}: {_property_words(item, time)}" for item, time in self._verdicts)

    # ── Commands ──────────────────────────────────────────────────────────────────────────────────────────

    def _on_command(self, _widget: object, command: Any, _buffers: object) -> None:
        try:
            self._obey(command)
        except Exception as error:  # noqa: BLE001 - whatever goes wrong is told where the learner looks
            self.panel.problem = _in_words(error)
        self.panel.answered += 1

    def _obey(self, command: dict[str, Any]) -> None:
        kind = command.get("type")
        if kind == "step":
            self.take(step_from_json_value(command["step"]))
        elif kind == "undo":
            self.undo()
        elif kind == "restart":
            self._show(())
        elif kind == "shortest":
            self.panel.score = self.shortest()
        elif kind == "play":
            self.play()
        else:
            raise LookupError(f"there is no command {kind!r}")

    # ── Without a front end ───────────────────────────────────────────────────────────────────────────────

    def picture(self) -> Picture:
        """Return a still picture of the cluster, for places where no widget can live."""
        map_ = cluster_map(self._run, at=self._run.until)
        waiting = sum(len(node["mails"]) for node in json.loads(self.panel.shown)["nodes"])
        words = f"{self!r}. {waiting} message{'s' * (waiting != 1)} wait{'s' * (waiting == 1)}."
        return Picture(map_.figure, f"{map_.alt} {words}")

    def close(self) -> None:
        """End it, in the kernel and in the page."""
        if self.comm is not None:
            for widget in (self.panel.layout, self.layout, *self.children):
                widget.close()
        super().close()  # type: ignore[no-untyped-call]

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        let_go_of_earlier(self)
        return with_still(super()._repr_mimebundle_(**kwargs), self.picture())


def adversary(
    node_factory: Callable[..., Any],
    node_ids: Cluster,
    properties: Property | Iterable[Property],
    *,
    asks: Iterable[Ask] = (),
) -> Adversary:
    """Put a cluster into the learner's hands: every message and every timer waits for a click.

    A click delivers a message, loses or doubles it, fires a timer, crashes or restarts a node, or lets the next client
    ask. Steps are undone one by one; a property that breaks lights up; the steps can be copied as a `script`, and be
    opened in the player.

    Args:
        node_factory: called with ``(node_id, peers)``.
        node_ids: names of the nodes, each linked with all others; or a graph, whose links say who may send to whom.
        properties: what ought to hold, and is to be broken.
        asks: what clients may ask, in this order.

    Returns:
        A widget. Its ``steps`` are those taken so far, its ``run`` is theirs, its ``broken`` names what is broken.

    Raises:
        TypeError, ValueError, LookupError: what is wrong with an argument.
    """
    asked = (properties,) if isinstance(properties, Property) else properties
    wanted = items("properties", asked, "a list of properties, such as [always(lambda now: …)]", Property)
    questions = items("asks", asks, 'a list such as [Ask("n0", ("put", "x", 1))]', Ask)
    network = network_of(node_ids)
    ScriptScenario(node_factory, network, questions)  # refuses an Ask of a node that isn't there
    return Adversary(ScriptScenario(node_factory, network, ()), wanted, questions)


# ── Parts of what is shown ──


def _node(
    cluster: UntimedCluster, name: str, before: dict[str, str] | None, status: Status | None
) -> dict[str, Any]:
    process = cluster.processes[name]
    fields = _fields(cluster).get(name, {})
    return {
        "id": name,
        "up": process.node is not None,
        "label": "" if status is None else status.label or status.status,
        "clock": f"{process.clock / MICROSECONDS:g}",
        "fields": [
            {"name": field, "text": text, "changed": before is not None and before.get(field) != text}
            for field, text in fields.items()
        ],
        "timers": [
            {"name": timer, "due": f"{(process.clock + delay) / MICROSECONDS:g}"}
            for timer, delay in sorted(process.timers.items(), key=lambda item: (item[1], item[0]))
        ],
        "mails": [
            {
                "sender": sender, "nth": nth, "text": _short(repr(mail.message)), "copy": mail.copy > 0,
                "key": f"{mail.number}.{mail.copy}",
            }
            for (sender, to), mails in sorted(cluster.links.items())
            if to == name
            for nth, mail in enumerate(mails, start=1)
        ],
    }  # fmt: skip


def _fields(cluster: UntimedCluster) -> dict[str, dict[str, str]]:
    return {
        name: {field: _short(repr(value)) for field, value in public_fields(process.node).items()}
        for name, process in cluster.processes.items()
        if process.node is not None and not process.is_client
    }


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


def _broken_at(run: Run, item: Property, earlier: float | None, steps: int) -> float | None:
    """When a property broke; None if it holds so far, or may still come true.

    Of what is asked of whole runs nobody says when it broke: it is the step after which it was seen first.
    """
    if item.kind in ("sometimes", "eventually"):
        return None
    verdict = run.check(item)[0]
    if verdict or verdict.time is not None:
        return verdict.time if not verdict else None
    return float(steps if earlier is None else min(earlier, steps))


def _property_words(item: Property, time: float | None) -> str:
    if time is not None:
        return f"broken at step {int(time)}"
    return "can't be broken here" if item.kind in ("sometimes", "eventually") else "holds so far"


def _steps(count: int) -> str:
    return f"{count} step{'s' * (count != 1)}"


def _words(step: Step, cluster: UntimedCluster) -> str:
    """A step that is about to be taken, in words."""
    if isinstance(step, MailStep):
        mails, place = cluster.waiting(step)
        what = f"{_short(repr(mails[place].message))} from {step.sender}"
        if isinstance(step, Lose):
            return f"{what} to {step.to} is lost"
        return f"{what} to {step.to} is doubled" if isinstance(step, Repeat) else f"{step.to} gets {what}"
    match step:
        case Fire():
            return f"timer {step.timer!r} of {step.node} fires"
        case Ask():
            return f"a client asks {step.node}: {step.operation!r}"
        case Down():
            return f"{step.node} crashes"
        case Up():
            return f"{step.node} restarts"
    return repr(step)


def _in_words(error: Exception) -> str:
    text = str(error.args[0]) if isinstance(error, LookupError) and error.args else str(error)
    return text if isinstance(error, ValueError | LookupError) and text else f"{type(error).__name__}: {text}"


def _script_code(scenario: ScriptScenario) -> str:
    """What makes the run again, with its imports."""
    kinds = sorted({type(step).__name__ for step in scenario.steps})
    code = code_of(scenario)
    door = "ScriptScenario" if code.startswith("ScriptScenario") else "script"
    names = [door] if door == "ScriptScenario" else [*kinds, door]
    return f"from dscourse.exploration import {', '.join(names)}\n\nrun = {code}\n"


# ── The node's code ──


def source_of(scenario: ScriptScenario) -> str:
    """The code of the node class of a scenario, as it was written; empty if it can't be found."""
    factory = scenario.node_factory
    while isinstance(factory, partial):
        factory = factory.func
    if not isinstance(factory, type):
        name = scenario.node_ids[0]
        factory = type(scenario.node_factory(name, scenario.network.peers(name)))
    own = [kind for kind in factory.__mro__ if kind not in (Node, object)]
    return "\n\n".join(filter(None, map(_source_of_class, own)))


def _source_of_class(kind: type) -> str:
    try:
        return textwrap.dedent(inspect.getsource(kind))
    except (OSError, TypeError):
        return _source_in_a_cell(kind)


def _source_in_a_cell(kind: type) -> str:
    """The code of a class that was defined in a notebook's cell, which only its methods know the place of."""
    for method in vars(kind).values():
        code = getattr(method, "__code__", None)
        lines = linecache.getlines(code.co_filename) if code is not None else []
        try:
            tree = ast.parse("".join(lines))
        except SyntaxError:  # a cell with magics in it
            continue
        for found in ast.walk(tree):
            if isinstance(found, ast.ClassDef) and found.name == kind.__name__:
                return textwrap.dedent("".join(lines[found.lineno - 1 : found.end_lineno]))
    return ""
