"""Parts of the observation, and their stamps, out of serialised messages."""

import math

import numpy as np
import pytest
from ros_messages import encode, layout, message_class, serialize

from rtgym_ros.contract.conversions.converter import ConversionError
from rtgym_ros.contract.messages.field_path import FieldPathError
from rtgym_ros.contract.messages.skipped import Reason
from rtgym_ros.contract.messages.stamp_reader import StampReader
from rtgym_ros.contract.observations.part_reader import PartReader
from rtgym_ros.contract.records import conversion as records
from rtgym_ros.contract.records.observation_part import ObservationPart
from rtgym_ros.contract.records.topic import Stamp


def part(name, **entries):
    return PartReader(ObservationPart(name="part", topic="t", **entries), layout(name))


def test_a_pose_of_odometry():
    reader = part(
        "nav_msgs/Odometry",
        fields=("pose.pose.position.x", "pose.pose.position.y", "pose.pose.orientation"),
        convert=(records.Quaternion(quaternion=records.QuaternionForm(to="yaw")),),
    )
    message = message_class("nav_msgs/Odometry")()
    message.pose.pose.position.x, message.pose.pose.orientation.z = 1.5, 1.0
    message.pose.pose.orientation.w = 1.0
    values = reader.read(serialize(message))
    np.testing.assert_allclose(values, [1.5, 0, math.pi / 2], rtol=1e-6)
    assert values.dtype == np.float32
    assert reader.shape == (3,)


def test_what_is_refused_is_counted_with_what_is_skipped():
    reader = part(
        "sensor_msgs/JointState",
        fields=("position",),
        names=("a", "b"),
        convert=(records.Nan(nan="refuse"),),
        dtype="float64",
    )
    states = message_class("sensor_msgs/JointState")
    assert reader.read(serialize(states(name=["b", "a"], position=[2.0, 1.0]))).tolist() == [1, 2]
    assert reader.read(serialize(states(name=["b", "a"], position=[2.0, math.nan]))) is None
    assert reader.read(serialize(states(name=["c"], position=[2.0]))) is None
    assert reader.skipped == {Reason.VALUE: 1, Reason.NAMES: 1}


def test_a_scan_without_fields():
    reader = part("sensor_msgs/LaserScan", convert=(records.Ranges(ranges=records.RangesForm(beams=2, max=5.0)),))
    message = message_class("sensor_msgs/LaserScan")(ranges=[1.0, 2.0, math.inf, 9.0])
    assert reader.read(serialize(message)).tolist() == [1, 5]


def test_an_image_without_fields():
    reader = part("sensor_msgs/Image", convert=(records.Image(image=records.ImageForm(grey=True)),), dtype="uint8")
    message = message_class("sensor_msgs/Image")(height=2, width=2, encoding="mono8", step=2, data=[1, 2, 3, 4])
    buffer = serialize(message)
    values = reader.read(buffer)
    assert values[:, :, 0].tolist() == [[1, 2], [3, 4]]
    assert np.shares_memory(values, np.frombuffer(buffer, np.uint8))
    with pytest.raises(ConversionError, match="an image stands alone"):
        part("sensor_msgs/Image", convert=(records.Image(image=records.ImageForm()), records.Scale(scale=1.0)))


def test_text():
    reader = part("std_msgs/String", fields=("data",), convert=(records.MapConversion(map={"IDLE": 0.0, "FLY": 1.0}),))
    assert reader.read(serialize(message_class("std_msgs/String")(data="FLY"))).tolist() == [1]
    assert reader.read(serialize(message_class("std_msgs/String")(data="?"))) is None


def test_the_stamp_of_the_header():
    reader = StampReader(layout("sensor_msgs/JointState"))
    message = message_class("sensor_msgs/JointState")(name=["a"])
    assert reader.read_ns(serialize(message)) is None  # nobody has set it
    message.header.stamp.sec, message.header.stamp.nanosec = 1_764_000_000, 123_456_789
    assert reader.read_ns(serialize(message)) == 1_764_000_000_123_456_789
    assert reader.read_ns(encode(message, layout("sensor_msgs/JointState"), ">")) == 1_764_000_000_123_456_789


@pytest.mark.parametrize(
    ("field", "unit", "value", "expected"),
    [
        ("uint64_value", "us", 2**60, 2**60 * 1000),
        ("uint32_value", "ms", 5, 5_000_000),
        ("float64_value", "s", 1.5, 1_500_000_000),
    ],
)
def test_stamps_that_are_numbers(field, unit, value, expected):
    reader = StampReader(layout("test_msgs/BasicTypes"), Stamp(field=field, unit=unit, bits=32))
    message = message_class("test_msgs/BasicTypes")(**{field: value})
    assert reader.read_ns(serialize(message)) == expected
    assert reader.wraps_ns == 2**32 * {"us": 1000, "ms": 10**6, "s": 10**9}[unit]


def test_messages_without_a_stamp():
    for reader in (
        StampReader(layout("std_msgs/Bool")),
        StampReader(layout("nav_msgs/Odometry"), Stamp(field="received")),
    ):
        assert not reader.has_stamp
        assert reader.read_ns(b"") is None
    with pytest.raises(FieldPathError, match="needs `unit`"):
        StampReader(layout("std_msgs/Int8"), Stamp(field="data"))
