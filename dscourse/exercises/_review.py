"""One question on a misconception that an answer has shown, to be asked again later: answer it in your head, then look."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from dscourse.exercises._buttons import Said, TaskWithButtons
from dscourse.exercises._misconception import Misconception
from dscourse.exercises._prose import plain, rich


@dataclass(frozen=True)
class Review:
    """A question on a misconception. Nobody judges the answer but the learner, who says whether they knew it."""

    misconception: Misconception

    @property
    def answer(self) -> str:
        """The answer."""
        return self.misconception.answer

    def knew_it(self) -> str:
        """Say that you knew the answer: the misconception is not shown again until an answer of yours shows it."""
        notice = self.misconception.record_overcome()
        return notice or "Good. It leaves the list of what to look at again."

    def __repr__(self) -> str:
        door = "`.answer` tells. If you knew it, say so: `.knew_it()`."
        return f"{plain(self.misconception.question)}\n\n{plain(door)}"

    def _repr_html_(self) -> str:
        one = self.misconception
        return (
            f"<p><strong>Once more.</strong> {rich(one.question)}</p>"
            f"<details><summary>Answer</summary>{rich(one.answer)}</details>"
        )

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        view = self.widget()._repr_mimebundle_()
        made = view[0] if isinstance(view, tuple) else (view or {})
        return {**made, "text/plain": repr(self), "text/html": self._repr_html_()}

    def widget(self) -> TaskWithButtons:
        """Return the question as a widget."""

        def told(*lines: str) -> Said:
            return [["text", line] for line in lines]

        asks = {
            "Answer": lambda: told(self.answer),
            "I knew it": lambda: told(self.answer, self.knew_it()),
            "Not yet": lambda: told(self.answer, "It will be asked again."),
        }
        where = "Answer it in your head, then look."
        return TaskWithButtons("Once more.", self.misconception.question, where, asks)
