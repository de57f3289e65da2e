"""A server that does what each request asks it to do: it answers well or badly, at once, late or never.

A plan is a word for each attempt: "bad ok" fails the first and answers those after it; "ok@2.7" answers after 2.7 s;
"never" is silent.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dscourse.simulation import Node

if TYPE_CHECKING:
    from dscourse.simulation import Context

CLIENT, SERVER = "n0", "n1"


@dataclass(frozen=True)
class Ask:
    """An attempt (`attempt`, from 1) for the request `number` of `client`; it is worth nothing from `deadline` on."""

    client: str
    number: int
    attempt: int
    deadline: float
    what: str


@dataclass(frozen=True)
class Answer:
    """How that attempt went."""

    client: str
    number: int
    attempt: int
    ok: bool


class PlannedServer(Node):
    """Does what it is asked to do."""

    def on_start(self, ctx: Context) -> None:
        """Begin with nothing in hand."""
        self._late: dict[str, tuple[str, Answer]] = {}
        self._count = 0

    def on_message(self, ctx: Context, sender: str, message: Any) -> None:
        """Answer now, later or never."""
        if not isinstance(message, Ask):
            return
        words = message.what.split()
        word, _, delay = words[min(message.attempt, len(words)) - 1].partition("@")
        answer = Answer(message.client, message.number, message.attempt, word == "ok")
        if delay:
            self._count += 1
            self._late[f"answer {self._count}"] = (sender, answer)
            ctx.set_timer(f"answer {self._count}", float(delay))
        elif word != "never":
            ctx.send(sender, answer)

    def on_timer(self, ctx: Context, name: str) -> None:
        """A late answer is due."""
        ctx.send(*self._late.pop(name))
