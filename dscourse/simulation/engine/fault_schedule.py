"""How faults come and go while a run goes on: who goes down, who comes back, whose clock is touched."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from heapq import heappush

from dscourse.simulation.engine.port import KernelPort
from dscourse.simulation.engine.process import CRASHED, PAUSED, UP, Clock, Process
from dscourse.simulation.faults import (
    ClockDrift,
    ClockOffset,
    Crash,
    Fault,
    OtherLuck,
    Pause,
    Restart,
    Resume,
)
from dscourse.simulation.messages import canonical_json
from dscourse.simulation.recorder import FAULT, NOBODY
from dscourse.simulation.virtual_time import MICROSECONDS, to_microseconds

Transition = tuple[int, Fault, str]  # number of the fault in the scenario, the fault, "start" or "end"


def plan_of(faults: Sequence[Fault]) -> dict[int, list[Transition]]:
    """All beginnings and ends of faults, by time in µs; at one instant the ends come first."""
    plan: dict[int, list[Transition]] = {}
    for number, fault in enumerate(faults):
        if fault.end is not None:
            plan.setdefault(to_microseconds(fault.end), []).append((number, fault, "end"))
        if fault.ends_others:
            plan.setdefault(to_microseconds(fault.begins or 0.0), []).append((number, fault, "start"))
    for number, fault in enumerate(faults):
        if fault.begins is not None and not fault.ends_others:
            plan.setdefault(to_microseconds(fault.begins), []).append((number, fault, "start"))
    return plan


class FaultSchedule:
    """Lets the faults of a run begin and end."""

    def __init__(self, kernel: KernelPort) -> None:
        self._kernel = kernel
        self._active = kernel.active
        self._processes = kernel.processes
        self._waking: list[Process] = []

    def apply(self, transitions: Iterable[Transition]) -> list[Process]:
        """Let faults end and begin; return who has to boot or go on, once all of this instant is done."""
        for number, fault, phase in transitions:
            moot = self._is_moot(number, fault, phase)
            self.write_fault(fault, phase, moot=moot)
            if not moot:
                self._begin(number, fault) if phase == "start" else self._end(number, fault)
        self._kernel.active_faults.update(self._active)
        for process in self._processes.values():
            if process.service is not None:
                self._kernel.set_pace(process, self._kernel.active_faults.work_factor(process.name))
        waking, self._waking = self._waking, []
        return waking

    @property
    def _now(self) -> int:
        return self._kernel.now

    def _is_moot(self, number: int, fault: Fault, phase: str) -> bool:
        if phase == "end":
            return number not in self._active
        if fault.ends_others:
            return not any(fault.ends(other) for other in self._active.values())
        match fault:
            case Crash():
                return self._processes[fault.node].condition == CRASHED
            case Pause():
                return self._processes[fault.node].condition != UP
        return False

    def _begin(self, number: int, fault: Fault) -> None:
        for ended in [i for i, other in self._active.items() if fault.ends(other)]:
            del self._active[ended]
        if not fault.is_instant:
            self._active[number] = fault
        match fault:
            case Crash():
                self._crash(self._processes[fault.node])
            case Pause():
                self._pause(self._processes[fault.node])
            case Restart():
                self._restart(self._processes[fault.node])
            case Resume():
                self._resume(self._processes[fault.node])
            case ClockOffset():
                self._clock(self._processes[fault.node]).step(self._now, round(fault.seconds * MICROSECONDS))
            case ClockDrift():
                self._reschedule_timers(self._processes[fault.node], fault.rate)
            case OtherLuck():
                self._kernel.begin_luck_anew(fault.number)

    def _end(self, number: int, fault: Fault) -> None:
        del self._active[number]
        match fault:
            case Crash():
                self._restart(self._processes[fault.node])
            case Pause():
                self._resume(self._processes[fault.node])

    def _crash(self, process: Process) -> None:
        lost = [*process.waiting_mail()]
        if process.service is not None:
            process.service.empty()
        process.condition = CRASHED
        process.node = None
        process.timers.clear()
        process.held = []
        process.refresh()
        self._kernel.touched.add(process.name)
        for mail in lost:
            self._kernel.drop("crashed", mail)

    def _restart(self, process: Process) -> None:
        process.condition = UP
        process.incarnation += 1
        self._waking.append(process)

    def _pause(self, process: Process) -> None:
        process.condition = PAUSED
        if process.service is not None:
            process.service.stand_still(self._now)
        process.refresh()

    def _resume(self, process: Process) -> None:
        process.condition = UP
        self._waking.append(process)

    def _clock(self, process: Process) -> Clock:
        if process.clock is None:
            process.clock = Clock(self._now)
            process.refresh()
        return process.clock

    def _reschedule_timers(self, process: Process, rate: float) -> None:
        """Let a clock run at ``rate``; pending timers are due when it reads what it would have read at the old rate."""
        heap, now, clock = self._kernel.heap, self._now, self._clock(process)
        pending = [
            entry for entry in heap if entry[3] is process and process.timers.get(entry[4]) == entry[1]
        ]
        pending.sort(key=lambda entry: entry[:2])
        left = [clock.read(entry[0]) - clock.read(now) for entry in pending]
        clock.drift(now, rate)
        for (_, _, _, _, name), local in zip(pending, left, strict=True):
            order = process.timers[name] = self._kernel.timer_order(process)
            heappush(heap, (now + clock.true_delay(now, local), order, None, process, name))

    def write_fault(self, fault: Fault, phase: str = "start", *, moot: bool = False) -> None:
        """Let the trace tell of a fault."""
        pair = fault.link_pair
        named = (getattr(fault, "node", None), None) if pair is None else pair
        node, peer = (NOBODY if name is None else self._processes[name].index for name in named)
        detail = {"phase": phase, "fault": fault.to_json_value()} | ({"moot": True} if moot else {})
        cell = (type(fault).__name__, detail)
        self._kernel.write((self._now, FAULT, node, peer, NOBODY, None, cell, canonical_json(detail)))
