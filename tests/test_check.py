"""The self-check: says in plain words what is wrong and what to do, and never breaks itself."""

import gzip
import importlib
import json
import os
import re
import shutil
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest

from dscourse import check, commands, datasets

ROOT = Path(__file__).resolve().parents[1]


def problems(findings) -> list[str]:
    return [str(finding) for finding in findings if finding.status == "problem"]


def test_this_installation_is_fit():
    report = check.run()
    assert problems(report.findings) == []
    assert report
    assert str(report).endswith("All is well: the course runs here.")
    assert len(report.findings) >= 6


def test_as_a_command_it_prints_the_report():
    shown = subprocess.run(
        [sys.executable, "-m", "dscourse.check"], capture_output=True, text=True, check=False
    )
    assert shown.returncode == 0, shown.stdout
    assert "All is well" in shown.stdout
    assert shown.stderr == ""


def test_an_old_python_is_named(monkeypatch):
    monkeypatch.setattr(check.sys, "version_info", (3, 9, 2))
    (problem,) = problems(check._python())
    assert "Python 3.9.2 is too old" in problem
    assert "What to do: Install Python 3.11" in problem


def test_a_missing_package_is_named(monkeypatch):
    version = metadata.version

    def without_scipy(name):
        if name == "scipy":
            raise metadata.PackageNotFoundError(name)
        return version(name)

    monkeypatch.setattr(check.metadata, "version", without_scipy)
    (problem,) = problems(check._packages())
    assert "scipy is not installed" in problem
    assert "make setup" in problem


def test_a_package_that_is_too_old_is_named(monkeypatch):
    version = metadata.version
    monkeypatch.setattr(check.metadata, "version", lambda name: "1.2" if name == "numpy" else version(name))
    (problem,) = problems(check._packages())
    assert "numpy is 1.2; the course needs >=2" in problem


def test_another_version_than_the_tested_one_is_only_a_note(monkeypatch):
    version = metadata.version
    monkeypatch.setattr(check.metadata, "version", lambda name: "99.0" if name == "numpy" else version(name))
    (note,) = check._packages()
    assert note.status == "note"
    assert "numpy (99.0, tested 2." in note.what


def test_a_python_without_the_course_is_told(monkeypatch):
    def nowhere(name):
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(check.metadata, "requires", nowhere)
    (problem,) = problems(check._packages())
    assert "dscourse is not installed in this Python" in problem


def test_a_kernel_of_another_python_is_told(monkeypatch):
    from jupyter_client.kernelspec import KernelSpec, KernelSpecManager

    monkeypatch.delitem(sys.modules, "ipykernel", raising=False)
    spec = KernelSpec(argv=["/somewhere/else/python3", "-m", "ipykernel_launcher"])
    monkeypatch.setattr(KernelSpecManager, "get_kernel_spec", lambda self, name: spec)
    (problem,) = problems(check._kernel())
    assert "/somewhere/else/python3" in problem
    assert "ipykernel install" in problem


def test_another_kernel_of_that_name_that_is_found_first_is_named_with_its_folder(monkeypatch, tmp_path):
    other = tmp_path / "other" / "kernels" / "python3"
    other.mkdir(parents=True)
    spec = {"argv": ["/somewhere/else/python3"], "display_name": "Python 3", "language": "python"}
    (other / "kernel.json").write_text(json.dumps(spec))
    (tmp_path / "own" / "share" / "jupyter" / "kernels" / "python3").mkdir(parents=True)
    monkeypatch.delitem(sys.modules, "ipykernel", raising=False)
    monkeypatch.setattr(check.sys, "prefix", str(tmp_path / "own"))
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path / "other"))
    (problem,) = problems(check._kernel())
    assert f"described in {other}, which Jupyter finds first since JUPYTER_PATH names it" in problem
    assert "make lab" in problem
    assert "ipykernel install" not in problem  # it would change nothing


def test_advice_for_a_cell_is_carried_out_by_the_kernels_own_python(monkeypatch):
    monkeypatch.setattr(sys, "executable", "/my folder/python")
    monkeypatch.delitem(sys.modules, "ipykernel", raising=False)
    assert commands.of_this_python("-m pip list") == '"/my folder/python" -m pip list'
    monkeypatch.setitem(sys.modules, "ipykernel", None)
    assert commands.of_this_python("-m pip list") == '!"/my folder/python" -m pip list'


def test_no_advice_leaves_it_to_the_path_which_python_is_meant():
    for path in [*ROOT.glob("dscourse/**/*.py"), *ROOT.glob("notebooks/*.ipynb")]:
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"!(?:python3?|pip3?|jupyter) |`(?:pip3?|jupyter) ", text), path


