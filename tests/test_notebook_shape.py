"""Every notebook has the shape that the course promises: what to expect, predict, run, explain, and what comes next."""

import ast
import copy
import importlib
import itertools
import json
import math
import re
import statistics
from pathlib import Path

import ipywidgets
import nbformat
import pytest

from dscourse.exercises import Exercise, NodeExercise, Prediction

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "notebooks"
START = "00-start-here.ipynb"
NOTEBOOKS = sorted(path.name for path in FOLDER.glob("*.ipynb"))

LARGEST = 2_000_000  # bytes
MEDIAN_LINES, LONGEST_CELL, LONGEST_STUB = 3, 15, 25
SECTIONS = ["Checked against the literature", "In production", "Summary"]
SECTION = re.compile(r"^## (.+?) · (\d+) min( · deeper)?$", re.MULTILINE)
#: Notebooks that are whole pages: what CHECKS_OF_A_PAGE ask holds for them.
RECAST = (
    START,
    "01-scaling-metrics.ipynb",
    "02-scaling-up-and-out.ipynb",
    "03-scaling-patterns.ipynb",
    "04-partitioning.ipynb",
    "05-replication.ipynb",
    "06-consistency.ipynb",
    "07-faults-and-redundancy.ipynb",
    "08-failure-detection.ipynb",
    "09-split-brain.ipynb",
    "10-recovery.ipynb",
    "11-resilience.ipynb",
    "12-game-day.ipynb",
)
CORE_MINUTES, WORDS_A_MINUTE = 75, 180
FEWER = {START: {"prediction": 2, "exercise": 1}}  # four of each in every other notebook
BESIDE = 3  # sections, at least, among which the exercises of a notebook are spread
ABSOLUTE_PATH = re.compile(
    r"(?<![\w:/.])/(?:home|root|tmp|work|Users|usr|opt|mnt|var)/\w[\w./-]*|\b[A-Z]:\\\w+"
)
ADDRESS = re.compile(r"\b0x[0-9a-f]{6,}\b")
NO_VERBS = {"a", "an", "the", "that", "how", "what", "why", "when", "you", "your", "about"}
WIDGETS = ("application/vnd.jupyter.widget-view+json", "application/vnd.jupyter.widget-state+json")


class Notebook:
    """A stored notebook, and what the checks below ask of it."""

    def __init__(self, name, content, others, glossary, roles, kinds):
        self.name = name
        self.content = content
        self.cells = content["cells"]
        self.others = others  # {file name: title} of all notebooks, this one too
        self.glossary = glossary
        self.roles = roles  # {name in its exercise module: "prediction", "exercise" or "node"}
        self.kinds = kinds  # {name of a prediction: "choice", "number", "curve" or "node"}

    @property
    def code(self):
        return [cell for cell in self.cells if cell["cell_type"] == "code"]

    @property
    def prose(self):
        return "\n\n".join(source(cell) for cell in self.cells if cell["cell_type"] == "markdown")

    def names_before(self, cell):
        """Return the names that the cells before this one make, claims left out."""
        earlier = itertools.takewhile(lambda one: one is not cell, self.code)
        return set().union(
            *(names_made(ast.parse(source(one))) for one in earlier if "claim" not in tags(one))
        )

    def outputs(self):
        return [(cell, output) for cell in self.code for output in cell.get("outputs", [])]

    def sections(self):
        """Return [(title, minutes, its cells)]; the title cell belongs to none."""
        found = []
        for cell in self.cells[1:]:
            heading = SECTION.search(source(cell)) if cell["cell_type"] == "markdown" else None
            if heading:
                found.append((heading[1], int(heading[2]), []))
            if found:
                found[-1][2].append(cell)
        return found

    def moving(self):
        """Return the code cells that show a player or a figure with controls."""
        imported = {}
        for cell in self.code:
            for node in ast.walk(ast.parse(source(cell))):
                if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("dscourse.views"):
                    imported |= {
                        alias.asname or alias.name: (node.module, alias.name) for alias in node.names
                    }
        call = re.compile(r"^(?:\w+\s*=\s*)?(\w+)(?:\.(\w+))?\(", re.MULTILINE)
        return [
            cell
            for cell in self.code
            for first, second in call.findall(source(cell))
            if first in imported and gives_a_widget(*imported[first], second)
        ]

    def is_deeper(self, title):
        """Return whether a section can be left out."""
        return any(found[1] == title and bool(found[3]) for found in SECTION.finditer(self.prose))

    def section(self, title):
        return next((cells for name, _, cells in self.sections() if name == title), [])


def source(cell):
    return "".join(cell["source"])


def text_of(cells):
    return "\n\n".join(source(cell) for cell in cells if cell["cell_type"] == "markdown")


