"""The joints of a robot, from its URDF."""

from __future__ import annotations

import math
import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass

from rtgym_ros.core.errors import ConfigError

_MOVED = ("revolute", "prismatic", "continuous")


@dataclass(frozen=True)
class Joint:
    """A joint that can be moved.

    Attributes:
        name: of the joint.
        low: lowest position (rad or m).
        high: highest position (rad or m).
        max_velocity: (rad/s or m/s); None where the URDF says nothing.
    """

    name: str
    low: float
    high: float
    max_velocity: float | None


def read_joints(text: str) -> list[Joint]:
    """Return the joints of a URDF that can be moved and follow no other one, in its order.

    Args:
        text: XML.

    Raises:
        ConfigError: it is none.
    """
    try:
        root = ElementTree.fromstring(text)
    except ElementTree.ParseError as error:
        raise ConfigError(f"the URDF cannot be read: {error}") from error
    if root.tag != "robot":
        raise ConfigError(f"the URDF cannot be read: its first element is {root.tag!r}, not 'robot'")
    joints = []
    for element in root.iter("joint"):
        if element.get("type") not in _MOVED or element.find("mimic") is not None:
            continue
        limit = element.find("limit")
        low, high = (-math.pi, math.pi)
        if element.get("type") != "continuous":
            low, high = _number(limit, "lower") or 0.0, _number(limit, "upper") or 0.0
        velocity = _number(limit, "velocity")
        joints.append(Joint(element.get("name") or "", low, high, velocity if velocity else None))
    return joints


def _number(element: ElementTree.Element | None, name: str) -> float | None:
    try:
        number = float((element.get(name) if element is not None else None) or "")
    except ValueError:
        return None
    return number if math.isfinite(number) else None
