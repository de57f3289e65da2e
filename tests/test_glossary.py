"""The site links each term of the glossary where a page uses it first, in prose and nowhere else."""

import re
import runpy
from pathlib import Path
from types import SimpleNamespace

import pytest

ROOT = Path(__file__).resolve().parents[1]
glossary = SimpleNamespace(**runpy.run_path(str(ROOT / "docs" / "glossary.py")))
WORDS = (ROOT / "notebooks" / "glossary.md").read_text(encoding="utf-8")
TERMS = ["Crash", "Crash-recovery", "Split brain", "MTTF", "Log", "Little's law"]


def linked(*texts):
    """Return the texts with each link written as {anchor|words}."""
    link = re.compile(r'<a href="glossary\.html#([^"]+)">(.*?)</a>', re.DOTALL)
    return [link.sub(r"{\1|\2}", text) for text in glossary.linked(texts, TERMS)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("A crash, and a crash.", "A {crash|crash}, and a crash."),
        ("Crashes happen.", "{crash|Crashes} happen."),
        ("No crashing, no uncrash.", "No crashing, no uncrash."),
        ("*crash-recovery*, **crash**", "*{crash-recovery|crash-recovery}*, **{crash|crash}**"),
        ("*crash*ed", "*crash*ed"),
        ("a split\nbrain", "a {split-brain|split\nbrain}"),
        ("a split\n\nbrain", "a split\n\nbrain"),
        ("mttf, MTTF", "mttf, {mttf|MTTF}"),
        ("Little's law", "{little-s-law|Little's law}"),
    ],
)
def test_a_terms_first_use_is_linked(text, expected):
    assert linked(text) == [expected]


@pytest.mark.parametrize(
    "before",
    [
        "## The crash · 5 min",
        "`crash`",
        "``crash `at` ``",
        "```python\nrun.crash()\n```",
        "````\n```\ncrash\n```\n````",
        "```{toctree}\ncrash\n```",
        "[a crash](05-replication.ipynb)",
        "[![a crash](crash.svg)](crash.html)",
        "![crash](crash.png)",
        "[the crash][1]",
        "[crash]: crash.html",
        "<https://example.org/crash>",
        "https://example.org/crash",
        '<img alt="a crash">',
        "<summary>A crash?</summary>",
        '<a href="x.html">a crash</a>',
        "<!-- crash -->",
        "$crash$",
    ],
)
def test_nothing_is_linked_in_code_headings_links_or_tags(before):
    assert linked(f"{before}\n\nA crash.") == [f"{before}\n\nA {{crash|crash}}."]


def test_a_page_is_one_whole_though_it_has_several_cells():
    assert linked("A crash.", "A crash, a log.") == ["A {crash|crash}.", "A crash, a {log|log}."]


def test_a_folded_explanation_is_prose():
    folded = "<details><summary>What happened?</summary>\nA crash.\n</details>"
    assert linked(folded) == [folded.replace("A crash", "A {crash|crash}")]


def test_an_everyday_word_is_linked_only_where_the_glossary_places_it():
    assert "Term" in glossary.terms(WORDS, "09")
    assert "Term" not in glossary.terms(WORDS, "05") + glossary.terms(WORDS)
    assert "Quorum" in glossary.terms(WORDS, "05")
    everywhere = {entry["term"].lower() for entry in glossary.ENTRY.finditer(WORDS)}
    assert everywhere >= glossary.EVERYDAY


def test_every_link_finds_its_anchor_and_no_two_terms_share_one():
    anchors = re.findall(r'<span id="([^"]+)"></span>\*\*', glossary.anchored(WORDS))
    assert len(anchors) == len(set(anchors)) == WORDS.count("\n- ")
    every = [entry["term"] for entry in glossary.ENTRY.finditer(WORDS)]
    (page,) = glossary.linked(["\n\n".join(every)], every)
    assert sorted(re.findall(r'href="glossary\.html#([^"]+)"', page)) == sorted(anchors)


def test_every_meaning_is_a_whole_sentence():
    cut_off = [line for line in WORDS.splitlines() if line.startswith("- ") and not line.endswith((".", ")"))]
    assert cut_off == []
