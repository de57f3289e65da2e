import json
import re

import pytest

from dscourse import teaching
from dscourse.exercises import ChoicePrediction, Exercise, _modules
from dscourse.workspace import course_notebooks, learners_copy

MODULES = _modules.notebook_modules()


@pytest.mark.parametrize("module", MODULES)
def test_an_answer_sheet_has_every_answer_and_a_sheet_to_print_has_none(module):
    answers, printed = teaching.answer_sheet(module), teaching.sheet_to_print(module)
    for prediction in teaching._predictions(module):
        for one in prediction.expectations:
            assert one.explanation in answers
            assert one.explanation not in printed
        assert prediction.question in printed
        if isinstance(prediction, ChoicePrediction):
            assert all(option.text in printed for option in prediction.options.values())
    for exercise in teaching._exercises(module):
        assert exercise.solution_code.strip() in answers
        assert exercise.solution_code.strip() not in printed
        assert all(mistake.message in answers for mistake in exercise.mistakes)
    asked = _modules.contents(module)
    assert len(teaching._predictions(module)) == len(asked.predictions)
    assert len(teaching._exercises(module)) == len(asked.exercises)


@pytest.mark.parametrize("module", MODULES)
def test_no_solution_of_some_length_stands_in_a_learners_copy(module):
    stem = f"{_modules.NOTEBOOKS.index(module):02d}-{module.replace('_', '-')}"
    copy = learners_copy((course_notebooks() / f"{stem}.ipynb").read_bytes()).decode("utf-8")
    sources = "\n".join("".join(cell["source"]) for cell in json.loads(copy)["cells"])
    for exercise in teaching._exercises(module):
        assert isinstance(exercise, Exercise)
        solution = exercise.solution_code.strip()
        assert len(solution) < 30 or solution not in sources, exercise.name


def learner(path, option, attempts, solved):
    work = {"attempts": attempts, "hints": 0, "solution_seen": False, "solved": solved}
    content = {
        "dscourse": "progress",
        "version": 1,
        "predictions": {"split_brain.cut_in_halves": option},
        "exercises": {"split_brain.members_needed": work},
    }
    path.write_text(json.dumps(content))


def test_a_class_is_read_into_one_table(tmp_path, capsys):
    prediction = next(
        one for one in teaching._predictions("split_brain") if one.name == "split_brain.cut_in_halves"
    )
    wrong = next(option.text for option in prediction.options.values() if option is not prediction.right)
    learner(tmp_path / "ada.json", prediction.right.text, 1, True)
    learner(tmp_path / "bo.json", wrong, 4, False)
    table = teaching.class_progress(sorted(tmp_path.glob("*.json"))).set_index("question")
    assert table.loc["cut_in_halves", ["learners", "right", "most_said"]].tolist() == [2, 1, wrong]
    assert table.loc["members_needed", ["learners", "right", "attempts"]].tolist() == [2, 1, 2.5]
    assert len(table) == 2
    assert teaching.main(["progress", str(tmp_path)]) == 0
    assert "2 learners" in capsys.readouterr().out


def test_what_is_no_progress_is_said(tmp_path, capsys):
    assert teaching.main(["progress", str(tmp_path)]) == 1
    assert "no progress file" in capsys.readouterr().err
    (tmp_path / "notes.json").write_text("{}")
    assert teaching.main(["progress", str(tmp_path)]) == 1
    assert "notes.json" in capsys.readouterr().err


def test_the_commands_write_a_file_a_notebook(tmp_path, capsys):
    for what in ("answers", "sheets"):
        assert teaching.main([what, str(tmp_path / what)]) == 0
        assert len(list((tmp_path / what).glob("*.md"))) == len(MODULES)
    capsys.readouterr()


def test_a_name_that_is_none_is_said():
    with pytest.raises(LookupError, match="split_brain"):
        teaching.answer_sheet("split-brain")


# --- the instructors' notes

NOTES = (course_notebooks().parent / "docs" / "teaching" / "notes.md").read_text(encoding="utf-8")
SECTIONS = {title: text for title, _, text in (part.partition("\n") for part in NOTES.split("\n## ")[1:])}
HEADING = re.compile(r"^#{2,3} (.+?)(?: · \d+ min(?: · deeper)?)?$", re.MULTILINE)


def prose_of(module):
    """Return the words of a notebook, its title first."""
    stem = f"{_modules.NOTEBOOKS.index(module):02d}-{module.replace('_', '-')}"
    cells = json.loads((course_notebooks() / f"{stem}.ipynb").read_text(encoding="utf-8"))["cells"]
    return "\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown")


def test_the_notes_have_a_section_for_each_notebook_in_their_order():
    titles = [prose_of(module).partition("\n")[0].removeprefix("# ") for module in MODULES]
    assert [title for title in SECTIONS if title in titles] == titles
    assert [title[:2] for title in SECTIONS] == [f"{number:02d}" for number in range(len(_modules.NOTEBOOKS))]


@pytest.mark.parametrize("module", MODULES)
def test_the_notes_name_sections_and_beliefs_that_are_there(module):
    prose = prose_of(module)
    notes = " ".join(SECTIONS[prose.partition("\n")[0].removeprefix("# ")].split())
    named = re.findall(r"(?<!\*)\*([^*]+)\*(?!\*)", notes)
    assert set(named) <= set(HEADING.findall(prose))
    _, late = notes.split("**When late, leave out**:")
    assert re.findall(r"\*([^*]+)\*", late)
    expected = notes.split("**Expect to hear**:")[1].split("**Ask**")[0]
    heard = re.findall(r'"([^"]+)"', expected)
    assert 2 <= len(heard) <= 4
    assert set(heard) <= {one.belief for one in teaching.misconceptions(module)}
    assert notes.count("?") >= 2
    assert len(notes.split()) <= 190
