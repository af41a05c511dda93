"""What the README says is run."""

import re
import sys
from pathlib import Path

import pytest

README = (Path(__file__).parents[2] / "README.md").read_text()
BLOCKS = re.findall(r"^```python\n(.*?)^```", README, re.MULTILINE | re.DOTALL)


@pytest.fixture
def arguments(drone, namespace, monkeypatch):
    """Send the nodes of a program to the namespace of the drone, as a command line would."""
    monkeypatch.setattr(sys, "argv", ["program", "--ros-args", "-r", f"__ns:={namespace}"])


def test_the_drone_flies(arguments, capsys):
    exec(BLOCKS[0], {})
    assert re.search(r"observed \d+ ms ago", capsys.readouterr().out)


def test_a_robot_of_ones_own(arguments):
    names = {}
    exec(BLOCKS[1], names)
    with names["env"] as env:
        env.reset()
        for _ in range(3):
            observation, *_ = env.step(env.action_space.sample())
    assert observation in env.observation_space


def test_both_blocks_are_tested():
    assert len(BLOCKS) == 2


def test_the_tables_of_parameters_are_complete():
    from rtgym_ros.nodes.drone_node import DroneNode
    from rtgym_ros.ros import ros_interface
    from rtgym_ros.ros.parameters import Bounded

    for parameter in (*DroneNode.parameters, *ros_interface.PARAMETERS):
        if not isinstance(parameter, Bounded):
            continue
        assert f"`{parameter.name}`" in README
        (row,) = (line for line in README.splitlines() if line.startswith("| `") and f"`{parameter.name}`" in line)
        assert f"{parameter.default}" in row
        assert f"{parameter.low:g} to " in row