def names_made(tree):
    """Return the names that a cell's code makes."""
    nodes = list(ast.walk(tree))
    names = {node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    names |= {node.name for node in nodes if isinstance(node, ast.FunctionDef | ast.ClassDef)}
    imports = [node for node in nodes if isinstance(node, ast.Import | ast.ImportFrom)]
    return names | {(alias.asname or alias.name).split(".")[0] for node in imports for alias in node.names}


def tags(cell):
    return cell["metadata"].get("tags", [])


def lines(cell):
    return [line for line in source(cell).splitlines() if line.strip()]


# --- what is asked of every notebook: each check returns what is wrong ---


def file_is_sound(book):
    try:
        nbformat.validate(copy.deepcopy(book.content))
    except nbformat.ValidationError as error:
        yield f"is no valid notebook: {str(error).splitlines()[0]}"
    if book.content["metadata"].get("kernelspec", {}).get("name") != "python3":
        yield "its kernel is not python3"
    size = len(json.dumps(book.content, ensure_ascii=False).encode())
    if size > LARGEST:
        yield f"has {size} bytes, more than 2 MB"


def cells_have_readable_ids(book):
    ids = [cell.get("id", "") for cell in book.cells]
    for one in ids:
        if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", one) or re.fullmatch(r"[0-9a-f]{8}", one):
            yield f"cell id {one!r} is no readable name like 'predict-crash'"
        if ids.count(one) > 1:
            yield f"cell id {one!r} is there twice"


def title_says_what_to_expect(book):
    head = source(book.cells[0])
    number = book.name.split("-")[0]
    if not re.match(rf"# {number} · \S.*\n\n\S.*[.?]\n", head):
        yield f"must begin with '# {number} · Title', an empty line and one sentence"
    promised = re.search(r"\*\*You will be able to\*\*\n\n((?:- .*\n(?:  .*\n)*)+)", head)
    bullets = re.findall(r"^- (\S+)", promised[1], re.MULTILINE) if promised else []
    if not 3 <= len(bullets) <= 5:
        yield f"must promise 3 to 5 things under **You will be able to**, has {len(bullets)}"
    for word in bullets:
        if word.lower() in NO_VERBS or not word[0].isalpha():
            yield f"a promise begins with {word!r}, not with a verb"
    if not re.search(r"^\*\*Before you start\*\*: \S", head, re.MULTILINE):
        yield "must say **Before you start**: …"


def minutes_add_up(book):
    form = r"^\*\*Time\*\*: (?:(\d+) min|core (\d+) min, deeper (\d+) min)$"
    total = re.search(form, source(book.cells[0]), re.MULTILINE)
    if not total:
        yield "must say **Time**: N min, or **Time**: core N min, deeper M min"
        return
    for part, promised in (("", total[1] or total[2]), (" marked deeper", total[3] or "0")):
        minutes = sum(minutes for title, minutes, _ in book.sections() if book.is_deeper(title) == bool(part))
        if minutes != int(promised):
            yield f"promises {promised} min{part}, but its sections take {minutes}"
    for heading in re.findall(r"^## .*$", book.prose, re.MULTILINE):
        if not SECTION.fullmatch(heading):
            yield f"the heading {heading!r} must be '## Title · N min', or '… · deeper'"


def headings_are_slides(book):
    for _, _, cells in book.sections():
        if cells[0]["metadata"].get("slideshow", {}).get("slide_type") != "slide":
            yield f"the heading cell {cells[0].get('id')!r} is no slide"


def neighbours_are_linked(book):
    names = sorted(book.others)
    here = names.index(book.name)
    parts = []
    if here > 0:
        parts.append(f"[← {book.others[names[here - 1]]}]({names[here - 1]})")
    if here + 1 < len(names):
        parts.append(f"[{book.others[names[here + 1]]} →]({names[here + 1]})")
    line = " · ".join([*parts, "[Glossary](glossary.md)"])
    for where, cell in (("first", book.cells[0]), ("last", book.cells[-1])):
        if line not in source(cell).splitlines():
            yield f"its {where} cell must hold the line {line}"


def links_lead_somewhere(book):
    for link in re.findall(r"\]\(([^)\s]+)\)", book.prose):
        target = link.split("#")[0]
        if "://" not in link and target and target not in book.others and target != "glossary.md":
            yield f"links to {link}, which is not among the notebooks"


def code_cells_are_short(book):
    counts = [len(lines(cell)) for cell in book.code]
    if counts and statistics.median(counts) > MEDIAN_LINES:
        yield f"the median code cell has {statistics.median(counts):g} lines, more than {MEDIAN_LINES}"
    for cell in book.code:
        most = LONGEST_STUB if "stub" in tags(cell) else LONGEST_CELL
        if len(lines(cell)) > most:
            yield f"cell {cell.get('id')!r} has {len(lines(cell))} lines, more than {most}"


def it_was_run_in_order(book):
    for expected, cell in enumerate(book.code, start=1):
        if cell.get("execution_count") != expected:
            yield f"cell {cell.get('id')!r} has execution count {cell.get('execution_count')}, should be {expected}"
            return


def outputs_are_clean(book):
    if "widgets" in book.content["metadata"]:
        yield "stores widget state"
    for cell, output in book.outputs():
        where = f"cell {cell.get('id')!r}"
        if output["output_type"] == "error":
            yield f"{where} stores an error: {output.get('ename')}"
        if output["output_type"] == "stream" and output.get("name") == "stderr":
            yield f"{where} stores what was written to stderr"
        for kind in WIDGETS:
            if kind in output.get("data", {}):
                yield f"{where} stores a widget view, which can't be shown later"
        words = json.dumps({k: v for k, v in output.get("data", {}).items() if not k.startswith("image/")})
        words += "".join(output.get("text", ""))
        if ADDRESS.search(words):
            yield f"{where} stores a memory address"
        if ABSOLUTE_PATH.search(words):
            yield f"{where} stores a path of one machine: {ABSOLUTE_PATH.search(words)[0]}"


def no_path_of_one_machine(book):
    for cell in book.cells:
        found = ABSOLUTE_PATH.search(source(cell))
        if found:
            yield f"cell {cell.get('id')!r} names a path of one machine: {found[0]}"


def figures_have_alt_text(book):
    for cell, output in book.outputs():
        data = output.get("data", {})
        if any(kind.startswith("image/") for kind in data):
            alt = "".join(data.get("text/plain", "")).strip()
            if len(alt) < 20 or alt.startswith("<"):
                yield f"the figure of cell {cell.get('id')!r} has no alt text, only {alt!r}"
    for alt, link in re.findall(r"!\[([^\]]*)\]\(([^)]+)\)", book.prose):
        if not alt.strip():
            yield f"the image {link} has no alt text"


def asked(cell):
    """Return the name that a cell shows, as in `exercises.crash`."""
    shown = re.fullmatch(r"exercises\.(\w+)", lines(cell)[-1].strip()) if lines(cell) else None
    return shown[1] if shown else None


def prediction_comes_before_each_experiment(book):
    for title, _, cells in book.sections():
        predicted = False
        for cell in cells:
            if cell["cell_type"] != "code":
                continue
            if book.roles.get(asked(cell)) == "prediction":
                predicted = True
            if "experiment" in tags(cell):
                if not predicted:
                    yield f"the experiment {cell.get('id')!r} in {title!r} has no prediction before it"
                predicted = False
    if not any("experiment" in tags(cell) for cell in book.code):
        yield "has no cell with the tag 'experiment'"


def is_folded(cell):
    return source(cell).startswith("<details><summary>") and source(cell).endswith("\n\n</details>")


def nothing_stands_between_a_question_and_its_experiment(book):
    """Predict, run, compare, and only then the explanation, folded."""
    for place, cell in enumerate(book.cells):
        name = asked(cell) if cell["cell_type"] == "code" else None
        if book.roles.get(name) != "prediction":
            continue
        if len(lines(cell)) > 1:
            yield f"the question exercises.{name} must have a cell of its own"
        rest = iter(book.cells[place + 1 :])
        for between in rest:
            if "experiment" in tags(between):
                break
            if "claim" in tags(between) or is_folded(between) or between.get("outputs"):
                yield f"{between.get('id')!r} stands between the question exercises.{name} and its experiment"
        after = list(itertools.takewhile(lambda one: book.roles.get(asked_of(one)) != "prediction", rest))
        held = [at for at, one in enumerate(after) if source(one).startswith(f"exercises.{name}.compare(")]
        if len(held) != 1:
            yield f"exercises.{name}.compare(…) must stand once between its experiment and the next question"
            continue
        explained = next((one for one in after[held[0] :] if one["cell_type"] == "markdown"), None)
        if explained is None or not is_folded(explained):
            yield f"what follows exercises.{name}.compare(…) must be its explanation, folded in <details>"
        for one in after[: held[0]]:
            if "claim" in tags(one) or is_folded(one):
                yield f"{one.get('id')!r} stands before exercises.{name}.compare(…)"


def asked_of(cell):
    return asked(cell) if cell["cell_type"] == "code" else None


def explanations_are_whole(book):
    for cell in book.cells:
        if cell["cell_type"] == "markdown" and ("<details" in source(cell) or "explanation" in tags(cell)):
            if not is_folded(cell) or source(cell).count("<details") != source(cell).count("</details>"):
                yield f"{cell.get('id')!r} must be folded from its first line to its last"
            if "explanation" not in tags(cell):
                yield f"{cell.get('id')!r} is folded and has no tag 'explanation'"
            if re.search(r"^#", source(cell), re.MULTILINE):
                yield f"{cell.get('id')!r} hides a heading"


def it_runs_without_its_claims(book):
    """A learner's copy has none."""
    missing = {}
    for cell in book.code:
        tree = ast.parse(source(cell))
        bound = names_made(tree)
        if "claim" in tags(cell):
            missing |= dict.fromkeys(bound, cell["id"])
            continue
        used = {
            node.id
            for node in ast.walk(tree)
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)
        }
        for name in sorted(used & set(missing) - bound - book.names_before(cell)):
            yield f"cell {cell.get('id')!r} uses {name}, which only the claim {missing[name]!r} makes"


