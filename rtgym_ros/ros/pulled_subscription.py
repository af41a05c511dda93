"""A subscription whose messages are taken from the middleware when they are asked for, and by no executor."""

from __future__ import annotations

from collections.abc import Iterator
from copy import copy
from typing import Any, Generic, NamedTuple, TypeVar

from rclpy.callback_groups import CallbackGroup
from rclpy.event_handler import SubscriptionEventCallbacks
from rclpy.exceptions import InvalidHandle
from rclpy.node import Node
from rclpy.qos import QoSProfile
from rclpy.qos_overriding_options import QoSOverridingOptions
from rclpy.serialization import deserialize_message

from rtgym_ros.ros.errors import RosShutdownError
from rtgym_ros.ros.stamps import begins_with_stamp, header_stamp_ns, leading_stamp_ns

Message = TypeVar("Message")

_new = tuple.__new__  # half the cost of the constructor of a named tuple


class RawMessage(NamedTuple):
    """A message as it came, not decoded.

    Attributes:
        data: the serialised message (CDR, with its four bytes of encapsulation).
        stamp_ns: its header stamp (ns), or when it was sent (by the clock of the sender's machine) where it has none.
        source_ns: when it was sent (ns since the epoch, the sender's clock); 0 where the middleware does not say.
        received_ns: when it arrived (ns since the epoch, this machine's clock); 0 where the middleware does not say.
    """

    data: bytes
    stamp_ns: int
    source_ns: int
    received_ns: int


class _NeverReady(CallbackGroup):
    """Keeps a subscription out of every executor's wait set: its messages cost nothing until they are pulled."""

    def can_execute(self, entity: Any) -> bool:
        return False

    def beginning_execution(self, entity: Any) -> bool:
        return False

    def ending_execution(self, entity: Any) -> None:
        pass


class PulledSubscription(Generic[Message]):
    """What has arrived on a topic since the last pull.

    QoS overrides (parameters ``qos_overrides.TOPIC.subscription.{reliability,depth,history}``) are honoured.

    Args:
        node: whose subscription it is.
        message_type: of the topic.
        topic: its name, usually relative.
        qos: of the subscription; its depth is what the middleware keeps between two pulls.
    """

    def __init__(self, node: Node, message_type: type[Message], topic: str, qos: QoSProfile) -> None:
        self._node = node
        self._type = message_type
        # No event callbacks: they would share the callback group. TopicChecks says what does not match.
        self._subscription = node.create_subscription(
            message_type,
            topic,
            _never,
            copy(qos),  # overrides are written into it
            callback_group=_NeverReady(),
            event_callbacks=SubscriptionEventCallbacks(use_default_callbacks=False),
            qos_overriding_options=QoSOverridingOptions.with_default_policies(),
        )
        self._topic = str(self._subscription.topic_name)
        self._has_leading_stamp = begins_with_stamp(message_type)
        self._has_header = "header" in message_type.get_fields_and_field_types()  # type: ignore[attr-defined]

    @property
    def topic(self) -> str:
        """The resolved name of the topic."""
        return self._topic

    @property
    def message_type(self) -> type[Message]:
        """The type of the topic's messages."""
        return self._type

    @property
    def qos(self) -> QoSProfile:
        """The QoS of the subscription, overrides included."""
        return self._subscription.qos_profile

    @property
    def publishers(self) -> int:
        """How many publishers the topic has just now."""
        return int(self._node.count_publishers(self._topic))

    def take(self) -> Iterator[tuple[Message, dict[str, Any]]]:
        """Yield what has arrived, in the order of its arrival, each with the middleware's information on it.

        Raises:
            RosShutdownError: the subscription is gone with its node.
        """
        return self._take(False)

    def take_raw(self) -> list[RawMessage]:
        """Return what has arrived, in the order of its arrival, undecoded: a quarter of the cost of :meth:`take`.

        Raises:
            RosShutdownError: the subscription is gone with its node.
        """
        arrived = []
        for data, information in self._take(True):
            sent_ns = information["source_timestamp"]
            stamp_ns = leading_stamp_ns(data) if self._has_leading_stamp else self._inner_stamp_ns(data)
            arrived.append(RawMessage(data, stamp_ns or sent_ns, sent_ns, information["received_timestamp"]))
        return arrived

    def take_serialised(self) -> list[RawMessage]:
        """Return what has arrived, as :meth:`take_raw`, for who reads the stamps: ``stamp_ns`` is 0.

        Raises:
            RosShutdownError: the subscription is gone with its node.
        """
        arrived: list[RawMessage] = []
        handle, message_type = self._subscription.handle, self._type
        try:
            with handle:  # keeps it from being destroyed meanwhile
                while (taken := handle.take_message(message_type, True)) is not None:
                    data, sent = taken
                    arrived.append(_new(RawMessage, (data, 0, sent["source_timestamp"], sent["received_timestamp"])))
        except InvalidHandle as error:
            raise self._gone() from error
        return arrived

    def decode(self, raw: RawMessage) -> Message:
        """Return the message that ``raw`` stands for."""
        message: Message = deserialize_message(raw.data, self._type)
        return message

    def close(self) -> None:
        """Destroy the subscription."""
        self._node.destroy_subscription(self._subscription)

    def _take(self, raw: bool) -> Iterator[tuple[Any, Any]]:
        handle = self._subscription.handle
        try:
            with handle:  # keeps it from being destroyed meanwhile
                while (taken := handle.take_message(self._type, raw)) is not None:
                    yield taken
        except InvalidHandle as error:
            raise self._gone() from error

    def _gone(self) -> RosShutdownError:
        return RosShutdownError(f"the subscription of {self._topic} is gone: its node was destroyed")

    def _inner_stamp_ns(self, data: bytes) -> int:
        """Return the stamp of a header that stands behind members of any length, 0 without one."""
        if not self._has_header:
            return 0
        return header_stamp_ns(deserialize_message(data, self._type)) or 0


def _never(_message: Any) -> None:
    """Stand where rclpy wants a callback: no executor ever calls it."""
