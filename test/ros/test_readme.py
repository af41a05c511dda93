"""What the README says is so: its program runs, its commands are tested, its figures are published."""

import re
import subprocess
import sys
from configparser import ConfigParser
from pathlib import Path

import gymnasium
import pytest

import rtgym_ros  # noqa: F401

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()
BLOCKS = re.findall(r"^```(\w+)[ \w.]*\n(.*?)^```", README, re.MULTILINE | re.DOTALL)
# Command of the README -> the file that runs it, and with which words.
TESTED = {
    "./dev drone": ("docs/index.md", "\n./dev drone\n"),
    "./dev drone --policy runs/drone/policy.safetensors": (
        "docs/distant_training.md",
        "\n./dev drone --policy runs/drone/policy.safetensors\n",
    ),
    "./dev shell -c 'rtgym_ros drive_node'": ("test/ros/test_readme.py", 'RobotProcess("drive_node",'),
    "./dev shell -c 'python3 program.py'": ("test/ros/test_readme.py", "def test_a_robot_of_ones_own("),
    "./dev shell --learn -c 'python3 learn.py'": ("test/ros/test_readme.py", "def test_it_learns("),
    "./dev shell --learn -c 'rtgym_ros fly robot.yaml --policy policy.onnx'": (
        "test/ros/test_readme.py",
        '"fly", "robot.yaml", "--policy", "policy.onnx"',
    ),
    "./dev train --sim-time": ("docs/distant_training.md", "\n./dev train --sim-time\n"),
    "colcon build --packages-select rtgym_ros && source install/setup.bash": (".ci/run", " build --build-base "),
    "ros2 launch rtgym_ros drone.launch.py namespace:=left episodes:=2": (
        "test/launch/test_drone_launch.py",
        '"drone.launch.py"',
    ),
    "ros2 run rtgym_ros doctor": ("docs/doctor.md", "\nros2 run rtgym_ros doctor"),
}


def blocks(language):
    return [code for kind, code in BLOCKS if kind == language]


@pytest.fixture
def robot(namespace, tmp_path, monkeypatch):
    """The drive that the README's contract is of; the README's files are in the working directory."""
    if "rtgym_ros/Contract-v0" not in gymnasium.registry:
        pytest.skip("rtgym_ros/Contract-v0 is not registered")
    from rtgym_ros.nodes.robot_process import RobotProcess

    (contract,) = blocks("yaml")
    (tmp_path / "robot.yaml").write_text(contract)
    monkeypatch.chdir(tmp_path)
    # As a command line sends the nodes of a program to the namespace of its robot.
    monkeypatch.setattr(sys, "argv", ["program", "--ros-args", "-r", f"__ns:={namespace}"])
    with RobotProcess("drive_node", namespace, ("seed:=7",)):
        yield namespace


def test_a_robot_of_ones_own(robot, capsys):
    program, _ = blocks("python")
    exec(program, {})
    assert re.search(r"\[[-\d. e+]+\] \[", capsys.readouterr().out)


def test_it_learns(robot, capsys):
    for module in ("stable_baselines3", "onnx", "onnxruntime"):
        pytest.importorskip(module)
    _, program = blocks("python")
    assert program.count("20_000") == 1
    exec(program.replace("20_000", "110"), {})  # ten of them are learned from
    command = ["fly", "robot.yaml", "--policy", "policy.onnx", "--namespace", robot]
    flown = subprocess.run(
        [sys.executable, "-m", "rtgym_ros.cli.main", *command], capture_output=True, text=True, timeout=100, check=False
    )
    assert flown.returncode == 0, flown.stderr
    assert re.search(r"^episode 1: \d+ time-steps", flown.stdout, re.MULTILINE), flown.stdout


def test_the_shell_that_learns_has_what_it_needs():
    """What ``./dev shell --learn`` installs, by the extras that it names in ``dev``; nothing else may be there."""
    setup = ConfigParser()
    setup.read(ROOT / "setup.cfg")
    (named,) = re.findall(r'shell:--learn\) extras="([\w ]+)"', (ROOT / "dev").read_text())
    extras, needed = named.split(), set()
    for extra in extras:  # which grows
        for requirement in re.split(r"[;\n]\s*", setup["options.extras_require"][extra]):
            own = re.fullmatch(r"rtgym_ros\[([\w,]+)\]", requirement)
            extras += [name for name in own[1].split(",") if name not in extras] if own else []
            needed |= set() if own else set(re.findall(r"^[\w-]+", requirement))
    assert {"stable-baselines3", "torch", "onnx", "onnxscript", "onnxruntime", "pyyaml", "jsonschema"} <= needed


def test_its_contract_is_one(tmp_path):
    reader = pytest.importorskip("rtgym_ros.contract.grammar.reader")
    (contract,) = blocks("yaml")
    (tmp_path / "robot.yaml").write_text(contract)
    assert reader.read_contract(tmp_path / "robot.yaml").robot == "diff_drive"


def test_every_command_is_tested_somewhere():
    commands = [line.split("  #")[0].strip() for code in blocks("bash") for line in code.splitlines() if line]
    assert set(commands) == set(TESTED)
    for command, (file, words) in TESTED.items():
        assert words in (ROOT / file).read_text(), command


def test_its_figures_are_published():
    published = (ROOT / "docs" / "benchmarks.md").read_text()
    rows = re.findall(r"^\| at (\d+) Hz[^|]*\| ([\d., ]+) \| ([\d., ]+) \|$", README, re.MULTILINE)
    assert len(rows) == 3
    for frequency, theirs, ours in rows:
        case = f"{1000 / int(frequency):g} ms, idle"
        for what, best, figure in zip(("p50", "p99"), theirs.split(", "), ours.split(", "), strict=True):
            row = rf"\| send jitter {what} \| {case} \| rtgym_ros-v1 \| {figure} \| rtgym-\w+ \| {best} \|"
            assert re.search(row, published), (frequency, what)


def test_it_is_short():
    assert len(README.splitlines()) <= 150
