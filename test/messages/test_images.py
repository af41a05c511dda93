"""Images of real serialised messages, in every encoding; OpenCV writes the compressed ones."""

import cv2
import numpy as np
import pytest
from ros_messages import encode, layout, message_class, serialize

from rtgym_ros.contract.conversions.converter import ConversionError
from rtgym_ros.contract.conversions.images import ImageReader
from rtgym_ros.contract.messages.skipped import Reason

RGB = np.random.default_rng(1).integers(0, 256, (5, 7, 3), np.uint8)


def image(array, encoding, padding=0, big_endian=False):
    array = np.atleast_3d(array)
    if big_endian:
        array = array.astype(array.dtype.newbyteorder(">"))
    rows = [row.tobytes() + b"\x55" * padding for row in array]
    message = message_class("sensor_msgs/Image")(
        height=array.shape[0], width=array.shape[1], encoding=encoding, is_bigendian=big_endian, step=len(rows[0])
    )
    message.data = b"".join(rows)
    return message


def read(message, **how):
    name = "sensor_msgs/CompressedImage" if hasattr(message, "format") else "sensor_msgs/Image"
    reader = ImageReader(layout(name), **how)
    result = reader.read(serialize(message))
    assert result is None or not reader.skipped
    return result


@pytest.mark.parametrize("padding", [0, 3])
def test_colours(padding):
    alpha = np.dstack([RGB, RGB[:, :, 0]])
    np.testing.assert_array_equal(read(image(RGB, "rgb8", padding)), RGB)
    np.testing.assert_array_equal(read(image(RGB[:, :, ::-1], "bgr8", padding)), RGB)
    np.testing.assert_array_equal(read(image(alpha, "rgba8", padding)), RGB)
    np.testing.assert_array_equal(read(image(alpha[:, :, [2, 1, 0, 3]], "bgra8", padding)), RGB)


@pytest.mark.parametrize("padding", [0, 8])
@pytest.mark.parametrize("big_endian", [False, True])
@pytest.mark.parametrize(
    ("encoding", "dtype"),
    [("mono8", np.uint8), ("mono16", np.uint16), ("16UC1", np.uint16), ("32FC1", np.float32), ("8UC1", np.uint8)],
)
def test_one_channel(encoding, dtype, padding, big_endian):
    depth = np.random.default_rng(2).uniform(0, np.iinfo(dtype).max if dtype != np.float32 else 9, (5, 7)).astype(dtype)
    result = read(image(depth, encoding, padding, big_endian), grey=True)
    np.testing.assert_array_equal(result, depth[:, :, None])
    assert result.dtype == dtype


def test_a_big_endian_message():
    depth = np.arange(12, dtype=np.uint16).reshape(3, 4)
    kind = layout("sensor_msgs/Image")
    reader = ImageReader(kind, grey=True)
    np.testing.assert_array_equal(reader.read(encode(image(depth, "mono16"), kind, ">"))[:, :, 0], depth)


def test_nothing_is_copied():
    buffer = serialize(image(RGB, "bgr8", 3))
    result = ImageReader(layout("sensor_msgs/Image")).read(buffer)
    assert np.shares_memory(result, np.frombuffer(buffer, np.uint8))


def test_grey_of_colours():
    expected = cv2.cvtColor(RGB, cv2.COLOR_RGB2GRAY)[:, :, None]
    np.testing.assert_array_equal(read(image(RGB[:, :, ::-1], "bgr8", 3), grey=True), expected)


def test_resized():
    assert read(image(RGB, "rgb8"), width=3, height=2).shape == (2, 3, 3)
    assert read(image(RGB, "rgb8"), width=14, height=10, grey=True).shape == (10, 14, 1)
    flat = np.full((6, 4), 300, np.uint16)
    np.testing.assert_array_equal(read(image(flat, "16UC1"), width=2, height=3, grey=True), flat[:3, :2, None])


@pytest.mark.parametrize("extension", [".png", ".jpg"])
def test_compressed(extension):
    smooth = cv2.resize(RGB, (64, 48), interpolation=cv2.INTER_CUBIC)
    _, data = cv2.imencode(extension, smooth[:, :, ::-1])
    message = message_class("sensor_msgs/CompressedImage")(format=extension[1:], data=data.tobytes())
    difference = read(message).astype(int) - smooth
    assert abs(difference).mean() == 0 if extension == ".png" else abs(difference).mean() < 20
    assert read(message, grey=True, width=8, height=6).shape == (6, 8, 1)


def test_compressed_depth_keeps_its_sixteen_bits():
    depth = np.arange(12, dtype=np.uint16).reshape(3, 4) * 1000
    message = message_class("sensor_msgs/CompressedImage")(format="png", data=cv2.imencode(".png", depth)[1].tobytes())
    np.testing.assert_array_equal(read(message, grey=True)[:, :, 0], depth)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"encoding": "yuv422"}, Reason.VALUE),
        ({"encoding": "mono8", "step": 7}, Reason.VALUE),  # it has no colours, which were asked for
        ({"step": 20}, Reason.MALFORMED),
        ({"height": 6}, Reason.MALFORMED),
        ({"width": 0}, Reason.MALFORMED),
    ],
)
def test_what_is_no_image(change, reason):
    message = image(RGB, "rgb8")
    for name, value in change.items():
        setattr(message, name, value)
    reader = ImageReader(layout("sensor_msgs/Image"))
    assert reader.read(serialize(message)) is None
    assert reader.skipped == {reason: 1}


def test_files_that_are_broken():
    reader = ImageReader(layout("sensor_msgs/CompressedImage"))
    for data in b"", b"\xff\xd8\xff no jpeg":
        message = message_class("sensor_msgs/CompressedImage")(data=data)
        assert reader.read(serialize(message)) is None
    assert reader.skipped == {Reason.MALFORMED: 2}


def test_no_image_there():
    with pytest.raises(ConversionError, match=r"'data' of sensor_msgs/LaserScan is no sensor_msgs/Image"):
        ImageReader(layout("sensor_msgs/LaserScan"))
