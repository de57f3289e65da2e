"""Pictures of histories, and the history made by hand."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest
from test_history import run_of

from dscourse.consistency import (
    CONSISTENCY_MODELS,
    EXAMPLES,
    History,
    Register,
    check_all,
    check_linearizable,
    history_from_text,
    implied_models,
    separating_example,
)
from dscourse.simulation import Crash
from dscourse.views import Picture, new_axes
from dscourse.views.consistency import draw_history, draw_model_matrix, explore_models

NODE = shutil.which("node")
SCRIPT = Path(__file__).parents[2] / "dscourse" / "views" / "history_editor.js"


def test_what_cannot_be_placed_is_marked_and_told():
    run = run_of([[("put", "x", 1), *[("get", "x")] * 30]], [Crash("n0", at=0.55, restart_at=0.56)])
    verdict = check_linearizable(History.from_run(run), Register())
    picture = draw_history(run, verdict)
    assert isinstance(picture, Picture)
    texts = [text.get_text() for text in picture.figure.axes[0].texts]
    assert [text for text in texts if text.startswith("✗")] == ["✗ r x=–"]
    assert "n0 crashed" in [label.get_text() for label in picture.figure.axes[0].get_yticklabels()]
    assert verdict.explanation in picture.alt
    assert picture.caption == "A history over time"


def test_a_history_without_verdict_marks_nothing_and_takes_axes():
    axes = new_axes()
    history = history_from_text("a write x=1 0-1; b read x=1 1-?; c write x=2 2-?")
    picture = draw_history(history, between=(0.0, 5.0), ax=axes)
    assert picture.figure is axes.figure
    assert picture.alt == "A history over time: 3 operations of 3 processes."
    with pytest.raises(TypeError, match="history must be a History or a run"):
        draw_history([])


def test_the_matrix_holds_an_example_wherever_one_can_be():
    picture = draw_model_matrix()
    for one in CONSISTENCY_MODELS:
        for other in CONSISTENCY_MODELS:
            example = separating_example(one, other)
            assert (example is None) == (one == other or other in implied_models(one))
            if example:
                verdicts = check_all(history_from_text(EXAMPLES[example]))
                assert verdicts[one]
                assert verdicts[other].outcome == "illegal"
                assert f"{one} but not {other}: {example}" in picture.alt


def test_a_history_by_hand_is_judged_when_it_changes():
    editor = explore_models("a write x=1 0-1; b read x=1 2-3", allowed="sequential", forbidden="linearizable")
    assert editor.goal == "Make a history that is sequential and is not linearizable."
    assert not editor.reached
    editor.text = "b read x=- 2-3\na write x=1 0-1"
    assert editor.reached
    told = {one["name"]: one for one in json.loads(editor.verdicts)}
    assert list(told) == list(CONSISTENCY_MODELS)
    assert told["linearizable"]["culprit"] == 0
    assert sorted(told["linearizable"]["deciding"]) == [0, 1]
    assert editor.results["linearizable"].culprit == editor.history.operations[1]
    answered = editor.answered
    editor.text = "a write x=1 0-1; b reads"
    assert "an operation is written like" in editor.problem
    assert (editor.answered, editor.reached, editor.verdicts) == (answered + 1, False, "[]")
    editor.text = "a write x=1 0-2; a read x=1 1-3"
    assert "must not overlap" in editor.problem
    assert len(editor.history) == 2


def test_it_has_a_still_picture():
    editor = explore_models(EXAMPLES["two readers, two orders"])
    bundle, _ = editor._repr_mimebundle_()
    assert bundle["image/png"]
    assert "causal: allowed; sequential: not allowed" in bundle["text/plain"]
    assert explore_models(History([])).picture().alt
    with pytest.raises(ValueError, match="allowed must be one of"):
        explore_models(allowed="strong")
    with pytest.raises(TypeError, match="history must be a History"):
        explore_models(3)


@pytest.mark.skipif(NODE is None, reason="Node.js is not installed; the JavaScript is not tested")
def test_the_browsers_side_reads_and_changes_histories(tmp_path):
    (tmp_path / "editor.mjs").write_text(SCRIPT.read_text("utf-8"), "utf-8")
    texts = ["a write x=1 0-2\nb read x=- 0.5-1\nc/1 write y=two 3-?", *EXAMPLES.values()]
    program = """
        import assert from "node:assert/strict";
        const { changed, fresh, moved, parse, written } = await import(process.argv[1]);
        const rows = ["a", "b"], one = parse("a write x=1 2-3")[0];
        const key = (key, more = {}) => changed(one, { key, ...more }, rows);
        assert.equal(key("ArrowLeft").start, 1.5);
        assert.equal(key("ArrowRight", { shiftKey: true }).end, 3.5);
        assert.equal(key("ArrowDown").process, "b");
        assert.equal(key("ArrowUp").process, "a");
        assert.deepEqual([key("r").kind, key("Z").key, key("7").value], ["read", "z", "7"]);
        assert.deepEqual([key("-").value, key("?").end], ["-", null]);
        for (const other of ["Enter", "Tab", "q"]) assert.equal(key(other), null);
        assert.equal(key("r", { ctrlKey: true }), null);
        assert.deepEqual([moved(one, -5, "b").start, moved(one, 99, "b").end], [0, 14]);
        assert.equal(fresh([one], "b", 4.2).value, "2");
        console.log(JSON.stringify(JSON.parse(process.argv[2]).map((text) => written(parse(text)))));
    """
    done = subprocess.run(
        [NODE, "--input-type=module", "-e", program, tmp_path / "editor.mjs", json.dumps(texts)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    for text, again in zip(texts, json.loads(done.stdout), strict=True):
        assert history_from_text(text) == history_from_text(again)


def test_text_never_becomes_html():
    source = SCRIPT.read_text("utf-8").replace("http://www.w3.org/2000/svg", "")
    for way in (
        "innerHTML",
        "outerHTML",
        "insertAdjacentHTML",
        "document.write",
        "eval(",
        "http://",
        "https://",
    ):
        assert way not in source