def test_a_missing_kernel_is_told(monkeypatch):
    from jupyter_client.kernelspec import KernelSpecManager, NoSuchKernel

    def none(self, name):
        raise NoSuchKernel(name)

    monkeypatch.delitem(sys.modules, "ipykernel", raising=False)
    monkeypatch.setattr(KernelSpecManager, "get_kernel_spec", none)
    (problem,) = problems(check._kernel())
    assert "no kernel" in problem


def test_a_missing_front_end_of_the_widgets_is_told(monkeypatch, tmp_path):
    paths = importlib.import_module("jupyter_core.paths")
    monkeypatch.setattr(paths, "jupyter_path", lambda *parts: [str(tmp_path)])
    (problem,) = problems(check._widgets())
    assert "@jupyter-widgets/jupyterlab-manager, anywidget" in problem


def test_changed_data_is_told_with_the_way_to_mend_it(monkeypatch, tmp_path):
    shutil.copytree(ROOT / "data", tmp_path / "data")
    path = tmp_path / "data" / "failures" / "lanl.csv.gz"
    path.write_bytes(gzip.compress(gzip.decompress(path.read_bytes()) + b"1,1,1,1,1\n"))
    (tmp_path / "data" / "scaling" / "raytracer.csv").unlink()
    monkeypatch.setattr(datasets, "_data_folder", lambda: tmp_path / "data")
    datasets._read.cache_clear()
    datasets._catalogue.cache_clear()
    try:
        found = problems(check._data())
    finally:
        datasets._read.cache_clear()
        datasets._catalogue.cache_clear()
    assert len(found) == 2
    assert all("git checkout -- data" in problem for problem in found)


def test_a_broken_catalogue_is_told_with_the_way_to_mend_it(monkeypatch):
    def broken():
        raise datasets.DatasetError("The catalogue of the data sets can't be read: x (y). Get it back")

    monkeypatch.setattr(datasets, "names", broken)
    (finding,) = check._carefully(check._data)
    assert finding.status == "problem"
    assert finding.what.startswith("The catalogue of the data sets can't be read")


def test_setting_up_is_told_whether_the_packages_are_as_tested(monkeypatch):
    monkeypatch.setattr(check, "_packages", lambda: iter([check.Finding("ok", "12 packages")]))
    assert check.packages_are_as_tested()
    monkeypatch.setattr(check, "_packages", lambda: iter([check.Finding("note", "not the tested version")]))
    assert not check.packages_are_as_tested()
    monkeypatch.setattr(check, "_packages", lambda: 1 / 0)
    monkeypatch.setattr(check._packages, "__name__", "packages")
    assert not check.packages_are_as_tested()


def test_progress_that_cannot_be_saved_is_a_note(monkeypatch, tmp_path):
    monkeypatch.setenv("DSCOURSE_PROGRESS", str(tmp_path / "none" / "progress.json"))
    assert [finding.status for finding in check._progress()] == ["ok"]
    monkeypatch.setattr(check.os, "access", lambda path, mode: False)
    (note,) = check._progress()
    assert note.status == "note"
    assert "DSCOURSE_PROGRESS" in note.advice


def test_a_check_that_breaks_is_a_finding_and_no_traceback(monkeypatch):
    def broken():
        raise RuntimeError("on fire")
        yield

    monkeypatch.setattr(check, "_data", broken)
    report = check.run()
    assert not report
    assert "RuntimeError: on fire" in str(report)
    assert "1 thing to mend" in str(report)


def test_it_speaks_even_where_nothing_is_installed():
    shown = subprocess.run(
        [sys.executable, "-S", "-m", "dscourse.check"], capture_output=True, text=True, check=False, cwd=ROOT
    )
    assert shown.returncode == 1
    assert "to mend before you go on" in shown.stdout
    assert "Traceback" not in shown.stdout + shown.stderr


@pytest.mark.parametrize("fit", [True, False])
def test_in_a_notebook_a_widget_says_that_widgets_work(monkeypatch, capsys, fit):
    shown = []
    display = importlib.import_module("IPython.display")
    monkeypatch.setattr(display, "display", lambda output, raw: shown.append(output))
    check.Report((check.Finding("ok" if fit else "problem", "something"),))._ipython_display_()
    assert "something" in capsys.readouterr().out
    assert len(shown) == fit
    if fit:
        assert set(shown[0]) == {"application/vnd.jupyter.widget-view+json", "text/plain"}
        assert shown[0]["text/plain"].startswith("No widgets here.")


def test_no_stored_output_names_this_machine():
    stored = json.loads((ROOT / "notebooks" / "00-start-here.ipynb").read_text(encoding="utf-8"))
    text = json.dumps([cell.get("outputs") for cell in stored["cells"]])
    assert "All is well" in text
    assert os.fspath(ROOT) not in text
