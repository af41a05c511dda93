import math

import numpy as np
import pytest
from geometry_msgs.msg import TwistStamped
from nav_msgs.msg import Odometry
from robot_peer import Peer
from sensor_msgs.msg import LaserScan
from std_srvs.srv import Trigger

from rtgym_ros.nodes.robot_process import RobotProcess
from rtgym_ros.robots.drive.world import ROOM

PERIOD_NS = 20_000_000


def twist(speed, turn_rate):
    message = TwistStamped()
    message.twist.linear.x, message.twist.angular.z = speed, turn_rate
    return message


def position(odometry):
    return odometry.pose.pose.position.x, odometry.pose.pose.position.y


@pytest.fixture
def peer(namespace):
    with RobotProcess("drive_node", namespace, ("seed:=7",)):
        peer = Peer(namespace, {"odom": Odometry, "scan": LaserScan}, TwistStamped, "cmd_vel")
        peer.wait_for(lambda: peer.seen["odom"] and peer.seen["scan"] and peer.ready and peer.applied)
        yield peer
        peer.close()


def test_it_stands_ready_at_the_start_and_sees_its_room(peer):
    assert peer.ready == [True]
    peer.wait_for(lambda: len(peer.seen["scan"]) >= 5)
    stamps = sorted(peer.seen["odom"])
    assert {(stamp - stamps[0]) % PERIOD_NS for stamp in stamps} == {0}
    assert {(stamp - stamps[0]) % PERIOD_NS for stamp in peer.seen["scan"]} == {0}
    assert {position(message) for message in peer.seen["odom"].values()} == {(0.0, 0.0)}
    odometry, scan = peer.newest("odom"), peer.newest("scan")
    assert (odometry.header.frame_id, odometry.child_frame_id) == ("odom", "base_footprint")
    angles = scan.angle_min + scan.angle_increment * np.arange(180)
    assert angles[-1] == pytest.approx(scan.angle_max)
    np.testing.assert_allclose(scan.ranges, ROOM.scan(0.0, 0.0, angles, scan.range_max), rtol=1e-5)


def test_it_drives_says_under_which_command_and_brakes_when_they_stop(peer):
    peer.send_until(lambda: twist(0.2, 0.5), lambda: peer.newest("odom").pose.pose.position.x > 0.05)
    assert peer.newest("odom").pose.pose.orientation.z > 0
    peer.wait_for(lambda: peer.applied_now() == 0)
    assert len(set(peer.applied.values())) > 1
    peer.wait_for(lambda: peer.newest("odom").twist.twist.linear.x == 0.0)


def test_resets_of_odometry_and_pose(peer):
    peer.send_until(lambda: twist(0.2, 0.0), lambda: peer.newest("odom").pose.pose.position.x > 0.1)
    peer.wait_for(lambda: peer.newest("odom").twist.twist.linear.x == 0.0)
    scans = len(peer.seen["scan"])
    assert peer.call(Trigger, "reset_odometry", Trigger.Request()).success
    peer.wait_for(lambda: position(peer.newest("odom")) == (0.0, 0.0) and len(peer.seen["scan"]) > scans + 2)
    assert peer.newest("scan").ranges[0] < 1.9, "it still stands where it was: the wall ahead is nearer"
    assert peer.call(Trigger, "reset_pose", Trigger.Request()).success
    peer.wait_for(lambda: peer.newest("scan").ranges[0] == 2.0)
    assert position(peer.newest("odom")) == (0.0, 0.0)


def test_an_emergency_stop_stops_it_until_it_is_released(peer):
    peer.send_until(lambda: twist(0.2, 0.0), lambda: peer.newest("odom").twist.twist.linear.x > 0.1)
    peer.stop(True)
    for _ in range(20):
        peer.send(twist(0.2, 0.0))
        peer.receives(lambda: False, timeout=0.02)
    assert peer.newest("odom").twist.twist.linear.x == 0.0
    assert peer.applied_now() == 0
    peer.stop(False)
    peer.send_until(lambda: twist(0.2, 0.0), lambda: peer.newest("odom").twist.twist.linear.x > 0.1)


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_a_command_that_is_not_finite_is_dropped(peer, bad):
    peer.send_until(lambda: twist(0.0, 0.0), lambda: peer.applied_now() > 0)
    stamp = peer.send(twist(bad, 0.0))
    peer.send_until(lambda: twist(0.0, 0.1), lambda: peer.applied_now() > stamp)
    assert stamp not in peer.applied.values()
