import numpy as np
import pytest
from rclpy.serialization import deserialize_message, serialize_message
from visualization_msgs.msg import Marker, MarkerArray

from rtgym_ros.robots.arm.kinematics import HOME, joint_points
from rtgym_ros.robots.drive.world import ROOM
from rtgym_ros.ros.markers import arm_markers, drive_markers, drone_markers, world_markers
from rtgym_ros.ros.stamps import to_time

STAMP = to_time(12_345_678_901)


def by_name(markers):
    """The markers as a subscriber gets them, by namespace."""
    received = deserialize_message(serialize_message(markers), MarkerArray)
    names = {marker.ns: marker for marker in received.markers}
    assert len(names) == len(received.markers), "each replaces the last of its name"
    for marker in names.values():
        assert (marker.header.stamp, marker.action, marker.color.a) == (STAMP, Marker.ADD, 1.0)
        assert marker.pose.orientation.w == 1.0
        assert marker.scale.x > 0
    return names


def points(marker):
    return np.array([(point.x, point.y, point.z) for point in marker.points])


def test_the_drone_its_target_and_its_velocity():
    position, target, velocity = np.array([0.1, -0.2], dtype=np.float32), (0.5, 0.25), (1.0, -2.0)
    names = by_name(drone_markers(position, STAMP, target, velocity))
    assert names.keys() == {"robot", "target", "action"}
    assert {marker.header.frame_id for marker in names.values()} == {"map"}
    assert names["robot"].pose.position.x == pytest.approx(0.1)
    assert (names["target"].pose.position.x, names["target"].pose.position.y) == target
    np.testing.assert_allclose(points(names["action"]), [(0.1, -0.2, 0.0), (0.6, -1.2, 0.0)], rtol=1e-6)


def test_the_drive_and_where_it_will_head():
    names = by_name(drive_markers((1.0, 0.0, np.pi / 2), STAMP, (0.0, 1.0), (0.2, 0.0)))
    assert names.keys() == {"robot", "heading", "target", "action"}
    np.testing.assert_allclose(points(names["heading"])[-1], (1.0, 0.105, 0.11))
    np.testing.assert_allclose(points(names["action"])[-1], (1.0, 0.2, 0.12))


def test_the_walls_of_the_world():
    [walls] = by_name(world_markers(ROOM, STAMP)).values()
    assert walls.type == Marker.LINE_LIST
    np.testing.assert_allclose(points(walls)[:, :2], ROOM.walls.reshape(-1, 2))


def test_the_arm_as_it_is_is_commanded_and_is_to_be():
    target = np.add(HOME, 0.2)
    names = by_name(arm_markers(HOME, STAMP, target, np.add(HOME, 0.1)))
    assert names.keys() == {"robot", "action", "target"}
    np.testing.assert_allclose(points(names["robot"]), joint_points(HOME))
    np.testing.assert_allclose(points(names["target"]), joint_points(target))


@pytest.mark.parametrize(
    ("markers", "left"),
    [
        (drone_markers((0.0, 0.0), STAMP), {"robot"}),
        (drive_markers((0.0, 0.0, 0.0), STAMP), {"robot", "heading"}),
        (arm_markers(HOME, STAMP), {"robot"}),
    ],
)
def test_what_is_not_known_is_left_out(markers, left):
    assert by_name(markers).keys() == left
