"""The learner's own copies: without answers, never overwritten, in step with the course."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from dscourse import workspace

ROOT = Path(__file__).resolve().parents[1]


def notebook(text: str = "1 + 1", output: str = "2") -> dict:
    result = {
        "output_type": "execute_result",
        "data": {"text/plain": output},
        "metadata": {},
        "execution_count": 1,
    }
    code = {
        "cell_type": "code",
        "id": "a",
        "metadata": {"tags": ["experiment"]},
        "execution_count": 1,
        "source": text,
        "outputs": [result],
    }
    question = {**code, "id": "c", "metadata": {}, "source": "exercises.moved", "outputs": [result]}
    claim = {**code, "id": "d", "metadata": {"tags": ["claim"]}, "source": "assert moved", "outputs": []}
    prose = {"cell_type": "markdown", "id": "b", "metadata": {}, "source": "[next](04-partitioning.ipynb)"}
    metadata = {"kernelspec": {"name": "python3"}, "widgets": {"state": {}}}
    return {"cells": [prose, code, question, claim], "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}


def put(folder: Path, name: str, text: str = "1 + 1", output: str = "2") -> None:
    (folder / name).write_text(json.dumps(notebook(text, output)))


@pytest.fixture(autouse=True)
def no_other_place(monkeypatch):
    monkeypatch.delenv("DSCOURSE_WORKSPACE", raising=False)


@pytest.fixture
def course(tmp_path):
    folder = tmp_path / "notebooks"
    folder.mkdir()
    for name in ("00-start-here.ipynb", "04-partitioning.ipynb"):
        put(folder, name)
    (folder / "glossary.md").write_text("# Glossary\n")
    return folder


@pytest.fixture
def mine(course, tmp_path):
    folder = tmp_path / "workspace"
    workspace.lay_out(folder, course)
    return folder


def sources(path: Path) -> list[str]:
    return ["".join(cell["source"]) for cell in json.loads(path.read_text())["cells"]]


def touch(path: Path, text: str = "my own work") -> bytes:
    content = json.loads(path.read_text())
    content["cells"][1]["source"] = text
    path.write_text(json.dumps(content))
    return path.read_bytes()


def files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def test_a_copy_has_no_output_but_its_questions_and_no_claim(course, mine):
    assert sources(mine / "04-partitioning.ipynb") == sources(course / "04-partitioning.ipynb")[:3]
    copy = json.loads((mine / "04-partitioning.ipynb").read_text())
    _, ran, asked = copy["cells"]
    assert ran["outputs"] == []
    assert ran["metadata"] == {"tags": ["experiment"]}
    assert [output["data"] for output in asked["outputs"]] == [{"text/plain": "2"}]
    assert asked["outputs"][0]["execution_count"] is None
    assert {cell["execution_count"] for cell in (ran, asked)} == {None}
    assert "widgets" not in copy["metadata"]
    assert (mine / "glossary.md").read_text() == "# Glossary\n"


@pytest.mark.parametrize(
    ("source", "is_question"),
    [
        ("exercises.moved", True),
        ("from x import exercises\n\nexercises.moved\n", True),
        ("exercises.moved.compare()", False),
        ("answer = ...\nexercises.moved.check(answer)", False),
        ("x = exercises.moved", False),
    ],
)
def test_only_a_cell_that_shows_a_question_keeps_its_output(source, is_question):
    content = notebook()
    content["cells"][1]["source"] = source.splitlines(keepends=True)
    copy = json.loads(workspace.learners_copy(json.dumps(content).encode()))
    assert bool(copy["cells"][1]["outputs"]) == is_question


def test_the_record_of_an_earlier_version_still_tells_what_was_touched(course, mine):
    """It kept one digest, of the whole copy."""
    record = json.loads((mine / workspace.RECORD).read_text())
    touch(mine / "00-start-here.ipynb")
    for name, known in record.items():
        record[name] = {"laid": known["file"]}
    (mine / workspace.RECORD).write_text(json.dumps(record))
    for name in ("00-start-here.ipynb", "04-partitioning.ipynb"):
        put(course, name, "2 + 2")
    told = workspace.lay_out(mine, course)
    assert [line.partition(" has been")[0] for line in told][1] == "04-partitioning.ipynb"
    assert "00-start-here-new.ipynb" in told[0]


def test_a_second_time_changes_nothing_and_says_nothing(course, mine):
    before = files(mine)
    assert workspace.lay_out(mine, course) == []
    assert files(mine) == before


def test_new_outputs_in_the_course_are_no_new_version(course, mine):
    before = files(mine)
    put(course, "04-partitioning.ipynb", output="3")
    assert workspace.lay_out(mine, course) == []
    assert files(mine) == before


def test_an_untouched_copy_follows_the_course(course, mine):
    put(course, "04-partitioning.ipynb", "2 + 2")
    (told,) = workspace.lay_out(mine, course)
    assert "brought up to date" in told
    assert sources(mine / "04-partitioning.ipynb")[1] == "2 + 2"
    assert sorted(files(mine)) == [
        ".dscourse-workspace.json",
        "00-start-here.ipynb",
        "04-partitioning.ipynb",
        "glossary.md",
    ]


def test_opening_a_notebook_does_not_count_as_touching(course, mine):
    path = mine / "04-partitioning.ipynb"
    content = json.loads(path.read_text())
    content["metadata"]["language_info"] = {"name": "python", "version": "3.13.0"}
    content["metadata"]["widgets"] = {"application/vnd.jupyter.widget-state+json": {"state": {}}}
    content["cells"][1]["source"] = ["1 +", " 1"]
    path.write_text(json.dumps(content, indent=4))
    put(course, "04-partitioning.ipynb", "2 + 2")
    workspace.lay_out(mine, course)
    assert sources(path)[1] == "2 + 2"


@pytest.mark.parametrize(
    "change",
    [
        lambda cell: cell.update(source="mine"),
        lambda cell: cell.update(execution_count=3),
        lambda cell: cell.update(outputs=[{"output_type": "stream", "name": "stdout", "text": "x"}]),
        lambda cell: cell["metadata"].update(tags=["mine"]),
    ],
)
def test_whatever_a_learner_does_to_a_cell_is_theirs(course, mine, change):
    path = mine / "04-partitioning.ipynb"
    content = json.loads(path.read_text())
    change(content["cells"][1])
    path.write_text(json.dumps(content))
    before = path.read_bytes()
    put(course, "04-partitioning.ipynb", "2 + 2")
    (told,) = workspace.lay_out(mine, course)
    assert path.read_bytes() == before
    assert "04-partitioning-new.ipynb" in told
    assert sources(mine / "04-partitioning-new.ipynb")[1] == "2 + 2"


def test_a_touched_copy_stays_while_the_course_is_the_same(course, mine):
    before = touch(mine / "04-partitioning.ipynb")
    assert workspace.lay_out(mine, course) == []
    assert (mine / "04-partitioning.ipynb").read_bytes() == before
    assert not (mine / "04-partitioning-new.ipynb").exists()


def test_newer_versions_take_turns_beside_a_touched_copy(course, mine):
    before = touch(mine / "04-partitioning.ipynb")
    for text in ("2 + 2", "3 + 3"):
        put(course, "04-partitioning.ipynb", text)
        workspace.lay_out(mine, course)
        assert sources(mine / "04-partitioning-new.ipynb")[1] == text
    (reminder,) = workspace.lay_out(mine, course)
    assert 'workspace.reset("04")' in reminder
    mine_too = touch(mine / "04-partitioning-new.ipynb", "work in the newer one")
    put(course, "04-partitioning.ipynb", "4 + 4")
    workspace.lay_out(mine, course)
    assert (mine / "04-partitioning.ipynb").read_bytes() == before
    assert (mine / "04-partitioning-new.ipynb").read_bytes() == mine_too
    assert sources(mine / "04-partitioning-new-2.ipynb")[1] == "4 + 4"


def test_a_newer_version_that_was_thrown_away_does_not_come_back(course, mine):
    touch(mine / "04-partitioning.ipynb")
    put(course, "04-partitioning.ipynb", "2 + 2")
    workspace.lay_out(mine, course)
    (mine / "04-partitioning-new.ipynb").unlink()
    assert workspace.lay_out(mine, course) == []
    assert not (mine / "04-partitioning-new.ipynb").exists()


def test_a_file_of_the_learners_with_the_same_name_is_not_overwritten(course, mine):
    (mine / "04-partitioning-new.ipynb").write_text("my notes")
    touch(mine / "04-partitioning.ipynb")
    put(course, "04-partitioning.ipynb", "2 + 2")
    workspace.lay_out(mine, course)
    assert (mine / "04-partitioning-new.ipynb").read_text() == "my notes"
    assert sources(mine / "04-partitioning-new-2.ipynb")[1] == "2 + 2"


def test_a_deleted_copy_comes_back(course, mine):
    (mine / "04-partitioning.ipynb").unlink()
    (told,) = workspace.lay_out(mine, course)
    assert told == "04-partitioning.ipynb was gone; here is a fresh copy."
    assert (mine / "04-partitioning.ipynb").exists()


@pytest.mark.parametrize("record", ["", "{", "[]", '{"04-partitioning.ipynb": 3}', "\x00\xff", None])
def test_without_its_record_nothing_is_lost(course, mine, record):
    before = touch(mine / "04-partitioning.ipynb")
    path = mine / workspace.RECORD
    path.unlink() if record is None else path.write_bytes(record.encode("latin-1"))
    told = workspace.lay_out(mine, course)
    assert (mine / "04-partitioning.ipynb").read_bytes() == before
    assert (mine / "04-partitioning-new.ipynb").exists()
    assert not (mine / "00-start-here-new.ipynb").exists()
    assert any("could not be read" in line for line in told) == (record is not None)
    assert json.loads(path.read_text())["04-partitioning.ipynb"]["beside"] == "04-partitioning-new.ipynb"


def test_a_copy_that_is_no_notebook_any_more_is_kept(course, mine):
    (mine / "04-partitioning.ipynb").write_bytes(b"\xff\xfe broken")
    put(course, "04-partitioning.ipynb", "2 + 2")
    workspace.lay_out(mine, course)
    assert (mine / "04-partitioning.ipynb").read_bytes() == b"\xff\xfe broken"


def test_one_bad_file_does_not_keep_the_others_away(course, tmp_path):
    (course / "04-partitioning.ipynb").write_text("<<<<<<< conflict")
    told = workspace.lay_out(tmp_path / "w", course)
    assert any("04-partitioning.ipynb: the course's own file can't be read" in line for line in told)
    assert (tmp_path / "w" / "00-start-here.ipynb").exists()


def test_a_folder_in_the_place_of_a_notebook_is_named(course, tmp_path):
    (tmp_path / "w" / "04-partitioning.ipynb").mkdir(parents=True)
    told = workspace.lay_out(tmp_path / "w", course)
    assert any("there is a folder of that name" in line for line in told)
    assert (tmp_path / "w" / "glossary.md").exists()


# --- starting afresh ---


@pytest.mark.parametrize("wanted", ["04", "4", "04-partitioning", "04-partitioning.ipynb"])
def test_reset_gives_a_fresh_copy_and_keeps_the_old(course, mine, wanted):
    before = touch(mine / "04-partitioning.ipynb")
    (told,) = workspace.reset([wanted], mine, course)
    assert "04-partitioning-old.ipynb" in told
    assert (mine / "04-partitioning-old.ipynb").read_bytes() == before
    assert sources(mine / "04-partitioning.ipynb")[1] == "1 + 1"


def test_reset_says_what_to_do_with_a_page_that_is_open(course, mine):
    touch(mine / "04-partitioning.ipynb")
    (told,) = workspace.reset("04", mine, course)
    assert "choose File → Reload from Disk" in told
    assert "*Revert*" in told
    (told,) = workspace.reset("04", mine, course)
    assert "Reload" not in told  # nothing was changed


def test_what_is_to_be_run_in_a_cell_does_not_ask_which_python_is_on_the_path(course, mine, monkeypatch):
    touch(mine / "04-partitioning.ipynb")
    put(course, "04-partitioning.ipynb", "2 + 2")
    told = [*workspace.lay_out(mine, course), *workspace.lay_out(mine, course)]
    advice = re.findall(r"run in a cell: (.*)$", "\n".join(told), re.MULTILINE)
    assert advice == ['from dscourse import workspace; workspace.reset("04")'] * 2
    monkeypatch.setattr(workspace, "course_notebooks", lambda: course)
    monkeypatch.chdir(mine)
    monkeypatch.setenv("PATH", "")
    exec(advice[0], {})
    assert sources(mine / "04-partitioning.ipynb")[1] == "2 + 2"


def test_a_cell_shows_what_happened_as_lines(course, mine):
    assert repr(workspace.Told(["a", "b"])) == "a\nb"
    assert isinstance(workspace.reset(["00", "04"], mine, course), workspace.Told)


def test_a_second_reset_keeps_both_old_copies(course, mine):
    first = touch(mine / "04-partitioning.ipynb", "first")
    workspace.reset(["04"], mine, course)
    second = touch(mine / "04-partitioning.ipynb", "second")
    workspace.reset(["04"], mine, course)
    assert (mine / "04-partitioning-old.ipynb").read_bytes() == first
    assert (mine / "04-partitioning-old-2.ipynb").read_bytes() == second


def test_reset_switches_to_the_newer_version_and_clears_its_twin(course, mine):
    touch(mine / "04-partitioning.ipynb")
    put(course, "04-partitioning.ipynb", "2 + 2")
    workspace.lay_out(mine, course)
    workspace.reset(["04"], mine, course)
    assert sources(mine / "04-partitioning.ipynb")[1] == "2 + 2"
    assert not (mine / "04-partitioning-new.ipynb").exists()
    assert workspace.lay_out(mine, course) == []


def test_reset_of_an_untouched_copy_keeps_nothing(course, mine):
    before = files(mine)
    (told,) = workspace.reset(["00"], mine, course)
    assert "already" in told
    assert files(mine) == before


def test_reset_brings_a_deleted_copy_back_and_makes_a_missing_workspace(course, tmp_path):
    workspace.reset(["00"], tmp_path / "none" / "yet", course)
    assert (tmp_path / "none" / "yet" / "00-start-here.ipynb").exists()


@pytest.mark.parametrize("wanted", ["03", "", "partitioning", "../notebooks/04-partitioning", "0"])
def test_reset_of_an_unknown_notebook_names_those_that_are_there(course, mine, wanted):
    before = files(mine)
    touch(mine / "04-partitioning.ipynb")
    if wanted == "0":
        assert "00-start-here" in workspace.reset([wanted], mine, course)[0]
        return
    with pytest.raises(LookupError, match="There are: 00-start-here, 04-partitioning, glossary"):
        workspace.reset(["04", wanted], mine, course)
    assert set(files(mine)) == set(before)


# --- as a command ---


def run(*arguments: str, cwd: Path) -> subprocess.CompletedProcess:
    command = [sys.executable, "-m", "dscourse.workspace", *arguments]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, check=False)


def test_the_command_lays_out_the_course_and_links_work_there(tmp_path):
    shown = run("--folder", "here", cwd=tmp_path)
    assert shown.returncode == 0, shown.stderr
    assert str(tmp_path / "here") in shown.stdout
    folder = tmp_path / "here"
    names = {path.name for path in (ROOT / "notebooks").iterdir() if path.suffix in (".ipynb", ".md")}
    assert names == set(files(folder)) - {workspace.RECORD}
    for path in folder.glob("*.ipynb"):
        for link in re.findall(r"\]\(([^)\s]+)\)", "".join(sources(path))):
            assert "://" in link or (folder / link.split("#")[0]).exists(), f"{path.name} links to {link}"
        for cell in json.loads(path.read_text())["cells"]:
            assert "claim" not in cell["metadata"].get("tags", [])
            assert cell.get("execution_count") is None
            assert not cell.get("outputs") or "".join(cell["source"]).rpartition("\n")[2].startswith(
                "exercises."
            )


def test_the_command_explains_an_unknown_notebook(tmp_path):
    shown = run("--folder", "here", "--reset", "99", cwd=tmp_path)
    assert shown.returncode == 2
    assert shown.stderr.startswith("There is no notebook '99'. There are: 00-start-here")
    assert "Traceback" not in shown.stderr


def test_a_place_that_cannot_be_written_is_told_in_plain_words(tmp_path):
    (tmp_path / "here").write_text("a file, not a folder")
    shown = run("--folder", "here", cwd=tmp_path)
    assert shown.returncode == 1
    assert "could not be laid out" in shown.stderr
    assert "Traceback" not in shown.stderr
    assert (tmp_path / "here").read_text() == "a file, not a folder"


def test_from_within_a_workspace_it_means_this_one(tmp_path):
    run("--folder", "here", cwd=tmp_path)
    shown = run("--reset", "00", cwd=tmp_path / "here")
    assert "already" in shown.stdout
    assert not (tmp_path / "here" / "workspace").exists()


def test_a_variable_can_name_another_place(tmp_path, monkeypatch):
    monkeypatch.setenv("DSCOURSE_WORKSPACE", str(tmp_path / "elsewhere"))
    assert run(cwd=tmp_path).returncode == 0
    assert (tmp_path / "elsewhere" / "00-start-here.ipynb").exists()


def test_a_failed_write_leaves_the_old_file_whole(course, mine, monkeypatch):
    before = files(mine)
    put(course, "04-partitioning.ipynb", "2 + 2")

    def full_disk(self, target):
        raise OSError(28, "No space left on device", str(target))

    monkeypatch.setattr(Path, "replace", full_disk)
    with pytest.raises(OSError, match="No space left"):
        workspace.lay_out(mine, course)
    assert files(mine) == before


def test_a_wheel_brings_its_notebooks_and_lays_them_out_where_you_are(tmp_path):
    site = tmp_path / "site"
    shutil.copytree(ROOT / "dscourse", site / "dscourse", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(ROOT / "notebooks", site / "dscourse" / "_notebooks")
    learner = tmp_path / "learner"
    learner.mkdir()
    program = (
        "import sys; sys.path.insert(0, sys.argv.pop(1)); import dscourse.workspace as w; sys.exit(w.main())"
    )
    shown = subprocess.run(
        [sys.executable, "-c", program, str(site)], cwd=learner, capture_output=True, text=True, check=False
    )
    assert shown.returncode == 0, shown.stderr
    assert (learner / "workspace" / "00-start-here.ipynb").exists()


def test_reset_of_an_untouched_older_copy_keeps_nothing_either(course, mine):
    put(course, "04-partitioning.ipynb", "2 + 2")
    (told,) = workspace.reset(["04"], mine, course)
    assert told.startswith("04-partitioning.ipynb is a fresh copy now.")
    assert sources(mine / "04-partitioning.ipynb")[1] == "2 + 2"
    assert not (mine / "04-partitioning-old.ipynb").exists()


def test_a_newer_version_that_was_worked_in_is_not_taken_away(course, mine):
    """Laid beside, then opened and used: it is the learner's, whatever becomes of the older one."""
    touch(mine / "04-partitioning.ipynb")
    put(course, "04-partitioning.ipynb", "2 + 2")
    workspace.lay_out(mine, course)
    touch(mine / "04-partitioning-new.ipynb")
    before = (mine / "04-partitioning-new.ipynb").read_bytes()
    workspace.reset(["04"], mine, course)
    assert (mine / "04-partitioning-new.ipynb").read_bytes() == before


