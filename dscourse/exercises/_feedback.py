"""What an exercise answers: a mark, a word and a sentence."""

from __future__ import annotations

from dataclasses import dataclass

from dscourse.exercises._prose import code_block, plain, rich

_MARKS = {
    "right": ("✓", "Solved."),
    "wrong": ("✗", "Not yet."),
    "not attempted": ("○", "Not attempted yet."),
    "stopped": ("⚠", "Your code stopped."),
    "not judged": ("?", "This answer could not be judged."),
}
_HELD = {True: "✓ holds:", False: "✗ broken:"}
_FRAME = "border-left:3px solid currentColor;padding:0.2em 0 0.2em 0.8em;max-width:48em"


@dataclass(frozen=True)
class Feedback:
    """The answer of `Exercise.check`; true if the exercise is solved.

    Attributes:
        status: "right", "wrong", "not attempted", "stopped" (the learner's code raised) or "not judged".
        message: what to make of it, in plain words.
        code: the learner's own line, where one raised.
        found: what happened in the case that was found, in words, and how to see it.
        held: what must hold, each with whether it did.
        notice: something to know about where progress is kept, told once; mostly empty.
    """

    status: str
    message: str
    code: str = ""
    notice: str = ""
    found: str = ""
    held: tuple[tuple[str, bool], ...] = ()

    def __bool__(self) -> bool:
        return self.status == "right"

    def parts(self) -> list[list[str]]:
        """Return what is said as [kind, text] each, for the page."""
        head = ["head", " ".join(_MARKS[self.status])]
        held = [["text", f"{_HELD[holds]} {words}"] for words, holds in self.held]
        rest = [
            ["text", self.message],
            ["code", self.code],
            ["text", self.found],
            *held,
            ["text", self.notice],
        ]
        return [head, *(part for part in rest if part[1])]

    def __repr__(self) -> str:
        mark, word = _MARKS[self.status]
        parts = [plain(f"{mark} {word} {self.message}")]
        parts += [f"    {self.code}"] if self.code else []
        parts += [plain(self.found)] if self.found else []
        parts += [plain(f"{_HELD[holds]} {words}", "  ") for words, holds in self.held]
        parts += [plain(self.notice)] if self.notice else []
        return "\n".join(parts)

    def _repr_html_(self) -> str:
        mark, word = _MARKS[self.status]
        parts = [f"<strong>{mark} {word}</strong> {rich(self.message)}"]
        parts += [code_block(self.code)] if self.code else []
        parts += [f"<p>{rich(self.found)}</p>"] if self.found else []
        if self.held:
            items = "".join(f"<li>{_HELD[holds]} {rich(words)}</li>" for words, holds in self.held)
            parts += [f"<ul style='list-style:none;padding-left:0.5em'>{items}</ul>"]
        parts += [f"<p>{rich(self.notice)}</p>"] if self.notice else []
        return f"<div role='status' style='{_FRAME}'>{''.join(parts)}</div>"


@dataclass(frozen=True)
class Hints:
    """The hints asked for so far, and whether there are more.

    Attributes:
        given: the hints, in order.
        more: how many are left.
        name: how the exercise is called in the notebook.
    """

    given: tuple[str, ...]
    more: int
    name: str

    def parts(self) -> list[list[str]]:
        """Return what is said as [kind, text] each, for the page."""
        last = f"{self.more} more." if self.more else "There are no more hints."
        return [["head", "Hints"], *(["hint", hint] for hint in self.given), ["text", last]]

    def _last_line(self) -> str:
        if self.more:
            return f"{self.more} more: run this cell again."
        return f"There are no more hints. `{self.name}.solution()` shows one way to do it."

    def __repr__(self) -> str:
        lines = [plain(f"Hint {number}: {hint}", "  ") for number, hint in enumerate(self.given, 1)]
        return "\n".join([*lines, plain(self._last_line())])

    def _repr_html_(self) -> str:
        items = "".join(f"<li>{rich(hint)}</li>" for hint in self.given)
        return f"<div style='{_FRAME}'><strong>Hints</strong><ol>{items}</ol>{rich(self._last_line())}</div>"


@dataclass(frozen=True)
class Solution:
    """One way to solve an exercise, shown as code."""

    code: str

    def parts(self) -> list[list[str]]:
        """Return what is said as [kind, text] each, for the page."""
        return [["head", "One way to do it"], ["code", self.code]]

    def __repr__(self) -> str:
        return self.code

    def _repr_markdown_(self) -> str:
        fence = "```"
        while fence in self.code:
            fence += "`"
        return f"{fence}python\n{self.code}\n{fence}"
