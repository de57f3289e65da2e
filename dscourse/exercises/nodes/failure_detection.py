"""The nodes of notebook 08: a heartbeat detector, and one that asks for a second opinion."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from dscourse.exercises import (
    ClusterExamination,
    ExaminerExercise,
    Mistake,
    NodeExercise,
    Requirement,
    Schedule,
)
from dscourse.exercises._breach import Breach, unbroken
from dscourse.exercises.wrong_nodes.failure_detection import (
    HEARTBEAT_EQUIVALENTS,
    HEARTBEAT_RIGHT,
    HEARTBEAT_STUB,
    HEARTBEAT_WRONG,
    OPINION_RIGHT,
    OPINION_STUB,
    OPINION_WRONG,
)
from dscourse.exploration import FaultMix
from dscourse.simulation import (
    Crash,
    CutLink,
    DelayMessage,
    LoseMessage,
    Lossy,
    Network,
    Run,
    topology,
)

INTERVAL, PATIENCE = 1.0, 3.0
_SLACK = 0.01


@dataclass(frozen=True)
class _Watch:
    """What one node has to go by about one peer."""

    since: float  # when it last heard of it, or began to watch
    suspects: bool = False


def _verdicts(run: Run) -> Iterator[tuple[float, str, str, _Watch, str]]:
    """For each node and peer: when something happens between them, what was known before, and what happens.

    What happens is "hear", "suspect", "trust", or "end": the run or the watcher is over.
    """
    watches: dict[tuple[str, str], _Watch] = {}
    peers = {node: run.scenario.network.peers(node) for node in run.nodes}
    down_from_start = {node for node, spans in run.trace.downtimes().items() if spans and spans[0][0] == 0.0}
    for node in run.nodes:
        if node not in down_from_start:
            watches |= {(node, peer): _Watch(0.0) for peer in peers[node]}
    for event in run.trace.select(kind=("deliver", "record", "fault")):
        node, time = str(event.node), event.time
        if event.kind == "fault":
            if event.name == "Crash" and not event.detail.get("moot"):
                for peer in peers[node]:
                    known = watches.pop((node, peer), None)
                    if known is not None:
                        yield time, node, peer, known, "end"
                    if event.detail["phase"] == "end":
                        watches[node, peer] = _Watch(time)
            continue
        peer = str(event.detail.get("peer")) if event.kind == "record" else str(event.peer)
        what = event.name if event.kind == "record" else "hear"
        if what not in ("hear", "suspect", "trust") or (node, peer) not in watches:
            continue
        known = watches[node, peer]
        yield time, node, peer, known, what
        heard = time if what == "hear" else known.since
        watches[node, peer] = _Watch(heard, known.suspects if what == "hear" else what == "suspect")
    for (node, peer), known in watches.items():
        yield run.until, node, peer, known, "end"


def _suspects_too_early(run: Run) -> Iterator[Breach]:
    for time, node, peer, known, what in _verdicts(run):
        if what == "suspect" and time - known.since < PATIENCE - _SLACK:
            yield Breach(time, f"{node} suspects {peer}, of which it heard {time - known.since:.3g} s ago")


def _misses_a_silence(run: Run) -> Iterator[Breach]:
    for time, node, peer, known, what in _verdicts(run):
        if what in ("hear", "end") and not known.suspects and time - known.since > PATIENCE + _SLACK:
            yield Breach(
                known.since + PATIENCE + _SLACK,
                f"{node} does not suspect {peer}, which has been silent for three seconds",
            )


def _never_forgives(run: Run) -> Iterator[Breach]:
    waiting: dict[tuple[str, str], float] = {}
    for time, node, peer, known, what in _verdicts(run):
        late = waiting.pop((node, peer), None)
        if late is not None and what != "trust":
            yield Breach(late, f"{node} hears of {peer} again and goes on suspecting it")
        if what == "hear" and known.suspects:
            waiting[node, peer] = time


def _falls_silent(run: Run) -> Iterator[Breach]:
    down = run.trace.downtimes()
    for node in run.nodes:
        for peer in run.scenario.network.peers(node):
            last = 0.0
            sent = [event.time for event in run.trace.select(kind="send", node=node, peer=peer)]
            for time in [*sent, run.until]:
                was_down = any(begin < time and end > last for begin, end in down.get(node, ()))
                if time - last > INTERVAL + _SLACK and not was_down:
                    yield Breach(last + INTERVAL, f"{node} has sent {peer} nothing for a second")
                last = time


_HEARTBEATS = "Heartbeats, and how good a guess is"

suspect_the_silent = NodeExercise(
    "failure_detection.suspect_the_silent",
    task=(
        "Write a failure detector. It sends a heartbeat to every peer each second; it suspects a peer that has been silent for "
        "three seconds, and trusts it again at its next heartbeat. Fill the four gaps. Links get cut, messages lost or late, and "
        "nodes crash and come back."
    ),
    expects="your class of nodes, such as Detector, without brackets",
    success="Right. It is never wrong about the silence, and often wrong about the peer: which of the faults made it so?",
    hints=(
        "One timer for each peer, named after it: `ctx.set_timer(peer, 3.0)`. Setting it again replaces it.",
        "A timer rings once. The beat must set its own again: `ctx.set_timer('beat', 1.0)`.",
        "On a heartbeat: set the sender's timer; if it is in `self.suspected`, take it out and record the trust.",
    ),
    solution=HEARTBEAT_RIGHT,
    stub=HEARTBEAT_STUB,
    wrong_nodes=HEARTBEAT_WRONG,
    equivalents=HEARTBEAT_EQUIVALENTS,
    examination=ClusterExamination(
        network=Network(topology.full_mesh(3), latency=0.1),
        until=12.0,
        requirements=(
            Requirement(unbroken("every peer gets a heartbeat each second", _falls_silent), _HEARTBEATS),
            Requirement(
                unbroken("nobody is suspected who was heard within three seconds", _suspects_too_early),
                _HEARTBEATS,
            ),
            Requirement(
                unbroken("whoever is silent for three seconds is suspected", _misses_a_silence), _HEARTBEATS
            ),
            Requirement(unbroken("whoever is heard again is trusted again", _never_forgives), _HEARTBEATS),
        ),
        schedules=(
            Schedule("nothing goes wrong"),
            Schedule("a peer dies", (Crash("n2", 2.5),)),
            Schedule("a peer is dead from the start", (Crash("n2", 0.0),)),
            Schedule("a link is cut for a while", (CutLink("n0", "n1", 2.5, until=7.0),)),
            Schedule("a peer is restarted", (Crash("n1", 1.5, restart_at=8.0),)),
            Schedule("two heartbeats get lost", (LoseMessage("n0", "n1", 3), LoseMessage("n0", "n1", 4))),
            Schedule("a heartbeat is late", (DelayMessage("n0", "n1", 3, by=3.5),)),
        ),
        faults=FaultMix(pauses=False, clocks=False),
    ),
)


catch_the_detectors = ExaminerExercise(
    "failure_detection.catch_the_detectors",
    of=suspect_the_silent,
    task=(
        "Now you are the examiner. Three nodes, heartbeats once a second, a patience of three, 12 seconds in all; a message takes 0.1 s. Five "
        "wrong detectors and a right one run under your list of faults. Write one under which each of the five goes wrong."
    ),
    expects='a list of faults, such as [Crash("n2", at=2.0)]',
    success="All five, and the right one passes. Which of them would have passed the tests that you would have written for your own?",
    hints=(
        "One forgets to send, one forgets to watch anew: those are found out by anything. The others need a peer that dies while another lives.",
        "One begins to watch a peer only when it has heard of it. When must that peer die, so that it is never heard?",
        "One never forgives: somebody whom all suspect must come back.",
    ),
    stub="""\
