"""Joints, limits and forward kinematics of the arm: the published dimensions of a UR5e.

Source: Universal Robots, "DH parameters for calculations of kinematics and dynamics" (standard Denavit-Hartenberg).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

JOINTS = (
    "shoulder_pan_joint",
    "shoulder_lift_joint",
    "elbow_joint",
    "wrist_1_joint",
    "wrist_2_joint",
    "wrist_3_joint",
)
"""In the order of commands, from the base to the tool."""

POSITION_LIMITS = (2 * np.pi, 2 * np.pi, np.pi, 2 * np.pi, 2 * np.pi, 2 * np.pi)
"""Largest position to either side (rad), in the order of :data:`JOINTS`."""

HOME = (0.0, -np.pi / 2, np.pi / 2, -np.pi / 2, -np.pi / 2, 0.0)
"""Where the arm starts (rad), in the order of :data:`JOINTS`: upper arm up, forearm level, tool down."""

_A = (0.0, -0.425, -0.3922, 0.0, 0.0, 0.0)
_D = (0.1625, 0.0, 0.0, 0.1333, 0.0997, 0.0996)
_ALPHA = (np.pi / 2, 0.0, 0.0, np.pi / 2, -np.pi / 2, 0.0)


def link_frames(positions: Sequence[float] | np.ndarray) -> np.ndarray:
    """Return the frames of the links in the frame of the base.

    Args:
        positions: of the joints (rad), in the order of :data:`JOINTS`.

    Returns:
        float64, shape (7, 4, 4): homogeneous transforms, the base first, the tool flange last; translations in m.
    """
    frames = [np.eye(4)]
    for angle, a, d, alpha in zip(positions, _A, _D, _ALPHA, strict=True):
        ca, sa, ct, st = np.cos(alpha), np.sin(alpha), np.cos(angle), np.sin(angle)
        step = np.array(
            [
                [ct, -st * ca, st * sa, a * ct],
                [st, ct * ca, -ct * sa, a * st],
                [0.0, sa, ca, d],
                [0.0, 0.0, 0.0, 1.0],
            ]
        )
        frames.append(frames[-1] @ step)
    return np.array(frames)


def joint_points(positions: Sequence[float] | np.ndarray) -> np.ndarray:
    """Return the origins of the frames of :func:`link_frames`: float64, shape (7, 3), in m."""
    points: np.ndarray = link_frames(positions)[:, :3, 3]
    return points
