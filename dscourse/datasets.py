"""Small real data sets by name, each with its source, licence and column meanings.

    from dscourse import datasets
    datasets.names()
    datasets.describe("scaling/raytracer")
    frame = datasets.load("scaling/raytracer")

The files stand in `data/` of a clone and in `dscourse/_data` of an installed wheel. `catalogue.json` beside them
records what they are, with the SHA-256 of each, so that a file that was changed by accident is noticed before it
teaches something wrong.
"""

from __future__ import annotations

import difflib
import gzip
import hashlib
import html
import io
import json
import zlib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dscourse.arguments import shown

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

__all__ = ["DatasetError", "DatasetInfo", "describe", "load", "names"]

_PACKAGE = Path(__file__).resolve().parent


class DatasetError(ValueError):
    """A data file is missing, or isn't what was recorded when the course was made."""


@dataclass(frozen=True)
class DatasetInfo:
    """What a data set is and where it comes from.

    Attributes:
        name: the name that `load` takes.
        title: what it holds, in a few words.
        rows: the number of rows.
        columns: the meaning and unit of each column; empty for a matrix.
        source: who measured it, and where it was published.
        licence: under which terms it is passed on here.
        file: path below the data folder.
        sha256: digest of the uncompressed content.
    """

    name: str
    title: str
    rows: int
    columns: dict[str, str]
    source: str
    licence: str
    file: str
    sha256: str

    def __repr__(self) -> str:
        lines = [f"{self.name}: {self.title}", f"  rows: {self.rows}"]
        lines += [f"  {column}: {meaning}" for column, meaning in self.columns.items()]
        return "\n".join([*lines, f"  source: {self.source}", f"  licence: {self.licence}"])

    def _repr_html_(self) -> str:
        rows = {"rows": str(self.rows), **self.columns, "source": self.source, "licence": self.licence}
        cells = "".join(
            f"<tr><th style='text-align:left'>{html.escape(key)}</th>"
            f"<td style='text-align:left'>{html.escape(value)}</td></tr>"
            for key, value in rows.items()
        )
        return f"<table><caption>{html.escape(f'{self.name}: {self.title}')}</caption>{cells}</table>"


def names() -> list[str]:
    """Return the names of all data sets, in alphabetical order."""
    return sorted(_catalogue())


def describe(name: str) -> DatasetInfo:
    """Return source, licence and columns of a data set.

    Raises:
        LookupError: if there is no data set of that name; the nearest names are suggested.
    """
    catalogue = _catalogue()
    if not isinstance(name, str) or name not in catalogue:
        raise LookupError(_unknown(name, catalogue))
    return DatasetInfo(name=name, **catalogue[name])


def load(name: str) -> Any:
    """Return a data set: a DataFrame, or an array where the set is a matrix without column names.

    Each call returns a copy of its own, so you may change it freely.

    Args:
        name: one of `names()`.

    Raises:
        LookupError: if there is no data set of that name; the nearest names are suggested.
        DatasetError: if its file is missing or was changed.
    """
    describe(name)  # says what is wrong with an unknown name
    return _read(name).copy()


@cache
def _read(name: str) -> pd.DataFrame | np.ndarray[Any, Any]:
    info = describe(name)
    content = _verified_content(info, _data_folder())
    if not info.columns:
        import numpy as np

        return np.loadtxt(io.BytesIO(content), delimiter=",")
    import pandas as pd

    frame = pd.read_csv(io.BytesIO(content))
    for column in frame.columns:
        if info.columns.get(column, "").startswith("time"):
            frame[column] = pd.to_datetime(frame[column])
    return frame


def _verified_content(info: DatasetInfo, folder: Path) -> bytes:
    path = folder / info.file
    try:
        content = path.read_bytes()
        if path.suffix == ".gz":
            content = gzip.decompress(content)
    except FileNotFoundError:
        raise DatasetError(f"The file of data set {info.name!r} is missing: {path}. {_REPAIR}") from None
    except (OSError, EOFError, zlib.error) as error:
        raise DatasetError(
            f"The file of data set {info.name!r} can't be read: {path} ({error}). {_REPAIR}"
        ) from None
    # Text files may have been checked out with Windows line ends; that is no change of content.
    found = hashlib.sha256(content.replace(b"\r\n", b"\n")).hexdigest()
    if found != info.sha256:
        raise DatasetError(
            f"The file of data set {info.name!r} isn't the one the course was made with: {path} has SHA-256 "
            f"{found[:12]}…, recorded is {info.sha256[:12]}…. {_REPAIR}"
        )
    return content


_REPAIR = "Get it back with `git checkout -- data`, or install the package again."


@cache
def _catalogue() -> dict[str, dict[str, Any]]:
    path = _data_folder() / "catalogue.json"
    try:
        catalogue: dict[str, dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))
        for name, entry in catalogue.items():
            DatasetInfo(name=name, **entry)
    except (OSError, ValueError, TypeError, AttributeError) as error:
        raise DatasetError(
            f"The catalogue of the data sets can't be read: {path} ({error}). {_REPAIR}"
        ) from None
    return catalogue


def _data_folder() -> Path:
    """Find the data of a clone (beside the package) or of an installed wheel (inside it)."""
    for folder in (_PACKAGE.parent / "data", _PACKAGE / "_data"):
        if (folder / "catalogue.json").is_file():
            return folder
    raise DatasetError(
        f"The data folder is missing: neither {_PACKAGE.parent / 'data'} nor {_PACKAGE / '_data'} "
        f"holds catalogue.json. {_REPAIR}"
    )


def _unknown(name: object, catalogue: dict[str, dict[str, Any]]) -> str:
    wanted = name.lower() if isinstance(name, str) else ""
    near = difflib.get_close_matches(wanted, catalogue, n=3, cutoff=0.5)
    near = near or [known for known in sorted(catalogue) if wanted and wanted in known]
    hint = (
        f"Did you mean {' or '.join(map(repr, near))}?"
        if near
        else f"There are: {', '.join(sorted(catalogue))}."
    )
    return f"There is no data set {shown(name)}. {hint}"
