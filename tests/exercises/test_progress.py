"""Progress survives a restart and every kind of broken file, and never stops a lesson."""

import contextlib
import json
import os
import sys

import pytest
from hypothesis import given, settings, strategies as st

from dscourse.exercises import (
    Exercise,
    Option,
    Prediction,
    _store,
    export_progress,
    import_progress,
    progress,
)
from dscourse.exercises._modules import NOTEBOOKS, notebook_modules
from dscourse.exercises._progress import Progress, Row
from dscourse.exercises._record import Record, Work

EXERCISE = Exercise(
    "rings.links",
    task="t",
    check=lambda answer: None if answer == 4 else "no",
    success="yes",
    hints=("h", "i"),
    solution="answer = 4",
)


def prediction():
    return Prediction(
        "rings.p", question="q", options={"a": Option("x", "y"), "b": Option("z", "w")}, right="a"
    )


def remembered():
    return _store.load()[0]


def test_attempts_hints_and_solutions_are_remembered(progress_file):
    EXERCISE.check(3)
    EXERCISE.check()  # not attempted: not counted
    EXERCISE.check(4)
    EXERCISE.check(3)  # what is solved stays solved
    EXERCISE.solution()
    work = Record.from_json(progress_file.read_text()).exercises["rings.links"]
    assert (work.attempts, work.solved, work.solution_seen) == (3, True, True)


def test_what_is_shown_does_not_depend_on_what_is_remembered():
    first = repr(EXERCISE.check(3))
    EXERCISE.check(4)
    assert repr(EXERCISE.check(3)) == first


BROKEN = [
    b"",
    b"{",
    b"\xff\xfe\x00",
    b"[]",
    b"null",
    b'{"version": 1}',
    b'{"dscourse": "progress", "version": "1"}',
    b'{"dscourse": "progress", "version": true}',
    b'{"dscourse": "progress", "version": 0, "predictions": {}, "exercises": {}}',
    b'{"dscourse": "progress", "version": 1, "predictions": [], "exercises": {}}',
    b'{"dscourse": "progress", "version": 1, "predictions": {"a.b": 1}, "exercises": {}}',
    b'{"dscourse": "progress", "version": 1, "predictions": {}, "exercises": {"a.b": 1}}',
    b'{"dscourse": "progress", "version": 1, "predictions": {}, "exercises": {"a.b": '
    b'{"attempts": -1, "hints": 0, "solved": true, "solution_seen": false}}}',
    b'{"dscourse": "progress", "version": 1, "predictions": {}, "exercises": {"a.b": '
    b'{"attempts": 1, "hints": -1, "solved": true, "solution_seen": false}}}',
    b"[" * 100_000,
    b"9" * 5000,
]


@pytest.mark.parametrize("content", BROKEN, ids=range(len(BROKEN)))
def test_a_broken_file_is_set_aside_told_once_and_the_lesson_goes_on(progress_file, content):
    progress_file.write_bytes(content)
    feedback = EXERCISE.check(4)
    assert feedback.status == "right"
    assert feedback.notice.startswith("Your progress file could not be read: ")
    assert "progress.json.broken-1" in feedback.notice
    assert feedback.notice in " ".join(repr(feedback).split())
    assert progress_file.with_name("progress.json.broken-1").read_bytes() == content
    assert EXERCISE.check(4).notice == ""
    assert remembered().exercises["rings.links"].attempts == 2


def test_a_second_broken_file_does_not_overwrite_the_first(progress_file):
    for content in ("one", "two"):
        progress_file.write_text(content)
        EXERCISE.check(4)
    assert progress_file.with_name("progress.json.broken-1").read_text() == "one"
    assert progress_file.with_name("progress.json.broken-2").read_text() == "two"


def test_a_newer_file_is_left_alone_and_progress_lasts_for_the_session(progress_file):
    newer = '{"dscourse": "progress", "version": 2, "anything": []}'
    progress_file.write_text(newer)
    assert "newer version" in EXERCISE.check(4).notice
    assert EXERCISE.check(4).notice == ""
    assert progress_file.read_text() == newer
    assert remembered().exercises["rings.links"].solved
    assert "newer version" in repr(progress())


