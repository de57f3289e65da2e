"""No test touches the learner's own progress."""

import pytest

from dscourse import progress


@pytest.fixture(autouse=True)
def progress_folder(tmp_path, monkeypatch):
    """The folder of this test's progress, which is not there yet."""
    monkeypatch.setenv("DSCOURSE_PROGRESS", str(tmp_path / "progress.json"))
    monkeypatch.setattr(progress, "_unsaved", {})
    monkeypatch.setattr(progress, "_problems", {})
    return tmp_path / "progress"
