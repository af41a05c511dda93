"""The messages of a contract's topics, recorded as they came."""

from __future__ import annotations

from struct import pack
from time import time_ns

from rtgym_ros.core.time_source import NS_PER_S
from rtgym_ros.record.recorded_topic import AT_RESET, AT_STEP, CAPTURE, SUBSCRIPTION
from rtgym_ros.record.recorder import Recorder
from rtgym_ros.ros.contract.contract_topic import Arrived, ContractTopic
from rtgym_ros.ros.contract.observed_part import ObservedPart
from rtgym_ros.ros.contract.recorded_type import recorded_topic
from rtgym_ros.ros.contract.topic_table import TopicTable


class MessageRecord:
    """Hands messages and the moments of captures to a recorder; called by the one thread that pulls the topics.

    The log time of a message is when it was pulled (this machine's clock), its publish time when it arrived (ROS time):
    messages of one topic with the same log time came in one pull. Serialised bytes are handed on without a copy.

    Args:
        recorder: writes them.
        topics: of the contract.
        record_all: whether every message is recorded, or only those that an observation was made of.

    Raises:
        ConfigError: the definition of a message is not installed.
    """

    def __init__(self, recorder: Recorder, topics: TopicTable, record_all: bool) -> None:
        self._recorder = recorder
        self._record_all = record_all
        self._topics = {
            id(topic): recorded_topic(
                topic.topic,
                topic.subscription.message_type,
                topic.subscription.qos,
                ((SUBSCRIPTION, str(number)),),
            )
            for number, topic in enumerate(topics)
        }
        self._sequences = dict.fromkeys(self._topics, 0)
        self._last: dict[int, bytes] = {}
        self._captures = 0
        if record_all:
            for topic in topics:
                if topic.newest is not None:
                    self._arrived(topic, [Arrived(topic.newest, topic.arrived_ns)])
                topic.tap = self._arrived

    def captured(self, now_ns: int, restart: bool, parts: list[ObservedPart]) -> None:
        """Record that an observation was captured.

        Args:
            now_ns: when (ROS time, ns).
            restart: whether it is that of a reset.
            parts: of the observation.
        """
        if not self._record_all:
            for part in parts:
                key, message = id(part.topic), part.message
                if message is not None and self._last.get(key) is not message.data:
                    self._last[key] = message.data
                    self._write(key, time_ns(), message.arrived_ns, message.data)
        word = (AT_RESET if restart else AT_STEP).encode() + b"\0"
        header = pack("<4BiII", 0, 1, 0, 0, *divmod(now_ns, NS_PER_S), len(word)) + word
        self._recorder.write_message(CAPTURE, time_ns(), now_ns, self._captures, header)
        self._captures += 1

    def _arrived(self, topic: ContractTopic, messages: list[Arrived]) -> None:
        key, pulled_ns = id(topic), time_ns()
        for data, arrived_ns in messages:
            self._write(key, pulled_ns, arrived_ns, data)

    def _write(self, key: int, log_time_ns: int, publish_time_ns: int, data: bytes) -> None:
        sequence = self._sequences[key]
        self._sequences[key] = sequence + 1
        self._recorder.write_message(self._topics[key], log_time_ns, publish_time_ns, sequence, data)