def numbers_are_asserted(book):
    claims = [cell for cell in book.code if "claim" in tags(cell)]
    if not claims:
        yield "has no cell with the tag 'claim' that asserts what its prose states"
    for cell in claims:
        if not any(isinstance(node, ast.Assert) for node in ast.walk(ast.parse(source(cell)))):
            yield f"the claim {cell.get('id')!r} asserts nothing"
        if not cell["metadata"].get("jupyter", {}).get("source_hidden"):
            yield f"the source of the claim {cell.get('id')!r} must be hidden"


def everything_asked_is_there(book):
    used = set(re.findall(r"(?<!dscourse\.)exercises\.(\w+)", "\n".join(source(cell) for cell in book.code)))
    for name in sorted(used - set(book.roles) - set(exercise_module(book.name)) - {"progress"}):
        yield f"uses exercises.{name}, which its exercise module does not have"
    shown = {asked(cell) for cell in book.code}
    for name in sorted(set(book.roles) - shown):
        yield f"never shows exercises.{name}"


def summary_ends_with_terms_and_reading(book):
    summary = text_of(book.section("Summary"))
    terms = re.search(r"^\*\*Key terms\*\*: ([^\n]+(?:\n[^\n]+)*)", summary, re.MULTILINE)
    if not terms:
        yield "its summary must name **Key terms**: …"
    else:
        for term in re.split(r"[,;]\s+|\s·\s", terms[1].replace("\n", " ").rstrip(". ")):
            if re.sub(r"\W+$|[*_`]", "", term).lower() not in book.glossary:
                yield f"the key term {term!r} is not in glossary.md"
    reading = re.search(r"^\*\*Further reading\*\*(.*)", summary, re.MULTILINE | re.DOTALL)
    if not reading or "](http" not in reading[1]:
        yield "its summary must give **Further reading** with links to primary sources"


