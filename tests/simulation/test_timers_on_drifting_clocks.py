"""A timer never runs before its time on the node's own clock, however the clock runs."""

from hypothesis import given, settings, strategies as st

from dscourse.simulation import ClockDrift, Network, Node, Scenario, topology


class Alarm(Node):
    """Sets a timer at its start and another when the first is due."""

    def __init__(self, node_id, peers, delays):
        self._delays = list(delays)
        self.early = []

    def on_start(self, ctx):
        self._set_next(ctx)

    def on_timer(self, ctx, name):
        self.early.append(self._deadline - _microseconds(ctx.now))
        self._set_next(ctx)

    def _set_next(self, ctx):
        if self._delays:
            delay = self._delays.pop(0)
            self._deadline = _microseconds(ctx.now) + delay
            ctx.set_timer("alarm", delay / 1e6)


def _microseconds(seconds):
    return round(seconds * 1e6)


def lateness(delays, drifts):
    """How many microseconds after its deadline, on its own clock, each timer ran."""
    scenario = Scenario(
        lambda node_id, peers: Alarm(node_id, peers, delays),
        Network(topology.full_mesh(1)),
        faults=[ClockDrift("n0", rate, at=at / 1e6) for rate, at in drifts],
    )
    until = 60.0
    early = scenario.run(until).at(until).nodes["n0"]["early"]
    assert len(early) == len(delays)
    return [-by for by in early]


delays = st.lists(st.integers(1, 3_000_000), min_size=1, max_size=4)
rates = st.sampled_from([-0.75, -0.5, -0.1, -1e-3, 1e-6, 1e-3, 0.1, 0.5, 1.0]) | st.floats(-0.75, 1.0)
drifts = st.lists(st.tuples(rates, st.integers(0, 3_000_000)), max_size=4, unique_by=lambda drift: drift[1])


@given(delays, drifts)
@settings(max_examples=150, deadline=None)
def test_no_timer_runs_before_its_time_on_its_own_clock(delays, drifts):
    late = lateness(delays, drifts)
    assert min(late) >= 0
    # a microsecond of true time is at most two on these clocks; each change of rate and each reading rounds once
    assert max(late) <= 2 * (len(drifts) + 2)


def test_a_reading_that_is_rounded_down_does_not_make_a_timer_early():
    """At rate 0.5 the clock reads 5 at 3 µs and 7 at 5 µs (2.5 is rounded to 2): two µs are not always three."""
    assert min(lateness([4, 3], [(0.5, 0)])) >= 0


def test_what_is_left_of_a_timer_is_rounded_up_when_the_clock_changes_its_rate():
    for rate in (0.1, 0.3, 0.7, -0.1, -0.3, 1e-6):
        for at in (123_457, 500_000, 700_001):
            assert lateness([1_000_000], [(rate, at)])[0] in (0, 1), (rate, at)


def test_the_slowest_clock_there_is_stops_nothing():
    scenario = Scenario(
        lambda node_id, peers: Alarm(node_id, peers, [1_000_000]),
        Network(topology.full_mesh(1)),
        faults=[ClockDrift("n0", -1.0 + 2**-53, at=0.5)],
    )
    assert scenario.run(1e6).at(1e6).nodes["n0"]["early"] == []
