"""Each conversion on values of real serialised messages, and back where it can be inverted."""

import math
from functools import reduce

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from ros_messages import layout, message_class, serialize

from rtgym_ros.contract.conversions.chain import ConversionChain
from rtgym_ros.contract.conversions.converter import ConversionError
from rtgym_ros.contract.messages.field_reader import FieldReader
from rtgym_ros.contract.messages.skipped import Reason, SkippedMessage
from rtgym_ros.contract.records import conversion as records

PI = math.pi
NUMBERS = st.floats(-1e6, 1e6)


def chain(name, fields, *convert, whole=False, load=None):
    kind = layout(name)
    reader = FieldReader(kind, fields, allow_whole=whole)
    chain = ConversionChain(kind, reader.selections, convert, load)

    def convert(message):
        buffer = serialize(message)
        return chain.forward(np.array(reader.values(buffer), object) if reader.has_text else reader.read(buffer))

    convert.chain = chain
    return convert


def vector(x, y, z):
    return message_class("geometry_msgs/Vector3")(x=float(x), y=float(y), z=float(z))


FIELDS = ["x", "y", "z"]


@pytest.mark.parametrize(
    ("convert", "value", "expected"),
    [
        (records.Scale(scale=2.0), (1, -2, 3), (2, -4, 6)),
        (records.Scale(scale=(1.0, -1.0, 0.5)), (1, 2, 4), (1, -2, 2)),
        (records.Scale(scale=10.0, of=("z",)), (1, 2, 3), (1, 2, 30)),
        (records.Scale(scale=(10.0, 100.0), of=("z", "x")), (1, 2, 3), (100, 2, 30)),
        (records.Offset(offset=(1.0, 2.0, 3.0)), (1, 1, 1), (2, 3, 4)),
        (records.Axes(axes=("y", "x", "-z")), (1, 2, 3), (2, 1, -3)),
        (records.Axes(axes=("-z", "x", "y")), (1, 2, 3), (-3, 1, 2)),
    ],
)
def test_there_and_back(convert, value, expected):
    converted = chain("geometry_msgs/Vector3", FIELDS, convert)
    agent = converted(vector(*value))
    np.testing.assert_array_equal(agent, expected)
    np.testing.assert_allclose(converted.chain.inverse(agent), value, rtol=1e-15)


@pytest.mark.parametrize(
    ("convert", "value", "expected"),
    [
        (records.Clip(clip=(-1.0, (1.0, 2.0, 3.0))), (-5, 5, 5), (-1, 2, 3)),
        (records.Clip(clip=(-1.0, 1.0)), (np.nan, 5, 0), (np.nan, 1, 0)),
        (records.Wrap(wrap=PI), (PI, -PI, 3 * PI + 0.5), (-PI, -PI, 0.5 - PI)),
        (records.Wrap(wrap=180.0), (-1e-20, 179.0, 181.0), (0, 179, -179)),
        (records.Nan(nan=0.0), (np.nan, 1, np.inf), (0, 1, np.inf)),
    ],
)
def test_one_way(convert, value, expected):
    converted = chain("geometry_msgs/Vector3", FIELDS, convert)
    np.testing.assert_allclose(converted(vector(*value)), expected, atol=1e-12)
    with pytest.raises(ConversionError, match="cannot be inverted"):
        converted.chain.inverse(np.zeros(3))


def test_nan_refused():
    converted = chain("geometry_msgs/Vector3", FIELDS, records.Nan(nan="refuse", of=("x", "y")))
    converted(vector(1, 2, np.nan))
    with pytest.raises(SkippedMessage) as skipped:
        converted(vector(1, np.nan, 2))
    assert skipped.value.reason is Reason.VALUE


def test_texts_and_enumerations_become_numbers():
    battery = message_class("sensor_msgs/BatteryState")
    table = {"POWER_SUPPLY_STATUS_FULL": 1.0, "POWER_SUPPLY_STATUS_CHARGING": 0.5, "0": -1.0}
    fields = ["percentage", "power_supply_status", "location"]
    status = records.MapConversion(map=table, of=("power_supply_status",))
    location = records.MapConversion(map={"left": 1.0, "right": 2.0}, of=("location",))
    converted = chain("sensor_msgs/BatteryState", fields, status, location, records.Scale(scale=2.0))
    full = battery(percentage=0.25, location="right", power_supply_status=battery.POWER_SUPPLY_STATUS_FULL)
    np.testing.assert_array_equal(converted(full), [0.5, 2, 4])
    np.testing.assert_array_equal(converted(battery(location="left", percentage=0.5)), [1, -2, 2])
    with pytest.raises(SkippedMessage):
        converted(battery(location="front"))


def hamilton(one, other):
    (a, b, c, d), (w, x, y, z) = one, other
    return np.array(
        [
            a * w - b * x - c * y - d * z,
            a * x + b * w + c * z - d * y,
            a * y - b * z + c * w + d * x,
            a * z + b * y - c * x + d * w,
        ]
    )