def it_opens_with_a_question(book):
    if not book.sections():
        yield "has no sections"
        return
    opening = text_of(book.sections()[0][2])
    if "?" not in opening or not re.search(r"\]\(http|\(\D*\b(19|20)\d\d\b", opening):
        yield "its first section must ask a question from the real world and name its source"


def special_sections_are_there_in_order(book):
    titles = [title for title, _, _ in book.sections()]
    if [title for title in titles if title in SECTIONS] != SECTIONS:
        yield f"must have the sections {', '.join(SECTIONS)}, in this order; has {titles}"


def literature_is_checked(book):
    cells = book.section("Checked against the literature")
    if not re.search(r"\b(19|20)\d\d\b", text_of(cells)):
        yield "its literature check cites nothing with a year"
    if not any(cell["cell_type"] == "code" for cell in cells):
        yield "its literature check runs nothing"


def needed(book, role):
    return FEWER.get(book.name, {}).get(role, 4)


def there_are_four_exercises(book):
    shown = [name for cell in book.code if book.roles.get(name := asked(cell)) == "exercise"]
    if len(shown) < needed(book, "exercise"):
        yield f"has {len(shown)} exercises, needs {needed(book, 'exercise')}"
    for name in shown:
        checks = [cell for cell in book.code if f"exercises.{name}.check({name})" in source(cell)]
        if not checks:
            yield f"never checks an answer named {name} to exercises.{name}"
        for cell in checks:
            if "not attempted yet" not in json.dumps(cell.get("outputs")).lower():
                yield f"an untouched exercises.{name} must say 'not attempted yet'"
            if not any(
                name in names_made(ast.parse(line)) for line in lines(cell) if line.startswith(f"{name} =")
            ):
                yield f"the cell that checks exercises.{name} must hold {name} = …"
    for word in (".hint()", ".solution()"):
        if word not in book.prose:
            yield f"must name {word}"


def production_names_real_systems(book):
    if text_of(book.section("In production")).count("](http") < 2:
        yield "its section 'In production' must link to the documentation of real systems"


def something_can_be_driven(book):
    if not book.moving():
        yield "has no interactive model, such as interactive_figure(…) or play(…)"


def gives_a_widget(module, name, attribute):
    thing = getattr(importlib.import_module(module), name, None)
    if thing is None and attribute:
        thing = importlib.import_module(f"{module}.{name}")
    if attribute:
        thing = getattr(thing, attribute, None)
    returns = getattr(thing, "__annotations__", {}).get("return", thing)
    if isinstance(returns, str):
        returns = getattr(importlib.import_module(thing.__module__), returns, None)
    return isinstance(returns, type) and issubclass(returns, ipywidgets.DOMWidget)


# --- what is asked of a whole page, as soon as a notebook is recast ---


def minutes_are_honest(book):
    """Minutes of a section ≥ words/180 + 1 a prediction + 3 what moves + 5 an exercise + 8 a node to write."""
    cost = {"prediction": 1, "exercise": 5, "node": 8}
    moving = book.moving()
    for title, minutes, cells in book.sections():
        words = len(re.sub(r"\]\([^)]*\)", "]", text_of(cells)).split())
        asks = sum(cost.get(book.roles.get(asked_of(cell)), 0) for cell in cells)
        least = words / WORDS_A_MINUTE + asks + 3 * sum(cell in moving for cell in cells)
        if minutes < math.floor(least):
            yield f"{title!r} takes {least:.1f} min, not {minutes}"
    core = sum(minutes for title, minutes, _ in book.sections() if not book.is_deeper(title))
    if core > CORE_MINUTES:
        yield f"its core takes {core} min, more than {CORE_MINUTES}"


def there_are_four_predictions(book):
    shown = [asked(cell) for cell in book.code if book.roles.get(asked(cell)) == "prediction"]
    if len(shown) < needed(book, "prediction"):
        yield f"has {len(shown)} predictions, needs {needed(book, 'prediction')}"
    if shown and all(book.kinds.get(name) == "choice" for name in shown):
        yield "has only multiple choice: one prediction must be a number, a curve or a node"


def something_moves_early_and_has_tasks(book):
    moving, before = book.moving(), 0
    for _, minutes, cells in book.sections():
        if any(cell in moving for cell in cells):
            break
        before += minutes
    if before >= 10:
        yield f"nothing moves in its first {before} minutes"
    for cell in moving:
        if re.search(r"\bplay\(", source(cell)) and "tasks=" not in source(cell):
            yield f"the player {cell.get('id')!r} has no tasks"


def a_node_is_written(book):
    if not any(book.roles.get(asked(cell)) == "node" for cell in book.code):
        yield "has no node to write"


def more_is_seen_than_printed(book):
    """At least as many cells that move as cells that print, literature, production and what is asked aside."""
    aside = [cell for title in SECTIONS for cell in book.section(title)]
    printing = [cell for cell in book.code if prints(cell) and cell not in aside]
    moving = book.moving()
    if len(printing) > len(moving):
        names = ", ".join(cell["id"] for cell in printing)
        yield f"has {len(moving)} cells that move and {len(printing)} that print: {names}"


def prints(cell):
    """Return whether a cell shows text or a table that no question, check or comparison is the source of."""
    if "exercises." in lines(cell)[-1] or "claim" in tags(cell) or lines(cell)[-1].endswith("progress()"):
        return False
    outputs = cell.get("outputs", [])
    return bool(outputs) and not any("image/png" in output.get("data", {}) for output in outputs)


def exercises_stand_beside_their_sections(book):
    shown = [
        title
        for title, _, cells in book.sections()
        if any(book.roles.get(asked_of(cell)) == "exercise" for cell in cells)
    ]
    if book.name not in FEWER and len(shown) < BESIDE:
        yield f"its exercises stand in {', '.join(shown) or 'no section'}, not beside the sections they train"