def test_a_folder_in_the_place_of_the_file_does_no_harm(progress_file):
    progress_file.mkdir()
    assert EXERCISE.check(4)
    assert "this session only" in repr(progress())
    assert remembered().exercises["rings.links"].solved


def test_a_folder_that_cannot_be_made_does_no_harm(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("x")
    monkeypatch.setenv("DSCOURSE_PROGRESS", str(tmp_path / "file" / "progress.json"))
    assert "this session only" in EXERCISE.check(4).notice
    EXERCISE.check(4)
    assert remembered().exercises["rings.links"].attempts == 2


def test_a_broken_file_that_cannot_be_set_aside_is_left_alone(progress_file, monkeypatch):
    progress_file.write_text("broken")

    def refused(_path, _target):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("pathlib.Path.replace", refused)
    assert EXERCISE.check(4).notice.endswith("since its file can't be used: Permission denied.")
    assert progress_file.read_text() == "broken"
    assert remembered().exercises["rings.links"].solved


def test_a_full_disk_leaves_the_old_file_whole_and_what_was_unsaved_is_saved_later(
    progress_file, monkeypatch
):
    EXERCISE.check(3)
    before = progress_file.read_text()

    def full(_handle):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        assert "No space left on device" in EXERCISE.check(4).notice
    assert progress_file.read_text() == before
    assert [path.name for path in progress_file.parent.iterdir()] == ["progress.json"]
    assert remembered().exercises["rings.links"].solved
    prediction().choose("a")
    assert Record.from_json(progress_file.read_text()).exercises["rings.links"].solved


def test_no_home_folder_does_no_harm(monkeypatch):
    monkeypatch.delenv("DSCOURSE_PROGRESS")

    def nowhere(_cls):
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr("pathlib.Path.home", classmethod(nowhere))
    assert "this session only" in EXERCISE.check(4).notice


def test_without_the_variable_it_is_one_small_file_in_the_home_folder(monkeypatch, tmp_path):
    monkeypatch.delenv("DSCOURSE_PROGRESS")
    monkeypatch.setattr("pathlib.Path.home", classmethod(lambda cls: tmp_path))
    EXERCISE.check(4)
    assert [path.name for path in tmp_path.iterdir()] == [".dscourse-progress.json"]


@pytest.mark.skipif(sys.platform == "win32", reason="links need a right there")
def test_a_link_to_a_file_elsewhere_stays_a_link(progress_file, tmp_path):
    target = tmp_path / "elsewhere.json"
    progress_file.symlink_to(target)
    EXERCISE.check(4)
    assert progress_file.is_symlink()
    assert target.is_file()


def test_two_sessions_write_the_same_file_and_lose_nothing(progress_file):
    EXERCISE.check(4)
    prediction().choose("b")
    assert remembered().exercises["rings.links"].solved
    assert remembered().predictions == {"rings.p": "b"}


def test_export_and_import_carry_progress_to_another_machine(tmp_path, monkeypatch):
    EXERCISE.check(4)
    prediction().choose("a")
    export_progress(tmp_path / "carried.json")
    monkeypatch.setenv("DSCOURSE_PROGRESS", str(tmp_path / "other.json"))
    prediction().choose("b")
    import_progress(tmp_path / "carried.json")
    assert remembered().exercises["rings.links"].solved
    assert remembered().predictions == {"rings.p": "b"}  # what was committed here stays


def test_an_export_over_an_older_one_keeps_what_only_the_older_one_has(tmp_path, monkeypatch):
    EXERCISE.check(4)
    export_progress(tmp_path / "carried.json")
    monkeypatch.setenv("DSCOURSE_PROGRESS", str(tmp_path / "fresh.json"))  # Binder, and nobody imported
    prediction().choose("b")
    export_progress(tmp_path / "carried.json")
    carried = Record.from_json((tmp_path / "carried.json").read_text())
    assert carried.exercises["rings.links"].solved
    assert carried.predictions == {"rings.p": "b"}


def test_an_export_overwrites_nothing_else(tmp_path):
    notes = tmp_path / "notes.txt"
    notes.write_text("mine")
    with pytest.raises(FileExistsError, match="choose another name"):
        export_progress(notes)
    assert notes.read_text() == "mine"


@pytest.mark.parametrize("content", BROKEN, ids=range(len(BROKEN)))
def test_a_broken_file_is_not_imported_and_not_moved(tmp_path, content):
    EXERCISE.check(4)
    (tmp_path / "carried.json").write_bytes(content)
    with pytest.raises(ValueError, match="can't be imported"):
        import_progress(tmp_path / "carried.json")
    assert (tmp_path / "carried.json").read_bytes() == content
    assert remembered().exercises["rings.links"].solved


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="there is no file"):
        import_progress(tmp_path / "nowhere.json")