def test_a_third_reset_keeps_all_three_old_copies(course, mine):
    for text in ("1", "2", "3"):
        put(mine, "04-partitioning.ipynb", text)
        workspace.reset(["04"], mine, course)
    names = ("04-partitioning-old.ipynb", "04-partitioning-old-2.ipynb", "04-partitioning-old-3.ipynb")
    assert [sources(mine / name)[1] for name in names] == ["1", "2", "3"]


def test_trusting_a_notebook_does_not_count_as_touching(course, mine):
    path = mine / "04-partitioning.ipynb"
    content = json.loads(path.read_text(encoding="utf-8"))
    content["cells"][1]["metadata"]["trusted"] = True
    path.write_text(json.dumps(content), encoding="utf-8")
    put(course, "04-partitioning.ipynb", "2 + 2")
    assert "brought up to date" in workspace.lay_out(mine, course)[0]


def test_windows_line_ends_do_not_count_as_touching(course, mine):
    glossary = mine / "glossary.md"
    glossary.write_bytes(glossary.read_bytes().replace(b"\n", b"\r\n"))
    (course / "glossary.md").write_bytes(b"# Glossary\n\nA term.\n")
    assert workspace.lay_out(mine, course) == [
        "glossary.md has been brought up to date (you had not changed it)."
    ]


def test_a_course_checked_out_with_windows_line_ends_lays_out_the_same_files(course, mine, tmp_path):
    for path in course.iterdir():
        path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    workspace.lay_out(tmp_path / "other", course)
    assert (tmp_path / "other" / "glossary.md").read_bytes() == (mine / "glossary.md").read_bytes()


def test_a_notebook_named_twice_is_reset_once(course, mine):
    touch(mine / "04-partitioning.ipynb")
    assert len(workspace.reset(["04", "4", "04-partitioning"], mine, course)) == 1


@pytest.mark.skipif(sys.platform == "win32", reason="there, files have no such mode")
def test_copies_may_be_read_by_everybody(mine):
    """A temporary file may be read by its owner alone, and a copy must not stay so."""
    assert {path.stat().st_mode & 0o777 for path in mine.iterdir()} == {0o644}


def test_the_record_is_written_only_when_something_changed(course, mine):
    record = mine / workspace.RECORD
    os.utime(record, (1, 1))
    workspace.lay_out(mine, course)
    assert record.stat().st_mtime == 1
