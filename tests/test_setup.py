"""The set-up script and what Binder and conda users install."""

import ast
import importlib.util
import json
import os
import re
import shutil
import stat
import subprocess
import sys
import venv
from importlib import metadata
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.version import Version

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture
def course(monkeypatch, tmp_path):
    """The script as a module: its environment in a temporary folder, every command recorded and none run."""
    specification = importlib.util.spec_from_file_location("course", ROOT / "course.py")
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    module.ENVIRONMENT = tmp_path / ".venv"
    module.STAMP = module.ENVIRONMENT / "dscourse-setup.json"
    module.commands = []
    module.status = 0

    def call(command, **_options):
        module.commands.append([str(part) for part in command])
        return module.status

    monkeypatch.setattr(module.subprocess, "call", call)
    module.package_is_found = lambda: True
    module.really_run_to_its_end, module.run_to_its_end = module.run_to_its_end, call
    module.really_run_and_tell = module.run_and_tell
    module.run_and_tell = lambda command, _tell, **options: module.run_to_its_end(command, **options)
    module.really_fast_installer, module.fast_installer = (
        module.fast_installer,
        lambda: (["uv"], {}) if module.which_versions() == "oldest" else ([], {}),
    )
    monkeypatch.delenv("DSCOURSE_VERSIONS", raising=False)
    return module


def made_with(course, python):
    course.ENVIRONMENT.mkdir(exist_ok=True)
    (course.ENVIRONMENT / "pyvenv.cfg").write_text(f"home = /usr/bin\nversion = {python}\n")


def test_setting_up_installs_the_locked_versions_and_leaves_a_stamp(course):
    course.environment_works = lambda: bool(course.commands)  # it works once venv was called
    assert course.set_up(["lab"]) is None
    venv, install = course.commands
    assert venv[1:4] == ["-m", "venv", "--clear"]
    assert install[install.index("--constraint") + 1] == str(ROOT / "requirements.lock")
    assert install[-1] == f"{ROOT}[lab]"
    assert course.already_set_up(["lab"])
    assert not course.already_set_up(["dev", "lab"])


def test_a_second_set_up_does_nothing(course):
    course.environment_works = lambda: True
    assert course.set_up(["dev", "lab"]) is None
    course.commands.clear()
    assert course.set_up(["lab"]) is None
    assert course.commands == []


@pytest.mark.parametrize(
    "stamp", ["", "{", "[]", '{"made_from": 3}', '{"made_from": "older", "extras": ["lab"]}']
)
def test_a_broken_or_outdated_stamp_leads_to_a_new_set_up(course, stamp):
    course.environment_works = lambda: True
    course.ENVIRONMENT.mkdir()
    course.STAMP.write_text(stamp)
    assert not course.already_set_up(["lab"])