def there_is_a_cell_to_play_in(book):
    """One that takes in what "Copy as code" gives."""
    if not any("scratch" in tags(cell) for cell in book.code):
        yield "has no cell with the tag 'scratch' to play in"


CHECKS_OF_A_PAGE = [
    minutes_are_honest,
    there_are_four_predictions,
    something_moves_early_and_has_tasks,
    a_node_is_written,
    more_is_seen_than_printed,
    exercises_stand_beside_their_sections,
    there_is_a_cell_to_play_in,
]

CHECKS = [
    file_is_sound,
    cells_have_readable_ids,
    title_says_what_to_expect,
    minutes_add_up,
    headings_are_slides,
    neighbours_are_linked,
    links_lead_somewhere,
    code_cells_are_short,
    it_was_run_in_order,
    outputs_are_clean,
    no_path_of_one_machine,
    figures_have_alt_text,
    prediction_comes_before_each_experiment,
    nothing_stands_between_a_question_and_its_experiment,
    explanations_are_whole,
    it_runs_without_its_claims,
    numbers_are_asserted,
    everything_asked_is_there,
    summary_ends_with_terms_and_reading,
    something_can_be_driven,
    it_opens_with_a_question,
    special_sections_are_there_in_order,
    literature_is_checked,
    there_are_four_exercises,
    production_names_real_systems,
]


def problems(book, checks=CHECKS):
    return [f"{check.__name__}: {problem}" for check in checks for problem in check(book)]


# --- the notebooks that are there ---


def title(content):
    return source(content["cells"][0]).splitlines()[0].removeprefix("# ").replace(" · ", " ", 1)


@pytest.fixture(scope="module")
def stored():
    return {name: json.loads((FOLDER / name).read_text(encoding="utf-8")) for name in NOTEBOOKS}


def glossary_terms(text):
    return [
        term.lower()
        for term in re.findall(r"^- \*\*(.+?)\*\* \((?:\d\d)(?:, \d\d)*\): \S", text, re.MULTILINE)
    ]


def exercise_module(name):
    """Return all that the exercise module of a notebook defines."""
    module = name.removesuffix(".ipynb").partition("-")[2].replace("-", "_")
    try:
        return vars(importlib.import_module(f"dscourse.exercises.{module}"))
    except ModuleNotFoundError:
        return {}


def roles_of(name):
    kinds = ((NodeExercise, "node"), (Exercise, "exercise"), (Prediction, "prediction"))
    return {
        key: next(role for kind, role in kinds if isinstance(thing, kind))
        for key, thing in exercise_module(name).items()
        if isinstance(thing, Exercise | Prediction)
    }


def kinds_of(name):
    return {key: thing.kind for key, thing in exercise_module(name).items() if isinstance(thing, Prediction)}


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_the_notebook_has_the_shape_of_the_course(name, stored):
    titles = {other: title(content) for other, content in stored.items()}
    terms = glossary_terms((FOLDER / "glossary.md").read_text(encoding="utf-8"))
    checks = CHECKS + (CHECKS_OF_A_PAGE if name in RECAST else [])
    found = problems(Notebook(name, stored[name], titles, terms, roles_of(name), kinds_of(name)), checks)
    assert found == [], "\n".join(["", *found])


# --- no page tells what is asked later, on the same page or on another ---


def told(cells):
    """Return all that can be read in cells: prose, and outputs that no question is the source of."""
    words = []
    for cell in cells:
        if cell["cell_type"] == "markdown":
            words.append(source(cell))
        elif asked(cell) is None and "claim" not in tags(cell):
            words += [
                "".join(output.get("text", output.get("data", {}).get("text/plain", "")))
                for output in cell.get("outputs", [])
            ]
    return " ".join(" ".join(words).replace("`", "").split()).lower()


def results(book):
    """Return {prediction: (place of its cell, "the run: …")} as the stored comparisons have it."""
    found = {}
    for cell in book.code:
        held = re.match(r"exercises\.(\w+)\.compare\(", lines(cell)[-1]) if lines(cell) else None
        if held:
            (output,) = cell["outputs"]
            result = re.search(r"^The run: (.*)\.$", "".join(output["data"]["text/plain"]), re.MULTILINE)
            place = next(at for at, one in enumerate(book.cells) if asked_of(one) == held[1])
            found[held[1]] = place, result[1]
    return found


def spoilers(book, earlier):
    """Yield what tells the result of a prediction before it is asked: its words, or its number to three digits."""
    for name, (place, result) in results(book).items():
        before = f"{earlier} {told(book.cells[:place])}"
        words = re.sub(r" \(measured: .*\)$", "", result).replace("`", "").lower()
        phrases = [words] if len(words.split()) >= 4 else []
        for number in re.findall(r"(?<![\w.])\d+\.?\d*(?![\w.]*\w)", result):
            if len(number.replace(".", "").strip("0")) >= 3:
                phrases.append(number)
                if number.startswith("0."):
                    phrases.append(f"{100 * float(number):.3g} %")
        for phrase in phrases:
            if re.search(rf"(?<![\w.]){re.escape(phrase)}(?![\w])", before):
                yield f"{phrase!r}, the result of exercises.{name}, can be read before it is asked"


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_nothing_tells_the_result_of_a_prediction_before_it_is_asked(name, stored):
    earlier = " ".join(told(stored[other]["cells"]) for other in NOTEBOOKS if other < name)
    book = Notebook(name, stored[name], {}, [], roles_of(name), {})
    assert results(book)
    assert list(spoilers(book, earlier)) == []


