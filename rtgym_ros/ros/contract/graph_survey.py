"""Looks at a running robot: its topics, how often they come, and what is in them."""

from __future__ import annotations

from collections.abc import Sequence
from time import monotonic, sleep
from typing import Any

import numpy as np
from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, HistoryPolicy, QoSProfile, ReliabilityPolicy
from rclpy.serialization import deserialize_message

from rtgym_ros.contract.draft.seen_topic import SeenTopic, number_paths
from rtgym_ros.contract.messages.field_reader import FieldReader
from rtgym_ros.contract.messages.selection import NAME_FIELDS
from rtgym_ros.ros.contract.interface_types import import_type, message_layout
from rtgym_ros.ros.discovery import DISCOVERY_S
from rtgym_ros.ros.pulled_subscription import PulledSubscription

_PATIENCE_S = 8.0
"""How long nodes may take to be discovered (s) where there is nothing yet."""
_POLL_S = 0.01
_ROS_OWN = ("rosout", "parameter_events", "clock")
_OF_EVERY_NODE = ("rcl_interfaces", "type_description_interfaces", "lifecycle_msgs")
"""Packages whose services are about the node, not about the robot."""


class _Watched:
    """A topic that is watched."""

    def __init__(self, node: Node, name: str, relative: str, type_name: str) -> None:
        self.type_name = type_name
        self.relative = relative
        message_class = import_type(type_name)
        self.layout = message_layout(message_class)
        publishers = node.get_publishers_info_by_topic(name)
        self.published = bool(publishers)
        self.reliable = all(info.qos_profile.reliability == ReliabilityPolicy.RELIABLE for info in publishers)
        durability = DurabilityPolicy.TRANSIENT_LOCAL
        self.latched = self.published and all(info.qos_profile.durability == durability for info in publishers)
        self.paths = number_paths(self.layout)
        self.reader = FieldReader(self.layout, self.paths) if self.paths else None
        self.values: list[Any] = []
        self.count = 0
        self.last: bytes | None = None
        self.subscription: PulledSubscription[Any] | None = None
        if self.published:
            qos = QoSProfile(
                history=HistoryPolicy.KEEP_LAST,
                depth=100,
                reliability=ReliabilityPolicy.RELIABLE if self.reliable else ReliabilityPolicy.BEST_EFFORT,
                durability=durability if self.latched else DurabilityPolicy.VOLATILE,
            )
            self.subscription = PulledSubscription(node, message_class, name, qos)

    def pull(self) -> None:
        if self.subscription is None:
            return
        for raw in self.subscription.take_serialised():
            self.count += 1
            self.last = raw.data
            values = None if self.reader is None else self.reader.read(raw.data)
            if values is not None:
                self.values.append(values)

    def seen(self, duration: float) -> SeenTopic:
        message = None if self.last is None else deserialize_message(self.last, self.layout.message_class)
        names = next((field for field in NAME_FIELDS if hasattr(message, field)), None)
        low: dict[str, list[float]] = {}
        high: dict[str, list[float]] = {}
        if self.values and self.reader is not None:
            lowest, highest = np.min(self.values, axis=0).tolist(), np.max(self.values, axis=0).tolist()
            begin = 0
            for path, selection in zip(self.paths, self.reader.selections, strict=True):
                end = begin + len(selection.leaves)
                low[path], high[path] = lowest[begin:end], highest[begin:end]
                begin = end
        fields = self.layout.fields
        lengths = {
            name: len(getattr(message, name))
            for name in fields
            if message is not None and hasattr(getattr(message, name), "__len__")
        }
        return SeenTopic(
            self.relative,
            self.type_name,
            self.layout,
            self.published,
            self.count / duration,
            self.reliable,
            self.latched,
            [str(name) for name in getattr(message, names)] if names is not None else (),
            lengths,
            low,
            high,
            bool(message.data) if self.type_name == "std_msgs/msg/Bool" and message is not None else None,
        )


def survey(node: Node, duration: float) -> list[SeenTopic]:
    """Return what is seen of the topics in the node's namespace, in the order of their names.

    Args:
        node: that looks; its own topics are left out.
        duration: for how long messages are counted (s).
    """
    least, most = (monotonic() + seconds for seconds in (DISCOVERY_S, _PATIENCE_S))
    while monotonic() < least or (monotonic() < most and not _topics_of_others(node)):
        sleep(_POLL_S)
    watched = []
    for name, relative, type_name in _topics_of_others(node):
        try:
            watched.append(_Watched(node, name, relative, type_name))
        except ImportError:
            continue  # of a package that is not installed here
    for topic in watched:
        topic.pull()
        topic.count = 0  # what came while the others were subscribed to
    end = monotonic() + duration
    while monotonic() < end:
        for topic in watched:
            topic.pull()
        sleep(_POLL_S)
    seen = [topic.seen(duration) for topic in watched]
    for topic in watched:
        if topic.subscription is not None:
            topic.subscription.close()
    return seen


def _topics_of_others(node: Node) -> list[tuple[str, str, str]]:
    """Return full name, relative name and type of the topics in the node's namespace that others are on."""
    namespace = node.get_namespace().rstrip("/") + "/"
    ours = node.get_fully_qualified_name()
    found = []
    for name, types in sorted(node.get_topic_names_and_types()):
        relative = name.removeprefix(namespace)
        if not name.startswith(namespace) or relative in _ROS_OWN or len(types) != 1:
            continue
        ends = [*node.get_publishers_info_by_topic(name), *node.get_subscriptions_info_by_topic(name)]
        if any(f"{info.node_namespace.rstrip('/')}/{info.node_name}" != ours for info in ends):
            found.append((name, relative, types[0]))
    return found


def services(node: Node) -> list[tuple[str, str]]:
    """Return relative name and type of the services in the node's namespace, but for those that every node has."""
    namespace = node.get_namespace().rstrip("/") + "/"
    return [
        (name.removeprefix(namespace), types[0])
        for name, types in sorted(node.get_service_names_and_types())
        if name.startswith(namespace) and len(types) == 1 and types[0].split("/")[0] not in _OF_EVERY_NODE
    ]


def robot_description(node: Node, topics: Sequence[SeenTopic]) -> str | None:
    """Return the URDF that the robot publishes on ``robot_description``; None where it does not."""
    from std_msgs.msg import String

    if not any(topic.name == "robot_description" for topic in topics):
        return None
    qos = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
    subscription: PulledSubscription[Any] = PulledSubscription(node, String, "robot_description", qos)
    end = monotonic() + DISCOVERY_S
    try:
        while monotonic() < end:
            for message, _ in subscription.take():
                return str(message.data)
            sleep(_POLL_S)
        return None
    finally:
        subscription.close()