@pytest.mark.parametrize(
    ("before", "now", "anew"),
    [
        ("locked", "oldest", True),
        ("oldest", "locked", True),
        ("newest", "oldest", True),
        ("oldest", "oldest", False),
        ("locked", "locked", False),
    ],
)
def test_other_versions_get_a_new_environment_since_installers_keep_what_will_do(
    course, monkeypatch, before, now, anew
):
    course.environment_works = lambda: True
    monkeypatch.setenv("DSCOURSE_VERSIONS", before)
    course.ENVIRONMENT.mkdir()
    assert course.set_up(["lab"]) is None
    course.commands.clear()
    monkeypatch.setenv("DSCOURSE_VERSIONS", now)
    assert course.set_up(["dev", "lab"]) is None
    assert any("--clear" in command for command in course.commands) == anew
    assert len(course.commands) > anew  # and the packages were installed


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such locale")
def test_the_course_is_found_in_a_folder_of_any_name_under_any_locale(course, monkeypatch, tmp_path):
    clone = tmp_path / "Jörg-名"
    (clone / "dscourse").mkdir(parents=True)
    (clone / "dscourse" / "__init__.py").touch()
    course.ROOT, course.ENVIRONMENT = clone, clone / ".venv"
    course.STAMP = course.ENVIRONMENT / "stamp.json"
    course.PYTHON = str(course.ENVIRONMENT / "bin" / "python")
    course.environment_works = course.ENVIRONMENT.exists
    course.fingerprint = str

    def call(command, **_options):
        if "venv" in command:
            venv.create(course.ENVIRONMENT, symlinks=True)
        else:  # as pip does
            (folder,) = course.ENVIRONMENT.glob("lib/python*/site-packages")
            (folder / "_dscourse.pth").write_text(str(clone), encoding="utf-8")
        return 0

    monkeypatch.setattr(course, "run_to_its_end", call)
    assert course.set_up(["lab"]) is None
    plain = {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"}
    for settings in (plain, {}, {"PYTHONUTF8": "1"}):
        subprocess.run(
            [course.PYTHON, "-c", "import dscourse"],
            cwd=tmp_path,
            env=settings,
            check=True,
            capture_output=True,
        )


def test_settings_for_other_projects_do_not_reach_the_installation(course, monkeypatch):
    seen = []
    monkeypatch.setattr(course, "run_to_its_end", lambda command, **options: seen.append(options["env"]) or 0)
    course.environment_works = lambda: False
    course.ENVIRONMENT.mkdir()
    for name in ("PIP_USER", "PIP_REQUIRE_HASHES"):
        monkeypatch.setenv(name, "1")
    for name in ("PIP_TARGET", "PYTHONPATH", "PYTHONHOME"):
        monkeypatch.setenv(name, "/elsewhere")
    monkeypatch.setenv("PIP_INDEX_URL", "https://mirror.example/simple")
    assert course.main(["setup"]) == 0
    assert len(seen) == 2  # venv and pip
    for environment in seen:
        assert (
            environment["PIP_USER"] == environment["PIP_REQUIRE_HASHES"] == "0"
        )  # above a settings file, too
        assert not {"PIP_TARGET", "PYTHONPATH", "PYTHONHOME"} & set(environment)
        assert environment["PIP_INDEX_URL"] == "https://mirror.example/simple"


def test_packages_that_went_elsewhere_are_told_in_one_line(course):
    course.environment_works = lambda: True
    course.ENVIRONMENT.mkdir()
    course.package_is_found = lambda: False
    problem = course.set_up(["lab"])
    assert "pip config list" in problem
    assert "\n" not in problem
    assert not course.STAMP.exists()


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such locale")
def test_a_folder_of_any_name_gives_the_same_fingerprint_under_every_locale(tmp_path):
    clone = tmp_path / "Jörg-名"
    clone.mkdir()
    for name in ("course.py", "pyproject.toml", "requirements.lock"):
        shutil.copy(ROOT / name, clone)
    look = [sys.executable, "-c", "import course; print(course.fingerprint())"]
    plain = {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"}
    told = {
        subprocess.run(look, cwd=clone, env=settings, check=True, capture_output=True).stdout
        for settings in (plain, {"PYTHONUTF8": "1"})
    }
    assert len(told) == 1


@pytest.mark.parametrize("status", [0, 1])
def test_setup_by_name_mends_packages_that_were_changed_since(course, status):
    course.environment_works = lambda: True
    course.set_up(["lab"])
    course.commands.clear()
    looked = []
    course.subprocess.call = lambda command, **_options: looked.append(command) or status
    assert course.main(["setup"]) == 0
    assert len(looked) == 1
    assert len(course.commands) == status  # installed anew only if something is other than tested


def test_a_missing_venv_module_gives_one_plain_line(course, monkeypatch):
    course.environment_works = lambda: False
    find = importlib.util.find_spec
    monkeypatch.setattr(
        course.importlib.util, "find_spec", lambda name: None if name == "ensurepip" else find(name)
    )
    problem = course.set_up(["lab"])
    assert problem.startswith("Python's venv module is missing")
    assert "\n" not in problem
    assert "apt install" in problem
    assert course.commands == []


def test_a_failed_installation_is_told_and_leaves_no_stamp(course):
    course.environment_works = lambda: True
    course.ENVIRONMENT.mkdir()
    course.status = 1
    assert "run the same command again" in course.set_up(["lab"])
    assert not course.STAMP.exists()


def test_python_means_the_course_s_own_in_terminals_too(course, monkeypatch):
    seen = []
    monkeypatch.setattr(course, "run_to_its_end", lambda command, **options: seen.append(options["env"]) or 0)
    monkeypatch.setenv("PATH", "/somewhere")
    course.open_lab([])
    assert seen[-1]["PATH"] == os.pathsep.join([str(Path(course.PYTHON).parent), "/somewhere"])


@pytest.mark.parametrize("root", [True, False])
def test_lab_keeps_its_token_and_allows_root_only_to_root(course, monkeypatch, root):
    monkeypatch.setattr(course.os, "geteuid", lambda: 0 if root else 1000, raising=False)
    course.open_lab(["--no-browser"])
    workspace, lab = course.commands
    assert workspace[-1] == "dscourse.workspace"
    assert ("--allow-root" in lab) == root
    assert lab[-1] == "--no-browser"
    assert not any("token" in part or "password" in part for part in lab)
    assert any(part.endswith("/lab/tree/00-start-here.ipynb") for part in lab)


def test_where_the_home_is_read_only_jupyter_writes_elsewhere(course, monkeypatch, capsys):
    monkeypatch.setattr(course.os, "environ", {"JUPYTER_DATA_DIR": "/mine"})
    course.open_lab([])
    assert course.os.environ == {"JUPYTER_DATA_DIR": "/mine"}  # an ordinary home stays in use
    monkeypatch.setattr(course.os, "access", lambda path, mode: path == str(course.ENVIRONMENT))
    course.open_lab([])
    assert course.os.environ["JUPYTER_DATA_DIR"] == "/mine"
    elsewhere = course.os.environ["JUPYTER_RUNTIME_DIR"]
    assert Path(elsewhere).parents[1] == course.ENVIRONMENT
    assert "may not be written to" in capsys.readouterr().out


def test_news_and_update_checks_are_off_and_widgets_are_saved_with_their_notebook(course):
    course.write_lab_settings()
    path = course.ENVIRONMENT / "etc" / "jupyter" / "labconfig" / "default_setting_overrides.json"
    settings = json.loads(path.read_text())
    news = settings["@jupyterlab/apputils-extension:notification"]
    assert news == {"fetchNews": "false", "checkForUpdates": False}
    assert settings["@jupyter-widgets/jupyterlab-manager:plugin"] == {"saveState": True}


def test_linters_are_asked_only_under_the_reference_python(course, monkeypatch):
    monkeypatch.setenv("DSCOURSE_TEST_SUMMARY", "")
    for python, steps in (("3.11.7", 6), ("3.13.0", 3)):
        course.commands.clear()
        made_with(course, python)
        course.run_tests([])
        assert len(course.commands) == steps


def test_a_failing_step_does_not_hide_the_others_and_fails_the_whole(course, monkeypatch, capsys):
    monkeypatch.setenv("DSCOURSE_TEST_SUMMARY", "")
    course.status = 1
    made_with(course, "3.11.7")
    assert course.run_tests([]) == 1
    assert len(course.commands) == 6
    assert "FAILED" in capsys.readouterr().out.split("=== Summary")[1]


def test_the_summary_repeats_what_a_step_wants_said_again(course, monkeypatch, capsys):
    def call(command, **_options):
        Path(os.environ["DSCOURSE_TEST_SUMMARY"]).write_text("12 passed\n2 browser tests were SKIPPED: none")
        return 0

    monkeypatch.setattr(course, "run_to_its_end", call)
    monkeypatch.setenv("DSCOURSE_TEST_SUMMARY", "")  # put back afterwards
    made_with(course, "3.11.7")
    assert course.run_tests([]) == 0
    summary = capsys.readouterr().out.split("=== Summary")[1]
    assert summary.count("2 browser tests were SKIPPED: none") == 6
    assert summary.endswith("Everything passed.\n")


@pytest.mark.parametrize(("options", "status"), [(["-k", "ring"], 0), ([], 1)])
def test_nothing_collected_is_a_failure_unless_tests_were_chosen(course, monkeypatch, options, status):
    monkeypatch.setenv("DSCOURSE_TEST_SUMMARY", "")
    monkeypatch.setattr(course, "run_to_its_end", lambda command, **_: 5 if "pytest" in command else 0)
    assert course.run_tests(options) == status


@pytest.mark.parametrize(
    ("platform", "versions", "python", "compare"),
    [
        ("linux", "locked", "3.11.7", "--nbval"),
        ("linux", "locked", "3.12.1", "--nbval-lax"),
        ("linux", "newest", "3.11.7", "--nbval-lax"),
        ("darwin", "locked", "3.11.7", "--nbval-lax"),
        ("win32", "locked", "3.11.7", "--nbval-lax"),
    ],
)
def test_stored_text_is_compared_strictly_only_where_that_is_fair(
    course, monkeypatch, platform, versions, python, compare
):
    made_with(course, python)
    monkeypatch.setattr(course.sys, "platform", platform)
    monkeypatch.setenv("DSCOURSE_VERSIONS", versions)
    assert course.notebook_options()[0] == compare


def test_notebooks_are_stored_with_the_python_of_binder(course, environment):
    assert f"python={course.REFERENCE_PYTHON}" in environment["dependencies"]


def test_an_interrupt_ends_the_tests(course, monkeypatch, capsys):
    def interrupted(command, **_options):
        course.commands.append(command)
        raise KeyboardInterrupt

    monkeypatch.setattr(course, "run_to_its_end", interrupted)
    monkeypatch.setenv("DSCOURSE_TEST_SUMMARY", "")
    assert course.run_tests([]) == 1
    assert len(course.commands) == 1


def test_an_interrupted_installation_is_told_in_one_line(course, monkeypatch, capsys):
    def interrupted(command, **_options):
        raise KeyboardInterrupt

    course.environment_works = lambda: True
    monkeypatch.setattr(course, "run_to_its_end", interrupted)
    assert course.main(["setup"]) == course.INTERRUPTED
    assert (
        capsys.readouterr().err == "Setting up was interrupted. The same command goes on where it stopped.\n"
    )
    assert not course.STAMP.exists()


@pytest.mark.skipif(os.name == "nt", reason="Windows sends Ctrl-C to a console, not to a process")
def test_an_interrupted_command_may_tidy_up_before_it_ends(course, tmp_path):
    tidied = tmp_path / "tidied"
    code = f"""
import os, pathlib, signal, time
def tidy(*_):
    time.sleep(0.6)  # longer than subprocess.call would wait
    pathlib.Path({str(tidied)!r}).touch()
    raise SystemExit
signal.signal(signal.SIGINT, tidy)
os.kill(os.getppid(), signal.SIGINT)  # as a terminal does: to both
os.kill(os.getpid(), signal.SIGINT)
time.sleep(20)
"""
    with pytest.raises(KeyboardInterrupt):
        course.really_run_to_its_end([sys.executable, "-c", code])
    assert tidied.exists()


def test_an_old_python_hands_over_to_a_newer_one_or_says_what_is_missing(course, monkeypatch, capsys):
    monkeypatch.setattr(course.sys, "version_info", (3, 9, 2))
    monkeypatch.setattr(course.shutil, "which", lambda name: "/bin/" + name if name == "python3.12" else None)
    assert course.main(["lab", "--no-browser"]) == 0
    assert course.commands[-1] == ["/bin/python3.12", str(ROOT / "course.py"), "lab", "--no-browser"]
    assert "sys.version_info < (3, 11)" in course.commands[-2][-1]  # it was asked whether it is new enough
    monkeypatch.setattr(course.shutil, "which", lambda name: None)
    assert course.main(["lab"]) == 1
    assert "The course needs Python 3.11 or newer, and this is Python 3.9" in capsys.readouterr().err


@pytest.mark.parametrize(("newest", "status"), [(0, 0), (1, 1)], ids=["new enough", "too old"])
def test_on_windows_the_launcher_finds_a_newer_python(course, monkeypatch, newest, status):
    monkeypatch.setattr(course.sys, "version_info", (3, 9, 2))
    monkeypatch.setattr(course.sys, "platform", "win32")
    monkeypatch.setattr(course.shutil, "which", lambda name: "C:/py.exe" if name == "py" else None)
    monkeypatch.setattr(course.subprocess, "call", lambda command, **_: newest)
    assert course.main(["lab"]) == status
    handed_over = [["C:/py.exe", "-3", str(ROOT / "course.py"), "lab"]]
    assert course.commands == (handed_over if newest == 0 else [])


def test_ctrl_c_is_the_way_to_close_the_course(course, monkeypatch):
    def stopped(command, **_options):
        if "jupyterlab" in command:
            raise KeyboardInterrupt
        return 0

    monkeypatch.setattr(course, "run_to_its_end", stopped)
    assert course.open_lab([]) == 0


@pytest.mark.parametrize("optimize", ["0", "2"], ids=["as usual", "without docstrings"])
def test_the_help_text_names_every_command(optimize):
    environment = {**os.environ, "PYTHONOPTIMIZE": optimize}
    command = [sys.executable, ROOT / "course.py"]
    shown = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    assert shown.returncode == 2
    for command in ("lab", "test", "setup", "notebooks"):
        assert f"course.py {command}" in shown.stdout


@pytest.mark.skipif(sys.platform == "win32", reason="Windows knows no SIGPIPE")
@pytest.mark.parametrize(
    "command", ["course.py", "-m dscourse.check", "-m dscourse.workspace --folder FOLDER"]
)
def test_commands_end_quietly_when_nobody_reads_on(command, tmp_path):
    started = subprocess.Popen(
        [sys.executable, *command.replace("FOLDER", str(tmp_path)).split()],
        cwd=ROOT,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    started.stdout.close()  # as `... | head -0` does
    assert started.communicate()[1] == ""


def test_the_script_can_be_read_by_pythons_that_are_too_old():
    source = (ROOT / "course.py").read_text(encoding="utf-8")
    assert "(from 3.7 on)" in source
    ast.parse(source, feature_version=(3, 7))  # finds newer syntax
    assert "from __future__ import annotations" in source  # annotations are not looked at there


# --- which installer ---


@pytest.fixture
def with_uv(course, monkeypatch):
    """A pip whose settings are in `pip_settings`, and a uv that is there already."""
    course.pip_settings = ""

    def output_of(command):
        return course.pip_settings if command[-2:] == ["config", "list"] else "uv 1.0"

    monkeypatch.setattr(course, "output_of", output_of)
    course.fast_installer = course.really_fast_installer
    return course


def test_uv_installs_where_it_can_be_had_and_is_named(with_uv, capsys):
    assert with_uv.install(["lab"]) == 0
    ((*uv, package),) = with_uv.commands
    assert uv[1:5] == ["-m", "uv", "pip", "install"]
    assert uv[uv.index("--python") + 1] == with_uv.PYTHON
    assert uv[uv.index("--constraint") + 1] == str(ROOT / "requirements.lock")
    assert package == f"{ROOT}[lab]"
    assert "with uv" in capsys.readouterr().out


def test_pip_goes_on_where_uv_fails_and_is_named(with_uv, monkeypatch, capsys):
    def uv_fails(command, **_options):
        with_uv.commands.append(command)
        return int("uv" in command)

    monkeypatch.setattr(with_uv, "run_to_its_end", uv_fails)
    assert with_uv.install(["lab"]) == 0
    assert ["pip" in command for command in with_uv.commands] == [True, True]
    assert [command[2] for command in with_uv.commands] == ["uv", "pip"]
    told = capsys.readouterr().out
    assert "uv could not do it; now with pip" in told


def test_where_uv_cannot_be_fetched_pip_does_it_without_a_word_of_that(with_uv, monkeypatch, capsys):
    with_uv.output_of = lambda command: ""
    monkeypatch.setattr(with_uv, "run_to_its_end", lambda command, **_: int(command[-1] == "uv"))
    assert with_uv.install(["lab"]) == 0
    assert capsys.readouterr().out == "  with pip\n"


def test_uv_goes_where_pip_is_set_to_go(with_uv):
    with_uv.pip_settings = (
        "global.index-url='https://mirror.example/simple'\n"
        "global.extra-index-url='\\nhttps://one.example\\nhttps://two.example'\n:env:.cert='/etc/mine.pem'\n"
    )
    command, environment = with_uv.fast_installer()
    assert command[command.index("--default-index") + 1] == "https://mirror.example/simple"
    assert [command[place + 1] for place, word in enumerate(command) if word == "--index"] == [
        "https://one.example",
        "https://two.example",
    ]
    assert environment["SSL_CERT_FILE"] == "/etc/mine.pem"


@pytest.mark.parametrize(
    "name", ["global.proxy", ":env:.trusted-host", "install.no-index", "user.client-cert"]
)
def test_settings_that_only_pip_understands_are_left_to_pip(with_uv, name):
    with_uv.pip_settings = f"{name}='anything'\n"
    assert with_uv.fast_installer() == ([], {})


def test_settings_of_uv_for_other_projects_do_not_reach_it(with_uv, monkeypatch):
    monkeypatch.setenv("UV_REQUIRE_HASHES", "1")
    monkeypatch.setenv("UV_CACHE_DIR", "/mine")
    command, environment = with_uv.fast_installer()
    assert "UV_REQUIRE_HASHES" not in environment
    assert environment["UV_CACHE_DIR"] == "/mine"
    assert "--no-config" in command


def test_progress_is_told_in_lines_that_a_person_reads(course):
    told = course.of_pip()
    lines = [f"Collecting p{place}" for place in range(60)] + [
        "  Downloading x",
        "Installing collected packages: a, b",
    ]
    assert list(filter(None, map(told, lines))) == [
        "  found 25 packages",
        "  found 50 packages",
        "  installing 2 packages",
    ]
    assert course.of_uv("Installed 112 packages in 4.76s") == "  installed 112 packages in 4.76s"
    assert course.of_uv(" + numpy==2.4.6") == ""


def test_the_last_words_of_an_installer_that_failed_are_shown(course, capfd):
    lines = "for n in range(50): print(n)"
    status = course.really_run_and_tell(
        [sys.executable, "-c", f"{lines}\nraise SystemExit(3)"], lambda line: ""
    )
    assert status == 3
    assert capfd.readouterr().err.split()[-2:] == ["48", "49"]
    assert (
        course.really_run_and_tell([sys.executable, "-c", lines], lambda line: f"<{line}>" * (line == "7"))
        == 0
    )
    assert capfd.readouterr() == ("<7>\n", "")


# --- where nothing may be written ---


def test_a_clone_that_may_not_be_written_to_is_told_in_one_line(course, monkeypatch, capsys):
    def refused(*_arguments):
        raise PermissionError(13, "Permission denied", "/clone/.venv")

    monkeypatch.setattr(course, "set_up", refused)
    assert course.main(["lab"]) == 1
    told = capsys.readouterr().err
    assert "can't be set up" in told
    assert "Permission denied (/clone/.venv). Copy the course to a folder that you may write to" in told
    assert told.count("\n") == 1


def test_where_home_and_clone_are_read_only_jupyter_writes_to_a_temporary_place(course, monkeypatch, capsys):
    monkeypatch.setattr(course.os, "access", lambda path, mode: False)
    folders = course.folders_instead_of_home()
    place = Path(folders["JUPYTER_RUNTIME_DIR"]).parent
    assert place.is_dir()
    assert course.ENVIRONMENT not in place.parents
    assert str(place) in capsys.readouterr().out
    place.rmdir()


def test_the_courses_own_kernel_is_found_before_that_of_another_project(course, monkeypatch):
    seen = []
    monkeypatch.setattr(course, "run_to_its_end", lambda command, **options: seen.append(options["env"]) or 0)
    monkeypatch.setenv("JUPYTER_PATH", "/other/share/jupyter")
    course.call("-m", "jupyterlab")
    own = str(course.ENVIRONMENT / "share" / "jupyter")
    assert seen[0]["JUPYTER_PATH"].split(os.pathsep) == [own, "/other/share/jupyter"]


# --- environment.yml and postBuild ---


@pytest.fixture(scope="module")
def environment():
    return yaml.safe_load((ROOT / "environment.yml").read_text())


def pip_lines(environment):
    return next(part["pip"] for part in environment["dependencies"] if isinstance(part, dict))


def test_conda_gives_python_and_pip_and_pip_gives_the_rest(environment):
    from_conda = [part for part in environment["dependencies"] if isinstance(part, str)]
    assert [re.split("[=<>]", part)[0] for part in from_conda] == ["python", "pip"]
    assert pip_lines(environment) == ["-c requirements.lock", "-e .[lab]", "nbval"]


def test_binder_reads_our_environment_and_stages_the_whole_repository(environment, monkeypatch):
    repo2docker = pytest.importorskip("repo2docker.buildpacks")
    monkeypatch.chdir(ROOT)
    pack = repo2docker.CondaBuildPack("ubuntu")
    assert pack.detect()
    assert pack.python_version == "3.11"
    assert (
        pack._should_preassemble_env is False
    )  # the lock file and the package must be there before pip runs
    assert pack.get_post_build_scripts() == ["postBuild"]
    scripts = " ".join(script for _, script in pack.get_assemble_scripts())
    assert '"environment.yml"' in scripts


def test_post_build_lays_out_the_workspace_and_may_be_executed():
    path = ROOT / "postBuild"
    assert "python -m dscourse.workspace" in path.read_text()
    if sys.platform != "win32":
        assert path.stat().st_mode & stat.S_IXUSR
    assert not (ROOT / "binder").exists()  # it would hide environment.yml and postBuild


@pytest.mark.skipif(sys.platform == "win32", reason="Binder runs it under Linux")
def test_post_build_runs_and_keeps_jupyterlab_from_asking_about_news(tmp_path):
    python = tmp_path / "python"  # stands for the python of Binder's environment
    python.write_text(
        f'#!/bin/sh\nexec "{sys.executable}" -c \'import sys; sys.prefix = "{tmp_path}"; '
        "a = sys.argv[1:]; sys.argv = a[1:]; "
        'exec(a[1]) if a[0] == "-c" else __import__("runpy").run_module(a[1], run_name="__main__")\' "$@"\n'
    )
    python.chmod(0o755)
    environment = {
        **os.environ,
        "PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}",
        "DSCOURSE_WORKSPACE": str(tmp_path / "copies"),
    }
    subprocess.run([ROOT / "postBuild"], cwd=ROOT, env=environment, check=True, capture_output=True)
    assert (tmp_path / "copies" / "00-start-here.ipynb").is_file()
    settings = tmp_path / "etc" / "jupyter" / "labconfig" / "default_setting_overrides.json"
    assert '"fetchNews": "false"' in settings.read_text()
    assert '"saveState": true' in settings.read_text()


def test_the_course_is_opened_on_every_system_that_is_tested():
    job = yaml.safe_load((ROOT / ".github" / "workflows" / "test.yml").read_text())["jobs"]["test"]
    assert {system.split("-")[0] for system in job["strategy"]["matrix"]["os"]} == {
        "ubuntu",
        "macos",
        "windows",
    }
    assert "python .ci/lab_answers.py" in [step.get("run") for step in job["steps"]]


@pytest.mark.skipif(not (ROOT / ".git").exists() or shutil.which("git") is None, reason="needs a clone")
def test_scripts_keep_their_line_ends_and_data_every_byte():
    asked = ["git", "check-attr", "text", "eol", "--", "postBuild", ".ci/run", "data/scaling/raytracer.csv"]
    told = subprocess.run(asked, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert "postBuild: eol: lf" in told
    assert ".ci/run: eol: lf" in told
    assert "data/scaling/raytracer.csv: text: unset" in told


def test_the_badge_opens_the_start_page():
    readme = (ROOT / "README.md").read_text()
    assert "urlpath=lab%2Ftree%2Fworkspace%2F00-start-here.ipynb" in readme
    assert (ROOT / "notebooks" / "00-start-here.ipynb").exists()


def test_every_link_of_readme_and_pages_leads_somewhere():
    pages = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").glob("*.md")]
    for page in pages:
        text = page.read_text(encoding="utf-8")
        links = [link for link in re.findall(r"\]\(([^)\s]+)\)", text) if "://" not in link]
        assert [link for link in links if not (page.parent / link).exists()] == [], page


def test_the_first_example_of_the_package_page_runs():
    text = (ROOT / "docs" / "package.md").read_text(encoding="utf-8")
    names = {}
    exec(compile(re.search(r"```python\n(.*?)```", text, re.DOTALL)[1], "package.md", "exec"), names)
    assert names["run"].at(3.5).nodes["n1"]
    assert len(names["run"].digest()) == 64


def test_the_projects_home_is_the_same_wherever_it_stands():
    home = re.search(
        r"mybinder\.org/v2/gh/([\w-]+/[\w-]+)/", (ROOT / "README.md").read_text(encoding="utf-8")
    )[1]
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert citation["repository-code"] == f"https://github.com/{home}"
    assert {"cff-version", "message", "title", "authors"} <= set(citation)  # what version 1.2.0 asks for


def test_the_readme_names_every_notebook_and_its_minutes():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    for path in sorted((ROOT / "notebooks").glob("*.ipynb")):
        head = "".join(json.loads(path.read_text(encoding="utf-8"))["cells"][0]["source"])
        time = re.search(r"\*\*Time\*\*: (?:core )?(\d+) min(?:, (deeper \d+) min)?", head)
        minutes = ", ".join(part for part in time.groups() if part)
        row = next((line for line in text.splitlines() if f"](notebooks/{path.name})" in line), "")
        assert row.endswith(f"| {minutes} |"), f"README has no row with {minutes} minutes for {path.name}"


# --- the lock file ---


def locked():
    requirements = [
        Requirement(line) for line in (ROOT / "requirements.lock").read_text().splitlines() if line.strip()
    ]
    return [
        requirement for requirement in requirements if not requirement.marker or requirement.marker.evaluate()
    ]


def test_the_lock_pins_exact_versions_and_names_no_index():
    text = (ROOT / "requirements.lock").read_text()
    assert "://" not in text
    assert "--" not in text
    assert all(re.fullmatch(r"==[^=]+", str(requirement.specifier)) for requirement in locked())


def test_the_lock_holds_everything_that_the_package_asks_for():
    pinned = {requirement.name.lower().replace("_", "-"): requirement.specifier for requirement in locked()}
    for line in metadata.requires("dscourse") or []:
        asked = Requirement(line)
        if asked.marker and not any(asked.marker.evaluate({"extra": extra}) for extra in ("", "lab", "dev")):
            continue
        version = Version(str(pinned[asked.name.lower()]).removeprefix("=="))
        assert version in asked.specifier, (
            f"{asked.name}: {version} is locked, {asked.specifier} is asked for"
        )
