"""The steps of a contract's sequences, with the clients and publishers that they need."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from rclpy.node import Node

from rtgym_ros.contract.grammar.source import Key
from rtgym_ros.contract.load_code import load_code
from rtgym_ros.contract.messages.command_writer import CommandWriter
from rtgym_ros.contract.records.contract import Contract
from rtgym_ros.contract.records.gate import Condition, Gate
from rtgym_ros.contract.records.step import CallStep, GoalStep, Heartbeat, PublishStep, SendStep, Step, UntilStep
from rtgym_ros.contract.resolution.messages import resolve_constants
from rtgym_ros.ros.command_publisher import CommandPublisher
from rtgym_ros.ros.contract.conditions import Conditions
from rtgym_ros.ros.contract.interface_types import InterfaceTypes, message_layout
from rtgym_ros.ros.contract.quality_of_service import to_qos_profile
from rtgym_ros.ros.contract.topic_table import TopicTable

SEQUENCES = ("start", "reset", "wait", "stop")


class ResolvedSteps:
    """Every step, resolved, with its client or publisher: they are made early, so that they are matched in time.

    Args:
        contract: read before.
        node: of the environment.
        types: finds classes.
        topics: finds message layouts.
        conditions: that steps wait for.
        resolve: makes the full name of a topic, service or action.
        advertise: makes a publisher of messages that are stamped already: class, name, QoS.
        allow_beside: whether the contract's code may lie beside it.

    Attributes:
        sequences: the steps by the name of their sequence, with constants in place of their names.
        gates: the same for the gates.
        heartbeats: publisher and writer of each heartbeat.

    Raises:
        ContractError: an entry does not fit its type.
    """

    def __init__(
        self,
        contract: Contract,
        node: Node,
        types: InterfaceTypes,
        topics: TopicTable,
        conditions: Conditions,
        resolve: Callable[[str], str],
        advertise: Callable[[Any, str, Any], CommandPublisher[Any]],
        *,
        allow_beside: bool = False,
    ) -> None:
        self._contract, self._node, self._types, self._topics = contract, node, types, topics
        self._conditions, self._resolve, self._advertise = conditions, resolve, advertise
        self._allow_beside = allow_beside
        self._clients: dict[int, Any] = {}
        self._writers: dict[int, CommandWriter] = {}
        self._publishers: dict[tuple[str, Any], CommandPublisher[Any]] = {}
        self._of_steps: dict[int, CommandPublisher[Any]] = {}
        self.gates: dict[str, Gate] = {}
        for name, gate in contract.gates.items():
            found = conditions.add(("gates", name), gate)
            assert isinstance(found, Gate)
            self.gates[name] = found
        self.sequences: Mapping[str, Sequence[Step]] = {
            name: [self._step((name, index), step) for index, step in enumerate(getattr(contract, name))]
            for name in SEQUENCES
        }
        self.heartbeats = [
            (beat, *self._published(("heartbeats", index), beat, beat.topic))
            for index, beat in enumerate(contract.heartbeats)
        ]

    def client(self, step: Step) -> Any:
        """Return the client of a step that calls a service or sends a goal."""
        return self._clients[id(step)]

    def publisher(self, step: Step) -> CommandPublisher[Any]:
        """Return the publisher of a step that publishes."""
        return self._of_steps[id(step)]

    def writer(self, step: Step) -> CommandWriter:
        """Return what writes the request, goal or message of a step."""
        return self._writers[id(step)]

    def set_task_values(self, values: Mapping[str, Any]) -> None:
        """Fill the constants ``task.NAME``."""
        for writer in self._writers.values():
            writer.set_task_values(values)

    def close(self) -> None:
        """End the clients; publishers are the interface's."""
        for client in self._clients.values():
            client.destroy()
        self._clients.clear()

    def _step(self, key: Key, step: Step) -> Step:
        if isinstance(step, PublishStep | UntilStep | SendStep) and isinstance(step.until, Condition):
            step = replace(step, until=self._conditions.add((*key, "until"), step.until))
        if isinstance(step, CallStep):
            service_type = self._types.service(key, step.type, self._resolve(step.call))
            self._clients[id(step)] = self._node.create_client(service_type, self._resolve(step.call))
            self._writers[id(step)] = self._constants(key, service_type.Request, step)
        elif isinstance(step, GoalStep):
            from rclpy.action import ActionClient

            action_type = self._types.action(key, step.type, self._resolve(step.goal))
            self._clients[id(step)] = ActionClient(self._node, action_type, self._resolve(step.goal))
            self._writers[id(step)] = self._constants(key, action_type.Goal, step)
        elif isinstance(step, PublishStep):
            self._of_steps[id(step)], self._writers[id(step)] = self._published(key, step, step.publish)
        return step

    def _constants(self, key: Key, message_class: Any, step: CallStep | GoalStep) -> CommandWriter:
        return resolve_constants(self._contract.source, key, message_layout(message_class), step.fill)

    def _published(
        self, key: Key, what: PublishStep | Heartbeat, topic: str
    ) -> tuple[CommandPublisher[Any], CommandWriter]:
        layout = self._topics.layout(key, what.type, topic)
        checksum = None
        if what.checksum is not None:
            checksum = load_code(self._contract, (*key, "checksum"), what.checksum, allow_beside=self._allow_beside)
        writer = resolve_constants(self._contract.source, key, layout, what.fill, what.stamp, checksum)
        name = (self._resolve(topic), what.qos)
        if name not in self._publishers:
            # As many as may be sent at once: a sequence publishes one message after the other.
            profile = to_qos_profile(what.qos, "command", 10)
            self._publishers[name] = self._advertise(layout.message_class, topic, profile)
        return self._publishers[name], writer
