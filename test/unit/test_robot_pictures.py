"""What the pictures of drive and arm show, by the colour of pixels where something is."""

import importlib.util
import math

import numpy as np
import pytest

from rtgym_ros.robots.arm import plot as arm_plot
from rtgym_ros.robots.arm import rendering as arm_rendering
from rtgym_ros.robots.arm.kinematics import HOME, joint_points
from rtgym_ros.robots.canvas import BLACK, BLUE, RED, WHITE
from rtgym_ros.robots.drive import plot as drive_plot
from rtgym_ros.robots.drive import rendering as drive_rendering
from rtgym_ros.robots.drive.world import ROOM


def needs(module):
    return pytest.mark.skipif(importlib.util.find_spec(module) is None, reason=f"{module} is not installed")


def colour(frame, x, y, left, top, scale):
    """The colour at x, y (m) of a picture whose upper left corner is (left, top)."""
    return tuple(frame[round((top - y) * scale), round((x - left) * scale)].tolist())


@needs("cv2")
def test_the_drive_is_shown_in_its_room():
    frame = drive_rendering.draw((-1.0, 0.0, 0.0), target=(1.5, -1.0), scan=None)
    assert (frame.shape, frame.dtype) == ((400, 400, 3), np.uint8)

    def at(x, y):
        return colour(frame, x, y, -2.1, 2.1, 400 / 4.2)

    assert at(-1.0 + 0.05, 0.0) == BLUE, "the heading"
    assert at(-1.0 - 0.05, 0.0) == WHITE
    assert at(1.5, -1.0) == RED
    assert at(2.0, 0.0) == at(-1.5, 0.8) == at(0.7, -1.5) == BLACK
    assert at(0.0, 1.5) == WHITE


@needs("cv2")
def test_the_scan_is_turned_with_the_robot():
    ranges = np.array([0.5, np.inf, np.inf, np.inf])
    frame = drive_rendering.draw((0.0, 0.0, math.pi / 2), scan=ranges)
    assert colour(frame, 0.0, 0.4, -2.1, 2.1, 400 / 4.2) != WHITE
    assert colour(frame, 0.4, 0.0, -2.1, 2.1, 400 / 4.2) == WHITE


@needs("cv2")
def test_the_arm_is_shown_from_the_side_and_from_above():
    target = np.add(HOME, (1.0, 0, 0, 0, 0, 0))
    frame = arm_rendering.draw(HOME, target)
    assert (frame.shape, frame.dtype) == ((300, 600, 3), np.uint8)
    scale = 300 / 2.2
    tool, aim = joint_points(HOME)[-1], joint_points(target)[-1]
    assert colour(frame[:, :300], tool[0], tool[2], -1.1, 1.6, scale) == BLUE
    assert colour(frame[:, 300:], tool[0], tool[1], -1.1, 1.1, scale) == BLUE
    assert colour(frame[:, 300:], aim[0], aim[1], -1.1, 1.1, scale) == RED


def is_png(path):
    return path.read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"


@needs("matplotlib")
def test_the_plot_of_drives_is_written(tmp_path):
    times = np.linspace(0.0, 1.0, 11)
    poses = np.stack((times, 0 * times, 0 * times), axis=1)
    speeds = np.ones((11, 2))
    drives = [
        drive_plot.DrivePath(times, poses, speeds, speeds, (1.0, 0.0), "first"),
        drive_plot.DrivePath(times, poses, speeds, speeds),
    ]
    drive_plot.save_plot(tmp_path / "drives.png", drives, ROOM)
    assert is_png(tmp_path / "drives.png")


@needs("matplotlib")
@pytest.mark.parametrize("target", [None, np.zeros(6), np.zeros((11, 6))])
def test_the_plot_of_the_arm_is_written(tmp_path, target):
    times, positions = np.linspace(0.0, 1.0, 11), np.zeros((11, 6))
    arm_plot.save_plot(tmp_path / "arm.png", times, positions, positions + 0.1, target)
    assert is_png(tmp_path / "arm.png")
