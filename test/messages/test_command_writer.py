"""What is written into commands arrives in the serialised message."""

import math
import zlib

import numpy as np
import pytest
from ros_messages import deserializer, layout, serialize

from rtgym_ros.contract.messages.command_message import Written
from rtgym_ros.contract.messages.command_writer import CommandWriter
from rtgym_ros.contract.messages.field_path import FieldPathError
from rtgym_ros.contract.messages.field_reader import FieldReader
from rtgym_ros.contract.messages.fitting import FillError
from rtgym_ros.contract.records.topic import Stamp

STAMP_NS = 1_764_000_000_123_456_789


def writer(name, fields, names=None, prefix="", **how):
    return CommandWriter(layout(name), [Written(fields, names, prefix)], **how)


def sent(name, writer, values=()):
    """Return a command as it arrives."""
    return deserializer(name)(serialize(writer.write(np.array(values, float), STAMP_NS)))


def test_values_constants_and_stamp():
    name = "geometry_msgs/TwistStamped"
    command = writer(
        name, ["twist.linear.x", "twist.angular.z"], fill={"header.frame_id": "base_link", "twist.linear.y": 2}
    )
    for values in (0.5, -1.0), (0.25, 1.0):
        message = sent(name, command, values)
        assert (message.twist.linear.x, message.twist.angular.z) == values
        assert message.twist.linear.y == 2
        assert message.header.frame_id == "base_link"
        assert (message.header.stamp.sec, message.header.stamp.nanosec) == divmod(STAMP_NS, 10**9)


@pytest.mark.parametrize(
    ("name", "fields"),
    [
        ("std_msgs/Float64MultiArray", ["data[0:6]"]),
        ("std_msgs/Int16MultiArray", ["data[2,0,1]"]),
        ("std_msgs/ByteMultiArray", ["data[0:2]"]),
        ("test_msgs/Arrays", ["float32_values", "uint8_values[1]", "bool_values[0:2]", "byte_values"]),
        (
            "test_msgs/UnboundedSequences",
            ["basic_types_values[1].float64_value", "int64_values[0:2]", "bool_values[1]"],
        ),
        ("test_msgs/MultiNested", ["unbounded_sequence_of_unbounded_sequences[1].float32_values[0:3]"]),
        ("trajectory_msgs/JointTrajectory", ["points[0].positions[0:2]", "points[1].velocities[0:2]"]),
        ("geometry_msgs/PoseStamped", ["pose"]),
    ],
)
def test_what_is_written_is_read(name, fields):
    command = writer(name, fields)
    reader = FieldReader(layout(name), fields)
    assert command.size == reader.size
    values = tuple(i % 2 for i in range(reader.size))
    assert reader.values(serialize(command.write(values, STAMP_NS))) == values


def test_integers_are_rounded():
    command = writer("std_msgs/Int8", ["data"])
    assert [sent("std_msgs/Int8", command, [value]).data for value in (0.4, 0.6, -1.6)] == [0, 1, -2]


def test_joints():
    name = "trajectory_msgs/JointTrajectory"
    command = writer(name, ["points[0].positions"], ["b", "a"], "arm_", fill={"points[0].time_from_start.sec": 1})
    message = sent(name, command, [2.0, 1.0])
    assert message.joint_names == ["arm_b", "arm_a"]
    assert message.points[0].positions.tolist() == [2, 1]
    assert message.points[0].time_from_start.sec == 1


def test_parts_that_share_a_command():
    name = "sensor_msgs/JointState"
    arm = Written(["position"], ["a", "b"])
    gripper = Written(["position", "effort"], ["g"])
    message = sent(name, CommandWriter(layout(name), [arm, gripper]), [1, 2, 3, 4])
    assert message.name == ["a", "b", "g"]
    assert message.position.tolist() == [1, 2, 3]
    assert message.effort.tolist() == [0, 0, 4]


def test_constants():
    name = "test_msgs/Arrays"
    command = writer(
        name,
        ["float32_values[0]"],
        fill={
            "float32_values": math.nan,
            "uint8_values": (1, 0xFF, 3),
            "string_values[1]": "on",
            "bool_values": True,
            "byte_values[2]": 7,
            "basic_types_values[0]": 1,
        },
    )
    message = sent(name, command, [0.5])
    assert message.float32_values[0] == 0.5
    assert np.isnan(message.float32_values[1:]).all()
    assert message.uint8_values.tolist() == [1, 255, 3]
    assert message.string_values == ["", "on", ""]
    assert message.bool_values == [True, True, True]
    assert message.byte_values[2] == b"\7"
    assert message.basic_types_values[0].float64_value == 1


def test_constants_by_name():
    name = "sensor_msgs/BatteryState"
    command = writer(
        name, ["voltage"], fill={"power_supply_status": "POWER_SUPPLY_STATUS_FULL", "cell_voltage": (1.0, 2.0)}
    )
    message = sent(name, command, [12.0])
    assert message.power_supply_status == message.POWER_SUPPLY_STATUS_FULL
    assert message.cell_voltage.tolist() == [1, 2]


def test_a_sequence_gets_the_length_that_fields_and_fill_reach():
    name = "test_msgs/UnboundedSequences"
    command = writer(name, ["float64_values[1]"], fill={"float64_values[3]": 9, "basic_types_values[1].int8_value": -1})
    message = sent(name, command, [5.0])
    assert message.float64_values.tolist() == [0, 5, 0, 9]
    assert [element.int8_value for element in message.basic_types_values] == [0, -1]
    command = writer(name, ["float64_values[0:3]"], fill={"float64_values": math.nan})
    assert sent(name, command, [1, 2, 3]).float64_values.tolist() == [1, 2, 3]


