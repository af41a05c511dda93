"""Topics of a recording: the time-steps, the captures, and messages of the robot's topics as they came."""

from __future__ import annotations

from dataclasses import dataclass

from rtgym_ros.record.schema import HEADER_NAME, HEADER_TEXT, SCHEMA_NAME, SCHEMA_TEXT

SUBSCRIPTION = "subscription"
"""Fact of a robot's topic: which subscription of the contract's environment took the messages, counted from 0."""


@dataclass(frozen=True)
class RecordedTopic:
    """A topic as MCAP wants it.

    Attributes:
        name: full name.
        type: of its messages, ``package/msg/Name``.
        definition: of the type and all that it is made of, one text.
        qos: what ``ros2 bag play`` offers it with (YAML of rosbag2).
        facts: further metadata of the channel.
    """

    name: str
    type: str
    definition: str
    qos: str
    facts: tuple[tuple[str, str], ...] = ()


def qos_text(history: int, depth: int, reliability: int, durability: int) -> str:
    """Return a QoS profile as rosbag2 writes it; the numbers are those of rmw."""
    return f"- history: {history}\n  depth: {depth}\n  reliability: {reliability}\n  durability: {durability}\n"


_QOS = qos_text(1, 10, 1, 2)

TIME_STEP = RecordedTopic("/time_step", SCHEMA_NAME, SCHEMA_TEXT, _QOS)
"""What each ``reset()`` and ``step()`` returned."""

CAPTURE = RecordedTopic("/time_step/capture", HEADER_NAME, HEADER_TEXT, _QOS)
"""When the observation was captured (``stamp``, ROS time) from the messages before it; ``frame_id`` is one below."""

AT_RESET = "reset"
AT_STEP = "step"