def test_an_export_or_import_of_a_folder_says_what_to_name_instead(tmp_path):
    for door in (export_progress, import_progress):
        with pytest.raises(
            IsADirectoryError, match=r"is a folder; name a file in it, such as .*\.json"
        ) as caught:
            door(tmp_path)
        assert str(tmp_path / "dscourse-progress.json") in str(caught.value).replace("\\\\", "\\")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("path", [5, None, True, b"x.json", ["x.json"], 1.5, ...])
def test_what_is_no_name_of_a_file_is_a_type_error(path):
    for door in (export_progress, import_progress):
        with pytest.raises(TypeError, match=r"path must be the name of a file, such as .*, got "):
            door(path)


@pytest.mark.parametrize("path", ["", "  ", "a\0b", pytest.param("\ud800", id="half a letter")])
def test_what_names_no_file_is_a_value_error(path):
    if path == "\ud800" and sys.platform == "win32":
        pytest.skip("such a name is possible there")
    for door in (export_progress, import_progress):
        with pytest.raises(ValueError, match=r"path must be the name of a file, such as .*, got "):
            door(path)


def test_a_home_folder_that_is_not_there_is_named(monkeypatch):
    def unknown(_path):
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr("pathlib.Path.expanduser", unknown)
    for door in (export_progress, import_progress):
        with pytest.raises(FileNotFoundError, match=r"~nobody/x.json names a home folder that is not there"):
            door("~nobody/x.json")


def test_a_name_that_is_too_long_is_told_so():
    for door in (export_progress, import_progress):
        with pytest.raises(OSError, match=r"x{300}.*; (choose another place|upload it)"):
            door("x" * 300)