def test_what_the_task_gives():
    name = "geometry_msgs/PoseStamped"
    command = writer(name, ["pose.position.x"], fill={"pose.orientation": "task.goal", "header.frame_id": "map"})
    command.set_task_values({"goal": [0, 0, 1, 0]})
    assert sent(name, command, [3.0]).pose.orientation.z == 1
    with pytest.raises(FillError, match=r"the task gives no 'goal' .did you mean 'goals'"):
        command.set_task_values({"goals": 1})
    with pytest.raises(FillError, match=r"task\.goal: 3 values for 4"):
        command.set_task_values({"goal": [1, 2, 3]})


@pytest.mark.parametrize(
    ("field", "unit", "expected"),
    [
        ("uint64_value", "us", STAMP_NS // 1000),
        ("uint32_value", "ms", STAMP_NS // 10**6 % 2**32),
        ("int32_value", "us", (STAMP_NS // 1000 + 2**31) % 2**32 - 2**31),
        ("int64_value", "ns", STAMP_NS),
        ("float64_value", "s", STAMP_NS / 1e9),
    ],
)
def test_stamps_that_are_numbers(field, unit, expected):
    command = writer("test_msgs/BasicTypes", ["int8_value"], stamp=Stamp(field=field, unit=unit))
    assert getattr(sent("test_msgs/BasicTypes", command, [1]), field) == expected


def test_a_stamp_that_is_an_element():
    stamp = Stamp(field="uint64_values[1]", unit="us")
    command = writer("test_msgs/Arrays", ["float64_values[0:3]"], fill={"float32_values": math.nan}, stamp=stamp)
    message = sent("test_msgs/Arrays", command, [1, 2, 3])
    assert message.uint64_values.tolist()[1] == STAMP_NS // 1000
    assert message.uint64_values.tolist()[2] != STAMP_NS // 1000
    sequence = writer("test_msgs/UnboundedSequences", [], stamp=Stamp(field="int64_values[1]", unit="ns"))
    assert sent("test_msgs/UnboundedSequences", sequence, []).int64_values.tolist() == [0, STAMP_NS]


def test_no_stamp():
    command = writer("geometry_msgs/TwistStamped", ["twist.linear.x"], stamp=Stamp(field="none"))
    assert sent("geometry_msgs/TwistStamped", command, [1]).header.stamp.sec == 0


def test_the_checksum_comes_last_and_anew():
    def checksum(message):
        message.uint32_value = zlib.crc32(bytes([message.int8_value % 256]) + message.int64_value.to_bytes(8, "little"))

    command = writer(
        "test_msgs/BasicTypes", ["int8_value"], stamp=Stamp(field="int64_value", unit="ns"), checksum=checksum
    )
    for value in (1, -2):
        expected = zlib.crc32(bytes([value % 256]) + STAMP_NS.to_bytes(8, "little"))
        assert sent("test_msgs/BasicTypes", command, [value]).uint32_value == expected


@pytest.mark.parametrize(
    ("fill", "message"),
    [
        ({"uint8_value": 256}, r"fill.uint8_value: 256 does not fit a uint8; allowed: whole numbers from 0 to 255"),
        ({"uint8_value": 1.5}, "1.5 does not fit a uint8"),
        ({"int8_value": math.nan}, "nan does not fit a int8"),
        ({"float32_value": 1e39}, "does not fit a float32"),
        ({"uint8_value": "MODE"}, "'MODE' is no constant of the message; allowed: a number, or none"),
        ({"uint8_value": (1, 2)}, "2 values for 1; allowed: one, or one each"),
        ({"bool_value": 2}, "2 does not fit a bool"),
    ],
)
def test_constants_that_do_not_fit(fill, message):
    with pytest.raises(FillError, match=message):
        writer("test_msgs/BasicTypes", ["int32_value"], fill=fill)


@pytest.mark.parametrize(
    ("name", "fields", "how", "error", "message"),
    [
        ("std_msgs/String", ["data"], {}, FieldPathError, "it is a string, which an action cannot be"),
        ("std_msgs/String", [], {"fill": {"data": 5}}, FillError, "5 does not fit a string; allowed: text, in quotes"),
        ("std_msgs/Float64MultiArray", ["data"], {}, FieldPathError, r"say which part, \[0:N\]"),
        ("std_msgs/Float64MultiArray", [], {"fill": {"data": 1}}, FillError, "one value for a sequence of no length"),
        ("nav_msgs/Path", ["poses[a=1].x"], {}, FieldPathError, "which a command has none of: give its number"),
        (
            "std_msgs/Int8",
            ["data"],
            {"stamp": Stamp(field="data")},
            FieldPathError,
            "needs `unit`; allowed: s, ms, us, ns",
        ),
        (
            "std_msgs/Int8",
            ["data"],
            {"stamp": Stamp(field="dat")},
            FieldPathError,
            "no field 'dat' .did you mean 'data'",
        ),
        ("std_msgs/Bool", [], {"stamp": Stamp(field="data")}, FieldPathError, "a Time, or a number with `unit`"),
        (
            "test_msgs/Arrays",
            [],
            {"stamp": Stamp(field="uint64_values[0:2]", unit="us")},
            FieldPathError,
            "it selects more than one; allowed: one Time, or one number",
        ),
        ("std_msgs/Float64MultiArray", ["data"], {"names": ["a"]}, FieldPathError, "has none"),
    ],
)
def test_commands_that_cannot_be_made(name, fields, how, error, message):
    with pytest.raises(error, match=message):
        writer(name, fields, **how)


def test_bounds_that_do_not_fit():
    command = writer("std_msgs/UInt8", ["data"])
    command.check_bounds([0], [255])
    with pytest.raises(FillError, match=r"low of data: -1\.0 does not fit a uint8"):
        command.check_bounds([-1], [1])
