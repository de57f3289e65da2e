"""What can't be simulated is refused where it is written down: endless times, clients that crash, odd lies."""

from dataclasses import dataclass

import pytest

from dscourse.simulation import (
    Byzantine,
    ClockDrift,
    ClockOffset,
    ClosedLoop,
    Crash,
    CutLink,
    Equivocate,
    Heal,
    Network,
    Node,
    NodeError,
    OpenLoop,
    Partition,
    Pause,
    Scenario,
    Slow,
    register_behaviour,
    topology,
)


@dataclass(frozen=True)
class Ping:
    number: int


class Quiet(Node):
    def __init__(self, node_id, peers):
        pass


def scenario(*faults, graph=None, factory=Quiet):
    client = ClosedLoop(["look"], 1.0, to="n0", timeout=1.0)
    return Scenario(factory, Network(graph or topology.full_mesh(3)), faults=faults, clients=[client])


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Crash("n0", at=1e303), r"at of Crash must be at most 1e\+09, got 1e\+303"),
        (lambda: Pause("n0", at=1.0, until=1e303), r"until of Pause must be at most 1e\+09"),
        (lambda: ClockOffset("n0", 1e308, at=1.0), r"seconds of ClockOffset must be at most 1e\+09"),
        (lambda: ClockOffset("n0", -1e308, at=1.0), r"seconds of ClockOffset must be at least -1e\+09"),
        (lambda: ClockDrift("n0", 1e305, at=1.0), r"rate of ClockDrift must be at most 1000, got 1e\+305"),
        (lambda: ClockDrift("n0", -1.0, at=1.0), "rate of ClockDrift must be above -1"),
        (lambda: Slow(1e7, at=1.0), r"factor of Slow must be at most 1e\+06"),
        (lambda: OpenLoop([1], 1.0, "n0", 1e305), r"timeout must be at most 1e\+09"),
        (lambda: OpenLoop([1], 1.0, "n0", 1.0, start=1e305), r"start must be at most 1e\+09"),
        (lambda: OpenLoop([1], 1e-305, "n0", 1.0), "rate must be at least 1e-09"),
        (lambda: scenario().run(1e305), r"until must be at most 1e\+09"),
        (lambda: scenario().run(1.0).at(1e305), r"t must be at most 1e\+09"),
        (lambda: scenario().run(1.0).trace.select(between=(0.0, 1e305)), r"end of between must be at most"),
    ],
)
def test_times_that_no_run_can_hold_are_refused(make, words):
    with pytest.raises(ValueError, match=words):
        make()


def test_a_capacity_near_nothing_is_refused():
    graph = topology.full_mesh(2)
    graph.edges["n0", "n1"]["capacity"] = 1e-305
    with pytest.raises(ValueError, match="capacity of n0–n1 must be at least 1e-09"):
        Network(graph)


def test_a_timer_beyond_all_times_is_refused_in_words():
    class Patient(Quiet):
        def on_start(self, ctx):
            ctx.set_timer("never", 1e305)

    with pytest.raises(NodeError, match=r"delay of timer 'never' must be at most 1e\+09, got 1e\+305"):
        scenario(factory=Patient).run(1.0)


def test_the_longest_times_there_may_be_run():
    class Patient(Quiet):
        def on_start(self, ctx):
            ctx.set_timer("never", 1e9)

    faults = (
        ClockDrift("n0", 1e3, at=0.1),
        ClockOffset("n0", -1e9, at=0.2),
        Crash("n1", at=0.3, restart_at=1e9),
    )
    run = scenario(*faults, factory=Patient).run(1.0)
    assert run.at(0.9).clock["n0"] == pytest.approx(0.1 + 0.8 * 1001 - 1e9)


@pytest.mark.parametrize("fault", [Crash("c0", at=1.0), Pause("c0", at=1.0), ClockDrift("c0", 0.1, at=1.0)])
def test_a_client_does_not_crash(fault):
    with pytest.raises(
        LookupError, match="about 'c0', which is a client; it can only befall a node, such as 'n0'"
    ):
        scenario(fault)


def test_only_names_that_would_be_right_are_offered():
    with pytest.raises(LookupError) as error:
        scenario(Crash("c7", at=1.0))
    assert "c0" not in str(error.value)
    assert "there are n0, n1, n2" in str(error.value)
    with pytest.raises(LookupError, match="did you mean 'c0'"):
        scenario(CutLink("n0", "c00", at=1.0))
    scenario(
        Partition([["n0", "c0"], ["n1"]], at=1.0),
        CutLink("n0", "c0", at=1.0),
        Heal(at=2.0, link=("n0", "c0")),
    )


def test_a_lie_that_would_not_come_back_from_json_is_refused():
    with pytest.raises(TypeError, match=r"values of Equivocate holds the Ping Ping\(number=1\)"):
        Byzantine("n0", Equivocate("inner", (Ping(1), Ping(2))), at=0.0)
    with pytest.raises(TypeError, match="values of Equivocate holds the Ping"):
        Byzantine("n0", Equivocate("inner", (1, (2, Ping(2)))), at=0.0)

    @register_behaviour
    @dataclass(frozen=True)
    class Whisper:
        to: frozenset

        def rewrite(self, rng, to, message):
            return message

    with pytest.raises(TypeError, match="to of Whisper is frozenset"):
        Byzantine("n0", Whisper(frozenset({"n1"})), at=0.0)


def test_every_byzantine_fault_that_is_accepted_can_be_told_and_goes_to_json():
    class Talker(Quiet):
        def __init__(self, node_id, peers):
            self._peers = peers

        def on_start(self, ctx):
            for peer in self._peers:
                ctx.send(peer, Ping(1))

    lie = Byzantine("n0", Equivocate("number", ((1, ("a", None)), 2.5)), at=0.0)
    made = scenario(lie, factory=Talker)
    assert "n0 turns Byzantine: it tells different peers different things" in repr(made.run(1.0).trace)
    assert Scenario.from_json(made.to_json(), Talker).faults == (lie,)