def test_an_export_into_a_file_taken_for_a_folder_says_so(tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(
        NotADirectoryError, match=r"can't be saved as .*notes\.txt is no folder; choose another place"
    ):
        export_progress(tmp_path / "notes.txt" / "carried.json")
    assert (tmp_path / "notes.txt").read_text() == "mine"


def refuse(*_given, **_named):
    raise PermissionError(13, "Permission denied")


def test_an_export_that_may_not_be_written_says_so_and_leaves_the_older_one(tmp_path, monkeypatch):
    EXERCISE.check(4)
    export_progress(tmp_path / "carried.json")
    before = (tmp_path / "carried.json").read_bytes()
    monkeypatch.setattr("tempfile.mkstemp", refuse)
    with pytest.raises(
        PermissionError,
        match=r"^your progress can't be saved as .*carried\.json: Permission denied; choose another",
    ):
        export_progress(tmp_path / "carried.json")
    assert (tmp_path / "carried.json").read_bytes() == before


def test_a_file_that_may_not_be_read_is_neither_imported_nor_overwritten(tmp_path, monkeypatch):
    EXERCISE.check(4)
    carried = tmp_path / "carried.json"
    carried.write_text("not for you")
    with monkeypatch.context() as patch:
        patch.setattr("pathlib.Path.read_text", refuse)
        for door in (export_progress, import_progress):
            with pytest.raises(
                PermissionError, match=r"carried\.json can't be read: Permission denied; see who"
            ):
                door(carried)
    assert carried.read_text() == "not for you"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no pipes with names there")
def test_a_pipe_is_not_waited_for(tmp_path, monkeypatch):
    os.mkfifo(tmp_path / "pipe")
    for door in (export_progress, import_progress):
        with pytest.raises(OSError, match="pipe is no ordinary file; choose another name"):
            door(tmp_path / "pipe")
    monkeypatch.setenv("DSCOURSE_PROGRESS", str(tmp_path / "pipe"))
    assert "pipe is no ordinary file" in EXERCISE.check(4).notice
    assert [path.name for path in tmp_path.iterdir()] == ["pipe"]  # /dev/null would stay where it is, too


def test_the_root_folder_in_the_place_of_the_file_does_no_harm(monkeypatch):
    monkeypatch.setenv("DSCOURSE_PROGRESS", os.path.abspath(os.sep))  # noqa: PTH100 - the root, on every system
    assert "this session only" in EXERCISE.check(4).notice


works = st.builds(Work, st.integers(0, 50), st.integers(0, 9), st.booleans(), st.booleans())
records = st.builds(
    Record,
    st.dictionaries(st.text(max_size=5), st.text(max_size=3), max_size=4),
    st.dictionaries(st.text(max_size=5), works, max_size=4),
)


@settings(max_examples=60, deadline=None)
@given(records, records)
def test_merging_loses_nothing_and_survives_the_file(one, other):
    both = Record.from_json(one.merged(other).to_json())
    assert both == one.merged(other)
    for record in (one, other):
        for name, work in record.exercises.items():
            assert both.exercises[name].attempts >= work.attempts
            assert both.exercises[name].solved >= work.solved
        assert record.predictions.keys() <= both.predictions.keys()
    assert one.merged(one) == one
    assert both.exercises == other.merged(one).exercises


@settings(max_examples=200, deadline=None)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=4),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(["dscourse", "version", "predictions", "exercises", "progress"]),
                inner,
                max_size=4,
            )
        ),
        max_leaves=12,
    )
)
def test_any_json_is_a_record_or_a_value_error(content):
    with contextlib.suppress(ValueError):
        Record.from_json(json.dumps(content))


def test_the_table_has_a_row_for_every_notebook_and_says_numbers_in_words():
    shown = progress()
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


def test_what_was_saved_in_the_end_does_not_come_back_from_the_session(progress_file, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr("tempfile.mkstemp", refuse)
        EXERCISE.check(4)
    EXERCISE.check(4)
    progress_file.unlink()  # to begin anew
    assert remembered() == Record()


def test_a_bar_is_full_only_when_all_is_done():
    for done, of, bar in (
        (1, 3, "███░░░░░░░"),
        (99, 100, "█████████░"),
        (0, 7, "░░░░░░░░░░"),
        (7, 7, "█" * 10),
    ):
        assert f"predictions {bar} {done} of {of} " in repr(Progress((Row("01", done, of, 0, 0, 1),)))


def test_predictions_of_a_notebook_are_counted():
    from dscourse.exercises import start_here

    start_here.crash_the_leader.choose("a")
    assert next(row for row in progress().rows if row.notebook == "00 Start here").predicted == 1


def test_an_exercise_is_under_way_from_the_first_try_until_it_is_solved():
    from dscourse.exercises import start_here

    def row():
        return progress().rows[0]

    assert (row().solved, row().tried) == (0, 0)
    start_here.soonest_suspicion.check(1.6)
    assert (row().solved, row().tried) == (0, 1)
    start_here.soonest_suspicion.check(1.12)
    assert (row().solved, row().tried) == (1, 0)


def test_a_broken_file_is_told_also_when_progress_is_carried_first(progress_file, tmp_path):
    for door, number in ((export_progress, 1), (import_progress, 2)):
        progress_file.write_text("broken")
        assert f"It is kept as progress.json.broken-{number}" in repr(door(tmp_path / "carried.json"))
        assert progress_file.with_name(f"progress.json.broken-{number}").read_text() == "broken"
