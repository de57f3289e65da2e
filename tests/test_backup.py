"""Work is taken along in one file and brought back elsewhere; nothing is overwritten, and nothing odd is let in."""

import io
import json
import zipfile

import pytest

from dscourse import backup, progress, workspace


@pytest.fixture(autouse=True)
def own_progress(tmp_path, monkeypatch):
    monkeypatch.setenv("DSCOURSE_PROGRESS", str(tmp_path / "progress"))
    return lambda name: monkeypatch.setenv("DSCOURSE_PROGRESS", str(tmp_path / name))


@pytest.fixture
def mine(tmp_path):
    """A workspace in which notebook 00 was worked in, and a file of one's own was made."""
    folder = tmp_path / "mine"
    workspace.lay_out(folder)
    work_in(folder / "00-start-here.ipynb", "my own words")
    (folder / "notes").mkdir()
    (folder / "notes" / "node.py").write_text("mine = 1\n")
    (folder / ".ipynb_checkpoints").mkdir()
    (folder / ".ipynb_checkpoints" / "00-start-here.ipynb").write_text("{}")
    progress.record_prediction("start_here.crash_the_leader", "a")
    return folder


def work_in(path, words):
    content = json.loads(path.read_text(encoding="utf-8"))
    content["cells"][0]["source"] = words
    path.write_text(json.dumps(content), encoding="utf-8")


def first_cell(path):
    return "".join(json.loads(path.read_text(encoding="utf-8"))["cells"][0]["source"])


def test_work_comes_back_elsewhere(mine, tmp_path, own_progress):
    backup.save(tmp_path / "my-work.zip", mine)
    own_progress("another machine")
    workspace.lay_out(tmp_path / "there")
    told = backup.restore(tmp_path / "my-work.zip", tmp_path / "there")
    assert told == ["00-start-here.ipynb is back.", "notes/node.py is back.", "Your progress is back."]
    assert first_cell(tmp_path / "there" / "00-start-here.ipynb") == "my own words"
    assert (tmp_path / "there" / "notes" / "node.py").read_text() == "mine = 1\n"
    assert not (tmp_path / "there" / ".ipynb_checkpoints").exists()
    assert progress.predictions_made() == {"start_here.crash_the_leader": "a"}
    assert workspace.lay_out(tmp_path / "there") == []  # it knows which version the copy was made from


def test_what_was_worked_in_there_stays_and_the_other_is_laid_beside(mine, tmp_path):
    backup.save(tmp_path / "my-work.zip", mine)
    there = tmp_path / "there"
    workspace.lay_out(there)
    work_in(there / "00-start-here.ipynb", "other words")
    (there / "notes").mkdir()
    (there / "notes" / "node.py").write_text("other = 2\n")
    for _ in range(2):
        told = backup.restore(tmp_path / "my-work.zip", there)
        assert "yours of then is 00-start-here-restored" in told[0]
    assert first_cell(there / "00-start-here.ipynb") == "other words"
    assert first_cell(there / "00-start-here-restored.ipynb") == "my own words"
    assert (there / "notes" / "node.py").read_text() == "other = 2\n"
    assert (there / "notes" / "node-restored.py").read_text() == "mine = 1\n"


def test_to_bring_it_back_where_it_is_changes_nothing(mine, tmp_path):
    before = {path: path.read_bytes() for path in mine.rglob("*") if path.is_file()}
    backup.save(tmp_path / "my-work.zip", mine)
    assert backup.restore(tmp_path / "my-work.zip", mine) == ["Your progress is back."]
    assert {path: path.read_bytes() for path in mine.rglob("*") if path.is_file()} == before


def test_an_earlier_backup_is_replaced_and_not_packed_again(mine):
    backup.save(mine / "my-work.zip", mine)
    first = (mine / "my-work.zip").read_bytes()
    backup.save(mine / "my-work.zip", mine)
    assert (mine / "my-work.zip").read_bytes() == first


def test_something_else_of_that_name_is_not_overwritten(mine):
    (mine / "my-work.zip").write_text("a letter")
    with pytest.raises(FileExistsError, match="choose another name"):
        backup.save(mine / "my-work.zip", mine)
    assert (mine / "my-work.zip").read_text() == "a letter"


def zipped(**files):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return buffer.getvalue()


GOOD = {"progress.json": json.dumps({"dscourse": "progress", "version": 1})}


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"not a zip",
        zipped(**GOOD)[:-30],
        zipped(**{"workspace/a.py": "1"}),
        zipped(**GOOD, **{"workspace/../../evil.py": "1"}),
        zipped(**GOOD, **{"/etc/evil": "1"}),
        zipped(**GOOD, **{"workspace//etc/evil": "1"}),
        zipped(**GOOD, **{"workspace/C:\\evil.py": "1"}),
        zipped(**GOOD, **{"workspace/.ssh/config": "1"}),
        zipped(**GOOD, **{"elsewhere/a.py": "1"}),
        zipped(**{"progress.json": "[]", "workspace/a.py": "1"}),
    ],
    ids=[
        "empty",
        "no zip",
        "cut off",
        "no progress",
        "up",
        "root",
        "root within",
        "drive",
        "hidden",
        "elsewhere",
        "damaged",
    ],
)
def test_a_file_that_is_damaged_or_odd_is_refused_and_changes_nothing(content, mine, tmp_path):
    before = sorted(tmp_path.rglob("*"))
    (tmp_path / "my-work.zip").write_bytes(content)
    with pytest.raises(ValueError, match=r"damaged|no saved work|not a progress file"):
        backup.restore(tmp_path / "my-work.zip", mine)
    (tmp_path / "my-work.zip").unlink()
    assert sorted(tmp_path.rglob("*")) == before


def test_a_byte_that_was_changed_on_the_way_is_noticed(mine, tmp_path):
    backup.save(tmp_path / "my-work.zip", mine)
    content = bytearray((tmp_path / "my-work.zip").read_bytes())
    content[len(content) // 3] ^= 255
    (tmp_path / "my-work.zip").write_bytes(content)
    with pytest.raises(ValueError, match="damaged"):
        backup.restore(tmp_path / "my-work.zip", mine)


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="upload it beside this notebook"):
        backup.restore(tmp_path / "none.zip", tmp_path)


def test_too_much_is_neither_packed_nor_unpacked(mine, tmp_path, monkeypatch):
    backup.save(tmp_path / "my-work.zip", mine)
    monkeypatch.setattr(backup, "_LARGEST", 1000)
    with pytest.raises(OSError, match="too much"):
        backup.save(tmp_path / "other.zip", mine)
    with pytest.raises(ValueError, match="too large"):
        backup.restore(tmp_path / "my-work.zip", mine)


def test_the_buttons_do_the_same(mine, tmp_path):
    here = backup.take_my_work_with_me(mine)
    here._hear(here, {"do": "save"}, [])
    assert here.turn == 1
    assert "my-work.zip" in here.told
    there = backup.take_my_work_with_me(tmp_path / "there")
    half = len(here.content) // 2
    for part in (here.content[:half], here.content[half:]):
        there._hear(there, {"do": "part"}, [memoryview(part)])
    there._hear(there, {"do": "restore"}, [])
    assert "notes/node.py is back." in there.told
    there._hear(there, {"do": "restore"}, [])
    assert there.told.startswith("That did not work")
    assert there.content == b""
    there._hear(there, "nonsense", [])
