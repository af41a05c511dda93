"""The heartbeats of a contract, sent by the guard for a policy that sends none."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rtgym_ros.contract.load_code import load_code
from rtgym_ros.contract.records.contract import Contract
from rtgym_ros.contract.resolution.messages import resolve_constants
from rtgym_ros.contract.sequences.periodic import Periodic
from rtgym_ros.ros.command_publisher import CommandPublisher
from rtgym_ros.ros.contract.quality_of_service import to_qos_profile
from rtgym_ros.ros.contract.topic_table import TopicTable

Advertise = Callable[[Any, str, Any], CommandPublisher[Any]]
"""Makes a publisher: message class, name as the contract has it, QoS."""


def make_heartbeats(
    contract: Contract, topics: TopicTable, advertise: Advertise, now_ns: Callable[[], int], allow_beside: bool
) -> list[Periodic]:
    """Return what sends each heartbeat of the contract at its rate.

    Args:
        contract: read before.
        topics: finds the layouts of message types.
        advertise: makes a publisher.
        now_ns: the ROS time (ns).
        allow_beside: whether the contract's code may lie beside it.

    Raises:
        ContractError: a heartbeat does not fit its message type.
    """
    heartbeats = []
    for index, beat in enumerate(contract.heartbeats):
        key = ("heartbeats", beat.name or index)
        checksum = None
        if beat.checksum is not None:
            checksum = load_code(contract, (*key, "checksum"), beat.checksum, allow_beside=allow_beside)
        layout = topics.layout(key, beat.type, beat.topic)
        writer = resolve_constants(contract.source, key, layout, beat.fill, beat.stamp, checksum)
        publisher = advertise(layout.message_class, beat.topic, to_qos_profile(beat.qos, "command"))

        def send(publisher: CommandPublisher[Any] = publisher, writer: Any = writer) -> None:
            publisher.publish(writer.write([], now_ns()))

        heartbeats.append(Periodic(1.0 / beat.rate, send))
    return heartbeats
