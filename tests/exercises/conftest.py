"""No test touches the learner's own progress file."""

import pytest

from dscourse.exercises import _store


@pytest.fixture(autouse=True)
def progress_file(tmp_path, monkeypatch):
    """A progress file of this test alone, which is not there yet."""
    path = tmp_path / "progress.json"
    monkeypatch.setenv("DSCOURSE_PROGRESS", str(path))
    monkeypatch.setattr(_store, "_unsaved", {})
    monkeypatch.setattr(_store, "_told", set())
    return path
