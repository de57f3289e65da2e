"""Every exercise in which the learner writes a node, found by looking: what it promises, it keeps."""

import importlib
import json
import pkgutil
from pathlib import Path

import pytest

from dscourse.exercises import ClusterExamination, ExaminerExercise, Exercise, NodeExercise, nodes
from dscourse.exercises._learner_code import run_answer
from dscourse.exercises._modules import NOTEBOOKS
from dscourse.simulation import NodeError

ROOT = Path(__file__).resolve().parents[2]
MODULES = {
    found.name: importlib.import_module(f"{nodes.__name__}.{found.name}")
    for found in pkgutil.iter_modules(nodes.__path__)
}
ALL = [thing for module in MODULES.values() for thing in vars(module).values() if isinstance(thing, Exercise)]
WRITTEN = [exercise for exercise in ALL if isinstance(exercise, NodeExercise)]
IN_A_CLUSTER = [one for one in WRITTEN if isinstance(one.examination, ClusterExamination)]
WRONG = [(exercise, wrong) for exercise in IN_A_CLUSTER for wrong in exercise.wrong_nodes]

each = pytest.mark.parametrize("exercise", ALL, ids=lambda exercise: exercise.name)
each_written = pytest.mark.parametrize("exercise", WRITTEN, ids=lambda exercise: exercise.name)
each_in_a_cluster = pytest.mark.parametrize("exercise", IN_A_CLUSTER, ids=lambda exercise: exercise.name)
each_wrong = pytest.mark.parametrize(
    ("exercise", "wrong"), WRONG, ids=[f"{exercise.name} {wrong.name}" for exercise, wrong in WRONG]
)


def headings(notebook):
    (path,) = ROOT.glob(f"notebooks/{NOTEBOOKS.index(notebook):02d}-*.ipynb")
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    lines = [
        line
        for cell in cells
        if cell["cell_type"] == "markdown"
        for line in "".join(cell["source"]).splitlines()
    ]
    return [line.removeprefix("## ").partition(" · ")[0] for line in lines if line.startswith("## ")]


def test_there_is_one_for_each_notebook_that_stands():
    assert set(MODULES) == {
        "start_here",
        "scaling_metrics",
        "scaling_up_and_out",
        "scaling_patterns",
        "partitioning",
        "replication",
        "consistency",
        "faults_and_redundancy",
        "failure_detection",
        "split_brain",
        "recovery",
        "resilience",
        "game_day",
    }
    assert len(WRITTEN) == 21
    assert all(len(exercise.wrong_nodes) >= 3 for exercise in WRITTEN)


@each
def test_it_bears_the_name_under_which_it_stands(exercise):
    module, _, name = exercise.name.partition(".")
    assert getattr(MODULES[module], name) is exercise


@each
def test_the_stub_is_a_cell_of_its_own_and_counts_as_not_attempted(exercise):
    lines = exercise.stub.code.strip().splitlines()
    assert len(lines) <= 25
    assert max(map(len, lines)) <= 100
    assert "..." in exercise.stub.code
    name = exercise.name.partition(".")[2]
    assert lines[-1].startswith(f"{name} = ")
    written = exercise.stub.code.replace(f"{name} = ", "answer = ")
    assert exercise.judge(run_answer(written)).status == "not attempted"
    assert exercise.judge(...).status == "not attempted"


@each
def test_the_solution_passes_and_nothing_is_left_to_play(exercise):
    feedback = exercise.judge(run_answer(exercise.solution_code))
    assert (feedback.status, feedback.message) == ("right", exercise.success)
    assert all(holds for _, holds in feedback.held)
    with pytest.raises(LookupError):
        exercise.counterexample  # noqa: B018


@each_written
def test_what_nothing_can_tell_from_the_right_node_is_right(exercise):
    for code in exercise.equivalents:
        assert exercise.judge(run_answer(code)).status == "right", code


@each_in_a_cluster
def test_each_requirement_names_a_section_of_the_notebook_that_is_there(exercise):
    notebook = exercise.name.partition(".")[0]
    if not list(ROOT.glob(f"notebooks/{NOTEBOOKS.index(notebook):02d}-*.ipynb")):
        pytest.skip("its notebook isn't written yet")
    for requirement in exercise.examination.requirements:
        assert requirement.section in headings(notebook)


@each_wrong
def test_a_wrong_node_is_found_shrunk_and_told_in_its_own_words(exercise, wrong):
    feedback = exercise.judge(run_answer(wrong.code))
    assert (feedback.status, feedback.message) == ("wrong", wrong.message)
    assert exercise.report.faults == wrong.faults
    assert exercise.report.section in feedback.found
    assert f"play(exercises.{exercise.name.partition('.')[2]}.counterexample)" in feedback.found
    assert not all(holds for _, holds in feedback.held)
    run = exercise.counterexample
    assert run.scenario.is_script or len(run.faults) == wrong.faults
    broken = next(
        item for item in exercise.examination.properties if item.name == exercise.report.broken[0][1]
    )
    assert not run.check(broken), "the run that is left to be played shows it"


