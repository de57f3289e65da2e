"""Build the course's site: every notebook as a page, with its players alive and no kernel (`make site`).

    python docs/build.py                    # the whole site, into docs/_build/html
    python docs/build.py --only 00 09       # some notebooks, for a look

Nothing is fetched, now or when the pages are read: they work from a disk, without a server.
"""

from __future__ import annotations

import argparse
import html
import json
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
sys.path[:0] = [str(ROOT), str(HERE)]

import glossary  # noqa: E402
import timetables  # noqa: E402
from collect import collect, player  # noqa: E402, F401 - collect runs in a notebook's kernel
from gallery import FAMOUS  # noqa: E402

from dscourse.views import play  # noqa: E402
from dscourse.views.player import bundle  # noqa: E402

BUILD = HERE / "_build"
NOTEBOOKS = ROOT / "notebooks"
CELL_TIMEOUT = 240  # seconds
VIEW = "application/vnd.jupyter.widget-view+json"
NEEDS_PYTHON = "To move this you need Python: open the notebook in JupyterLab or on Binder."
#: What the theme leaves out for those who can't see the page, or use it by keyboard.
MENDED = {
    '<p class="caption" role="heading">': '<p class="caption" role="heading" aria-level="2">',
    "<pre>": '<pre tabindex="0">',
}
FOLDED = "<details><summary>Have you decided? Then open what the run says.</summary>{}</details>"


def main(arguments: list[str] | None = None) -> int:
    """Carry out the command line; the result is the exit status."""
    parser = argparse.ArgumentParser(description="Build the course's site.")
    parser.add_argument("--only", nargs="*", default=None, help="numbers of notebooks")
    parser.add_argument("--into", type=Path, default=BUILD, help="where to build")
    options = parser.parse_args(arguments)
    build(options.into, options.only)
    print(f"Open {options.into / 'html' / 'index.html'} in a browser.")
    return 0


def build(into: Path, only: list[str] | None = None) -> None:
    """Lay out what Sphinx reads, and let it make the pages.

    Raises:
        RuntimeError: if Sphinx has something to complain about.
        CellExecutionError: if a cell of a notebook fails.
    """
    source, pages = into / "source", into / "html"
    for before in (source, pages):  # and nothing else that may lie there
        shutil.rmtree(before, ignore_errors=True)
    static = source / "_static"
    shutil.copytree(HERE / "static", static)
    (static / "player.js").write_text(classic_script("player", bundle.javascript()), encoding="utf-8")
    style = (static / "site.css").read_text("utf-8") + bundle.style()
    (static / "site.css").write_text(style, encoding="utf-8")
    paths = [p for p in sorted(NOTEBOOKS.glob("*.ipynb")) if only is None or p.stem.split("-")[0] in only]
    lay_out_notebooks(paths, source, static)
    lay_out_words([path.stem for path in paths], source, static)
    make_pages(source, pages)


def lay_out_notebooks(paths: list[Path], source: Path, static: Path) -> None:
    """Run the notebooks and write their pages, with links to the glossary."""
    words = (NOTEBOOKS / "glossary.md").read_text(encoding="utf-8")
    stems = [path.stem for path in paths]
    for path in paths:
        print(path.stem, flush=True)
        page = executed(path, static)
        prose = [cell for cell in page.cells if cell.cell_type == "markdown"]
        texts = [with_links(cell.source, stems) for cell in prose]
        linked = glossary.linked(texts, glossary.terms(words, path.stem[:2]))
        for cell, text in zip(prose, linked, strict=True):
            cell.source = text
        (source / path.name).write_text(nbformat.writes(page), encoding="utf-8")


def lay_out_words(stems: list[str], source: Path, static: Path) -> None:
    """Write the pages that are no notebooks; all pages lie side by side."""
    words = (NOTEBOOKS / "glossary.md").read_text(encoding="utf-8")
    (source / "glossary.md").write_text(glossary.anchored(words), encoding="utf-8")
    written = {
        "gallery.md": gallery(static, stems),
        "timetables.md": with_links(timetables.page(NOTEBOOKS), stems),
        "index.md": front_page(stems, ["teaching", "timetables", "notes"]),
    }
    for file in [*HERE.glob("*.md"), *(HERE / "teaching").glob("*.md")]:
        text = file.read_text(encoding="utf-8").replace("(../README.md)", "(index.md)")
        text = re.sub(r"\]\((?:\.\./\.\./notebooks|teaching)/", "](", text)
        written[file.name] = with_links(text, stems)
    for name, text in written.items():
        (source / name).write_text(glossary.linked([text], glossary.terms(words))[0], encoding="utf-8")


def make_pages(source: Path, pages: Path) -> None:
    """Run Sphinx."""
    there = ["-c", str(HERE), "-D", f"html_static_path={source / '_static'}"]
    command = [sys.executable, "-m", "sphinx", "-q", "-W", "--keep-going", *there, "-b", "html"]
    if subprocess.run([*command, str(source), str(pages)], check=False).returncode:
        raise RuntimeError("Sphinx was not content; look above.")
    for page in pages.glob("*.html"):
        text = page.read_text(encoding="utf-8")
        for before, after in MENDED.items():
            text = text.replace(before, after)
        page.write_text(text, encoding="utf-8")


def classic_script(kind: str, module: str) -> str:
    """Return a widget's module as a script that also runs from a disk, where browsers refuse modules."""
    body, count = re.subn(r"^export default \{ render \};\s*$", "", module, flags=re.MULTILINE)
    if count != 1:
        raise ValueError(
            f"the module of {kind} must end with one `export default {{ render }};`, found {count}"
        )
    return f"(() => {{\n{body}\ndscourse.kinds.{kind} = render;\n}})();\n"


