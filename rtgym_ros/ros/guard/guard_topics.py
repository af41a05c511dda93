"""Everything that the guard receives and sends, made from its contract."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from rclpy.node import Node
from rclpy.qos import QoSProfile
from std_msgs.msg import Bool

from rtgym_ros.contract.grammar.rules.guard import guard_timeout
from rtgym_ros.contract.guard.guard_logic import GuardLogic
from rtgym_ros.contract.guard.guarded_command import GuardedCommand
from rtgym_ros.contract.guard.lock import Lock
from rtgym_ros.contract.load_code import load_code
from rtgym_ros.contract.messages.field_reader import FieldReader
from rtgym_ros.contract.records.contract import Contract
from rtgym_ros.contract.resolution.observations import resolve_observation
from rtgym_ros.contract.sequences.periodic import Periodic
from rtgym_ros.core.config import RealTimeConfig
from rtgym_ros.core.time_source import to_ns
from rtgym_ros.ros.command_publisher import CommandPublisher
from rtgym_ros.ros.contract.commands import TopicCommand
from rtgym_ros.ros.contract.interface_types import InterfaceTypes, message_layout
from rtgym_ros.ros.contract.make_commands import make_commands
from rtgym_ros.ros.contract.quality_of_service import to_qos_profile
from rtgym_ros.ros.contract.topic_table import NAMED_DEPTH, TopicTable, deserialize_of
from rtgym_ros.ros.guard.guard_heartbeats import make_heartbeats
from rtgym_ros.ros.guard.guard_lock import LockTopic
from rtgym_ros.ros.guard.guard_output import GuardOutput
from rtgym_ros.ros.guard.make_inputs import Carrier, make_inputs
from rtgym_ros.ros.pulled_subscription import PulledSubscription
from rtgym_ros.ros.topic_checks import TopicChecks

_TYPES_S = 5.0
"""How long a type that the contract leaves out is looked for in the graph (s)."""


class Measured(NamedTuple):
    """What ``first_from`` of a part shows."""

    subscription: PulledSubscription[Any]
    part: str
    command: GuardedCommand
    reader: FieldReader

    def pull(self) -> None:
        """Hand the newest values that can be read to the command."""
        for raw in reversed(self.subscription.take_serialised()):
            values = self.reader.read(raw.data)
            if values is not None:
                self.command.observe(self.part, values)
                return


class GuardTopics:
    """The topics of the guard; belongs to one thread.

    Args:
        node: of the guard.
        contract: with a guard, and without parts that are sent as goals.
        ros_time_ns: the ROS time (ns).
        report: called with one line for what is wrong, ``(kind, line)``.
        heartbeats: whether the contract's are sent.
        allow_beside: whether the contract's code may lie beside its file.

    Attributes:
        checks: what is wrong in the graph.
        logic: of the guard.
        outputs: by index of the command.
        measured: what ``first_from`` shows.
        inputs: the topics of the inputs.
        lock: the topic of the lock; None where there is none.
        heartbeats: of the contract, where they are sent.

    Raises:
        ContractError: the contract does not fit a message type.
    """

    def __init__(
        self,
        node: Node,
        contract: Contract,
        ros_time_ns: Callable[[], int],
        report: Callable[[str, str], None],
        *,
        heartbeats: bool = False,
        allow_beside: bool = False,
    ) -> None:
        assert contract.guard is not None
        self._node, self._contract, self._beside = node, contract, allow_beside
        self._publishers: list[CommandPublisher[Any]] = []
        self.checks = TopicChecks(node, lambda line: report(line, line))
        types = InterfaceTypes(node, contract.source, _TYPES_S)
        self._table = TopicTable(contract.source, types, self._resolve, self._subscribe, ros_time_ns)
        duration = float(contract.time.get("time_step_duration", RealTimeConfig.time_step_duration))
        made = make_commands(
            contract, types, self._table, self._advertise, _no_goal, self._resolve, duration, ros_time_ns,
            allow_beside=allow_beside,
        )  # fmt: skip
        publishers = list(self._publishers)
        for publisher in publishers:
            self.checks.add_command(publisher)
        commands = [self._guarded(index, command) for index, command in enumerate(made)]
        timeout_ns = to_ns(guard_timeout(contract))
        self.outputs = [
            GuardOutput(node, command, publisher, timeout_ns, ros_time_ns)
            for command, publisher in zip(made, publishers, strict=True)
        ]
        self.measured = [
            self._measure(name, part.first_from, next(command for command in commands if name in command.parts))
            for name, part in contract.action.items()
            if part.first_from is not None
        ]
        carriers = [
            Carrier(contract.action[next(iter(command.parts))].topic or "", message_layout(kind), command.parts)
            for command, kind in ((command, p.message_type) for command, p in zip(commands, publishers, strict=True))
        ]
        inputs, self.inputs = make_inputs(contract, carriers, self._table, self._subscribe_relative, report)
        self.lock: LockTopic | None = None
        if (lock := contract.guard.lock) is not None:
            profile = to_qos_profile(lock.qos, "command", NAMED_DEPTH)
            lock_ns = timeout_ns if lock.timeout is None else to_ns(lock.timeout)
            self.lock = LockTopic(self._subscribe_relative(Bool, lock.topic, profile), Lock(lock_ns))
        self.logic = GuardLogic(inputs, commands, None if self.lock is None else self.lock.lock)
        self.heartbeats: list[Periodic] = []
        if heartbeats:
            self.heartbeats = make_heartbeats(contract, self._table, self._advertise, ros_time_ns, allow_beside)

    def pull(self, now_ns: int) -> None:
        """Take what has arrived until ``now_ns`` (ns, the clock of the guard)."""
        for measured in self.measured:
            measured.pull()
        for topic in self.inputs:
            topic.pull(now_ns)
        if self.lock is not None:
            self.lock.pull(now_ns)

    def problems(self) -> list[str]:
        """Return what is wrong with the topics just now, one line each."""
        self.checks.check()
        subscriptions = [topic.subscription for topic in self.inputs]
        subscriptions += [measured.subscription for measured in self.measured]
        subscriptions += [self.lock.subscription] if self.lock is not None else []
        return [line for one in subscriptions for line in self.checks.problems_of_observation(one)]

    def close(self) -> None:
        """End the publishers; the subscriptions end with the node."""
        for publisher in self._publishers:
            publisher.close()

    def _guarded(self, index: int, command: TopicCommand) -> GuardedCommand:
        action = self._contract.action
        return GuardedCommand(
            index,
            command.parts,
            to_ns(command.period),
            command.repeats,
            [name for name in command.parts if action[name].first_from is not None],
            any(action[name].between == "linear" for name in command.parts),
        )

    def _measure(self, name: str, observed: str, command: GuardedCommand) -> Measured:
        part, key = self._contract.observation[observed], ("observation", observed)

        def load(code: str) -> Callable[..., Any]:
            return load_code(self._contract, (*key, "convert"), code, allow_beside=self._beside)

        layout = self._table.layout(key, part.type, part.topic)
        resolved = resolve_observation(self._contract, observed, layout, load, deserialize_of(layout))
        assert resolved.reader.raw is not None  # make_commands has refused an image
        profile = to_qos_profile(part.qos, "sensor", NAMED_DEPTH if part.names else 1)
        subscription = self._subscribe_relative(layout.message_class, part.topic, profile)
        return Measured(subscription, name, command, resolved.reader.raw)

    def _subscribe(self, message_class: Any, name: str, qos: QoSProfile) -> PulledSubscription[Any]:
        subscription: PulledSubscription[Any] = PulledSubscription(self._node, message_class, name, qos)
        self.checks.add_observation(subscription)
        return subscription

    def _subscribe_relative(self, message_class: Any, name: str, qos: QoSProfile) -> PulledSubscription[Any]:
        return self._subscribe(message_class, self._resolve(name), qos)

    def _advertise(self, message_class: Any, name: str, qos: QoSProfile) -> CommandPublisher[Any]:
        self._publishers.append(CommandPublisher(self._node, message_class, self._resolve(name), qos, stamps=False))
        return self._publishers[-1]

    def _resolve(self, name: str) -> str:
        return name if name.startswith("/") else f"{self._node.get_namespace().rstrip('/')}/{name}"


def _no_goal(_action_type: Any, name: str) -> Any:
    raise AssertionError(f"{name}: parts that are goals were left out")