from dscourse.simulation import Crash, CutLink, Pause

answer = [...]      # n0, n1 and n2; one fault may be enough
""",
    solution='from dscourse.simulation import Crash\nanswer = [Crash("n2", at=0.0, restart_at=6.0)]',
    mistakes=(
        Mistake(
            'from dscourse.simulation import Crash\nanswer = [Crash("n2", at=2.5)]',
            "Two got away. One never forgives, and your n2 never comes back; one watches only whom it has heard, and n2 was heard before it died.",
        ),
        Mistake(
            'from dscourse.simulation import Crash\nanswer = [Crash("n2", at=2.5, restart_at=8.0)]',
            "One got away: it begins to watch a peer at its first heartbeat, and n2 had sent some before it died.",
        ),
        Mistake(
            'from dscourse.simulation import Crash\nanswer = [Crash("n2", at=0.0)]',
            "One got away: it never forgives, and your n2 never comes back.",
        ),
    ),
)


@dataclass(frozen=True)
class Ping:
    """Are you there? ``origin`` wants to know."""

    origin: str


@dataclass(frozen=True)
class Ack:
    """``target`` is there; ``origin`` wanted to know."""

    target: str
    origin: str


@dataclass(frozen=True)
class PingFor:
    """Please ping ``target`` in the name of ``origin``, and pass its answer on."""

    target: str
    origin: str


_SWIM = "Ask somebody else: SWIM"


def _downtimes(run: Run) -> dict[str, list[tuple[float, float]]]:
    return {node: list(spans) for node, spans in run.trace.downtimes().items()}


def _suspects_the_living(run: Run) -> Iterator[Breach]:
    down = _downtimes(run)
    for event in run.trace.select(kind="record"):
        if event.name == "suspect":
            peer = str(event.detail.get("peer"))
            if not any(begin <= event.time and event.time - 2.0 < end for begin, end in down.get(peer, ())):
                yield Breach(event.time, f"{event.node} suspects {peer}, which is well")


def _misses_the_dead(run: Run) -> Iterator[Breach]:
    """Whoever has been down for 2.5 s is suspected by all who have been up as long."""
    down = _downtimes(run)
    suspected: dict[tuple[str, str], list[tuple[float, bool]]] = {}
    for event in run.trace.select(kind="record"):
        if event.name in ("suspect", "trust"):
            pair = str(event.node), str(event.detail.get("peer"))
            suspected.setdefault(pair, []).append((event.time, event.name == "suspect"))
    for peer, spans in down.items():
        for begin, end in spans:
            due = begin + 2.5
            for node in run.nodes:
                if due >= min(end, run.until) or node == peer or down.get(node):
                    continue
                told = [said for time, said in suspected.get((node, peer), ()) if time <= due]
                if not told or not told[-1]:
                    yield Breach(due, f"{node} does not suspect {peer}, which has been dead for 2.5 s")


def _asks_nobody(run: Run) -> Iterator[Breach]:
    """Before a suspicion, each other peer was asked to ping."""
    for event in run.trace.select(kind="record"):
        if event.name == "suspect":
            peer = str(event.detail.get("peer"))
            asked = {
                sent.peer
                for sent in run.trace.select(
                    kind="send", node=event.node, between=(event.time - 1.0, event.time)
                )
                if isinstance(sent.message, PingFor) and sent.message.target == peer
            }
            others = [other for other in run.scenario.network.peers(str(event.node)) if other != peer]
            missing = [other for other in others if other not in asked]
            if missing:
                yield Breach(
                    event.time, f"{event.node} suspects {peer} and has not asked {', '.join(missing)}"
                )


def _still_suspects(run: Run) -> Iterator[Breach]:
    """Two and a half seconds after a peer is up again it is trusted."""
    down = _downtimes(run)
    for (node, peer), trusted_at in _last_words(run).items():
        back = max((end for _, end in down.get(peer, ())), default=0.0)
        if trusted_at is None and run.until - back > 2.5 and not down.get(node):
            yield Breach(back + 2.5, f"{node} still suspects {peer}, which is well again")


def _last_words(run: Run) -> dict[tuple[str, str], float | None]:
    """For each node and peer that it ever suspected: when it last trusted it again, None if it suspects it at the end."""
    found: dict[tuple[str, str], float | None] = {}
    for event in run.trace.select(kind="record"):
        if event.name in ("suspect", "trust"):
            found[str(event.node), str(event.detail.get("peer"))] = (
                event.time if event.name == "trust" else None
            )
    return found


def _keeps_an_answer(run: Run) -> Iterator[Breach]:
    """An Ack for another origin goes on to it at once."""
    owed: tuple[float, str, Ack] | None = None
    for event in run.trace.select(kind=("deliver", "send", "timer")):
        if event.kind == "send":
            if owed is not None and (event.node, event.peer, event.message) == (
                owed[1],
                owed[2].origin,
                owed[2],
            ):
                owed = None
            continue
        if owed is not None:
            break
        if event.kind == "deliver" and isinstance(event.message, Ack) and event.message.origin != event.node:
            owed = event.time, str(event.node), event.message
    if owed is not None:
        yield Breach(
            owed[0], f"{owed[1]} hears that {owed[2].target} is there, and does not tell {owed[2].origin}"
        )


ask_somebody_else = NodeExercise(
    "failure_detection.ask_somebody_else",
    task=(
        "Write a detector that asks for a second opinion. Each second it pings every peer. Whoever has not answered after 0.3 s is "
        "pinged once more by way of all others (`PingFor`), and suspected after another 0.4 s without a word. One link may be bad, "
        "in either direction, or one node dead: a bad link must make nobody suspect anybody, and everybody must find the dead."
    ),
    expects="your class of nodes, such as Member, without brackets",
    success="Right: one bad link is now no reason to suspect anybody. What would two bad links do? What does a slow network cost you?",
    hints=(
        "A `Ping` is answered to whoever brought it: `ctx.send(sender, Ack(self.node_id, message.origin))`.",
        "A `PingFor` is carried out: `ctx.send(message.target, Ping(message.origin))`. The answer comes back to the helper.",
        "An `Ack` whose origin is another node goes on to `message.origin`; one that is meant for you clears `message.target`.",
    ),
    solution=OPINION_RIGHT,
    stub=OPINION_STUB,
    wrong_nodes=OPINION_WRONG,
    examination=ClusterExamination(
        network=Network(topology.full_mesh(4), latency=0.05),
        until=6.0,
        requirements=(
            Requirement(unbroken("nobody suspects a node that is well", _suspects_the_living), _SWIM),
            Requirement(unbroken("the dead are suspected within 2.5 s", _misses_the_dead), _SWIM),
            Requirement(unbroken("nobody is suspected before all others were asked", _asks_nobody), _SWIM),
            Requirement(unbroken("whoever asked for a ping is told the answer", _keeps_an_answer), _SWIM),
            Requirement(unbroken("whoever is well again is trusted again", _still_suspects), _SWIM),
        ),
        schedules=(
            Schedule("nothing goes wrong"),
            Schedule("a link is cut", (CutLink("n0", "n1", 0.5),)),
            Schedule("a link carries nothing in one direction", (CutLink("n2", "n0", 0.5, one_way=True),)),
            Schedule("a ping gets lost", (LoseMessage("n0", "n1", 1),)),
            Schedule("a link loses half of its messages", (Lossy(0.5, 0.0, link=("n1", "n2")),)),
            Schedule("a node dies", (Crash("n3", 1.5),)),
            Schedule("a node is restarted", (Crash("n0", 0.5, restart_at=3.3),)),
        ),
        faults=FaultMix(
            crashes=1,
            cuts=1,
            most=1,
            partitions=False,
            pauses=False,
            clocks=False,
            slow=False,
            loss=False,
            duplicates=False,
        ),
    ),
)
