"""The player's JavaScript as one module, as anywidget wants it.

The sources stand in ``js/``, small modules that node's test runner can import one by one. Here they are put behind one
another in the order of `ORDER`, without their ``import`` lines and ``export`` words. There is no build step, and
nothing is fetched from the network.
"""

from __future__ import annotations

import re
from pathlib import Path

HERE = Path(__file__).parent
#: A module may import only from those that stand before it.
ORDER = (
    "search", "trace", "history", "messages", "lamport", "geometry", "words", "keys", "pace",
    "dom", "cluster", "timeline", "lanes", "tasks", "diagram", "menu", "inspector", "player",
)  # fmt: skip
_IMPORT = re.compile(r'^import \{([^}]*)\} from "\./(\w+)\.mjs";\n', re.MULTILINE)
_EXPORT = re.compile(r"^export (?=(?:async )?function|const|let|class)", re.MULTILINE)


def javascript() -> str:
    """Return all modules as one."""
    return "\n".join(_bare(name) for name in ORDER)


def style() -> str:
    """Return the style sheet."""
    return (HERE / "player.css").read_text("utf-8")


def _bare(name: str) -> str:
    source = (HERE / "js" / f"{name}.mjs").read_text("utf-8")
    for match in _IMPORT.finditer(source):
        if ORDER.index(match[2]) >= ORDER.index(name):
            raise ValueError(f"js/{name}.mjs imports js/{match[2]}.mjs, which comes after it")
    return _EXPORT.sub("", _IMPORT.sub("", source))
