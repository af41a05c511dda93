"""Commands to a robot: stamped when they are sent, reliable, and only the newest counts."""

from __future__ import annotations

import logging
from collections.abc import Callable
from copy import copy
from time import monotonic, sleep
from typing import Any, Generic, TypeVar

from rclpy.duration import Duration
from rclpy.event_handler import PublisherEventCallbacks
from rclpy.node import Node
from rclpy.qos import HistoryPolicy, QoSProfile, ReliabilityPolicy
from rclpy.qos_overriding_options import QoSOverridingOptions

from rtgym_ros.ros.last_resort import BelowRcl, FreshPublisher
from rtgym_ros.ros.stamps import to_time

Message = TypeVar("Message")

_log = logging.getLogger(__name__)

COMMAND_QOS = QoSProfile(history=HistoryPolicy.KEEP_LAST, depth=1, reliability=ReliabilityPolicy.RELIABLE)
"""Of both ends of a command topic."""

_POLL_S = 0.002


class CommandPublisher(Generic[Message]):
    """Publishes commands on ``topic``; a message with a header is stamped, which identifies it.

    It goes on publishing when ROS is shut down under it, so that the safe action is still sent; see
    :mod:`rtgym_ros.ros.last_resort`. QoS overrides (parameters
    ``qos_overrides.TOPIC.publisher.{reliability,depth,history}``) are honoured.

    Args:
        node: whose publisher it is.
        message_type: of the topic.
        topic: its name, usually relative.
        qos: :data:`COMMAND_QOS` by default.
        now_ns: the ROS time (ns); that of the node's clock by default.
        outlives_node: whether it still publishes after the node was destroyed, as ``rclpy.shutdown()`` destroys the
            nodes of its context (from Kilted on); :meth:`close` must be called then.
        stamps: whether a header is stamped; without, the message is sent as it is.

    Attributes:
        tap: called with the publisher and each message, just after it was sent; never after a shutdown of ROS.
    """

    def __init__(
        self,
        node: Node,
        message_type: type[Message],
        topic: str,
        qos: QoSProfile | None = None,
        *,
        now_ns: Callable[[], int] | None = None,
        outlives_node: bool = False,
        stamps: bool = True,
    ) -> None:
        self._node = node
        self._now_ns = now_ns or (lambda: int(node.get_clock().now().nanoseconds))
        self._domain_id = node.context.get_domain_id()
        # No event callbacks: TopicChecks says what does not match.
        self._publisher = node.create_publisher(
            message_type,
            topic,
            copy(qos or COMMAND_QOS),  # overrides are written into it
            event_callbacks=PublisherEventCallbacks(use_default_callbacks=False),
            qos_overriding_options=QoSOverridingOptions.with_default_policies(),
        )
        self._topic = str(self._publisher.topic_name)
        self._outlives_node = outlives_node
        if outlives_node:
            self._publisher.handle.__enter__()  # what is in use is not destroyed
        self._last_resort: BelowRcl | FreshPublisher | None = None
        self._is_closed = False
        self.tap: Callable[[CommandPublisher[Message], Any], None] | None = None
        self._has_published = False
        self._has_header = stamps and "header" in message_type.get_fields_and_field_types()  # type: ignore[attr-defined]

    @property
    def topic(self) -> str:
        """The resolved name of the topic."""
        return self._topic

    @property
    def message_type(self) -> type[Message]:
        """The type of the topic's messages."""
        message_type: type[Message] = self._publisher.msg_type
        return message_type

    @property
    def qos(self) -> QoSProfile:
        """The QoS of the publisher, overrides included."""
        return self._publisher.qos_profile

    @property
    def has_published(self) -> bool:
        """Whether :meth:`publish` was called: before, nobody has to be subscribed."""
        return self._has_published

    def publish(self, message: Any) -> None:
        """Stamp ``message`` with the ROS time and send it.

        Raises:
            RuntimeError: the middleware refused it (rclpy's ``RCLError``).
        """
        self._has_published = True
        if self._has_header:
            message.header.stamp = to_time(self._now_ns())
        if self._last_resort is None:
            try:
                self._publisher.publish(message)
                if self.tap is not None:
                    self.tap(self, message)
                return
            except RuntimeError:  # RCLError of a context that was shut down, InvalidHandle of a node that was destroyed
                if self._is_closed or (self._node.context.ok() and self._publisher in self._node.publishers):
                    raise
        self._publish_after_shutdown(message)

    def wait_for_acknowledgement(self, timeout: float) -> bool:
        """Wait until every robot that is subscribed has acknowledged every command, ``timeout`` (s) at most.

        Returns:
            Whether they have; True where nobody is subscribed, or with best effort.
        """
        deadline = monotonic() + timeout
        # rclpy holds the interpreter while it waits, so it is only asked.
        while not self._is_acknowledged():
            if monotonic() >= deadline:
                return False
            sleep(_POLL_S)
        return True

    def close(self) -> None:
        """Destroy the publisher; a second call does nothing. What is not acknowledged yet is lost."""
        if self._is_closed:
            return
        self._is_closed = True
        if self._last_resort is not None:
            self._last_resort.close()
            self._last_resort = None
        self._node.destroy_publisher(self._publisher)
        if self._outlives_node:
            self._publisher.handle.__exit__(None, None, None)

    def _publish_after_shutdown(self, message: Any) -> None:
        if self._last_resort is None:
            self._last_resort = self._make_last_resort()
        try:
            self._last_resort.publish(message)
        except (OSError, RuntimeError) as error:
            if isinstance(self._last_resort, FreshPublisher):
                raise
            _log.debug("%s: %s", self._topic, error)
            self._last_resort.close()
            self._last_resort = self._make_fresh()
            self._last_resort.publish(message)

    def _make_last_resort(self) -> BelowRcl | FreshPublisher:
        try:
            return BelowRcl(self._publisher, self._outlives_node)
        except OSError as error:
            _log.debug("%s: %s", self._topic, error)
            return self._make_fresh()

    def _make_fresh(self) -> FreshPublisher:
        return FreshPublisher(self.message_type, self._topic, self.qos, self._domain_id)

    def _is_acknowledged(self) -> bool:
        try:
            if self._last_resort is not None:
                return self._last_resort.wait_for_all_acked()
            return bool(self._publisher.wait_for_all_acked(Duration()))
        except (OSError, RuntimeError) as error:
            if self._last_resort is None and not self._node.context.ok():
                self._last_resort = self._make_last_resort()  # shut down since the command was sent
                return False
            _log.debug("%s: no acknowledgement to be had: %s", self._topic, error)
            return False
