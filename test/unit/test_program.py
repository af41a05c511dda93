"""`rtgym_ros PROGRAM`: one name for every program."""

import subprocess
import sys
from importlib.metadata import EntryPoint

import pytest

from rtgym_ros.cli import main as program
from rtgym_ros.core.one_line_parser import OneLineParser, without_ros_arguments


def run(monkeypatch, *arguments):
    monkeypatch.setattr(sys, "argv", ["rtgym_ros", *arguments])
    return program.main()


@pytest.fixture
def installed(monkeypatch):
    """What pip has installed: two programs, one of which needs what is not there."""
    entries = [
        EntryPoint("doctor", "rtgym_ros.cli.doctor:main", "rtgym_ros.programs"),
        EntryPoint("needy", "no_such_package.program:main", "rtgym_ros.programs"),
    ]
    monkeypatch.setattr(program, "entry_points", lambda group: entries)


@pytest.mark.parametrize("arguments", [(), ("-h",), ("--help",)])
def test_its_help_lists_them(installed, monkeypatch, capsys, arguments):
    assert run(monkeypatch, *arguments) == 0
    assert "usage: rtgym_ros PROGRAM" in (shown := capsys.readouterr().out)
    assert "\n  doctor\n  needy\n" in shown


def test_it_runs_one_with_its_arguments(installed, monkeypatch, capsys):
    with pytest.raises(SystemExit) as ended:
        run(monkeypatch, "doctor", "--seconds", "-1", "--ros-args", "-r", "__node:=probe")
    assert ended.value.code == 2
    assert "must be a number above 0" in capsys.readouterr().err


def test_an_unknown_one_is_one_line(installed, monkeypatch, capsys):
    assert run(monkeypatch, "doctr") == 2
    assert capsys.readouterr().err == "rtgym_ros: there is no program 'doctr' (did you mean 'doctor'?)\n"


def test_one_that_cannot_be_imported_is_one_line(installed, monkeypatch):
    with pytest.raises(SystemExit, match=r"^rtgym_ros needy: No module named 'no_such_package': `pip install"):
        run(monkeypatch, "needy")


def test_in_a_workspace_the_executables_are_run(monkeypatch, tmp_path):
    (tmp_path / "hello").write_text("#!/bin/sh\necho hello $*\nexit 3\n")
    (tmp_path / "hello").chmod(0o755)
    found = subprocess.run(
        [
            sys.executable,
            "-c",
            "import pathlib, sys\n"
            "from rtgym_ros.cli import main as program\n"
            "program.entry_points = lambda group: []\n"
            f"program._workspace_folder = lambda: pathlib.Path({str(tmp_path)!r})\n"
            "sys.argv = ['rtgym_ros', 'hello', '1']\n"
            "sys.exit(program.main())\n",
        ],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (found.stdout, found.stderr, found.returncode) == ("hello 1\n", "", 3)


def test_without_an_install_it_says_so(monkeypatch):
    monkeypatch.setattr(program, "entry_points", lambda group: [])
    monkeypatch.setattr(program, "_workspace_folder", lambda: None)
    with pytest.raises(SystemExit, match="this package is not installed"):
        run(monkeypatch, "doctor")


@pytest.mark.parametrize(
    ("command_line", "own"),
    [
        ("--seed 1", "--seed 1"),
        ("--seed 1 --ros-args -r __ns:=/a -p seed:=2", "--seed 1"),
        ("--ros-args -r __ns:=/a -- --seed 1", "--seed 1"),
        ("a --ros-args -- b --ros-args --log-level info -- c", "a b c"),
        ("a -- b", "a -- b"),
    ],
)
def test_ros_arguments_are_no_arguments_of_a_program(command_line, own):
    assert without_ros_arguments(command_line.split()) == own.split()


def test_every_parser_leaves_them_out(monkeypatch):
    parser = OneLineParser("program")
    parser.add_argument("--seed", type=int)
    assert parser.parse_args(["--seed", "1", "--ros-args", "-p", "x:=1"]).seed == 1
    monkeypatch.setattr(sys, "argv", ["program", "--ros-args"])
    assert parser.parse_args().seed is None
