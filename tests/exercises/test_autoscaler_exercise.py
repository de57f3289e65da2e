"""The node of notebook 02: each wrong rule is told by a named load, which is cut off when it has failed."""

import json
from pathlib import Path

import pytest

from dscourse.exercises._learner_code import run_answer
from dscourse.exercises.nodes.scaling_up_and_out import SECTION, autoscaler
from dscourse.scaling import Autoscaler

ROOT = Path(__file__).resolve().parents[2]

each_wrong = pytest.mark.parametrize("wrong", autoscaler.wrong_nodes, ids=lambda wrong: wrong.name)


@each_wrong
def test_a_wrong_rule_is_found_and_told_in_its_own_words(wrong):
    feedback = autoscaler.judge(run_answer(wrong.code))
    assert (feedback.status, feedback.message) == ("wrong", wrong.message)
    assert SECTION in feedback.found
    assert "`exercises.autoscaler.counterexample` shows it" in feedback.found
    assert not all(holds for _, holds in feedback.held)


@each_wrong
def test_the_load_that_is_left_to_be_seen_ends_when_the_rule_has_failed(wrong):
    autoscaler.judge(run_answer(wrong.code))
    failing, named = (
        autoscaler.counterexample,
        {f"“{one.name}”": one for one in autoscaler.examination.loads},
    )
    whole = named[failing.words.partition(":")[0]]
    length = len(failing.load.arrival_rate)
    assert 0 < length <= len(whole.load.arrival_rate)
    assert repr(failing).startswith(failing.words)
    exceeded = [name for name, most in whole.limits.items() if getattr(failing.result, name) > most]
    assert exceeded


def test_each_load_catches_somebody_or_is_the_day_that_everybody_has_seen():
    caught = {
        load
        for wrong in autoscaler.wrong_nodes
        for load, _ in autoscaler.examination.broken(run_answer(wrong.code))
    }
    assert caught == {one.name for one in autoscaler.examination.loads}


def test_the_rule_of_the_package_is_right_and_so_is_an_object_that_can_be_called():
    assert autoscaler.judge(Autoscaler).status == "right"
    assert autoscaler.judge(Autoscaler()).status == "right"


def test_a_rule_that_buys_what_there_is_has_words_too():
    feedback = autoscaler.judge(lambda view: 10**9)
    assert feedback.message == "“no more machines than will be of use”: that does not hold yet."
    assert "1 000 machines at once; 90 would have been let pass" in feedback.found


def test_a_rule_that_remembers_outside_itself_is_told():
    code = "seen = []\n\ndef answer(view):\n    seen.append(view)\n    return 10 + len(seen) % 2\n"
    assert "keeps something outside itself" in autoscaler.judge(run_answer(code)).message


def test_a_rule_that_never_ends_and_one_that_fails_are_told_with_their_line():
    endless = run_answer("def answer(view):\n    while True:\n        pass\n")
    assert "had not ended after" in autoscaler.judge(endless).message
    failing = run_answer("def answer(view):\n    return view.machines\n")
    assert autoscaler.judge(failing).code == "return view.machines"


def test_the_section_that_it_names_is_there():
    cells = json.loads((ROOT / "notebooks/02-scaling-up-and-out.ipynb").read_text(encoding="utf-8"))["cells"]
    assert any("".join(cell["source"]).startswith(f"## {SECTION} · ") for cell in cells)
