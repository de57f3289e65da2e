"""A run: what a scenario came to, and what can be asked of it."""

from __future__ import annotations

import contextlib
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from dscourse.arguments import text, whole
from dscourse.simulation.clients import ClientOperation
from dscourse.simulation.engine.kernel import Kernel, Setting
from dscourse.simulation.engine.watcher import LiveWatcher, NeedsTraceError, Watcher
from dscourse.simulation.errors import NodeError, NotDeterministic, RunInterrupted, SimulationError
from dscourse.simulation.faults import Fault, MessageFault, OtherLuck
from dscourse.simulation.messages import canonical_json
from dscourse.simulation.moment import Beliefs, ClusterState, Engine, Moment
from dscourse.simulation.names import unknown
from dscourse.simulation.properties import Property, Verdicts, judge
from dscourse.simulation.recorder import FAULT, RECORD, SEND, Recorder
from dscourse.simulation.recording import Change, Recording
from dscourse.simulation.trace import Trace
from dscourse.simulation.virtual_time import MICROSECONDS, instant, to_microseconds

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    import pandas as pd

    from dscourse.simulation.scenario import Scenario

EVENT_LIMIT = 5_000_000
_NO_LIMIT = 1 << 62
_CLIENT_KINDS = ("invoke", "ok", "fail", "unknown")
_REMEMBERED = 16
_ADVICE = (
    "A node must take its luck from ctx.rng and its time from ctx.now, must not go through a set in its own order, "
    "and must not keep anything outside itself (in a global, in its class, in a default argument)."
)


class _StoppedAgain(SimulationError):  # noqa: N818
    """A run that had been stopped was run again, as far as it had come."""


def run_scenario(scenario: Scenario, end: int, *, keep_trace: bool, event_limit: int) -> Run:
    """Run a scenario up to ``end`` (µs); what ends it early carries the run so far. See `Scenario.run`."""
    recorder = Recorder(keep=keep_trace)
    engine = scenario.new_engine(recorder, event_limit)

    def stopped_run() -> Run:
        return Run(scenario, end / MICROSECONDS, recorder, engine.now / MICROSECONDS, event_limit)

    try:
        engine.run(end)
    except SimulationError as error:
        error.run = stopped_run()
        raise
    except KeyboardInterrupt:
        interruption = RunInterrupted(
            f"interrupted at {engine.now / MICROSECONDS:g} s; the trace is in the attribute run of this error"
        )
        interruption.run = stopped_run()
        raise interruption from None
    return Run(scenario, end / MICROSECONDS, recorder, event_limit=event_limit)


class _BrokenError(SimulationError):
    """A property is broken, and the rest of the run need not be looked at."""


def judged_run(
    scenario: Scenario, until: float, properties: Sequence[Property], *, event_limit: int = EVENT_LIMIT
) -> tuple[Run, tuple[Property, ...]]:
    """Run a scenario while its properties are looked at, for little more than the price of the run.

    Properties see the nodes' own values and must not change them; `Run.check` sees to that, at five times the price.

    Args:
        scenario: what to run.
        until: seconds.
        properties: what ought to hold.
        event_limit: a run with more events is stopped.

    Returns:
        The run, which ends at the first moment that breaks an `always` or a `never`, and what doesn't hold.

    Raises:
        NodeError, EventLimit: as `Scenario.run`.
    """
    judges = [judge(item) for item in properties]
    recorder = Recorder(keep=True)
    engine = scenario.new_engine(recorder, event_limit)
    end = instant("until", until)

    def see(moment: Moment) -> None:
        for one in judges:
            one.see(moment)
            if one.is_broken:
                raise _BrokenError

    def run_so_far(stopped: float | None) -> Run:
        return Run(scenario, end / MICROSECONDS, recorder, stopped, event_limit)

    for when in sorted({one.begin for one in judges if one.begin > 0}):
        engine.look_at(when)
    try:
        engine.run(end, LiveWatcher(engine, see))
    except _BrokenError:
        run = run_so_far(engine.now / MICROSECONDS)
        return run, tuple(one.property for one in judges if one.is_broken)
    except NeedsTraceError:
        run = scenario.run(until, event_limit=event_limit)
        return run, tuple(verdict.property for verdict in run.check(*properties) if not verdict)
    except SimulationError as error:
        error.run = run_so_far(engine.now / MICROSECONDS)
        raise
    run = run_so_far(None)
    return run, tuple(one.property for one in judges if not one.holds_of(run))