@pytest.mark.parametrize(
    ("outcome", "earlier", "is_told"),
    [
        ("about two times in three (measured: 0.632)", "one in a hundred is slow for 63.2 % of pages", True),
        ("about two times in three (measured: 0.632)", "that makes 0.632 of them", True),
        ("90.48 % of the time", "they are up 90.48 % of the time", True),
        ("wrong bytes, and nobody notices", "A mirror gives wrong bytes, and\nnobody notices.", True),
        ("about two times in three (measured: 0.632)", "1.6321 s", False),
        ("one only", "one only needs this", False),
        ("about 25 (measured: 25)", "25 machines", False),
    ],
)
def test_a_spoiler_is_noticed(outcome, earlier, is_told):
    content = good_notebook()
    cell_of(content, "held-moved")["outputs"] = [result(text_plain=f"The run: {outcome}.")]
    assert bool(list(spoilers(in_a_course(content), told([markdown("x", earlier)])))) == is_told
    cell_of(content, "question")["source"] += earlier
    assert bool(list(spoilers(in_a_course(content), ""))) == is_told


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_the_file_is_small_and_written_by_the_tidying_tool(name):
    text = (FOLDER / name).read_text(encoding="utf-8")
    assert len(text.encode()) < LARGEST
    tidy = json.dumps(json.loads(text), indent=1, ensure_ascii=False, sort_keys=True) + "\n"
    assert text == tidy, f"run `python .ci/notebooks.py {name}`"


def test_the_glossary_is_in_alphabetical_order_and_well_formed():
    text = (FOLDER / "glossary.md").read_text(encoding="utf-8")
    terms = glossary_terms(text)
    assert len(terms) == text.count("\n- "), "each entry is '- **Term** (01, 04): meaning.'"
    assert terms == sorted(terms)
    assert len(set(terms)) == len(terms)


def test_the_start_page_is_there():
    assert START in NOTEBOOKS


# --- would it notice? ---


def markdown(cell_id, text, **metadata):
    return {"cell_type": "markdown", "id": cell_id, "metadata": metadata, "source": text}


def code(cell_id, text, *outputs, **metadata):
    return {
        "cell_type": "code",
        "id": cell_id,
        "metadata": metadata,
        "source": text,
        "outputs": list(outputs),
    }


def result(**data):
    return {
        "output_type": "display_data",
        "data": {k.replace("_", "/"): v for k, v in data.items()},
        "metadata": {},
    }


FOLDED = "<details><summary>What happened?</summary>\n\nThey moved.\n\n</details>"
STANDS_BETWEEN = nothing_stands_between_a_question_and_its_experiment


def good_notebook():
    slide = {"slideshow": {"slide_type": "slide"}}
    links = (
        "[← 00 Start here](00-start-here.ipynb) · [07 Faults →](07-faults.ipynb) · [Glossary](glossary.md)"
    )
    exercises = []
    for name in ("one", "two", "three", "four"):
        untouched = result(text_plain="Not attempted yet.")
        exercises += [
            code(f"show-{name}", f"exercises.{name}", result(text_plain="the task")),
            code(f"answer-{name}", f"{name} = ...\nexercises.{name}.check({name})", untouched),
        ]
    cells = [
        markdown(
            "title",
            "# 04 · Partitioning\n\nWho owns a key?\n\n**You will be able to**\n\n- say who\n- move keys\n- split\n\n"
            f"**Before you start**: notebook 01.\n\n**Time**: 20 min\n\n{links}",
        ),
        markdown(
            "question", "## Where is my key? · 5 min\n\nWhere? See [a report](https://example.org).", **slide
        ),
        code("imports", "from dscourse.views import interactive_figure"),
        code("predict", "exercises.moved", result(text_plain="How many?")),
        code("move", "interactive_figure(draw, n=(1, 2))", result(image_png="aGk=", text_plain="a" * 30)),
        code("held-moved", "exercises.moved.compare()", result(text_plain="You made no prediction.")),
        code("claims", "least = 0.2\nassert moved == 0.8", tags=["claim"], jupyter={"source_hidden": True}),
        markdown("explained", FOLDED, tags=["explanation"]),
        markdown("literature", "## Checked against the literature · 3 min\n\nKarger et al., 1997.", **slide),
        code("published", "1 + 1", result(text_plain="2")),
        markdown("exercises", "## Exercises · 8 min\n\n`.hint()` helps, `.solution()` tells.", **slide),
        *exercises,
        markdown(
            "production", "## In production · 2 min\n\n[A](https://a.org) and [B](https://b.org).", **slide
        ),
        markdown(
            "summary",
            "## Summary · 2 min\n\nKeys move.\n\n**Key terms**: node, hot key.\n\n"
            f"**Further reading**\n\n- [Karger](https://k.org)\n\n{links}",
            **slide,
        ),
    ]
    cells[4]["metadata"]["tags"] = ["experiment"]
    for count, cell in enumerate((cell for cell in cells if cell["cell_type"] == "code"), start=1):
        cell["execution_count"] = count
    metadata = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    return {"cells": cells, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}


def in_a_course(content, name="04-partitioning.ipynb"):
    others = {
        START: "00 Start here",
        "04-partitioning.ipynb": "04 Partitioning",
        "07-faults.ipynb": "07 Faults",
    }
    roles = dict.fromkeys(("one", "two", "three", "four"), "exercise") | {"moved": "prediction"}
    return Notebook(name, content, others, ["hot key", "node"], roles, {"moved": "choice"})


def cell_of(content, cell_id):
    return next(cell for cell in content["cells"] if cell["id"] == cell_id)


