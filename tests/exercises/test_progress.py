"""Progress survives a restart and every kind of broken file, and never stops a lesson."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings, strategies as st

from dscourse import progress
from dscourse.exercises import (
    ChoicePrediction,
    Expectation,
    Mistake,
    NumberExercise,
    export_progress,
    import_progress,
    progress as progress_table,
    start_here,
)
from dscourse.exercises._modules import NOTEBOOKS, notebook_modules
from dscourse.exercises._progress import Progress, Row
from dscourse.progress import Work, exercises_tried, predictions_made, record_task, tasks_done

EXERCISE = NumberExercise(
    "rings.links",
    task="t",
    expects="a number of links",
    success="yes",
    hints=("h", "i"),
    solution="answer = 4",
    mistakes=(Mistake("answer = 3", "hops"),),
    otherwise="no",
)
OLD = {
    "dscourse": "progress",
    "version": 1,
    "predictions": {"rings.p": "z"},
    "exercises": {"rings.links": {"attempts": 2, "hints": 1, "solution_seen": False, "solved": True}},
}


def prediction():
    return ChoicePrediction(
        "rings.p", question="q", right=Expectation("x", "y"), wrong=[Expectation("z", "w")]
    )


def refuse(*_given, **_named):
    raise PermissionError(13, "Permission denied")


# ── What is remembered ────────────────────────────────────────────────────────────────────────────────────────


def test_attempts_hints_and_solutions_are_remembered():
    EXERCISE.check(3)
    EXERCISE.check()  # not attempted: not counted
    EXERCISE.check(4)
    EXERCISE.check(3)  # what is solved stays solved
    EXERCISE.solution()
    EXERCISE.hint()
    assert exercises_tried() == {"rings.links": Work(attempts=3, hints=1, solution_seen=True, solved=True)}


def test_the_first_commitment_counts():
    prediction().choose("z")
    prediction().choose("x")
    assert predictions_made() == {"rings.p": "z"}


def test_tasks_are_ticked_by_name():
    assert tasks_done() == ()
    for name in ("split_brain.kill_the_leader", "split_brain.cut", "split_brain.cut"):
        assert record_task(name) == ""
    assert tasks_done() == ("split_brain.cut", "split_brain.kill_the_leader")


@pytest.mark.parametrize("name", ["cut", "", "../x.y", "a.b/c", "a..b", 5, None])
def test_a_name_that_is_none_of_a_task_is_refused(name):
    with pytest.raises(ValueError, match=r'name must be like "split_brain.kill_the_leader", got '):
        record_task(name)


def test_what_is_shown_does_not_depend_on_what_is_remembered():
    first = repr(EXERCISE.check(3))
    EXERCISE.check(4)
    assert repr(EXERCISE.check(3)) == first


def test_each_question_has_a_small_file_of_its_own_and_nothing_else_lies_there(progress_folder):
    EXERCISE.check(4)
    prediction().choose("x")
    record_task("rings.cut")
    names = ["exercise.rings.links.json", "prediction.rings.p.json", "task.rings.cut.json"]
    assert sorted(path.name for path in progress_folder.iterdir()) == names
    assert json.loads((progress_folder / names[1]).read_text()) == "x"


# ── Where it is kept ──────────────────────────────────────────────────────────────────────────────────────────


def test_without_the_variable_it_is_a_folder_in_the_home(monkeypatch, tmp_path):
    monkeypatch.delenv("DSCOURSE_PROGRESS")
    monkeypatch.setattr("pathlib.Path.home", classmethod(lambda cls: tmp_path))
    EXERCISE.check(4)
    assert [path.name for path in tmp_path.iterdir()] == [".dscourse-progress"]


def test_the_variable_may_name_a_folder(monkeypatch, tmp_path):
    monkeypatch.setenv("DSCOURSE_PROGRESS", str(tmp_path / "deep" / "mine"))
    EXERCISE.check(4)
    assert (tmp_path / "deep" / "mine" / "exercise.rings.links.json").is_file()


@pytest.mark.parametrize(("named", "folder"), [("progress.json", "progress"), ("mine", "mine.d")])
def test_the_file_of_an_earlier_version_is_read_once_and_stays(monkeypatch, tmp_path, named, folder):
    old = tmp_path / named
    old.write_text(json.dumps(OLD))
    monkeypatch.setenv("DSCOURSE_PROGRESS", str(old))
    assert predictions_made() == {"rings.p": "z"}
    assert exercises_tried()["rings.links"] == Work(2, 1, False, True)
    EXERCISE.check(3)
    assert exercises_tried()["rings.links"].attempts == 3
    assert json.loads(old.read_text()) == OLD
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([named, folder])
    for path in (tmp_path / folder).iterdir():  # to begin anew
        path.unlink()
    assert predictions_made() == {}


def test_the_file_in_the_home_is_read_as_well(monkeypatch, tmp_path):
    monkeypatch.delenv("DSCOURSE_PROGRESS")
    monkeypatch.setattr("pathlib.Path.home", classmethod(lambda cls: tmp_path))
    (tmp_path / ".dscourse-progress.json").write_text(json.dumps(OLD))
    assert predictions_made() == {"rings.p": "z"}


DAMAGED = [
    "", "{", "[]", "null", "[" * 100_000, "9" * 5000, '{"version": 1}', '{"dscourse": "progress", "version": true}',
    '{"dscourse": "progress", "version": 0}', '{"dscourse": "progress", "version": 2}',
    json.dumps({**OLD, "predictions": []}), json.dumps({**OLD, "predictions": {"a.b": True}}),
    json.dumps({**OLD, "exercises": {"a.b": 1}}), json.dumps({**OLD, "tasks": {"a.b": False}}),
    json.dumps({**OLD, "exercises": {"a.b": {"attempts": -1, "hints": 0, "solved": True, "solution_seen": False}}}),
    json.dumps({**OLD, "exercises": {"a.b": {"attempts": 1, "hints": -1, "solved": True, "solution_seen": False}}}),
    json.dumps({**OLD, "exercises": {"a.b": {"attempts": True, "hints": 0, "solved": True, "solution_seen": False}}}),
]  # fmt: skip


@pytest.mark.parametrize("content", DAMAGED, ids=range(len(DAMAGED)))
def test_a_damaged_file_is_neither_read_nor_imported_nor_touched(tmp_path, content):
    old = tmp_path / "progress.json"
    old.write_text(content)
    assert predictions_made() == {}
    assert EXERCISE.check(4).notice == ""
    with pytest.raises(ValueError, match="can't be imported"):
        import_progress(old)
    with pytest.raises(FileExistsError, match="choose another name"):
        export_progress(old)
    assert old.read_text() == content
    assert exercises_tried()["rings.links"].solved


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe\x00", b"[]", b"7", b"[" * 100_000], ids=range(6))
def test_a_damaged_entry_counts_as_none_and_the_others_stay(progress_folder, content):
    EXERCISE.check(4)
    prediction().choose("x")
    (progress_folder / "exercise.rings.links.json").write_bytes(content)
    assert exercises_tried() == {}
    assert EXERCISE.check(4).notice == ""
    assert exercises_tried()["rings.links"].attempts == 1
    assert predictions_made() == {"rings.p": "x"}


# ── What can't be saved ───────────────────────────────────────────────────────────────────────────────────────


def test_what_can_not_be_saved_is_kept_for_the_session_and_told_once(progress_folder):
    progress_folder.write_text("in the way")
    notice = EXERCISE.check(4).notice
    assert notice.startswith("Your progress is kept for this session only, since it can't be saved: ")
    assert EXERCISE.check(4).notice == ""
    assert exercises_tried()["rings.links"].attempts == 2
    assert repr(progress_table()).replace("\n", " ").endswith(notice)
    assert progress_folder.read_text() == "in the way"


def test_what_could_not_be_saved_is_saved_when_it_can(progress_folder, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr("tempfile.mkstemp", refuse)
        assert "Permission denied" in EXERCISE.check(4).notice
    prediction().choose("x")
    assert progress.problem() == ""
    assert (progress_folder / "exercise.rings.links.json").is_file()
    for path in progress_folder.iterdir():  # to begin anew
        path.unlink()
    assert exercises_tried() == {}


def test_a_full_disk_loses_nothing(progress_folder, monkeypatch):
    EXERCISE.check(3)
    before = (progress_folder / "exercise.rings.links.json").read_text()

    def full(_handle):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        assert "No space left on device" in EXERCISE.check(4).notice
    assert [path.read_text() for path in progress_folder.iterdir()] == [before]
    assert exercises_tried()["rings.links"].solved


@pytest.mark.parametrize("named", ["file/progress.json", "/"], ids=["below a file", "the root"])
def test_a_place_where_nothing_can_be_saved_does_no_harm(tmp_path, monkeypatch, named):
    (tmp_path / "file").write_text("x")
    monkeypatch.setenv("DSCOURSE_PROGRESS", str(tmp_path / named))
    monkeypatch.setattr("tempfile.mkstemp", refuse)  # root may write everywhere
    assert "this session only" in EXERCISE.check(4).notice
    assert exercises_tried()["rings.links"].solved


def test_no_home_folder_does_no_harm(monkeypatch):
    monkeypatch.delenv("DSCOURSE_PROGRESS")

    def nowhere(_cls):
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr("pathlib.Path.home", classmethod(nowhere))
    assert "there is no home folder" in EXERCISE.check(4).notice
    assert exercises_tried()["rings.links"].solved


# ── To carry elsewhere ────────────────────────────────────────────────────────────────────────────────────────


def test_export_and_import_carry_progress_to_another_machine(tmp_path, monkeypatch):
    EXERCISE.check(4)
    prediction().choose("x")
    record_task("rings.cut")
    export_progress(tmp_path / "carried.json")
    monkeypatch.setenv("DSCOURSE_PROGRESS", str(tmp_path / "other"))
    prediction().choose("z")
    import_progress(tmp_path / "carried.json")
    assert exercises_tried()["rings.links"].solved
    assert predictions_made() == {"rings.p": "z"}  # what was committed here stays
    assert tasks_done() == ("rings.cut",)


def test_an_export_over_an_older_one_keeps_what_only_the_older_one_has(tmp_path, monkeypatch):
    EXERCISE.check(4)
    export_progress(tmp_path / "carried.json")
    monkeypatch.setenv("DSCOURSE_PROGRESS", str(tmp_path / "fresh"))  # Binder, and nobody imported
    prediction().choose("z")
    export_progress(tmp_path / "carried.json")
    monkeypatch.setenv("DSCOURSE_PROGRESS", str(tmp_path / "third"))
    import_progress(tmp_path / "carried.json")
    assert exercises_tried()["rings.links"].solved
    assert predictions_made() == {"rings.p": "z"}


def test_an_export_overwrites_nothing_else(tmp_path):
    notes = tmp_path / "notes.txt"
    notes.write_text("mine")
    with pytest.raises(FileExistsError, match="choose another name"):
        export_progress(notes)
    assert notes.read_text() == "mine"


both_doors = pytest.mark.parametrize("door", [export_progress, import_progress])


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="there is no file"):
        import_progress(tmp_path / "nowhere.json")


@both_doors
def test_a_folder_is_told_what_to_name_instead(tmp_path, door):
    with pytest.raises(IsADirectoryError, match="is a folder; name a file in it, such as ") as caught:
        door(tmp_path)
    assert str(tmp_path / "dscourse-progress.json") in str(caught.value).replace("\\\\", "\\")
    assert list(tmp_path.iterdir()) == []


@both_doors
@pytest.mark.parametrize("path", [5, None, True, b"x.json", ["x.json"], 1.5, ...])
def test_what_is_no_name_of_a_file_is_a_type_error(door, path):
    with pytest.raises(TypeError, match=r"path must be the name of a file, such as .*, got "):
        door(path)


@both_doors
@pytest.mark.parametrize("path", ["", "  ", "a\0b", pytest.param("\ud800", id="half a letter")])
def test_what_names_no_file_is_a_value_error(door, path):
    if path == "\ud800" and sys.platform == "win32":
        pytest.skip("such a name is possible there")
    with pytest.raises(ValueError, match=r"path must be the name of a file, such as .*, got "):
        door(path)


@both_doors
def test_a_home_folder_that_is_not_there_is_named(monkeypatch, door):
    def unknown(_path):
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr("pathlib.Path.expanduser", unknown)
    with pytest.raises(FileNotFoundError, match=r"~nobody/x.json names a home folder that is not there"):
        door("~nobody/x.json")


@both_doors
def test_a_name_that_is_too_long_is_told_so(door):
    with pytest.raises(OSError, match=r"x{300}.*; (choose another place|upload it)"):
        door("x" * 300)


def test_an_export_into_a_file_taken_for_a_folder_says_so(tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(NotADirectoryError, match=r"notes\.txt is no folder; choose another place"):
        export_progress(tmp_path / "notes.txt" / "carried.json")
    assert (tmp_path / "notes.txt").read_text() == "mine"


def test_an_export_that_may_not_be_written_says_so_and_leaves_the_older_one(tmp_path, monkeypatch):
    EXERCISE.check(4)
    carried = tmp_path / "carried.json"
    export_progress(carried)
    before = carried.read_bytes()
    monkeypatch.setattr("tempfile.mkstemp", refuse)
    with pytest.raises(
        PermissionError, match=r"^your progress can't be saved as .*carried\.json: Permission denied; choose"
    ):
        export_progress(carried)
    assert carried.read_bytes() == before


@both_doors
def test_a_file_that_may_not_be_read_is_neither_imported_nor_overwritten(tmp_path, monkeypatch, door):
    carried = tmp_path / "carried.json"
    carried.write_text("not for you")
    with monkeypatch.context() as patch:
        patch.setattr(Path, "read_text", refuse)
        with pytest.raises(PermissionError, match=r"carried\.json can't be read: Permission denied; see who"):
            door(carried)
    assert carried.read_text() == "not for you"


@both_doors
@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no pipes with names there")
def test_a_pipe_is_not_waited_for(tmp_path, monkeypatch, door):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(OSError, match="pipe is no ordinary file; choose another name"):
        door(tmp_path / "pipe")
    monkeypatch.setenv("DSCOURSE_PROGRESS", str(tmp_path / "pipe"))
    assert "this session only" in EXERCISE.check(4).notice
    assert [path.name for path in tmp_path.iterdir()] == ["pipe"]  # /dev/null would stay where it is, too


words = st.text("abc_", min_size=1, max_size=3)
names = st.builds("{}.{}".format, words, words)
works = st.builds(Work, st.integers(0, 50), st.integers(0, 9), st.booleans(), st.booleans())


@settings(max_examples=100, deadline=None)
@given(works, works)
def test_merging_loses_nothing(one, other):
    both = one.merged(other)
    assert both == other.merged(one)
    assert one.merged(one) == one
    for work in (one, other):
        assert both.merged(work) == both
        assert both.attempts >= work.attempts
        assert both.solved >= work.solved


@settings(max_examples=200, deadline=None)
@given(
    content=st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=4),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(
                    ["dscourse", "version", "predictions", "exercises", "tasks", "progress", "a.b"]
                ),
                inner,
                max_size=4,
            )
        ),
        max_leaves=12,
    )
)
def test_any_json_is_progress_or_a_value_error(tmp_path_factory, content):
    path = tmp_path_factory.mktemp("any") / "any.json"
    path.write_text(json.dumps(content))
    try:
        found = progress._carried(path)
    except ValueError:
        return
    assert set(found) == {"prediction", "exercise", "task"}


# ── The table ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_table_has_a_row_for_every_notebook_and_says_numbers_in_words():
    shown = progress_table()
    assert len(shown.rows) == len(notebook_modules())
    assert set(notebook_modules()) <= set(NOTEBOOKS)
    assert repr(shown).startswith("Your progress\n00 Start here")
    assert f"0 of {shown.rows[0].predictions}" in repr(shown)


def test_bars_show_what_is_done_and_html_is_escaped():
    shown = Progress(
        (Row("<b>01</b>", predicted=1, predictions=2, solved=2, tried=1, exercises=4),), problem="<i>no</i>"
    )
    assert repr(shown) == (
        "Your progress\n<b>01</b>  predictions █████░░░░░ 1 of 2     exercises █████░░░░░ 2 of 4, 1 under way"
        "\n<i>no</i>"
    )
    page = shown._repr_html_()
    assert "<b>" not in page
    assert "<i>" not in page
    assert "width:50%" in page
    assert "2 of 4, 1 under way" in page


@pytest.mark.parametrize(
    ("done", "of", "bar"),
    [(1, 3, "███░░░░░░░"), (99, 100, "█████████░"), (0, 7, "░░░░░░░░░░"), (7, 7, "█" * 10)],
)
def test_a_bar_is_full_only_when_all_is_done(done, of, bar):
    assert f"predictions {bar} {done} of {of} " in repr(Progress((Row("01", done, of, 0, 0, 1),)))


def test_a_notebooks_row_counts_predictions_and_what_is_under_way_until_it_is_solved():
    def row():
        return progress_table().rows[0]

    start_here.crash_the_leader.choose("a")
    assert (row().notebook, row().predicted, row().solved, row().tried) == ("00 Start here", 1, 0, 0)
    start_here.soonest_suspicion.check(1.6)
    assert (row().solved, row().tried) == (0, 1)
    start_here.soonest_suspicion.check(1.12)
    assert (row().solved, row().tried) == (1, 0)


# ── What to look at again ─────────────────────────────────────────────────────────────────────────────────────────


def test_what_was_shown_and_not_overcome_is_to_be_looked_at_again():
    assert progress_table().question is None
    start_here.crash_the_leader.choose("at once: they notice that n0 is gone")
    assert progress_table().again == ()  # the run decides
    start_here.crash_the_leader.compare()
    start_here.one_is_enough.check(lambda availability, machines: availability * machines)
    shown = progress_table()
    assert shown.again == (start_here.A_CRASH_IS_SEEN, start_here.CHANCES_ADD_UP)
    for words in (repr(shown), shown._repr_html_()):
        assert start_here.A_CRASH_IS_SEEN.belief in words
        assert "exercises.progress().question" in words
    start_here.one_is_enough.check(lambda availability, machines: 1 - (1 - availability) ** machines)
    assert progress_table().again == (start_here.A_CRASH_IS_SEEN,)


def test_one_question_on_it_is_offered_and_whoever_knew_the_answer_says_so():
    misconception = start_here.A_CRASH_IS_SEEN
    misconception.record_shown()
    review = progress_table().question
    told = review._repr_mimebundle_()
    assert misconception.question in " ".join(told["text/plain"].split())
    assert misconception.answer not in told["text/plain"] + str(review.widget().get_state())
    widget = review.widget()
    widget._handle_custom_msg({"ask": "Answer"}, [])
    assert widget.said == [["text", misconception.answer]]
    widget._handle_custom_msg({"ask": "Not yet"}, [])
    assert progress_table().question is not None
    widget._handle_custom_msg({"ask": "I knew it"}, [])
    assert progress_table().question is None
    misconception.record_shown()
    assert progress_table().question is not None


def test_misconceptions_travel_with_the_rest(tmp_path, monkeypatch):
    start_here.A_CRASH_IS_SEEN.record_shown()
    start_here.CHANCES_ADD_UP.record_shown()
    start_here.CHANCES_ADD_UP.record_overcome()
    export_progress(tmp_path / "carried.json")
    monkeypatch.setenv("DSCOURSE_PROGRESS", str(tmp_path / "elsewhere"))
    start_here.CHANCES_ADD_UP.record_shown()
    import_progress(tmp_path / "carried.json")
    assert progress_table().again == (start_here.A_CRASH_IS_SEEN,)


def test_of_a_notebook_in_which_nothing_was_shown_no_module_is_loaded():
    progress_table()
    code = "import sys; from dscourse.exercises import progress; progress(); "
    code += "print('dscourse.exercises.start_here' in sys.modules)"
    assert (
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
        == "False\n"
    )


@pytest.mark.parametrize(
    "entry", [True, [1, 2], {"shown": 1}, {"shown": -1, "overcome": 0}, {"shown": True, "overcome": 0}]
)
def test_a_damaged_misconception_counts_as_none(progress_folder, entry):
    start_here.A_CRASH_IS_SEEN.record_shown()
    (progress_folder / "misconception.start_here.a_crash_is_seen.json").write_text(json.dumps(entry))
    assert progress_table().again == ()
