"""Robots, their targets and their actions as markers, for RViz and Foxglove.

Pure functions: whoever has the arrays publishes the result, as ``visualization_msgs/MarkerArray`` on ``markers``. A
marker replaces the last one of its namespace, so a flight shows without any set-up.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from builtin_interfaces.msg import Time
from geometry_msgs.msg import Point
from std_msgs.msg import ColorRGBA
from visualization_msgs.msg import Marker, MarkerArray

from rtgym_ros.robots.arm.kinematics import joint_points
from rtgym_ros.robots.drive.simulated_drive import RADIUS
from rtgym_ros.robots.drive.world import World

Numbers = Sequence[float] | np.ndarray

_BLUE, _RED, _GREEN, _GREY = (0.16, 0.35, 0.86), (0.86, 0.2, 0.16), (0.1, 0.6, 0.2), (0.3, 0.3, 0.3)

_ARROW_SECONDS = 0.5
"""A velocity is drawn as the way of this time (s)."""


def drone_markers(
    position: Numbers, stamp: Time, target: Numbers | None = None, velocity: Numbers | None = None
) -> MarkerArray:
    """Return the drone, its target and its commanded velocity.

    Args:
        position: x, y (m), in the frame ``map``.
        stamp: of the observation.
        target: x, y (m); None leaves it out.
        velocity: x, y (m/s), of the action; None leaves it out.
    """
    where = (position[0], position[1], 0.0)
    markers = [_shape("map", stamp, "robot", Marker.SPHERE, where, (0.1, 0.1, 0.04), _BLUE)]
    if target is not None:
        markers.append(_target("map", stamp, target))
    if velocity is not None:
        tip = (position[0] + _ARROW_SECONDS * velocity[0], position[1] + _ARROW_SECONDS * velocity[1], 0.0)
        markers.append(_arrow("map", stamp, where, tip))
    return MarkerArray(markers=markers)


def drive_markers(
    pose: Numbers, stamp: Time, target: Numbers | None = None, command: Numbers | None = None
) -> MarkerArray:
    """Return the drive, its target and its commanded motion.

    Args:
        pose: x, y (m), heading (rad), in the frame ``odom``.
        stamp: of the observation.
        target: x, y (m); None leaves it out.
        command: speed (m/s), turn rate (rad/s), of the action; None leaves it out. The arrow points where the robot
            will be heading.
    """
    x, y, heading = pose[0], pose[1], pose[2]
    markers = [_shape("odom", stamp, "robot", Marker.CYLINDER, (x, y, 0.05), (2 * RADIUS, 2 * RADIUS, 0.1), _BLUE)]
    nose = (x + RADIUS * math.cos(heading), y + RADIUS * math.sin(heading), 0.11)
    markers.append(_line("odom", stamp, "heading", [(x, y, 0.11), nose], 0.02, _GREY))
    if target is not None:
        markers.append(_target("odom", stamp, target))
    if command is not None:
        angle, way = heading + _ARROW_SECONDS * command[1], 2 * _ARROW_SECONDS * command[0]
        tip = (x + way * math.cos(angle), y + way * math.sin(angle), 0.12)
        markers.append(_arrow("odom", stamp, (x, y, 0.12), tip))
    return MarkerArray(markers=markers)


def world_markers(world: World, stamp: Time) -> MarkerArray:
    """Return the walls of the drive's world, in the frame ``odom``: once is enough, on a latched topic."""
    walls = _line("odom", stamp, "walls", [(*end, 0.0) for wall in world.walls for end in wall], 0.03, _GREY)
    walls.type = Marker.LINE_LIST
    return MarkerArray(markers=[walls])


def arm_markers(
    positions: Numbers, stamp: Time, target: Numbers | None = None, command: Numbers | None = None
) -> MarkerArray:
    """Return the arm as it is, as it is commanded and as it is to be, as lines through its joints.

    Args:
        positions: of the joints (rad), in the order of commands; the lines are in the frame ``base``.
        stamp: of the observation.
        target: the same, where it is to be; None leaves it out.
        command: the same, of the action; None leaves it out.
    """
    markers = [_line("base", stamp, "robot", joint_points(positions), 0.05, _BLUE)]
    if command is not None:
        markers.append(_line("base", stamp, "action", joint_points(command), 0.015, _GREEN))
    if target is not None:
        markers.append(_line("base", stamp, "target", joint_points(target), 0.015, _RED))
    return MarkerArray(markers=markers)


def _target(frame: str, stamp: Time, target: Numbers) -> Marker:
    return _shape(frame, stamp, "target", Marker.SPHERE, (target[0], target[1], 0.0), (0.06, 0.06, 0.06), _RED)


def _shape(
    frame: str, stamp: Time, name: str, kind: int, position: Sequence[float], size: Sequence[float], colour: Numbers
) -> Marker:
    marker = _marker(frame, stamp, name, kind, colour)
    marker.pose.position = _point(position)
    marker.scale.x, marker.scale.y, marker.scale.z = size
    return marker


def _line(
    frame: str, stamp: Time, name: str, points: Sequence[Numbers] | np.ndarray, width: float, colour: Numbers
) -> Marker:
    marker = _marker(frame, stamp, name, Marker.LINE_STRIP, colour)
    marker.scale.x = width
    marker.points = [_point(point) for point in points]
    return marker


def _arrow(frame: str, stamp: Time, start: Numbers, end: Numbers) -> Marker:
    marker = _marker(frame, stamp, "action", Marker.ARROW, _GREEN)
    marker.scale.x, marker.scale.y = 0.02, 0.05  # of shaft and head
    marker.points = [_point(start), _point(end)]
    return marker


def _marker(frame: str, stamp: Time, name: str, kind: int, colour: Numbers) -> Marker:
    marker = Marker(ns=name, type=kind, action=Marker.ADD)
    marker.header.frame_id, marker.header.stamp = frame, stamp
    marker.pose.orientation.w = 1.0
    red, green, blue = map(float, colour)
    marker.color = ColorRGBA(r=red, g=green, b=blue, a=1.0)
    return marker


def _point(position: Numbers) -> Point:
    x, y, z = map(float, position)
    return Point(x=x, y=y, z=z)
