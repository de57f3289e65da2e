"""What every test of real processes looks at when it is over: that nothing of them is left."""

import tempfile
import threading

import pytest
from leftovers import open_files

from dscourse.live import what_is_missing


@pytest.fixture(autouse=True)
def nothing_is_left(monkeypatch, tmp_path):
    """No file, open descriptor or thread more than before."""
    if what_is_missing():
        pytest.skip(what_is_missing())
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    files, threads = open_files(), threading.active_count()
    yield
    assert list(tmp_path.glob("dscourse-live-*")) == []
    assert (open_files(), threading.active_count()) == (files, threads)