def turn(axis, angle):
    return np.array([math.cos(angle / 2), *(math.sin(angle / 2) * np.eye(3)["xyz".index(axis)])])


def matrix(wxyz):
    """Return the rotation matrix column by column, by turning the axes."""
    conjugate = wxyz * [1, -1, -1, -1]
    return np.stack([reduce(hamilton, [wxyz, [0, *axis], conjugate])[1:] for axis in np.eye(3)], axis=1)


ANGLES = st.tuples(st.floats(-3.1, 3.1), st.floats(-1.5, 1.5), st.floats(-3.1, 3.1))


def pose(wxyz):
    message = message_class("geometry_msgs/Pose")()
    message.position.x = 7.0
    message.orientation.w, message.orientation.x, message.orientation.y, message.orientation.z = map(float, wxyz)
    return message


def quaternion(to, **form):
    return records.Quaternion(quaternion=records.QuaternionForm(to=to, **form))


@given(ANGLES, st.floats(0.1, 10))
def test_every_form_of_a_quaternion(angles, length):
    roll, pitch, yaw = angles
    wxyz = reduce(hamilton, [turn("z", yaw), turn("y", pitch), turn("x", roll)]) * length

    def form(to):
        return chain("geometry_msgs/Pose", ["position.x", "orientation"], quaternion(to))(pose(wxyz))

    np.testing.assert_allclose(form("rpy"), [7, roll, pitch, yaw], atol=1e-6)
    np.testing.assert_allclose(form("yaw"), [7, yaw], atol=1e-6)
    rotation = matrix(wxyz / length)
    np.testing.assert_allclose(form("rotation_6d")[1:], rotation[:, :2].T.ravel(), atol=1e-9)
    np.testing.assert_allclose(form("gravity")[1:], rotation.T @ [0, 0, -1], atol=1e-9)
    np.testing.assert_array_equal(form("wxyz")[1:], wxyz)
    np.testing.assert_array_equal(form("xyzw")[1:], [*wxyz[1:], wxyz[0]])


@given(ANGLES)
def test_ned_frd_becomes_enu_flu(angles):
    roll, pitch, yaw = angles
    wxyz = reduce(hamilton, [turn("z", yaw), turn("y", pitch), turn("x", roll)])
    form = quaternion("wxyz", from_="wxyz", frame="ned_frd")
    kind = layout("std_msgs/Float64MultiArray")
    converted = ConversionChain(kind, FieldReader(kind, ["data[0:4]"]).selections, [form])
    agent = converted.forward(wxyz)
    # What points forward in NED points there in ENU, seen from either body frame.
    enu_of_ned = np.array([[0, 1, 0], [1, 0, 0], [0, 0, -1]])
    frd_of_flu = np.diag([1, -1, -1])
    np.testing.assert_allclose(matrix(agent), enu_of_ned @ matrix(wxyz) @ frd_of_flu, atol=1e-9)
    np.testing.assert_allclose(converted.inverse(agent), wxyz, atol=1e-12)


def test_level_and_facing_north():
    form = quaternion("rpy", from_="wxyz", frame="ned_frd")
    kind = layout("std_msgs/Float64MultiArray")
    converted = ConversionChain(kind, FieldReader(kind, ["data[0:4]"]).selections, [form])
    np.testing.assert_allclose(converted.forward(np.array([1.0, 0, 0, 0])), [0, 0, PI / 2], atol=1e-12)


def test_no_orientation_is_not_a_number():
    assert np.isnan(chain("geometry_msgs/Pose", ["orientation"], quaternion("yaw"))(pose([0, 0, 0, 0]))).all()


def test_conversions_in_order_with_sizes_that_change():
    convert = [
        quaternion("yaw"),
        records.Offset(offset=1.0, of=("orientation",)),
        records.Scale(scale=(1.0, 2.0, 3.0)),
    ]
    converted = chain("geometry_msgs/Pose", ["position.x", "orientation", "position.y"], *convert)
    np.testing.assert_allclose(converted(pose([1, 0, 0, 0])), [7, 2, 0])
    assert converted.chain.size_in == 6
    assert converted.chain.size == 3


def scan(*ranges):
    return message_class("sensor_msgs/LaserScan")(ranges=[float(r) for r in ranges])


@pytest.mark.parametrize(
    ("form", "expected"),
    [
        ({"inf": 9.0, "nan": 8.0}, [1, 9, 0, 4, 8, 6]),
        ({"max": 5.0, "nan": 0.0}, [1, 5, 0, 4, 0, 5]),
        ({"beams": 3}, [1, 0, 6]),
        ({"beams": 2, "inf": 3.0, "nan": 2.0, "pick": "mean"}, [4 / 3, 4]),
        ({"beams": 2, "inf": 3.0, "nan": 2.0, "pick": "median"}, [1, 4]),
        ({"beams": 2, "inf": 3.0, "nan": 2.0, "pick": "max"}, [3, 6]),
        ({"beams": 4, "nan": 2.0, "pick": "first"}, [1, np.inf, 4, 2]),
    ],
)
def test_ranges(form, expected):
    message = scan(1, np.inf, -np.inf, 4, np.nan, 6)
    convert = records.Ranges(ranges=records.RangesForm(**form))
    np.testing.assert_allclose(chain("sensor_msgs/LaserScan", ["ranges[0:6]"], convert)(message), expected)


