"""Data sets by name: complete, unchanged, described, and safe to use."""

import gzip
import json
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from dscourse import datasets
from dscourse.arguments import shown

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture
def data_copy(monkeypatch, tmp_path):
    """A copy of the data that a test may damage."""
    folder = tmp_path / "data"
    shutil.copytree(ROOT / "data", folder)
    monkeypatch.setattr(datasets, "_data_folder", lambda: folder)
    datasets._read.cache_clear()
    datasets._catalogue.cache_clear()
    yield folder
    datasets._read.cache_clear()
    datasets._catalogue.cache_clear()


@pytest.mark.parametrize("name", datasets.names())
def test_every_data_set_is_complete_and_described(name):
    info = datasets.describe(name)
    data = datasets.load(name)
    assert len(data) == info.rows
    if info.columns:
        assert list(data.columns) == list(info.columns)
    assert info.source
    assert info.licence
    assert name in (ROOT / "data" / "README.md").read_text()
    assert name in repr(info)


def test_every_file_in_data_belongs_to_a_data_set():
    files = {
        path.relative_to(ROOT / "data").as_posix() for path in (ROOT / "data").rglob("*") if path.is_file()
    }
    known = {datasets.describe(name).file for name in datasets.names()}
    extra = {file for file in files - known if "LICENSE" not in file}
    assert extra == {"catalogue.json", "README.md"}


def test_times_are_times_and_matrices_are_arrays():
    assert isinstance(datasets.load("failures/lanl")["start"].iloc[0], pd.Timestamp)
    matrix = datasets.load("latency/planetlab_rtt")
    assert isinstance(matrix, np.ndarray)
    assert matrix.shape == (100, 100)


@pytest.mark.parametrize(
    ("wanted", "suggested"),
    [
        ("scaling/raytracing", "scaling/raytracer"),
        ("Scaling/Raytracer", "scaling/raytracer"),
        ("lanl", "failures/lanl"),
    ],
)
def test_an_unknown_name_gets_the_nearest_suggested(wanted, suggested):
    with pytest.raises(LookupError, match=f"Did you mean .*'{suggested}'"):
        datasets.load(wanted)


@pytest.mark.parametrize("wanted", ["", "zzz", 3, None, [], {}, np.ones((2, 2)), 10**5000, b"x"], ids=shown)
def test_a_name_that_is_like_nothing_gets_the_list(wanted):
    with pytest.raises(LookupError, match="There are: consistency/porcupine"):
        datasets.load(wanted)


