"""Short texts for learners, as plain text and as HTML in which nothing from outside is taken for markup."""

from __future__ import annotations

import html
import re
import textwrap

_WIDTH = 88


def plain(text: str, indent: str = "") -> str:
    """Return text wrapped for reading, with its own line breaks kept; all lines but the first are indented."""
    lines = _numbers_kept_whole(text).splitlines() or [""]
    wrapped = [
        textwrap.fill(line, _WIDTH, subsequent_indent=indent, break_long_words=False) for line in lines
    ]
    return f"\n{indent}".join(wrapped)


def escaped(text: str) -> str:
    """Return text as HTML in which nothing is taken for a tag, nor for mathematics between dollar signs."""
    return html.escape(text).replace("$", "<span>$</span>").replace("\\", "<span>\\</span>")


def rich(text: str) -> str:
    """Return text as HTML: everything is escaped, `backticks` mark code, a line break stays one."""
    return re.sub(r"`([^`\n]+)`", r"<code>\1</code>", escaped(_numbers_kept_whole(text))).replace(
        "\n", "<br>"
    )


def _numbers_kept_whole(text: str) -> str:
    """Put no-break spaces into numbers such as 80 000 and 5 %, so that no line ends in the middle of one."""
    return re.sub(r"(?<=\d) (?=\d{3}(?!\d)|%)", "\N{NO-BREAK SPACE}", text)


def code_block(code: str) -> str:
    """Return code as HTML, escaped, with its line breaks and spaces kept."""
    return f"<pre style='margin:0.4em 0;white-space:pre-wrap'><code>{escaped(code)}</code></pre>"


def shortened(text: str, limit: int = 1500) -> str:
    """Return text without addresses in memory, which tell nobody anything, and cut where it grows too long to be read."""
    text = re.sub(r" at 0x[0-9a-fA-F]+", "", text)
    return text if len(text) <= limit else f"{text[:limit]} …"
