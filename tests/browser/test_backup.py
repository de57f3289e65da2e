"""The button "Take my work with me" gives a file to the browser, and the other one takes it back."""

import zipfile

PATIENCE = 60_000  # milliseconds


def test_work_goes_to_the_disk_and_comes_back(open_notebook, lab, tmp_path):
    note = lab.folder / "a-note.txt"
    note.write_text("mine")
    page = open_notebook(["from dscourse import backup\nbackup.take_my_work_with_me()"])
    with page.expect_download(timeout=PATIENCE) as saved:
        page.get_by_role("button", name="Take my work with me").click()
    file = tmp_path / saved.value.suggested_filename
    saved.value.save_as(file)
    assert file.name == "my-work.zip"
    with zipfile.ZipFile(file) as archive:
        assert {"progress.json", "workspace/a-note.txt"} <= set(archive.namelist())
        assert archive.testzip() is None
    note.unlink()
    page.locator(".dscourse-backup input").set_input_files(file)
    page.get_by_text("a-note.txt is back.").wait_for(timeout=PATIENCE)
    assert note.read_text() == "mine"
    note.unlink()
