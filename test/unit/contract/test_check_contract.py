"""The program check_contract, stage read: its lines and its exit codes."""

import subprocess
import sys

import pytest
from contracts import DIFF_DRIVE, EVERYTHING

from rtgym_ros.cli.check_contract import main
from rtgym_ros.contract.grammar.reader import parse_contract
from rtgym_ros.contract.load_code import named_code


@pytest.fixture
def check(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def check(text, *options):
        (tmp_path / "robot.yaml").write_text(text)
        code = main(["robot.yaml", *options])
        captured = capsys.readouterr()
        assert captured.err == ""
        return code, captured.out.splitlines()

    return check


def test_all_is_well(check):
    assert check(DIFF_DRIVE) == (
        0,
        ["robot.yaml: robot diff_drive: action of 1 part, observation of 2 parts, 1 gate, 1 step, 0 heartbeats: well"],
    )


def test_contracts_of_the_package_have_names(capsys):
    assert main(["drone", "arm"]) == 0
    assert main(["dron"]) == 1
    *_, last = capsys.readouterr().out.splitlines()
    assert last == (
        "contract 'dron' is no file, and none of those that come with the package: "
        "arm, diff_drive, drone, drone_tutorial"
    )


def test_a_line_for_each_problem(check):
    code, lines = check(DIFF_DRIVE.replace("yaw", "yawn").replace("latched", "latch"))
    assert code == 1
    assert [line.split(": ")[:2] for line in lines] == [
        ["robot.yaml:23", "observation.pose.convert[0].quaternion"],
        ["robot.yaml:31", "gates.ready.qos"],
    ]


def test_warnings_are_no_problems(check):
    code, lines = check(DIFF_DRIVE.replace("topic: odom", "topic: /odom"))
    assert code == 0
    assert lines[0].startswith("warning: robot.yaml:20: observation.pose.topic: /odom is absolute")
    assert len(lines) == 2


def test_code_is_imported_when_asked(check, tmp_path):
    assert check(DIFF_DRIVE)[0] == 0
    code, lines = check(DIFF_DRIVE, "--with-code")
    assert (code, len(lines)) == (1, 1)
    assert lines[0].startswith("robot.yaml:35: task.class: my_robot.tasks cannot be imported")
    (tmp_path / "code_of_this_test.py").write_text(
        "class Reach:\n    pass\nfrom rtgym_ros.contract.tasks import ReachPosition"
    )
    beside = DIFF_DRIVE.replace("my_robot.tasks:ReachPosition", "code_of_this_test:ReachPosition")
    good = beside.replace("{radius: 0.1}", "{target: [1, 2]}")
    assert check(good, "--allow-code-beside")[0] == 0
    code, lines = check(beside, "--allow-code-beside")
    assert (code, lines) == (
        1,
        [
            "robot.yaml:35: task.args: code_of_this_test:ReachPosition refuses them: "
            "task arguments low and high, or target, must be given"
        ],
    )
    assert "is no Task" in check(beside.replace(":ReachPosition", ":Reach"), "--allow-code-beside")[1][0]


def test_every_name_of_code_is_known():
    names = {name for _, name in named_code(parse_contract(EVERYTHING))}
    assert names == {"odd_msgs.crc:fill_crc", "odd:there", "odd:back", "odd:crc", "odd.tasks:Walk"}
    assert (("action", "attitude", "convert", 2, "inverse"), "odd:back") in named_code(parse_contract(EVERYTHING))


@pytest.mark.parametrize("arguments", [[], ["--nothing", "robot.yaml"]])
def test_a_command_line_that_cannot_be_used(arguments):
    run = subprocess.run(
        [sys.executable, "-m", "rtgym_ros.cli.check_contract", *arguments], capture_output=True, text=True, timeout=60
    )
    assert run.returncode == 2
    assert run.stderr.startswith("check_contract: ")
    assert run.stderr.count("\n") == 1


def test_several_files(tmp_path, capsys):
    (tmp_path / "good.yaml").write_text(DIFF_DRIVE)
    assert main([str(tmp_path / "good.yaml"), str(tmp_path / "missing.yaml")]) == 1
    good, missing = capsys.readouterr().out.splitlines()
    assert good.endswith(": well")
    assert missing.endswith("missing.yaml:1: cannot be read: No such file or directory")
