"""The code that a learner begins with, and a button that copies it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import anywidget
import traitlets

from dscourse.exercises._prose import code_block

_HERE = Path(__file__).parent


class _StubWidget(anywidget.AnyWidget):
    _esm = (_HERE / "stub.js").read_text(encoding="utf-8")
    code = traitlets.Unicode("").tag(sync=True)


@dataclass(frozen=True)
class Stub:
    """Code with gaps. Its own cell shows it with a button that copies it; as text where there is no front end."""

    code: str

    def __repr__(self) -> str:
        return self.code

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        view = _StubWidget(code=self.code)._repr_mimebundle_()
        shown = view[0] if isinstance(view, tuple) else (view or {})
        return {**shown, "text/plain": self.code, "text/html": code_block(self.code)}
