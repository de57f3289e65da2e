"""Whole cells made of a stub and other bodies of its handlers."""

from __future__ import annotations

import textwrap

_SIGNATURES = {
    "on_start": "self, ctx",
    "on_message": "self, ctx, sender, message",
    "on_timer": "self, ctx, name",
    "begin": "self, ctx",  # of the worker of notebook 03
}


def written(stub: str, **bodies: str) -> str:
    """Return the stub's cell with these handlers instead of its own."""
    head, _, rest = stub.partition("(Node):\n")
    parts = [
        f"    def {name}({_SIGNATURES[name]}):\n{textwrap.indent(textwrap.dedent(body).strip(), ' ' * 8)}\n"
        for name, body in bodies.items()
    ]
    return f"{head}(Node):\n" + "\n".join([*parts, rest[rest.index("answer = ") :]])
