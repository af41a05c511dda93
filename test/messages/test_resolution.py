"""Contracts against real message types: the examples fit, and what does not is named with file, line and key."""

from pathlib import Path

import numpy as np
import pytest
from ros_messages import layout, message_class, serialize
from std_srvs.srv import SetBool

from rtgym_ros.contract.grammar.reader import parse_contract, read_contract
from rtgym_ros.contract.grammar.source import ContractError, Source
from rtgym_ros.contract.messages.layout import layout_of
from rtgym_ros.contract.records.gate import Condition
from rtgym_ros.contract.resolution.commands import check_first_from, resolve_command
from rtgym_ros.contract.resolution.messages import resolve_condition, resolve_constants
from rtgym_ros.contract.resolution.observations import resolve_observation

EXAMPLES = sorted((Path(__file__).parents[2] / "config" / "contracts").glob("*.yaml"))
TEXT = """contract: 1
robot: drive
action:
  velocity:
    topic: cmd_vel
    type: geometry_msgs/msg/TwistStamped
    fields: [twist.linear.x, twist.angular.z]
    low: [-0.2, -2]
    high: [0.2, 2]
    agent_range: [-1.0, 1.0]
    default: 0.0
    quantity: velocity
    limits: {max_acceleration: [2, 4]}
    fill: {header.frame_id: base_link}
observation:
  pose:
    topic: odom
    type: nav_msgs/msg/Odometry
    fields: [pose.pose.position.x, pose.pose.orientation]
    convert: [{quaternion: yaw}]
    low: [-10, -3.15]
    high: [10, 3.15]
"""


def of_type(part):
    return layout(part.type.replace("/msg/", "/"))


@pytest.mark.parametrize("file", EXAMPLES, ids=lambda file: file.stem)
def test_the_examples_fit_their_message_types(file):
    contract = read_contract(file)
    observations = {
        name: resolve_observation(contract, name, of_type(part)) for name, part in contract.observation.items()
    }
    for name, observation in observations.items():
        # A robot that has just come up may publish anything; bytes of a default message are read, or counted.
        reader = observation.reader
        values = reader.read(serialize(message_class(contract.observation[name].type.replace("/msg/", "/"))()))
        assert (values is None) == bool(reader.skipped)
    for name, part in contract.action.items():
        command = resolve_command(contract, [name], of_type(part), 0.05)
        if part.first_from is not None:
            check_first_from(contract, name, command.parts[name], observations[part.first_from])
        values = command.parts[name].next(0.05)
        assert serialize(command.writer.write(values, 1))
    for name, gate in contract.gates.items():
        resolve_condition(contract.source, ("gates", name), gate, of_type(gate))


def test_from_the_agent_to_the_message_and_back():
    command = resolve_command(parse_contract(TEXT), ["velocity"], layout("geometry_msgs/TwistStamped"), 0.05)
    part = command.parts["velocity"]
    part.aim(np.array([1.0, -1.0]))
    message = command.writer.write(part.next(0.05), 3_000_000_004)
    assert message.twist.linear.x == pytest.approx(0.1)
    assert message.twist.angular.z == pytest.approx(-0.2)
    assert (message.header.frame_id, message.header.stamp.sec, message.header.stamp.nanosec) == ("base_link", 3, 4)
    np.testing.assert_allclose(part.executed, [0.5, -0.1])
    assert command.safe_writer is command.writer


def test_safe_with_other_constants():
    text = TEXT.replace("    default: 0.0", "    default: 0.0\n    safe: {fill: {twist.linear.z: -1}}")
    command = resolve_command(parse_contract(text), ["velocity"], layout("geometry_msgs/TwistStamped"), 0.05)
    part = command.parts["velocity"]
    part.aim(np.array([1.0, 0.0]))
    last = part.next(0.05)
    message = command.safe_writer.write(part.next_safe(0.05), 0)
    assert (message.twist.linear.x, message.twist.linear.z) == (last[0], -1)
    assert message.header.frame_id == "base_link"


