"""Values read out of serialised bytes are those of the deserialised message, for every type, place and byte order."""

from types import SimpleNamespace

import numpy as np
import pytest
from ros_messages import deserializer, encode, layout, message_class, random_message, serialize

from rtgym_ros.contract.messages.field_path import FieldPathError
from rtgym_ros.contract.messages.field_reader import FieldReader
from rtgym_ros.contract.messages.layout import PRIMITIVES, ArrayType, Primitive, SequenceType, StructType, Text
from rtgym_ros.contract.messages.skipped import Reason

TYPES = [
    "diagnostic_msgs/DiagnosticArray", "geometry_msgs/PoseWithCovarianceStamped", "geometry_msgs/PoseArray",
    "geometry_msgs/PolygonStamped", "nav_msgs/Odometry", "nav_msgs/OccupancyGrid", "nav_msgs/Path",
    "sensor_msgs/BatteryState", "sensor_msgs/Image", "sensor_msgs/Imu", "sensor_msgs/JointState", "sensor_msgs/Joy",
    "sensor_msgs/LaserScan", "sensor_msgs/MultiDOFJointState", "sensor_msgs/NavSatFix", "sensor_msgs/PointCloud2",
    "std_msgs/Bool", "std_msgs/Byte", "std_msgs/Float64MultiArray", "std_msgs/Int8MultiArray", "std_msgs/String",
    "test_msgs/Arrays", "test_msgs/BasicTypes", "test_msgs/BoundedPlainSequences", "test_msgs/BoundedSequences",
    "test_msgs/Builtins", "test_msgs/Defaults", "test_msgs/MultiNested", "test_msgs/Nested", "test_msgs/Strings",
    "test_msgs/UnboundedSequences", "test_msgs/WStrings", "trajectory_msgs/JointTrajectory",
]  # fmt: skip


def paths(kind, message, prefix=""):
    """Yield the path of every number and string that ``message`` has."""
    match kind:
        case Primitive() | Text():
            yield prefix
        case StructType(fields=fields):
            for name, field in fields.items():
                yield from paths(field, getattr(message, name), f"{prefix}.{name}" if prefix else name)
        case ArrayType(element=element) | SequenceType(element=element):
            for index, value in enumerate(message):
                yield from paths(element, value, f"{prefix}[{index}]")


def agree(reader, message, *buffers):
    expected = reader.message_values(message)
    for buffer in buffers:
        np.testing.assert_equal(reader.values(buffer), expected)
    if not reader.has_text:
        for buffer in buffers:
            np.testing.assert_array_equal(reader.read(buffer), np.array(expected, float))


@pytest.mark.parametrize("name", TYPES)
def test_random_fields_of_random_messages(name):
    kind = layout(name)
    rng = np.random.default_rng(5)
    for _ in range(4):
        message = random_message(rng, kind)
        buffers = serialize(message), encode(message, kind, "<"), encode(message, kind, ">")
        every = list(paths(kind, message))
        for count in (1, 1, 1, 3, 12):
            chosen = [str(path) for path in rng.choice(every, min(count, len(every)), replace=False)] if every else []
            agree(
                FieldReader(kind, chosen, deserialize=deserializer(name)), message, *buffers[: 2 if "W" in name else 3]
            )


def test_a_message_of_every_number_at_once():
    kind = layout("test_msgs/MultiNested")
    message = random_message(np.random.default_rng(2), kind)
    every = list(paths(kind, message))
    assert len(every) > 1000
    agree(FieldReader(kind, every), message, serialize(message), encode(message, kind, ">"))


def test_a_field_behind_a_wide_string_needs_the_whole_message():
    kind = layout("test_msgs/WStrings")
    with pytest.raises(FieldPathError, match="wide string"):
        FieldReader(kind, ["wstring_value_default1"])


def test_other_encodings_are_left_to_the_middleware():
    kind = layout("geometry_msgs/PoseStamped")
    message = random_message(np.random.default_rng(3), kind)
    buffer = b"\0\7" + serialize(message)[2:]  # CDR2 aligns otherwise
    reader = FieldReader(kind, ["pose.position.x"], deserialize=lambda _: message)
    assert reader.values(buffer) == (message.pose.position.x,)
    reader = FieldReader(kind, ["pose.position.x"])
    assert reader.values(buffer) is None
    assert reader.skipped == {Reason.MALFORMED: 1}


def test_messages_and_arrays_stand_for_their_numbers():
    kind = layout("nav_msgs/Odometry")
    reader = FieldReader(kind, ["pose.pose", "twist.covariance", "pose.pose.position"])
    assert reader.size == 7 + 36 + 3
    assert [len(selection.leaves) for selection in reader.selections] == [7, 36, 3]
    message = random_message(np.random.default_rng(4), kind)
    agree(reader, message, serialize(message), encode(message, kind, ">"))


def joints(names, **values):
    message = message_class("sensor_msgs/JointState")(name=names)
    for field, numbers in values.items():
        setattr(message, field, numbers)
    return message