@each_wrong
def test_a_named_schedule_shows_it_so_that_nothing_depends_on_luck(exercise, wrong):
    schedules = {schedule.name for schedule in exercise.examination.schedules}
    assert {name for name, _ in exercise.examination.broken(run_answer(wrong.code))} <= schedules


# A liar whose lie arrives twice before the truth does, a long log of an old term: one in thousands, or in more.
# Four machines that die at once, an order that is lost early: in hundreds.
# Nobody waits for ever in a search that asks only what must never happen.
# An answer from before the circuit opened that comes while it is half-open; good times after a long outage.
RARE = {
    "counts answers, not replicas",
    "compares lengths first",
    "commits an entry of an older term",
    "waits for everybody",
    "forgets the token in a crash",
    "repairs all at once",
    "waits forever for an order",
    "counts results of earlier calls",
    "goes into debt",
}


def enough(exercise, seeds):
    """Fewer where one run costs as much as ten: a cluster of more than four."""
    return (
        seeds // 5
        if len(exercise.examination.scenario(run_answer(exercise.solution_code)).node_ids) > 4
        else seeds
    )


@each_wrong
def test_a_search_alone_finds_it_too_but_for_what_is_rare(exercise, wrong):
    """Why there are named schedules."""
    if not exercise.examination.seeds:
        pytest.skip("named loads alone can tell")
    if wrong.name in RARE:
        assert exercise.examination.survives(run_answer(wrong.code), seeds=20) is None
    else:
        found = exercise.examination.survives(run_answer(wrong.code), seeds=enough(exercise, 300))
        assert len(found.faults) <= max(1, wrong.faults + 1)


def test_steps_break_a_node_and_are_left_to_be_played(monkeypatch):
    exercise = MODULES["partitioning"].remember_the_vote
    monkeypatch.setattr(exercise.examination, "schedules", exercise.examination.schedules[-1:])
    monkeypatch.delitem(vars(exercise), "_words_known", raising=False)
    feedback = exercise.judge(run_answer(exercise.wrong_nodes[0].code))
    assert feedback.message == exercise.wrong_nodes[0].message
    assert exercise.report.faults == 1
    assert "n1 votes yes for t3, and its seat is promised to t2" in feedback.found
    assert "Down('n1'), Up('n1')" in feedback.found
    assert exercise.counterexample.scenario.is_script
    assert exercise.counterexample.at(3.0).condition["n1"] == "crashed"
    monkeypatch.delitem(vars(exercise), "_words_known", raising=False)


@each_written
def test_no_two_wrong_nodes_break_the_same_in_the_same_schedules(exercise):
    found = [exercise.examination.broken(run_answer(wrong.code)) for wrong in exercise.wrong_nodes]
    assert len(set(found)) == len(found)


@each_in_a_cluster
def test_each_schedule_runs_without_an_error_and_the_first_has_no_faults(exercise):
    right = run_answer(exercise.solution_code)
    assert exercise.examination.schedules[0].faults == ()
    for schedule in exercise.examination.schedules:
        try:
            scenario, until = exercise.examination.scheduled(right, schedule)
            scenario.run(until)
        except NodeError as error:
            pytest.fail(f"{schedule.name}: {error}")


@each_in_a_cluster
def test_the_right_node_survives_a_thousand_schedules(exercise):
    """The promise and what the search may draw are the same; benchmarks/node_exercises.py tries ten thousand."""
    seeds = enough(exercise, 1000)
    assert exercise.examination.survives(run_answer(exercise.solution_code), seeds=seeds) is None


@pytest.mark.parametrize(
    "exercise", [one for one in ALL if isinstance(one, ExaminerExercise)], ids=lambda exercise: exercise.name
)
def test_an_examiner_who_lets_somebody_get_away_is_told_whom(exercise):
    for mistake in exercise.mistakes:
        feedback = exercise.judge(run_answer(mistake.code))
        assert (feedback.status, feedback.message) == ("wrong", mistake.message)
        assert exercise.counterexample.trace


def test_one_property_of_two_catches_some_of_the_wrong_ones():
    exercise = MODULES["faults_and_redundancy"].catch_the_wrong
    feedback = exercise.judge(run_answer(exercise.mistakes[0].code))
    assert feedback.found.startswith(
        "You caught 2 of 5; the ones that got away: one that waits for all three; one that gives up when the first two "
        "differ; one that answers more than once."
    )


def test_an_examiner_may_write_a_schedule_instead():
    exercise = MODULES["faults_and_redundancy"].catch_the_wrong
    code = "from dscourse.simulation import Crash\nanswer = [Crash('n1', at=0.0)]"
    feedback = exercise.judge(run_answer(code))
    assert "You caught 1 of 5" in feedback.found  # the one that waits for all three
    too_much = "from dscourse.simulation import Crash\nanswer = [Crash('n1', at=0.0), Crash('n2', at=0.0)]"
    assert (
        exercise.judge(run_answer(too_much)).message == "You refuse a node that is right. Schedule: “yours”."
    )
    nowhere = "from dscourse.simulation import Crash\nanswer = [Crash('n9', at=0.0)]"
    assert "there is no node" in exercise.judge(run_answer(nowhere)).message