def resolve(text):
    contract = parse_contract(text, "robot.yaml")
    resolve_observation(contract, "pose", layout("nav_msgs/Odometry"))
    resolve_command(contract, ["velocity"], layout("geometry_msgs/TwistStamped"), 0.05)


@pytest.mark.parametrize(
    ("old", "new", "line", "key", "message"),
    [
        ("position.x, pose", "positon.x, pose", 19, "observation.pose.fields[0]", "did you mean 'position'"),
        (
            "pose.pose.orientation]",
            "pose.pose.orientatio]",
            19,
            "observation.pose.fields[1]",
            "it has position, orientation",
        ),
        ("[{quaternion: yaw}]", "[{quaternion: rpy}]", 21, "observation.pose.low", "2 numbers for 4 values"),
        (
            "    high: [10, 3.15]",
            "    high: [1, 2]\n    stamp: pose",
            23,
            "observation.pose.stamp",
            "allowed: one Time",
        ),
        (
            "[{quaternion: yaw}]",
            "[{scale: [1, 2]}]",
            20,
            "observation.pose.convert[0].scale",
            "2 numbers for 5 values",
        ),
        (
            "linear.x, twist",
            "linear.q, twist",
            7,
            "action.velocity.fields[0]",
            "geometry_msgs/Vector3 has no field 'q'",
        ),
        (
            "header.frame_id: base_link",
            "header.frame_id: 5",
            14,
            "action.velocity.fill.header.frame_id",
            "5 does not fit",
        ),
        (
            "fields: [twist.linear.x, twist.angular.z]",
            "fields: [twist.linear]",
            8,
            "action.velocity.low",
            "2 numbers for 3",
        ),
    ],
)
def test_what_does_not_fit_has_its_line(old, new, line, key, message):
    assert old in TEXT
    with pytest.raises(ContractError, match=message) as raised:
        resolve(TEXT.replace(old, new))
    assert str(raised.value).startswith(f"robot.yaml:{line}: {key}: ")
    assert "\n" not in str(raised.value)


def test_first_from_of_another_number():
    contract = parse_contract(TEXT.replace("    limits:", "    first_from: pose\n    limits:"))
    observation = resolve_observation(contract, "pose", layout("nav_msgs/Odometry"))
    command = resolve_command(contract, ["velocity"], layout("geometry_msgs/TwistStamped"), 0.05)
    with pytest.raises(ContractError, match="pose has 5 values before convert, and the command 2"):
        check_first_from(contract, "velocity", command.parts["velocity"], observation)


def test_a_condition_with_a_constant_by_name():
    battery = message_class("sensor_msgs/BatteryState")
    condition = Condition(topic="battery", field="power_supply_status", equals="POWER_SUPPLY_STATUS_FULL")
    resolved = resolve_condition(Source("f"), ("gates", "full"), condition, layout("sensor_msgs/BatteryState"))
    assert resolved.condition.equals == battery.POWER_SUPPLY_STATUS_FULL
    assert resolved.value(serialize(battery(power_supply_status=4))) == 4
    for field, message in ("header", "allowed: one|is a string"), ("voltag", "did you mean 'voltage'"):
        wrong = Condition(topic="battery", field=field, equals=1)
        with pytest.raises(ContractError, match=message):
            resolve_condition(Source("f"), ("gates", "full"), wrong, layout("sensor_msgs/BatteryState"))


def test_a_request_of_a_service():
    kind = layout_of(SetBool.Request, message_class)
    assert resolve_constants(Source("f"), ("start", 0), kind, {"data": True}).write([], 0).data is True
    with pytest.raises(
        ContractError, match=r"f:1: start\[0\].fill.dat: field path 'dat': std_srvs/SetBool_Request has no"
    ):
        resolve_constants(Source("f"), ("start", 0), kind, {"dat": True})