def kernel_of(scenario: Scenario, recorder: Recorder, event_limit: int) -> Engine:
    """The event loop that runs a scenario in virtual time."""
    return Kernel(setting_of(scenario), recorder, event_limit)


def setting_of(scenario: Scenario) -> Setting:
    """What the engine needs of a scenario."""
    return Setting(
        scenario.node_factory,
        scenario.network,
        scenario.faults,
        dict(zip(scenario.client_ids, scenario.clients, strict=True)),
        scenario.seed,
        scenario.shuffle_ties,
    )


class Run:
    """What happened.

    A run keeps its trace and no state of nodes. Since the same scenario gives the same run, `at`, `fork`, `check` and
    `recording` simply run it again, and notice if it comes out differently.

    Attributes:
        scenario: what was run.
        until: to which time, in seconds.
        stopped: when an error or you ended it early, in seconds; None if it reached its end.
    """

    def __init__(
        self,
        scenario: Scenario,
        until: float,
        recorder: Recorder,
        stopped: float | None = None,
        event_limit: int = EVENT_LIMIT,
    ) -> None:
        self.scenario = scenario
        self.until = until
        self.stopped = stopped
        self._event_limit = event_limit
        self._recorder = recorder
        self._digest = recorder.digest(canonical_json(self._ids))
        self._moments: dict[int, tuple[ClusterState, Beliefs]] = {}

    def __repr__(self) -> str:
        early = f", stopped at {self.stopped:g} s" if self.stopped is not None else ""
        return f"Run({len(self._recorder)} events in {self.until:g} s{early}, digest {self._digest[:12]}…)"

    @property
    def seed(self) -> int:
        """The seed of its luck."""
        return self.scenario.seed

    @property
    def faults(self) -> tuple[Fault, ...]:
        """The faults in it."""
        return self.scenario.faults

    @property
    def nodes(self) -> tuple[str, ...]:
        """Ids of its nodes."""
        return self.scenario.node_ids

    @property
    def clients(self) -> tuple[str, ...]:
        """Ids of its clients."""
        return self.scenario.client_ids

    @property
    def event_count(self) -> int:
        """How many events there were."""
        return len(self._recorder)

    @cached_property
    def trace(self) -> Trace:
        """Everything that happened, in order."""
        if not self._recorder.keep:
            raise LookupError("this run kept no trace; run the scenario again without trace=False")
        return Trace(self._recorder, self._ids, to_microseconds(self.until))

    def digest(self) -> str:
        """64 hex digits that stand for the whole run: two runs with the same digest are the same."""
        return self._digest

    def frame(self) -> pd.DataFrame:
        """A table with one row an event: time, kind, node, peer, message, detail, message_id."""
        return self.trace.frame()

    def at(self, t: float) -> Moment:
        """The state after all events up to ``t`` seconds; of a run that was stopped before, the state then.

        Raises:
            ValueError: ``t`` lies outside the run.
            NotDeterministic: the run comes out differently when run again.
        """
        time = min(self._time_within(t), self._last)
        if time not in self._moments:
            if len(self._moments) >= _REMEMBERED:
                del self._moments[next(iter(self._moments))]
            self._moments[time] = self._state_at(time)
        return Moment(*self._moments[time], time)

    def fork(self, t: float, *faults: Fault, until: float | None = None, reseed: int | None = None) -> Run:
        """The same past, another future: run again with more faults, none of them before ``t``.

        Args:
            t: up to which time (in seconds) everything stays as it was.
            faults: what happens differently.
            until: end of the new run; by default that of this one.
            reseed: from ``t`` on all luck is drawn anew, keyed by this number: another future without any fault.

        Raises:
            ValueError: a fault begins before ``t`` or befalls a message sent before, or ``until`` lies before it.
            NotDeterministic: the past comes out differently when run again.
        """
        time = self._time_within(t)
        if until is not None and instant("until", until) < time:
            raise ValueError(f"the fork at {t:g} s must go on for some time, got until={float(until):g}")
        if reseed is not None:
            faults = (OtherLuck(whole("reseed", reseed, at_least=0), time / MICROSECONDS), *faults)
        for fault in faults:
            if isinstance(fault, Fault):
                self._refuse_past(fault, time)
        scenario = self.scenario.with_faults(*self.faults, *faults)
        try:
            forked = scenario.run(
                self.until if until is None else until,
                trace=self._recorder.keep,
                event_limit=self._event_limit,
            )
        except NodeError as error:
            if to_microseconds(error.time) < min(time, self._last):
                raise NotDeterministic(_fails_only_now(error)) from error
            raise
        if self._recorder.keep:
            self._compare(forked.trace, time)
        return forked

    def _refuse_past(self, fault: Fault, time: int) -> None:
        """Raise ValueError if a fault would change what happened before ``time`` (µs)."""
        when = time / MICROSECONDS
        if fault.begins is not None and to_microseconds(fault.begins) < time:
            raise ValueError(
                f"{fault!r} begins before the fork at {when:g} s, so it would change the past; "
                "fork earlier, or let it begin later"
            )
        if isinstance(fault, MessageFault):
            named = {fault.sender, fault.to} <= set(
                self._ids
            )  # a wrong name is refused when the scenario is made
            sent = (
                self.trace.select(kind="send", node=fault.sender, peer=fault.to, between=(0.0, when))
                if named
                else ()
            )
            if len(sent) >= fault.number:
                raise ValueError(
                    f"{fault!r} befalls a message that was sent at {sent[fault.number - 1].time:g} s, before the fork "
                    f"at {when:g} s, so it would change the past; fork earlier, or name a later message"
                )

    def first_difference(self, other: Run) -> int | None:
        """The first event at which two runs part (an index into the traces); None if they are the same."""
        if not isinstance(other, Run):
            raise TypeError(f"first_difference takes another run, got {other!r}")
        return self.trace.first_difference(other.trace)

    def history(self) -> tuple[ClientOperation, ...]:
        """The operations of all clients, by time of asking. One still open at the end is unknown."""
        operations: dict[tuple[str | None, int], ClientOperation] = {}
        for event in self.trace.select(kind=_CLIENT_KINDS):
            key = (event.node, event.detail["number"])
            if event.kind == "invoke":
                operations[key] = ClientOperation(
                    str(event.node), event.detail["number"], event.detail["operation"], str(event.peer),
                    event.time, None, "unknown", None,
                )  # fmt: skip
            elif event.kind != "unknown":
                operations[key] = operations[key]._replace(
                    completed=event.time, outcome=event.kind, value=event.detail["value"]
                )
        return tuple(operations.values())

    def latencies(
        self, outcome: str = "ok", client: str | None = None, between: tuple[float, float] | None = None
    ) -> np.ndarray[Any, np.dtype[np.float64]]:
        """Seconds that the clients' operations took, in the order in which they ended.

        Args:
            outcome: ``"ok"``, ``"fail"``, or ``"unknown"`` (then it is the time waited).
            client: only of this client.
            between: only of operations that ended in [from, to), in seconds.
        """
        if text("outcome", outcome) not in _CLIENT_KINDS[1:]:
            raise unknown("outcome", outcome, _CLIENT_KINDS[1:])
        if client is not None and text("client", client) not in self.clients:
            raise unknown("client", client, self.clients)
        ended = self.trace.select(kind=outcome, node=client, between=between)
        return np.array([event.detail["seconds"] for event in ended], dtype=float)

    def check(self, *properties: Property) -> Verdicts:
        """Ask of every moment whether the properties hold; nothing is raised if they don't.

        Raises:
            TypeError: something else than `always`, `never`, `sometimes`, `eventually`, `holds` was given.
        """
        judges = [judge(item) for item in properties]

        def see(moment: Moment, changes: list[Change]) -> None:
            for one in judges:
                one.see(moment, changes)

        if any(one.property.kind != "holds" for one in judges):
            self._watch(see, {one.begin for one in judges if one.begin > 0})
        return Verdicts(one.verdict(self) for one in judges)

    def recording(self) -> Recording:
        """Every change of every node's public fields; the run is run again for it, once."""
        return self._recording

    @cached_property
    def _recording(self) -> Recording:
        recording = Recording()
        self._watch(recording.take)
        return recording

    @property
    def _ids(self) -> tuple[str, ...]:
        return self.nodes + self.clients

    def _watch(self, see: Callable[[Moment, list[Change]], None], looks: Iterable[int] = ()) -> None:
        """Run again with ``see`` called after each event, and at the times ``looks`` (µs) in any case."""
        recorder = Recorder(keep=True)
        engine = self.scenario.new_engine(recorder, _NO_LIMIT)
        for when in looks:
            engine.look_at(when)
        watcher = Watcher(engine, self.trace if self._recorder.keep else None, see)
        self._again(engine, self._end, watcher)
        watcher.finish()
        if self._recorder.keep:
            self._compare(Trace(recorder, self._ids, to_microseconds(self.until)), self._end)

    def _state_at(self, time: int) -> tuple[ClusterState, Beliefs]:
        recorder = Recorder(keep=True)
        engine = self.scenario.new_engine(recorder, _NO_LIMIT)
        end = min(time + 1, self._end)
        self._again(engine, end)
        trace = Trace(recorder, self._ids, to_microseconds(self.until))
        if self._recorder.keep:
            self._compare(trace, end)
        beliefs = Beliefs()
        for place in np.flatnonzero((trace.kind_code == RECORD) | (trace.kind_code == FAULT)).tolist():
            node = trace.node_code[place]
            if node >= 0:
                beliefs.take(trace.kind_code[place], trace.ids[node], trace.cell(place))
        return engine.state(_sent_times(trace)), beliefs

    def _again(self, engine: Engine, end: int, observe: Callable[[], None] | None = None) -> None:
        """Run again up to ``end``; a run that was stopped is stopped after as many events as then."""
        if self.stopped is None:
            try:
                engine.run(end, observe)
            except NodeError as error:
                raise NotDeterministic(_fails_only_now(error)) from error
            return

        def look() -> None:
            if observe is not None:
                observe()
            # Not before its time: what waits in a queue came there without an event.
            if len(engine.recorder) >= len(self._recorder) and engine.now >= self._last:
                raise _StoppedAgain

        with contextlib.suppress(NodeError, _StoppedAgain):
            engine.run(end, look)

    @property
    def _end(self) -> int:
        until = to_microseconds(self.until)
        return until if self.stopped is None else min(until, self._last + 1)

    @property
    def _last(self) -> int:
        """The last microsecond of which something is known."""
        return to_microseconds(self.until if self.stopped is None else self.stopped)

    def _time_within(self, t: float) -> int:
        time = instant("t", t)
        if time > to_microseconds(self.until):
            raise ValueError(f"the run ends at {self.until:g} s, so there is no {t:g} s in it")
        return time

    def _compare(self, again: Trace, before: int) -> None:
        """Raise NotDeterministic unless the trace is the same up to ``before`` (µs)."""
        if self.stopped is not None:
            before = min(before, self._last)
        place = self.trace.first_difference(again, before)
        if place is not None:
            raise NotDeterministic(describe_difference(self.trace, again, place))