def without(cell_id):
    return lambda content: content["cells"].remove(cell_of(content, cell_id))


def moving(cell_id, after):
    def change(content):
        cell = cell_of(content, cell_id)
        content["cells"].remove(cell)
        content["cells"].insert(content["cells"].index(cell_of(content, after)) + 1, cell)

    return change


def replacing(cell_id, old, new):
    def change(content):
        cell = cell_of(content, cell_id)
        assert old in cell["source"]
        cell["source"] = cell["source"].replace(old, new)

    return change


def printed(text, name="stdout"):
    return {"output_type": "stream", "name": name, "text": text}


def storing(cell_id, output):
    return lambda content: cell_of(content, cell_id)["outputs"].append(output)


def replacing_outputs(cell_id, *outputs):
    return lambda content: cell_of(content, cell_id).update(outputs=list(outputs))


def marking(cell_id, **metadata):
    return lambda content: cell_of(content, cell_id).update(metadata=metadata)


def test_a_good_notebook_passes():
    assert problems(in_a_course(good_notebook())) == []


BAD = [
    (file_is_sound, "valid", lambda content: cell_of(content, "move").pop("outputs")),
    (file_is_sound, "kernel", lambda content: content["metadata"].update(kernelspec={"name": "julia"})),
    (file_is_sound, "2 MB", storing("move", result(text_plain="x" * LARGEST))),
    (cells_have_readable_ids, "readable", lambda content: cell_of(content, "move").update(id="3f2a9c1e")),
    (cells_have_readable_ids, "twice", lambda content: cell_of(content, "move").update(id="title")),
    (title_says_what_to_expect, "# 04", replacing("title", "# 04 · P", "# P")),
    (title_says_what_to_expect, "has 2", replacing("title", "- split\n", "")),
    (title_says_what_to_expect, "verb", replacing("title", "- split", "- the split")),
    (title_says_what_to_expect, "Before", replacing("title", "**Before you start**: notebook 01.", "")),
    (minutes_add_up, "sections take 20", replacing("title", "20 min", "25 min")),
    (minutes_add_up, "Time", replacing("title", "**Time**: 20 min", "")),
    (minutes_add_up, "'## Title · N min'", replacing("literature", " · 3 min", "")),
    (headings_are_slides, "slide", marking("exercises")),
    (neighbours_are_linked, "first", replacing("title", "[← 00 Start here](00-start-here.ipynb) · ", "")),
    (neighbours_are_linked, "last", replacing("summary", "07-faults", "08-faults")),
    (links_lead_somewhere, "05-x", replacing("question", "Where? ", "[there](05-x.ipynb)? ")),
    (code_cells_are_short, "16 lines", replacing("published", "1 + 1", "1\n" * 16)),
    (it_was_run_in_order, "count None", lambda content: cell_of(content, "move").update(execution_count=None)),
    (it_was_run_in_order, "count 9", lambda content: cell_of(content, "move").update(execution_count=9)),
    (outputs_are_clean, "state", lambda content: content["metadata"].update(widgets={})),
    (outputs_are_clean, "ValueError", storing("move", {"output_type": "error", "ename": "ValueError"})),
    (outputs_are_clean, "stderr", storing("move", printed("warning", "stderr"))),
    (outputs_are_clean, "view", storing("move", result(**{WIDGETS[0].replace("/", "_"): {}}))),
    (outputs_are_clean, "address", storing("move", result(text_plain="<Node object at 0x7f12ab34cd56>"))),
    (outputs_are_clean, "/home/me", storing("move", printed(["see /home/me/x"]))),
    (no_path_of_one_machine, "C:", replacing("published", "1 + 1", r"open('C:\data')")),
    (figures_have_alt_text, "<Figure", storing("move", result(image_png="a", text_plain="<Figure size 640x480>"))),
    (figures_have_alt_text, "''", storing("move", result(image_png="aGk="))),
    (figures_have_alt_text, "plan.png", replacing("question", "Where? ", "![](plan.png)? ")),
    (prediction_comes_before_each_experiment, "no prediction", without("predict")),
    (prediction_comes_before_each_experiment, "no cell", marking("move")),
    (prediction_comes_before_each_experiment, "'published'", marking("published", tags=["experiment"])),
    (STANDS_BETWEEN, "cell of its own", replacing("predict", "exercises", "x = 1\nexercises")),
    (STANDS_BETWEEN, "'claims' stands between", moving("claims", after="predict")),
    (STANDS_BETWEEN, "'explained' stands between", moving("explained", after="predict")),
    (STANDS_BETWEEN, "'published' stands between", moving("published", after="predict")),
    (STANDS_BETWEEN, "must stand once", without("held-moved")),
    (STANDS_BETWEEN, "must stand once", moving("held-moved", after="title")),
    (STANDS_BETWEEN, "folded in <details>", without("explained")),
    (STANDS_BETWEEN, "'claims' stands before", moving("claims", after="move")),
    (explanations_are_whole, "from its first line", replacing("explained", "</details>", "</details>\n\nMore.")),
    (explanations_are_whole, "no tag", marking("explained")),
    (explanations_are_whole, "hides a heading", replacing("explained", "They", "### They")),
    (it_runs_without_its_claims, "uses least", replacing("published", "1 + 1", "1 + least")),
    (numbers_are_asserted, "no cell", without("claims")),
    (numbers_are_asserted, "nothing", replacing("claims", "assert ", "")),
    (numbers_are_asserted, "hidden", marking("claims", tags=["claim"])),
    (everything_asked_is_there, "exercises.five", replacing("show-one", "exercises.one", "exercises.five")),
    (everything_asked_is_there, "never shows exercises.one", without("show-one")),
    (summary_ends_with_terms_and_reading, "Key terms", replacing("summary", "Key terms", "Terms")),
    (summary_ends_with_terms_and_reading, "'cold key'", replacing("summary", "hot key", "cold key")),
    (summary_ends_with_terms_and_reading, "Further reading", replacing("summary", "https://k.org", "k.md")),
    (it_opens_with_a_question, "question", replacing("question", "https://", "//")),
    (special_sections_are_there_in_order, "order", replacing("production", "In production", "In practice")),
    (literature_is_checked, "year", replacing("literature", "1997", "long ago")),
    (literature_is_checked, "runs nothing", without("published")),
    (there_are_four_exercises, "has 3", without("show-four")),
    (there_are_four_exercises, "never checks", without("answer-two")),
    (there_are_four_exercises, "never checks", replacing("answer-two", "check(two)", "check(answer)")),
    (there_are_four_exercises, "must hold one", replacing("answer-one", "one =", "won =")),
    (minutes_add_up, "deeper, but its sections take 0", replacing("title", "20 min", "core 20 min, deeper 5 min")),
    (minutes_add_up, "take 18", replacing("production", "2 min", "2 min · deeper")),
    (there_are_four_exercises, "'not attempted yet'", replacing_outputs("answer-one")),
    (there_are_four_exercises, ".hint()", replacing("exercises", "`.hint()`", "It")),
    (production_names_real_systems, "real systems", replacing("production", "https://b.org", "b")),
    (something_can_be_driven, "interactive", replacing("move", "interactive_figure(", "figure(")),
]  # fmt: skip


