"""How a node's class gets into another process: by its name where it can be imported, else with its code.

What is written in a notebook's cell can't be imported anywhere, so cloudpickle sends its code along, and the classes of
messages that it mentions. A process whose node comes from a module never loads cloudpickle.
"""

from __future__ import annotations

import base64
import dataclasses
import io
import pickle
from collections.abc import Callable
from typing import Any

from dscourse.live.wire import key_of_class


def packed(node_factory: Callable[..., Any]) -> tuple[str, dict[str, type]]:
    """A node factory as text, and the classes of messages that travel with it, by their keys.

    Raises:
        TypeError: something that it refers to can't leave this process, such as an open file.
    """
    import cloudpickle

    met: dict[str, type] = {}

    class Packer(cloudpickle.Pickler):  # type: ignore[misc]
        def reducer_override(self, thing: Any) -> Any:
            reduced = super().reducer_override(thing)
            if reduced is not NotImplemented and isinstance(thing, type) and dataclasses.is_dataclass(thing):
                met[key_of_class(thing)] = thing  # it goes with its code
            return reduced

    def dumped(value: Any) -> bytes:
        stream = io.BytesIO()
        Packer(stream).dump(value)
        return stream.getvalue()

    try:
        dumped(node_factory)
        return base64.b64encode(dumped((node_factory, met))).decode(), dict(met)
    except (pickle.PicklingError, TypeError, AttributeError) as error:
        raise TypeError(
            f"this node factory can't be sent to another process: {error}. Keep open files, locks and widgets out of "
            "what your class refers to"
        ) from error


def unpacked(text: str) -> tuple[Callable[..., Any], dict[str, type]]:
    """What `packed` was given, in another process."""
    factory, classes = pickle.loads(base64.b64decode(text))  # noqa: S301 - from the pipe of the process that started this one
    return factory, classes