def test_joints_in_any_order():
    reader = FieldReader(layout("sensor_msgs/JointState"), ["position", "velocity"], names=["b", "a"], prefix="r_")
    first = joints(["r_a", "r_b"], position=[1.0, 2.0], velocity=[3.0, 4.0])
    other = joints(["r_b", "x", "r_a"], position=[5.0, 6.0, 7.0], velocity=[8.0, 9.0, 10.0])
    for message, expected in [
        (first, (2, 1, 4, 3)),
        (first, (2, 1, 4, 3)),
        (other, (5, 7, 8, 10)),
        (first, (2, 1, 4, 3)),
    ]:
        assert reader.values(serialize(message)) == expected
        assert reader.values(encode(message, layout("sensor_msgs/JointState"), ">")) == expected
        assert reader.message_values(message) == expected


def test_messages_of_another_publisher_are_skipped():
    reader = FieldReader(layout("sensor_msgs/JointState"), ["position"], names=["a", "b"])
    ours, gripper = joints(["a", "b"], position=[1.0, 2.0]), joints(["finger"], position=[9.0])
    for _ in range(3):
        assert reader.values(serialize(ours)) == (1, 2)
        assert reader.values(serialize(gripper)) is None
    assert reader.skipped == {Reason.NAMES: 3}


def test_a_joint_state_without_velocities_is_skipped():
    reader = FieldReader(layout("sensor_msgs/JointState"), ["velocity"], names=["a"])
    assert reader.values(serialize(joints(["a"], position=[1.0]))) is None
    assert reader.skipped == {Reason.TOO_SHORT: 1}


def test_joints_of_nested_sequences():
    trajectory = layout("trajectory_msgs/JointTrajectory")
    reader = FieldReader(trajectory, ["points[1].positions"], names=["b", "a"])
    point = message_class("trajectory_msgs/JointTrajectoryPoint")
    message = message_class("trajectory_msgs/JointTrajectory")(joint_names=["a", "b"])
    message.points = [point(positions=[1.0, 2.0]), point(positions=[3.0, 4.0], velocities=[5.0])]
    agree(reader, message, serialize(message), encode(message, trajectory, ">"))
    assert reader.values(serialize(message)) == (4, 3)
    states = layout("sensor_msgs/MultiDOFJointState")
    reader = FieldReader(states, ["wrench.force.x"], names=["b"])
    wrench = message_class("geometry_msgs/Wrench")
    message = message_class("sensor_msgs/MultiDOFJointState")(joint_names=["a", "b"], wrench=[wrench(), wrench()])
    message.wrench[1].force.x = 7.0
    assert reader.values(serialize(message)) == (7,)


def test_an_element_by_key():
    kind = layout("diagnostic_msgs/DiagnosticArray")
    status, pair = message_class("diagnostic_msgs/DiagnosticStatus"), message_class("diagnostic_msgs/KeyValue")
    message = message_class("diagnostic_msgs/DiagnosticArray")()
    message.status = [
        status(name="a.b", level=b"\1", message="one"),
        status(name="motor 2", level=b"\2", values=[pair(key="t", value="40")]),
        status(name="motor 2", level=b"\3"),
    ]
    reader = FieldReader(
        kind,
        [
            'status[name="motor 2"].level',
            "status[name=a.b].message",
            "status[0].level",
            "status[level=2].values[key=t].value",
        ],
    )
    agree(reader, message, serialize(message), encode(message, kind, ">"))
    assert reader.values(serialize(message)) == (2, "one", 1, "40")
    message.status.pop(0)
    assert reader.values(serialize(message)) is None
    assert reader.skipped == {Reason.NO_ELEMENT: 1}


def test_a_shorter_sequence_counts_as_not_having_come_and_a_longer_one_is_cut():
    scan = layout("sensor_msgs/LaserScan")
    reader = FieldReader(scan, ["ranges[0:5]"])
    message = message_class("sensor_msgs/LaserScan")(ranges=[1.0, 2.0, 3.0, 4.0])
    assert reader.read(serialize(message)) is None
    assert reader.skipped == {Reason.TOO_SHORT: 1}
    message.ranges = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]
    np.testing.assert_array_equal(reader.read(serialize(message)), [1, 2, 3, 4, 5])


def test_long_runs_between_other_values():
    kind = layout("sensor_msgs/LaserScan")
    message = random_message(np.random.default_rng(1), kind)
    message.ranges = [float(i) for i in range(100)]
    reader = FieldReader(kind, ["range_max", "ranges[10:60]", "angle_min", "ranges[3]"])
    agree(reader, message, serialize(message), encode(message, kind, ">"))


