from pathlib import Path

import pytest
import yaml

from rtgym_ros.core.errors import ConfigError
from rtgym_ros.nodes.arm_node import ArmNode
from rtgym_ros.nodes.drive_node import DriveNode
from rtgym_ros.nodes.drone_node import DroneNode
from rtgym_ros.ros.parameters import Bounded, Flag, Text, declare
from rtgym_ros.ros.session import RosSession

SPEED = Bounded("speed", 1.0, 0.0, 2.0, "speed (m/s)")
COUNT = Bounded("count", 3, 0, 9, "how many")
FILE = Text("file", "", "where to")
GOES = Flag("goes", False, "whether it goes")


def values_of(*ros_args):
    session = RosSession("configured", arguments=["program", "--ros-args", *ros_args])
    try:
        return declare(session.node, (SPEED, COUNT, FILE, GOES))
    finally:
        session.close()


def test_defaults_and_overrides():
    assert values_of() == {"speed": 1.0, "count": 3, "file": "", "goes": False}
    given = ("speed:=2.0", "count:=9", "file:=a.txt", "goes:=true")
    overrides = [argument for override in given for argument in ("-p", override)]
    assert values_of(*overrides) == {"speed": 2.0, "count": 9, "file": "a.txt", "goes": True}


def test_use_sim_time_is_known():
    assert values_of("-p", "use_sim_time:=true")["count"] == 3


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("speed:=2.5", r"'speed' of node /configured must be a decimal number in \[0.0, 2.0\], got 2.5"),
        ("count:=10", r"'count' of node /configured must be an integer in \[0, 9\], got 10"),
        ("speed:=fast", r"'speed' .* got 'fast'"),
        ("file:=7", r"'file' of node /configured must be a text, got 7"),
        ("goes:=1", r"'goes' of node /configured must be true or false, got 1"),
        ("sped:=1.0", r"node /configured has no parameter 'sped' \(did you mean 'speed'\?\)"),
    ],
)
def test_bad_overrides_are_named(override, message):
    with pytest.raises(ConfigError, match=message) as error:
        values_of("-p", override)
    assert "\n" not in str(error.value)


def test_a_file_that_is_not_yaml_is_one_line(tmp_path):
    file = tmp_path / "bad.yaml"
    file.write_text("a: [1,\n  b: }")
    with pytest.raises(ConfigError, match=r"bad\.yaml") as error:
        values_of("--params-file", str(file))
    assert "\n" not in str(error.value)


def test_parameters_cannot_be_changed_in_flight():
    session = RosSession("configured", arguments=["program"])
    try:
        declare(session.node, (SPEED,))
        descriptor = session.node.describe_parameter("speed")
        assert descriptor.read_only
        assert descriptor.description == "speed (m/s)"
    finally:
        session.close()


@pytest.mark.parametrize(("robot", "node"), [("drone", DroneNode), ("drive", DriveNode), ("arm", ArmNode)])
def test_the_file_holds_the_defaults(robot, node):
    file = Path(__file__).parents[2] / "config" / f"{robot}.yaml"
    stated = yaml.safe_load(file.read_text())[f"/**/{robot}"]["ros__parameters"]
    defaults = {parameter.name: parameter.default for parameter in node.parameters}
    assert stated == pytest.approx(defaults)


@pytest.mark.parametrize(
    "override", ["learning_rate:=0.1", "qos_overrides./clock.subscription.depth:=3", "robot_description:=urdf"]
)
def test_what_is_set_on_all_nodes_of_the_process_may_be_for_another(override):
    arguments = ["program", "--ros-args", "-p", override]
    session = RosSession("configured", arguments=arguments)
    try:
        assert declare(session.node, (SPEED,), arguments=arguments) == {"speed": 1.0}
    finally:
        session.close()


def test_a_launch_files_set_parameter_is_accepted_and_a_section_of_this_node_is_not(tmp_path):
    file = tmp_path / "parameters.yaml"
    file.write_text("/**:\n  ros__parameters:\n    robot: {name: anna}\n    use_sim_time: false\n")
    arguments = ["program", "--ros-args", "--params-file", str(file)]
    session = RosSession("configured", arguments=arguments)
    try:
        declare(session.node, (SPEED,), arguments=arguments)
        file.write_text(file.read_text().replace("/**", "/configured"))
    finally:
        session.close()
    session = RosSession("configured", arguments=arguments)
    try:
        with pytest.raises(ConfigError, match=r"node /configured has no parameter 'robot\.name'"):
            declare(session.node, (SPEED,), arguments=arguments)
    finally:
        session.close()


def test_parameters_are_declared_in_several_steps():
    arguments = ["program", "--ros-args", "-p", "configured:count:=4", "-p", "configured:spede:=2.0"]
    session = RosSession("configured", arguments=arguments)
    try:
        assert declare(session.node, (SPEED,), complete=False) == {"speed": 1.0}
        with pytest.raises(ConfigError, match=r"no parameter 'spede' \(did you mean 'speed'\?\)"):
            declare(session.node, (COUNT,), arguments=arguments)
        assert declare(session.node, (COUNT,), complete=False) == {"count": 4}  # again, as another environment does
    finally:
        session.close()
