"""The glossary on the site: an anchor for each term, and a link to it where a page uses the term first."""

from __future__ import annotations

import re
from collections.abc import Iterable

ENTRY = re.compile(r"^- (\*\*(?P<term>.+?)\*\* \((?P<notebooks>[\d, ]+)\): )", re.MULTILINE)
#: Words that everyday language has, too: they are linked only in the notebooks that the glossary names beside them.
EVERYDAY = frozenset(
    {
        "ceiling",
        "committed",
        "conflict",
        "draining",
        "error",
        "failure",
        "fault",
        "history",
        "log",
        "suspicion",
        "term",
    }
)
#: Where no term is linked: code, headings, links, HTML's tags and what must not hold a link, formulas, addresses.
SKIPPED = (
    r"^(?P<fence>`{3,}|~{3,}|:{3,}).*?^(?P=fence)[`~:]*[ \t]*$",
    r"(?P<ticks>`+)(?!`).+?(?<!`)(?P=ticks)(?!`)",
    r"^#{1,6} [^\n]*$",
    r"<!--.*?-->",
    r"<(?P<tag>a|code|pre|script|style|summary|svg|h[1-6])\b.*?</(?P=tag)>",
    r"<[/a-z][^>]*>",
    r"!?\[(?:[^\[\]]|!?\[[^\]]*\](?:\([^)]*\))?)*\](?:\([^)]*\)|\[[^\]]*\]|:[^\n]*)?",
    r"\$\$.+?\$\$|(?<![\\$])\$[^$\n]+\$",
    r"https?://\S+",
)


def anchored(glossary: str) -> str:
    """Return the glossary, as Markdown, with an anchor at each term."""
    return ENTRY.sub(lambda entry: f'- <span id="{_anchor(entry["term"])}"></span>{entry[1]}', glossary)


def terms(glossary: str, notebook: str = "") -> list[str]:
    """Return the terms that are linked on the page of the notebook of this number, or on a page of words."""
    return [
        entry["term"]
        for entry in ENTRY.finditer(glossary)
        if entry["term"].lower() not in EVERYDAY or (notebook and notebook in entry["notebooks"])
    ]


def linked(texts: Iterable[str], terms: Iterable[str]) -> list[str]:
    """Return a page's Markdown, cell by cell, with each term's first use in its prose linked to the glossary.

    The links are written in HTML, which is also read within a folded explanation.
    """
    anchors = {term.lower(): _anchor(term) for term in terms}
    if not anchors:
        return list(texts)
    words = "|".join(_pattern(term) for term in sorted(terms, key=len, reverse=True))
    # A star between a link and a letter would no longer be read as emphasis.
    used = rf"(?<![\w-])(?P<shown>(?P<term>{words})(?:e?s)?)(?![\w-]|\*+\w)"
    look = re.compile("|".join([*SKIPPED, used]), re.MULTILINE | re.DOTALL | re.IGNORECASE)

    def link(found: re.Match[str]) -> str:
        anchor = anchors.pop(" ".join((found["term"] or "").lower().split()), None)
        return found[0] if anchor is None else f'<a href="glossary.html#{anchor}">{found["shown"]}</a>'

    return [look.sub(link, text) for text in texts]


def _anchor(term: str) -> str:
    return re.sub(r"\W+", "-", term.lower()).strip("-")


def _pattern(term: str) -> str:
    """Return what finds a term: across the end of a line, too, and an abbreviation only in its capitals."""
    words = r"(?:[ \t]+|[ \t]*\n[ \t]*)".join(re.escape(word) for word in term.split())
    return f"(?-i:{words})" if term.isupper() else words