def test_all_ranges_of_a_scan_of_any_length():
    form = records.Ranges(ranges=records.RangesForm(beams=2))
    converted = chain("sensor_msgs/LaserScan", ["ranges"], form, records.Scale(scale=2.0), whole=True)
    np.testing.assert_array_equal(converted(scan(1, 2, 3, 4)), [2, 6])
    np.testing.assert_array_equal(converted(scan(5, 4, 3, 2, 1, 0, 9)), [6, 0])
    with pytest.raises(SkippedMessage):
        converted(scan(1))


def test_functions():
    code = {"my:log": np.log1p, "my:exp": np.expm1, "my:norm": lambda v: [np.linalg.norm(v)]}
    convert = records.Function(function="my:log", inverse="my:exp", of=("x", "z"))
    converted = chain("geometry_msgs/Vector3", FIELDS, convert, load=code.get)
    agent = converted(vector(1, 2, 3))
    np.testing.assert_allclose(agent, [math.log(2), 2, math.log(4)])
    np.testing.assert_allclose(converted.chain.inverse(agent), [1, 2, 3])
    norm = chain("geometry_msgs/Vector3", FIELDS, records.Function(function="my:norm"), load=code.get)
    np.testing.assert_allclose(norm(vector(3, 0, 4)), [5])
    with pytest.raises(ConversionError, match="not next to each other"):
        chain("geometry_msgs/Vector3", FIELDS, records.Function(function="my:norm", of=("x", "z")), load=code.get)


@given(
    st.lists(NUMBERS, min_size=3, max_size=3),
    st.lists(st.floats(0.01, 100) | st.floats(-100, -0.01), min_size=3, max_size=3),
    st.lists(NUMBERS, min_size=3, max_size=3),
    st.permutations("xyz"),
    st.lists(st.booleans(), min_size=3, max_size=3),
)
def test_property_there_and_back(value, scale, offset, axes, signs):
    axes = tuple("-" * sign + axis for axis, sign in zip(axes, signs, strict=True))
    convert = [records.Scale(scale=tuple(scale)), records.Axes(axes=axes), records.Offset(offset=tuple(offset))]
    converted = chain("geometry_msgs/Vector3", FIELDS, *convert)
    message = vector(*value)
    back = converted.chain.inverse(converted(message))
    np.testing.assert_allclose(back, value, rtol=1e-9, atol=1e-7 * (1 + max(map(abs, [*offset, 0]))))


def test_bounds_swap_sides():
    converted = chain(
        "geometry_msgs/Vector3", FIELDS, records.Axes(axes=("y", "-x", "z")), records.Scale(scale=(1.0, 2.0, -1.0))
    )
    low, high = converted.chain.bounds(np.array([-1.0, -2.0, -3.0]), np.array([10.0, 20.0, np.inf]))
    np.testing.assert_array_equal(low, [-2, -20, -np.inf])
    np.testing.assert_array_equal(high, [20, 2, 3])


@pytest.mark.parametrize(
    ("fields", "convert", "message"),
    [
        (["x"], records.Scale(scale=(1.0, 2.0)), r"convert\[0\].scale: 2 numbers for 1 values"),
        (["x"], records.Axes(axes=("x", "y", "z")), r"convert\[0\].axes: 1 values are no groups of three"),
        (["x"], quaternion("yaw"), r"convert\[0\].quaternion: 1 values are no quaternions"),
        (["x", "y"], quaternion("yaw"), "no entry of fields is a Quaternion message; say which by `of`"),
        (["x"], records.Ranges(ranges=records.RangesForm(beams=2)), "2 beams cannot be made of 1 ranges"),
        (["x"], records.MapConversion(map={"A": 1.0}), "'A' is neither a whole number nor a constant of the message"),
        (["x"], records.Scale(scale=1.0, of=("y",)), "'y' is no entry of fields; allowed: x"),
    ],
)
def test_what_does_not_fit(fields, convert, message):
    with pytest.raises(ConversionError, match=message):
        chain("geometry_msgs/Vector3", fields, convert)


def test_text_without_a_map():
    with pytest.raises(ConversionError, match=r"'data' is text; add \{map:"):
        chain("std_msgs/String", ["data"])
    with pytest.raises(ConversionError, match="a text has to be made a number first"):
        chain("std_msgs/String", ["data"], records.Scale(scale=1.0))
