"""All topics that a contract reads, each subscribed once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Protocol

from rclpy.serialization import deserialize_message

from rtgym_ros.contract.grammar.source import Key, Source
from rtgym_ros.contract.messages.field_reader import Deserialize
from rtgym_ros.contract.messages.layout import StructType
from rtgym_ros.contract.messages.stamp_reader import StampReader
from rtgym_ros.contract.records.topic import Qos, Stamp
from rtgym_ros.contract.resolution.located import located
from rtgym_ros.ros.contract.contract_topic import ContractTopic
from rtgym_ros.ros.contract.interface_types import message_layout
from rtgym_ros.ros.contract.quality_of_service import to_qos_profile
from rtgym_ros.ros.pulled_subscription import PulledSubscription

NAMED_DEPTH = 10
"""Messages that a subscription keeps at least: one with `names` may be shared by several publishers."""


class MessageTypes(Protocol):
    """Finds message classes."""

    def message(self, key: Key, name: str | None, topic: str) -> Any:
        """Return the class of the messages on ``topic`` (its full name).

        Args:
            key: of the entry that wants it.
            name: of the type, None where the contract leaves it out.
            topic: its full name.

        Raises:
            ContractError: it is not installed, or not known.
        """
        ...


Subscribe = Callable[[Any, str, Any], PulledSubscription[Any]]
"""Subscribes: message class, full name, QoS."""


class TopicTable:
    """Makes :class:`ContractTopic` objects: one for each topic and QoS, shared by all who read it.

    Args:
        source: of the contract, for errors.
        types: finds message classes.
        resolve: makes the full name of a topic.
        subscribe: makes a subscription.
        now_ns: the ROS time (ns).
    """

    def __init__(
        self,
        source: Source,
        types: MessageTypes,
        resolve: Callable[[str], str],
        subscribe: Subscribe,
        now_ns: Callable[[], int],
    ) -> None:
        self._source = source
        self._types = types
        self._resolve = resolve
        self._subscribe = subscribe
        self._now_ns = now_ns
        self._classes: dict[str, Any] = {}
        self._topics: dict[tuple[str, Qos | None, str], ContractTopic] = {}

    def layout(self, key: Key, type_name: str | None, topic: str) -> StructType:
        """Return the fields of the messages on ``topic``.

        Raises:
            ContractError: the type is not installed, or not known.
        """
        name = self._resolve(topic)
        if type_name is None and name in self._classes:
            return message_layout(self._classes[name])
        message_class = self._classes[name] = self._types.message(key, type_name, name)
        return message_layout(message_class)

    def open(
        self,
        key: Key,
        layout: StructType,
        topic: str,
        qos: Qos | None,
        otherwise: str,
        stamp: Stamp | None = None,
        least_depth: int = 1,
    ) -> ContractTopic:
        """Return the topic, subscribed when it is first asked for.

        Args:
            key: of the entry that reads it.
            layout: of its messages.
            topic: as the contract has it.
            qos: of the subscription.
            otherwise: the profile where that names none.
            stamp: the field of the stamps.
            least_depth: of the messages that are kept between two pulls.
        """
        found = self._topics.get((topic, qos, otherwise))
        if found is None:
            with located(self._source, (*key, "stamp")):
                reader = StampReader(layout, stamp, deserialize_of(layout))
            profile = to_qos_profile(qos, otherwise, least_depth)
            subscription = self._subscribe(layout.message_class, self._resolve(topic), profile)
            found = self._topics[topic, qos, otherwise] = ContractTopic(subscription, reader, self._now_ns)
        return found

    def close(self) -> None:
        """End all subscriptions."""
        for topic in self._topics.values():
            topic.subscription.close()
        self._topics.clear()

    def __iter__(self) -> Iterator[ContractTopic]:
        """Iterate over the topics."""
        return iter(self._topics.values())


def deserialize_of(layout: StructType) -> Deserialize:
    """Return what decodes whole messages of ``layout``."""
    return lambda data: deserialize_message(data, layout.message_class)
