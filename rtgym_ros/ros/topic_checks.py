"""What keeps topics from working, found in the ROS graph: QoS, types, missing and additional nodes."""

from __future__ import annotations

from collections.abc import Callable
from copy import copy
from typing import TYPE_CHECKING, Any

from rclpy.duration import Infinite
from rclpy.node import Node
from rclpy.qos import QoSCompatibility, QoSProfile, qos_check_compatible

from rtgym_ros.ros.command_publisher import CommandPublisher
from rtgym_ros.ros.pulled_subscription import PulledSubscription

if TYPE_CHECKING:  # in newer rclpy the module is called endpoint_info
    from rclpy.topic_endpoint_info import TopicEndpointInfo


class TopicChecks:
    """Looks at the topics of one environment and reports each thing that is wrong once, naming topic and node.

    What is put right and breaks again is reported again.

    Args:
        node: of the environment.
        report: called with one line a finding.
    """

    def __init__(self, node: Node, report: Callable[[str], None]) -> None:
        self._node = node
        self._report = report
        self._observations: list[PulledSubscription[Any]] = []
        self._alone: list[PulledSubscription[Any]] = []
        self._commands: list[CommandPublisher[Any]] = []
        self._reported: set[str] = set()
        self._found: set[str] = set()

    def add_observation(self, subscription: PulledSubscription[Any], alone: bool = False) -> None:
        """Look at the topic of ``subscription`` too.

        Args:
            subscription: to an observation.
            alone: report a second publisher: nothing in their messages tells two robots apart.
        """
        self._observations.append(subscription)
        if alone:
            self._alone.append(subscription)

    def add_command(self, publisher: CommandPublisher[Any]) -> None:
        """Look at the topic of ``publisher`` too."""
        self._commands.append(publisher)

    def check(self) -> None:
        """Report what two checks in a row have found; to be called every second or so, from one thread.

        What is found once may be a node that is still being discovered: its topics are known before its name is.
        """
        found: list[str] = []
        for subscription in self._observations:
            found += self.problems_of_observation(subscription)
        for subscription in self._alone:
            found += self.problems_of_sharing(subscription)
        for publisher in self._commands:
            found += self._problems_of_command(publisher)
        lasting = [line for line in found if line in self._found]
        for line in lasting:
            if line not in self._reported:
                self._report(line)
        self._found, self._reported = set(found), set(lasting)

    @property
    def lasting(self) -> list[str]:
        """What the last check has found, and the one before it too, one line each."""
        return sorted(self._reported)

    def other_publishers(self) -> list[str]:
        """Return who else publishes on the topics of the commands, one line each."""
        return [line for publisher in self._commands for line in self._others_on(publisher.topic)]

    def problems_of_observation(self, subscription: PulledSubscription[Any]) -> list[str]:
        """Return why messages of publishers that are there do not arrive, one line a publisher."""
        publishers = self._node.get_publishers_info_by_topic(subscription.topic)
        lines = (self._mismatch(subscription, info, info.qos_profile, subscription.qos) for info in publishers)
        return [line for line in lines if line]

    def problems_of_sharing(self, subscription: PulledSubscription[Any]) -> list[str]:
        """Return one line where several publish on the topic of an observation, whose messages are mixed then."""
        names = sorted(_name(info) for info in self._node.get_publishers_info_by_topic(subscription.topic))
        if len(names) < 2:
            return []
        return [f"{' and '.join(names)} publish on {subscription.topic}: the observation is now of one, now of another"]

    def _problems_of_command(self, publisher: CommandPublisher[Any]) -> list[str]:
        found: list[str] = []
        topic = publisher.topic
        subscriptions = self._node.get_subscriptions_info_by_topic(topic)
        for info in subscriptions:
            line = self._mismatch(publisher, info, publisher.qos, info.qos_profile)
            found += [line] if line else []
        if publisher.has_published and not subscriptions:
            found.append(f"nobody subscribes to {topic}: commands reach no robot")
        return found + self._others_on(topic)

    def _others_on(self, topic: str) -> list[str]:
        publishers = [_name(info) for info in self._node.get_publishers_info_by_topic(topic)]
        ours = self._node.get_fully_qualified_name()
        if ours in publishers:
            publishers.remove(ours)
        return [
            f"{name} publishes on {topic} too: the robot follows the last command" for name in sorted(set(publishers))
        ]

    def _mismatch(
        self,
        ours: PulledSubscription[Any] | CommandPublisher[Any],
        info: TopicEndpointInfo,
        offered: QoSProfile,
        requested: QoSProfile,
    ) -> str | None:
        wanted = type_name(ours.message_type)
        if info.topic_type != wanted:
            return f"{_name(info)} has {info.topic_type} on {ours.topic}, not {wanted}"
        reason = mismatch_of(offered, requested)
        return None if reason is None else f"the QoS of {_name(info)} on {ours.topic} does not match: {reason}"


def type_name(message_type: Any) -> str:
    """Return the ROS name of a message type, ``geometry_msgs/msg/PoseStamped``."""
    package, kind, *_ = message_type.__module__.split(".")
    return f"{package}/{kind}/{message_type.__name__}"


def mismatch_of(offered: QoSProfile, requested: QoSProfile) -> str | None:
    """Return why a publisher and a subscription do not match, None where they do."""
    compatibility, reason = qos_check_compatible(_with_times(offered), _with_times(requested))
    return " ".join(reason.split()).rstrip(";") if compatibility == QoSCompatibility.ERROR else None


def _with_times(qos: QoSProfile) -> QoSProfile:
    """Return ``qos`` with infinite times where none are given, which is what they come to, and what the graph shows."""
    qos = copy(qos)
    if not qos.deadline.nanoseconds:
        qos.deadline = Infinite
    if not qos.liveliness_lease_duration.nanoseconds:
        qos.liveliness_lease_duration = Infinite
    return qos


def _name(info: TopicEndpointInfo) -> str:
    return f"{info.node_namespace.rstrip('/')}/{info.node_name}"