def test_a_sequence_as_a_whole():
    kind = layout("test_msgs/UnboundedSequences")
    rng = np.random.default_rng(8)
    reader = FieldReader(kind, ["float64_values", "bool_values", "uint16_values"], allow_whole=True)
    for _ in range(8):
        message = random_message(rng, kind)
        for order in "<>":
            doubles, booleans, shorts = reader.parts(encode(message, kind, order))
            assert doubles.tolist() == list(message.float64_values)
            assert booleans.tolist() == list(message.bool_values)
            assert shorts.tolist() == list(message.uint16_values)


@pytest.mark.parametrize("name", ["diagnostic_msgs/DiagnosticArray", "sensor_msgs/JointState", "test_msgs/MultiNested"])
def test_bytes_that_are_no_such_message(name):
    kind = layout(name)
    rng = np.random.default_rng(6)
    message = random_message(rng, kind)
    every = list(paths(kind, message))
    buffer = serialize(message)
    reader = FieldReader(kind, [every[-1]])
    for end in range(0, len(buffer) - 8, max(1, len(buffer) // 97)):
        assert reader.values(buffer[:end]) is None
    for _ in range(300):
        broken = bytearray(buffer)
        for place in rng.integers(4, min(len(buffer), 200), 3):
            broken[place] = rng.integers(256)
        reader.values(bytes(broken))  # anything may come out, at once and without an exception


@pytest.mark.parametrize(
    ("path", "message"),
    [
        (
            "pose.pose.positon.x",
            r"geometry_msgs/Pose has no field 'positon' \(did you mean 'position'\?\): it has position, orientation",
        ),
        ("pose.pose.position.x.y", "'y' stands behind a float64, which has no fields"),
        ("header", "'header.frame_id' is a string, not a number"),
        ("pose.covariance[36]", "'covariance' has elements 0 to 35, not 36"),
        ("pose.covariance[3:3]", "is empty"),
        ("pose.covariance[1,1]", "names an element twice"),
        ("pose.covariance[-1]", r"\[-1\] cannot be read"),
        ("pose..pose", "cannot be read from '.pose' on"),
        ("", "cannot be read from '' on"),
        ("pose.pose[0]", "'pose' is a geometry_msgs/Pose, of which there are no elements"),
        ("pose.covariance.x", r"needs a subscript: \[0\], \[0:6\]"),
        ("header.frame_id[0]", "of which there are no elements"),
    ],
)
def test_a_wrong_path_names_the_fields_that_there_are(path, message):
    with pytest.raises(FieldPathError, match=message):
        FieldReader(layout("nav_msgs/Odometry"), [path])


@pytest.mark.parametrize(
    ("name", "fields", "names", "message"),
    [
        ("sensor_msgs/LaserScan", ["ranges"], None, r"length each message tells: say which part, \[0:N\]"),
        ("sensor_msgs/LaserScan", ["ranges[2:]"], None, r"say where the slice ends, \[2:N\]"),
        ("nav_msgs/Odometry", ["pose.covariance"], ["a"], "`names` needs a message with a field `name`"),
        ("sensor_msgs/JointState", ["header.stamp.sec"], ["a"], "no sequence with an element for each of `names`"),
        ("nav_msgs/Path", ["poses[pose.position.x=1].pose"], None, "a string or an integer can be compared"),
        ("nav_msgs/Path", ["poses[nam=1].pose"], None, "geometry_msgs/PoseStamped has no field 'nam'"),
    ],
)
def test_wrong_selections(name, fields, names, message):
    with pytest.raises(FieldPathError, match=message):
        FieldReader(layout(name), fields, names)


def test_names_behind_the_values():
    kind = StructType("x/Names", {"q": SequenceType(PRIMITIVES["double"]), "name": SequenceType(Text())}, None)
    message = SimpleNamespace(q=[1.0, 2.0, 3.0], name=["a", "bb", "c"])
    reader = FieldReader(kind, ["q"], names=["c", "bb"])
    for order in "<>":
        assert reader.values(encode(message, kind, order)) == (3, 2)
    message.name.pop()
    assert reader.values(encode(message, kind, ">")) is None


@pytest.mark.parametrize("field", ["float64", "int8", "int16"])
def test_elements_that_are_not_aligned_alike(field):
    """A message of 9 bytes begins each time elsewhere."""
    element = StructType(
        "x/E", {"a": PRIMITIVES["octet"], "b": PRIMITIVES[{"float64": "double"}.get(field, field)]}, None
    )
    kind = StructType("x/M", {"t": Text(), "e": SequenceType(element), "end": PRIMITIVES["int16"]}, None)
    for text in ("", "abc", "abcdefg"):
        for count in range(5):
            elements = [SimpleNamespace(a=bytes([i]), b=i + 1) for i in range(count)]
            message = SimpleNamespace(t=text, e=elements, end=-5)
            for order in "<>":
                assert FieldReader(kind, ["end"]).values(encode(message, kind, order)) == (-5,)
                if count:
                    reader = FieldReader(kind, ["e[0].b", f"e[{count - 1}].a", "end"])
                    assert reader.values(encode(message, kind, order)) == (1, count - 1, -5)
