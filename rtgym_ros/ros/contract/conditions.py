"""Gates and other conditions, read from their topics."""

from __future__ import annotations

from collections.abc import Callable

from rtgym_ros.contract.grammar.source import Key, Source
from rtgym_ros.contract.records.gate import Condition
from rtgym_ros.contract.resolution.messages import ResolvedCondition, resolve_condition
from rtgym_ros.contract.sequences.port import Reading
from rtgym_ros.core.time_source import to_s
from rtgym_ros.ros.contract.contract_topic import ContractTopic
from rtgym_ros.ros.contract.topic_table import TopicTable, deserialize_of


class Conditions:
    """Reads conditions; belongs to one thread.

    Args:
        source: of the contract, for errors.
        topics: where they come from.
        now_ns: the ROS time (ns).
    """

    def __init__(self, source: Source, topics: TopicTable, now_ns: Callable[[], int]) -> None:
        self._source = source
        self._topics = topics
        self._now_ns = now_ns
        self._known: dict[int, tuple[ResolvedCondition, ContractTopic]] = {}

    def add(self, key: Key, condition: Condition) -> Condition:
        """Subscribe to the topic of a condition and return it with constants in place of their names.

        Raises:
            ContractError: it does not fit its message type.
        """
        layout = self._topics.layout(key, condition.type, condition.topic)
        resolved = resolve_condition(self._source, key, condition, layout, deserialize_of(layout))
        topic = self._topics.open(key, layout, condition.topic, condition.qos, "sensor")
        self._known[id(resolved.condition)] = (resolved, topic)
        return resolved.condition

    def read(self, condition: Condition) -> Reading:
        """Return the newest message of a condition that :meth:`add` has returned."""
        resolved, topic = self._known[id(condition)]
        topic.pull()
        publishers = topic.subscription.publishers
        if topic.newest is None:
            return Reading(publishers=publishers)
        return Reading(resolved.value(topic.newest), to_s(self._now_ns() - topic.arrived_ns), publishers)