# --- notebooks
def executed(path: Path, static: Path) -> Any:
    """Run a notebook and return its page: players and tables live, comparisons folded, claims left out."""
    notebook = nbformat.read(path, as_version=4)
    with tempfile.TemporaryDirectory() as folder:
        kept = Path(folder) / "live.json"
        last = f"import sys; sys.path.insert(0, {str(HERE)!r}); from collect import collect; collect({str(kept)!r})"
        notebook.cells.append(nbformat.v4.new_code_cell(last))
        client = NotebookClient(
            notebook,
            timeout=CELL_TIMEOUT,
            kernel_name="python3",
            resources={"metadata": {"path": str(NOTEBOOKS)}},
            store_widget_state=False,
            extra_arguments=["--log-level=40"],
        )
        client.execute(env=_environment(Path(folder)))
        live = json.loads(kept.read_text(encoding="utf-8"))
    notebook.cells = [cell for cell in notebook.cells[:-1] if "claim" not in cell.metadata.get("tags", [])]
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs = [shown(output, cell, path.stem, live, static) for output in wanted(cell)]
    if notebook.cells and notebook.cells[0].cell_type == "markdown":
        notebook.cells[0].source += f'\n\n<a href="{path.stem}.html?slides">As slides</a>'
    return notebook


def _environment(folder: Path) -> dict[str, str]:
    import os

    return {**os.environ, "DSCOURSE_PROGRESS": str(folder / "progress.json")}


def wanted(cell: Any) -> list[Any]:
    """Return a cell's outputs, without what says only that nobody has answered yet."""
    if re.search(r"\.check\(|^progress\(\)$", cell.source, re.MULTILINE):
        return []
    return list(cell.outputs)


def shown(output: Any, cell: Any, page: str, live: dict[str, Any], static: Path) -> Any:
    """Return what the page shows for an output."""
    data = output.get("data", {})
    view = data.pop(VIEW, None)
    if view is not None:
        thing = live.get(view["model_id"])
        if thing is not None:
            return nbformat.v4.new_output(
                "display_data", {"text/html": placed(f"{page}-{cell.id}", thing, data, static)}
            )
        if "text/html" not in data and "image/png" in data:
            return nbformat.v4.new_output("display_data", {"text/html": still(data, NEEDS_PYTHON)})
    if ".compare(" in cell.source and "text/html" in data:
        data["text/html"] = FOLDED.format(data["text/html"])
    return output


def still(data: dict[str, Any], note: str) -> str:
    """Return a still picture with a note, as HTML."""
    alt = html.escape("".join(data.get("text/plain", "")), quote=True)
    png = re.sub(r"\s", "", "".join(data["image/png"]))
    return (
        f'<img src="data:image/png;base64,{png}" alt="{alt}"><p class="dscourse-note">{html.escape(note)}</p>'
    )


def placed(name: str, thing: dict[str, Any], data: dict[str, Any], static: Path) -> str:
    """Write the script that describes a live thing, and return the place for it, with its still picture until then."""
    script = static / "live" / f"{name}.js"
    script.parent.mkdir(exist_ok=True)
    script.write_text(f"dscourse.describe({json.dumps(name)}, {json.dumps(thing)});\n", encoding="utf-8")
    before = still(data, "This needs JavaScript to move.") if "image/png" in data else ""
    return (
        f'<div class="dscourse-live" id="{name}" data-live="{name}"><noscript>{before}</noscript></div>'
        f'<script defer src="_static/live/{name}.js"></script>'
    )


# --- pages of words
def gallery(static: Path, pages: list[str]) -> str:
    """Return the page of famous runs; each opens at the moment that decides."""
    parts = [
        "# Famous runs",
        "",
        "Each link opens a player at the moment that decides. Play on, step, or go back.",
    ]
    parts += [
        "",
        "<ul>",
        *(f'<li><a href="#{one.name}@{one.at:g}">{one.title}</a></li>' for one in FAMOUS),
        "</ul>",
    ]
    for one in FAMOUS:
        shown_run = play(one.make(), lanes=one.lanes, hide_future=False)
        place = placed(one.name, player(shown_run), {}, static)
        parts += [
            "",
            f"## {one.title}",
            "",
            one.words,
            "",
            place,
            "",
            f"[Where this comes from]({one.page}.ipynb)",
        ]
    return with_links("\n".join(parts) + "\n", pages)


def front_page(notebooks: list[str], teaching: list[str]) -> str:
    """Return the first page: what the README says of the course, and the tables of contents."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    intro = readme[: readme.index("## Two commands")]
    intro = re.sub(r"!\[[^\]]*\]\(\.github/player\.gif\)", "", intro).strip()
    intro = re.sub(
        r"\[!\[([^\]]*)\]\([^)]*\)\]", r"[\1]", intro
    )  # a badge is fetched from the network; its link stays
    course = readme[readme.index("## The course") : readme.index("## A node")].strip()
    course = with_links(re.sub(r"\]\((?:notebooks|docs)/", "](", course), notebooks)
    tocs = [
        ("The course", [*notebooks, "glossary"]),
        ("To look at, to know", ["gallery", "working", "package", "hub"]),
        ("For those who teach", teaching),
    ]
    parts = [intro, "", course]
    for caption, pages in tocs:
        if pages:
            parts += ["", "```{toctree}", ":hidden:", f":caption: {caption}", "", *pages, "```"]
    return "\n".join(parts) + "\n"


def with_links(text: str, pages: list[str]) -> str:
    """Return Markdown in which links to notebooks that aren't built are plain words."""
    return re.sub(
        r"\[([^\]]*)\]\(([\w-]+)\.ipynb\)", lambda match: match[0] if match[2] in pages else match[1], text
    )


if __name__ == "__main__":
    sys.exit(main())
