"""Take your work with you: all that you have written and reached, in one file that brings it back elsewhere.

    from dscourse import backup
    backup.take_my_work_with_me()     # two buttons: one saves the file to your disk, one brings it back
    backup.save("my-work.zip")        # the same as functions
    backup.restore("my-work.zip")

The file is a zip with your copies of the notebooks, what else lies beside them, and your progress. To bring it back
overwrites nothing that you have worked in: what differs is laid beside.
"""

from __future__ import annotations

import io
import tempfile
import zipfile
import zlib
from pathlib import Path, PurePosixPath

import anywidget
import traitlets

from dscourse import progress
from dscourse.workspace import RECORD, Told, default_folder, lay_in

__all__ = ["restore", "save", "take_my_work_with_me"]

_NAME = "my-work.zip"
_PROGRESS = "progress.json"
_FILES = "workspace/"
_LARGEST = 200_000_000  # bytes, unpacked
_MOST = 2_000  # files
_STAMP = (2000, 1, 1, 0, 0, 0)  # the same work gives the same file


def save(path: str | Path = _NAME, folder: Path | None = None) -> Told:
    """Save your work in a zip file. What is open in JupyterLab goes in as it was last saved.

    Args:
        path: where to; a file that is there is replaced if it holds such work, too.
        folder: the workspace; by default the one that you are in, or that of the course.

    Raises:
        FileExistsError: if something else is there.
        OSError: if the file can't be written, or the work is too large.
    """
    target = Path(path)
    if target.exists() and not _holds_work(target):
        raise FileExistsError(
            f"{path} is there already, and holds no work of this course; choose another name"
        )
    content, told = _packed(folder or default_folder(), target)
    target.write_bytes(content)
    return Told([f"In {target}: {told}. To bring it back: backup.restore({str(path)!r})"])


def restore(path: str | Path = _NAME, folder: Path | None = None) -> Told:
    """Bring saved work back, and tell what became of each file. Nothing that you have worked in is overwritten.

    Args:
        path: a file that `save` or the button has made.
        folder: the workspace; by default the one that you are in, or that of the course.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if the file is damaged or holds something else; nothing is changed then.
        OSError: if it can't be read, or a file can't be written.
    """
    source = Path(path)
    if not source.is_file():
        raise FileNotFoundError(f"there is no file {path}; upload it beside this notebook first")
    return _unpacked(source.read_bytes(), folder or default_folder())


def _packed(folder: Path, leave_out: Path | None = None) -> tuple[bytes, str]:
    """Return the zip file, and how much is in it."""
    buffer = io.BytesIO()
    count = size = 0
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(folder.rglob("*")):
            name = path.relative_to(folder).as_posix()
            if not _is_ours(name) or path.is_symlink() or not path.is_file():
                continue
            if path.suffix == ".zip" and (path == leave_out or _holds_work(path)):
                continue  # an earlier backup
            size += path.stat().st_size
            count += name != RECORD
            if size > _LARGEST or count > _MOST:
                raise OSError(
                    f"there is too much in {folder} to be taken along; {name} would be beyond 200 MB or 2000 files"
                )
            _put(archive, _FILES + name, path.read_bytes())
        with tempfile.TemporaryDirectory() as temporary:
            carried = Path(temporary, _PROGRESS)
            progress.export_progress(carried)
            _put(archive, _PROGRESS, carried.read_bytes())
    return buffer.getvalue(), f"{count} file{'s' * (count != 1)} and your progress"


def _put(archive: zipfile.ZipFile, name: str, content: bytes) -> None:
    archive.writestr(zipfile.ZipInfo(name, _STAMP), content, zipfile.ZIP_DEFLATED)


def _unpacked(content: bytes, folder: Path) -> Told:
    """Bring the content of a zip file back: all of it is read before anything is written."""
    files = _read(content)
    carried = files.pop(_PROGRESS)
    with tempfile.TemporaryDirectory() as temporary:
        path = Path(temporary, _PROGRESS)
        path.write_bytes(carried)
        try:
            notice = progress.import_progress(path)
        except ValueError as error:
            raise ValueError(str(error).replace(str(path), "the progress in it")) from None
    told = lay_in({name.removeprefix(_FILES): file for name, file in files.items()}, folder)
    told.append(notice or "Your progress is back.")
    return told


def _read(content: bytes) -> dict[str, bytes]:
    """Return the files of saved work by name; refuse what `save` would not have written."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            entries = [entry for entry in archive.infolist() if not entry.is_dir()]
            if _PROGRESS not in archive.namelist():
                raise ValueError("this is no saved work of this course: it holds no progress")
            if len(entries) > _MOST + 2 or sum(entry.file_size for entry in entries) > _LARGEST:
                raise ValueError("this is no saved work of this course: it is too large")
            for entry in entries:
                inside = entry.filename.removeprefix(_FILES)
                if entry.filename != _PROGRESS and (inside == entry.filename or not _is_ours(inside)):
                    raise ValueError(f"this is no saved work of this course: it holds {entry.filename!r}")
            return {entry.filename: archive.read(entry) for entry in entries}
    except (zipfile.BadZipFile, EOFError, NotImplementedError, RuntimeError, zlib.error) as error:
        raise ValueError(f"the file is damaged, or no zip file: {error}") from None


def _is_ours(name: str) -> bool:
    """Return whether a name stays within a folder and hides nothing there, on any system."""
    parts = PurePosixPath(name).parts
    plain = not set(name) & set('\\:\0<>|?*"') and not name.startswith("/")
    return name == RECORD or (plain and bool(parts) and not any(part.startswith(".") for part in parts))


def _holds_work(path: Path) -> bool:
    try:
        with zipfile.ZipFile(path) as archive:
            return _PROGRESS in archive.namelist()
    except (OSError, zipfile.BadZipFile):
        return False


class _Buttons(anywidget.AnyWidget):
    """Two buttons: one has the work packed and hands it to the browser to save, one takes a file back."""

    _esm = Path(__file__).with_suffix(".js").read_text(encoding="utf-8")
    content = traitlets.Bytes(b"").tag(sync=True)
    told = traitlets.Unicode("").tag(sync=True)
    turn = traitlets.Int(0).tag(sync=True)

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self._folder = folder
        self._parts: list[bytes] = []
        self.on_msg(self._hear)

    def __repr__(self) -> str:
        return (
            "Two buttons: take your work with you, and bring it back. In code: "
            'backup.save("my-work.zip") and backup.restore("my-work.zip")'
        )

    def _hear(self, _widget: object, message: object, buffers: list[memoryview]) -> None:
        wanted = message.get("do") if isinstance(message, dict) else None
        content, told = b"", ""
        try:
            if wanted == "part":  # a large file comes in parts: a message must not be too long
                self._parts += [bytes(part) for part in buffers]
                return
            if wanted == "save":
                content, told = _packed(self._folder)
                told = f"{told}, as last saved. The browser keeps them as {_NAME}."
            elif wanted == "restore":
                parts, self._parts = self._parts, []
                told = "\n".join(_unpacked(b"".join(parts), self._folder))
        except (OSError, ValueError) as error:
            told = f"That did not work: {error}."
        with self.hold_sync():
            self.content, self.told = content, told
            self.turn += 1


def take_my_work_with_me(folder: Path | None = None) -> _Buttons:
    """Show a button that saves your work to your own disk, and one that brings it back elsewhere.

    Args:
        folder: the workspace; by default the one that you are in, or that of the course.
    """
    return _Buttons(folder or default_folder())