@pytest.mark.parametrize(
    ("check", "told", "change"),
    BAD,
    ids=[f"{check.__name__}-{number}" for number, (check, _, _) in enumerate(BAD)],
)
def test_a_bad_notebook_is_noticed(check, told, change):
    content = copy.deepcopy(good_notebook())
    change(content)
    found = list(check(in_a_course(content)))
    assert any(told in problem for problem in found), found


def test_a_median_of_four_lines_is_too_long():
    content = good_notebook()
    for cell in content["cells"]:
        if cell["cell_type"] == "code" and "claim" not in tags(cell):
            cell["source"] = "a = 1\nb = 2\nc = 3\n" + cell["source"]
    assert any("median code cell has 4" in problem for problem in problems(in_a_course(content)))


def test_every_check_has_a_bad_notebook():
    assert {check for check, _, _ in BAD} == set(CHECKS)


# --- a whole page ---


def whole_page():
    """Return the good notebook with three more predictions, one of them a number, a player with tasks and a node."""
    content = good_notebook()
    new = [
        code("play", "from dscourse.views import play\n\nplay(run, tasks=tasks)"),
        *(code(f"predict-{name}", f"exercises.{name}") for name in ("p2", "p3", "p4")),
        code("node", "exercises.greeter"),
        code("play-here", "# Paste here what 'Copy as code' gave you.", tags=["scratch"]),
    ]
    for cell_id, after in (("one", "claims"), ("two", "published")):
        moving(f"show-{cell_id}", after)(content)
        moving(f"answer-{cell_id}", f"show-{cell_id}")(content)
    place = content["cells"].index(cell_of(content, "imports")) + 1
    content["cells"][place:place] = new
    for cell_id, old, minutes in (("question", 5, 25), ("exercises", 8, 10), ("literature", 3, 10)):
        replacing(cell_id, f"{old} min", f"{minutes} min")(content)
    return content


def page_problems(content, **kinds):
    book = in_a_course(content)
    book.roles |= dict.fromkeys(("p2", "p3", "p4"), "prediction") | {"greeter": "node"}
    book.kinds |= {"p2": "choice", "p3": "choice", "p4": "number", **kinds}
    return problems(book, CHECKS_OF_A_PAGE)


def test_a_whole_page_passes():
    assert page_problems(whole_page()) == []


@pytest.mark.parametrize(
    ("told", "change"),
    [
        (
            "minutes_are_honest: 'Where is my key?' takes 23.1 min, not 5",
            replacing("question", "25 min", "5 min"),
        ),
        (
            "minutes_are_honest: 'Exercises' takes 10.1 min, not 9",
            replacing("exercises", "10 min", "9 min"),
        ),
        ("minutes_are_honest: 'In production' takes", replacing("production", "[A]", "word " * 600)),
        ("its core takes 94 min", replacing("production", "2 min", "47 min")),
        ("has 3 predictions, needs 4", without("predict-p2")),
        ("nothing moves in its first", lambda content: [without(one)(content) for one in ("play", "move")]),
        ("the player 'play' has no tasks", replacing("play", ", tasks=tasks", "")),
        ("has no node to write", without("node")),
        ("no cell with the tag 'scratch'", without("play-here")),
        (
            "stand in Where is my key?, Exercises, not beside",
            lambda content: [moving(f"{one}-two", "claims")(content) for one in ("answer", "show")],
        ),
        (
            "2 cells that move and 3 that print: print-0, print-1, print-2",
            lambda content: content["cells"].__setitem__(
                slice(2, 2),
                [code(f"print-{count}", "table", result(text_html="a table")) for count in range(3)],
            ),
        ),
    ],
)
def test_a_page_that_is_not_whole_is_noticed(told, change):
    content = whole_page()
    change(content)
    found = page_problems(content)
    assert any(told in problem for problem in found), found


def test_only_multiple_choice_is_noticed():
    assert any("only multiple choice" in problem for problem in page_problems(whole_page(), p4="choice"))