def test_pandas_and_numpy_are_loaded_when_a_table_or_an_array_is_made():
    program = (
        "import sys; from dscourse import datasets; seen = lambda: [m in sys.modules for m in ('numpy', 'pandas')];"
        "datasets.describe(datasets.names()[0]); before = seen(); datasets.load('latency/planetlab_rtt');"
        "print(before, seen())"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert done.stdout.strip() == "[False, False] [True, False]"


def test_changing_what_was_loaded_changes_nothing_for_the_next():
    first = datasets.load("scaling/raytracer")
    first["throughput"] = 0.0
    assert datasets.load("scaling/raytracer")["throughput"].min() > 0


def test_a_changed_file_is_refused_and_said_how_to_repair(data_copy):
    path = data_copy / "scaling" / "raytracer.csv"
    path.write_text(path.read_text().replace("78.0", "79.0"))
    with pytest.raises(datasets.DatasetError, match=r"raytracer\.csv has SHA-256 .*git checkout"):
        datasets.load("scaling/raytracer")
    assert len(datasets.load("scaling/cisco_schwartz")) == 32


def test_windows_line_ends_are_no_change(data_copy):
    path = data_copy / "scaling" / "raytracer.csv"
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    assert len(datasets.load("scaling/raytracer")) == 11


def test_a_truncated_or_missing_file_is_refused(data_copy):
    path = data_copy / "failures" / "lanl.csv.gz"
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(datasets.DatasetError, match="can't be read"):
        datasets.load("failures/lanl")
    path.unlink()
    with pytest.raises(datasets.DatasetError, match="is missing"):
        datasets.load("failures/lanl")


@pytest.mark.parametrize("text", ["{", None])
def test_a_broken_or_missing_catalogue_is_refused_and_said_how_to_repair(data_copy, monkeypatch, text):
    path = data_copy / "catalogue.json"
    path.unlink() if text is None else path.write_text(text)
    with pytest.raises(datasets.DatasetError, match="git checkout -- data"):
        datasets.names()


def test_a_missing_data_folder_is_told_with_the_way_to_mend_it(monkeypatch, tmp_path):
    monkeypatch.setattr(datasets, "_PACKAGE", tmp_path / "dscourse")
    with pytest.raises(datasets.DatasetError, match="git checkout -- data"):
        datasets._data_folder()


def test_the_description_of_the_failures_counts_what_is_there():
    numbers = datasets.load("failures/lanl")["system"].nunique()
    info = datasets.describe("failures/lanl")
    assert f"{numbers} numbers" in info.columns["system"]
    assert "22" not in info.title


def test_licence_texts_stand_beside_the_files_that_need_them():
    for name in datasets.names():
        info = datasets.describe(name)
        beside = list((ROOT / "data" / info.file).parent.glob("LICENSE*"))
        assert not info.licence.startswith(("MIT", "BSD", "Apache")) or (
            "licence text beside the file" in info.licence
            and any(Path(info.file).name.split(".")[0] in path.read_text(encoding="utf-8") for path in beside)
        )


def test_a_description_is_escaped_in_html():
    info = datasets.DatasetInfo("n", "<script>", 1, {"a<b": "c&d"}, "s", "l", "f", "0")
    shown = info._repr_html_()
    assert "<script>" not in shown
    assert "a&lt;b" in shown
    assert "c&amp;d" in shown


def test_an_installed_wheel_brings_its_data_along(tmp_path):
    """Lay the package out as a wheel does, away from the clone, and load every set there."""
    site = tmp_path / "site"
    shutil.copytree(ROOT / "dscourse", site / "dscourse", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(ROOT / "data", site / "dscourse" / "_data")
    program = (
        "import dscourse, json; from dscourse import datasets;"
        "print(json.dumps([dscourse.__file__, {n: len(datasets.load(n)) for n in datasets.names()}]))"
    )
    shown = subprocess.run(
        [sys.executable, "-S", "-c", f"import sys; sys.path[:0] = [{str(site)!r}, *{sys.path!r}]; {program}"],
        capture_output=True,
        text=True,
        check=True,
        cwd=tmp_path,
    )
    where, rows = json.loads(shown.stdout)
    assert where.startswith(str(site))
    assert rows == {name: datasets.describe(name).rows for name in datasets.names()}


def test_the_wheel_holds_data_and_notebooks(tmp_path):
    """Build a real wheel where its build backend is at hand."""
    pytest.importorskip("hatchling")
    build = [
        sys.executable,
        "-m",
        "pip",
        "wheel",
        "--quiet",
        "--no-deps",
        "--no-build-isolation",
        "-w",
        tmp_path,
        ROOT,
    ]
    subprocess.run(build, check=True)
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        files = archive.namelist()
        packed = archive.read("dscourse/_data/queueing/azure_llm_code.csv.gz")
    assert "dscourse/_data/catalogue.json" in files
    assert "dscourse/_data/scaling/raytracer.csv" in files
    assert "dscourse/_notebooks/00-start-here.ipynb" in files
    ours = [
        path
        for path in (ROOT / "dscourse").rglob("*")
        if path.suffix in (".py", ".pyi", ".typed", ".js", ".mjs", ".css")
    ]
    assert {path.relative_to(ROOT).as_posix() for path in ours} <= set(files)
    assert not any(file.startswith(("data/", "notebooks/", "tests/")) for file in files)
    assert gzip.decompress(packed).startswith(b"TIMESTAMP")


def test_a_compressed_file_with_one_wrong_byte_is_refused_wherever_in_the_content_it_is(data_copy):
    path = data_copy / "failures" / "lanl.csv.gz"
    whole = path.read_bytes()
    for place in (0, 2, 100, len(whole) // 2, len(whole) - 6, len(whole) - 1):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 0xFF]) + whole[place + 1 :])
        with pytest.raises(datasets.DatasetError, match=r"lanl.*(can't be read|isn't the one).*git checkout"):
            datasets.load("failures/lanl")


def test_a_digest_is_compared_to_its_last_letter(data_copy):
    path = data_copy / "catalogue.json"
    catalogue = json.loads(path.read_text())
    digest = catalogue["scaling/raytracer"]["sha256"]
    catalogue["scaling/raytracer"]["sha256"] = digest[:-1] + ("0" if digest[-1] != "0" else "1")
    path.write_text(json.dumps(catalogue))
    with pytest.raises(datasets.DatasetError, match="isn't the one the course was made with"):
        datasets.load("scaling/raytracer")


@pytest.mark.parametrize(
    "text", ["[]", "5", "null", '{"a/b": 5}', '{"a/b": {"title": "t"}}', '{"a/b": {"colour": 1}}']
)
def test_a_catalogue_that_holds_something_else_is_refused(data_copy, text):
    (data_copy / "catalogue.json").write_text(text)
    for call in (datasets.names, lambda: datasets.load("a/b"), lambda: datasets.describe("a/b")):
        with pytest.raises(
            datasets.DatasetError, match=r"catalogue of the data sets can't be read.*git checkout"
        ):
            call()
