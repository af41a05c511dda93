import struct

import pytest
from geometry_msgs.msg import PoseStamped, TwistStamped
from rclpy.serialization import serialize_message
from rtgym_ros.msg import AppliedAction
from std_msgs.msg import Float64

from rtgym_ros.ros.header_fields import HeaderFields
from rtgym_ros.ros.stamps import begins_with_stamp, leading_stamp_ns, to_time

STAMP_NS = 1_700_000_000_123_456_789


@pytest.mark.parametrize("frame", ["", "a", "map", "base", "base_link", "bäse", "x" * 1000])
def test_numbers_behind_a_frame_of_any_length(frame):
    pose, applied = PoseStamped(), AppliedAction()
    pose.header.frame_id = applied.header.frame_id = frame
    pose.pose.position.x, pose.pose.position.y = 1.5, -2.25
    applied.command_stamp = to_time(STAMP_NS)
    assert HeaderFields("dd").read(serialize_message(pose)) == (1.5, -2.25)
    assert HeaderFields("iI").read(serialize_message(applied)) == divmod(STAMP_NS, 10**9)


def test_the_stamp_of_serialised_messages():
    pose = PoseStamped()
    pose.header.stamp = to_time(STAMP_NS)
    assert leading_stamp_ns(serialize_message(pose)) == STAMP_NS
    assert [begins_with_stamp(kind) for kind in (PoseStamped, TwistStamped, AppliedAction, Float64)] == [
        True,
        True,
        True,
        False,
    ]


def test_big_endian_messages():
    data = b"\x00\x00\x00\x00" + struct.pack(">iII4sd", *divmod(STAMP_NS, 10**9), 4, b"map\0", 1.5)
    assert leading_stamp_ns(data) == STAMP_NS
    assert HeaderFields("d").read(data) == (1.5,)


def test_numbers_of_several_sizes_are_refused():
    with pytest.raises(ValueError, match="one size"):
        HeaderFields("di")