def describe_difference(a: Trace, b: Trace, place: int) -> str:
    """What two runs of the same scenario did differently first, and where to look for the reason."""
    first, second = (trace[place].text if place < len(trace) else "nothing more" for trace in (a, b))
    return (
        f"the same scenario came out differently the second time. Event {place} was\n  {first}\n"
        f"and is now\n  {second}\n{_ADVICE}"
    )


def _fails_only_now(error: NodeError) -> str:
    return f"the same scenario came out differently the second time. Only then, {error}\n{_ADVICE}"


def check_determinism(scenario: Scenario, until: float) -> str:
    """Run a scenario twice; return the digest if both runs are the same.

    (What depends on ``PYTHONHASHSEED`` shows only between two processes: compare the digests.)

    Raises:
        NotDeterministic: they are not; the message shows the first difference.
    """
    if not hasattr(scenario, "with_faults"):
        raise TypeError(f"check_determinism takes a Scenario, got {scenario!r}")
    first = scenario.run(until)
    try:
        second = scenario.run(until)
    except NodeError as error:
        raise NotDeterministic(_fails_only_now(error)) from error
    place = first.first_difference(second)
    if place is not None:
        raise NotDeterministic(describe_difference(first.trace, second.trace, place))
    return first.digest()


def _sent_times(trace: Trace) -> Callable[[int], int]:
    places = np.flatnonzero(trace.kind_code == SEND)
    numbers, times = trace.message_id[places], trace.time_us[places]
    return lambda number: int(times[np.searchsorted(numbers, number)])
