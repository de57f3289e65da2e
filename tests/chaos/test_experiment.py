"""An experiment stays within its radius, is called off in time, and tells what it found."""

import pytest

from dscourse.chaos import Experiment, GameDay, SteadyState
from dscourse.exercises.game_day import CAREFUL, NAIVE, one_part_less, share_in_time
from dscourse.simulation import Crash, Pause


def experiment(design=CAREFUL, **change):
    settings = {
        "steady_state": SteadyState("orders in time", share_in_time, at_least=0.95),
        "hypothesis": "Nobody notices.",
        "faults": [Crash("d1", at=20.0, restart_at=30.0)],
        "blast_radius": ["d1"],
        "stop_below": 0.7,
    }
    return Experiment(GameDay(1, 1, rehearsal=[]).scenario(design), **(settings | change))


def test_a_hypothesis_that_holds():
    report = one_part_less("s2").run(50.0)
    assert report.held
    assert report.recovered
    assert report.stopped_at is None
    assert "held" in repr(report)


def test_one_that_doesnt_is_called_off_and_all_faults_end_then():
    report = one_part_less("d1", NAIVE).run(50.0)
    assert not report.held
    assert report.stopped_at == 23.0
    ((fault, begin, end),) = report.run.trace.fault_intervals()
    assert (fault.node, begin, end) == ("d1", 20.0, 23.0)
    assert report.after < report.before
    assert not report.recovered


def test_what_hasnt_begun_doesnt_begin_after_a_stop():
    faults = [Crash("d1", at=20.0, restart_at=30.0), Pause("d1", at=35.0, until=36.0)]
    report = experiment(NAIVE, faults=faults).run(50.0)
    assert report.stopped_at == 23.0
    assert len(report.run.trace.fault_intervals()) == 1


def test_the_same_before_the_fault_whether_or_not_it_comes():
    scenario = GameDay(1, 1, rehearsal=[]).scenario(CAREFUL)
    report = experiment().run(50.0)
    assert report.before == share_in_time(scenario.run(50.0), 0.0, 20.0)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"blast_radius": ["s1"]}, "must stay within the blast radius"),
        ({"faults": []}, "nothing to see"),
    ],
)
def test_a_careless_experiment_is_refused(change, words):
    with pytest.raises(ValueError, match=words):
        experiment(**change)


def test_a_scenario_with_faults_of_its_own_is_refused():
    broken = GameDay(1, 1, rehearsal=["power failure"]).scenario(NAIVE)
    with pytest.raises(ValueError, match="without faults"):
        Experiment(
            broken, steady_state=SteadyState("x", share_in_time, 0.9), hypothesis="y",
            faults=[Crash("d1", at=1.0)], blast_radius=["d1"], stop_below=0.5,
        )  # fmt: skip
