"""The topics between a hosted environment and its agent, as the node sees them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from math import isfinite
from typing import Any

from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, QoSProfile
from rclpy.serialization import deserialize_message

from rtgym_ros.core.time_source import to_ns
from rtgym_ros.msg import AgentAction, EnvState, TimeStep
from rtgym_ros.record.cdr_reader import decode_answer
from rtgym_ros.record.cdr_writer import encode
from rtgym_ros.record.errors import RecordError
from rtgym_ros.record.time_step import Parts, RecordedTimeStep
from rtgym_ros.ros.hosting.host_state import HostState
from rtgym_ros.ros.hosting.named_arrays import from_messages
from rtgym_ros.ros.pulled_subscription import PulledSubscription
from rtgym_ros.ros.stamps import to_nanoseconds, to_time

TIME_STEP_QOS = QoSProfile(depth=10, durability=DurabilityPolicy.TRANSIENT_LOCAL)
"""Reliable and latched: an agent whose subscription is matched late does not wait for ever."""

STATE_QOS = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
ACTION_QOS = QoSProfile(depth=10)


@dataclass(frozen=True, slots=True)
class Answer:
    """An action that came from an agent.

    Attributes:
        index: of the time-step that it answers; None where the bytes are no action at all.
        time_step_stamp_ns: stamp of that one (ns).
        parts: the action; None where it contradicts itself.
        problem: what is wrong with it, empty if nothing is.
    """

    index: int | None
    time_step_stamp_ns: int
    parts: Parts | None
    problem: str


class AgentTopics:
    """Publishes ``~/time_step`` and ``~/state`` and takes ``~/action``; used by the thread of the host alone.

    Args:
        node: whose topics they are.
        now_ns: the ROS time (ns).
    """

    def __init__(self, node: Node, now_ns: Callable[[], int]) -> None:
        self._node = node
        self._now_ns = now_ns
        self._time_steps = node.create_publisher(TimeStep, "~/time_step", TIME_STEP_QOS)
        self._states = node.create_publisher(EnvState, "~/state", STATE_QOS)
        # Pulled when an action is due: no executor stands between an agent and the clock.
        self._actions: PulledSubscription[Any] = PulledSubscription(node, AgentAction, "~/action", ACTION_QOS)

    def publish_time_step(self, step: RecordedTimeStep) -> None:
        """Publish a time-step; what it is made of may be changed afterwards."""
        if self._node.context.ok():
            self._time_steps.publish(encode(step))

    def publish_state(self, state: HostState) -> None:
        """Publish what the environment is doing from now on."""
        if not self._node.context.ok():
            return
        message = state.message()
        message.header.stamp = to_time(self._now_ns())
        self._states.publish(message)

    def take_actions(self) -> list[Answer]:
        """Return the actions that have come since the last call.

        Raises:
            RosShutdownError: the subscription is gone with its node.
        """
        return [_answer(raw.data) for raw in self._actions.take_serialised()]

    def close(self) -> None:
        """End publishers and subscription."""
        self._actions.close()
        self._node.destroy_publisher(self._time_steps)
        self._node.destroy_publisher(self._states)


def in_ros_time(step: RecordedTimeStep) -> RecordedTimeStep:
    """Return a time-step whose stamps are ROS time; an environment counts from when the machine was started."""
    captured, start = (step.info.get(name, float("nan")) for name in ("ros_capture_time", "ros_time_step_start"))
    if not isfinite(captured):
        return step
    return replace(step, stamp_ns=to_ns(captured), start_ns=to_ns(start) if isfinite(start) else 0)


def _answer(data: bytes) -> Answer:
    try:
        return Answer(*decode_answer(data), "")
    except RecordError:
        return _answer_of_another_kind(data)


def _answer_of_another_kind(data: bytes) -> Answer:
    """Return what the middleware's own decoder makes of bytes that are in another encoding, or wrong."""
    try:
        message = deserialize_message(data, AgentAction)
    except Exception as error:  # whatever was sent must not end the host
        return Answer(None, 0, None, f"bytes that are no action: {' '.join(str(error).split())}")
    stamp_ns = to_nanoseconds(message.time_step_stamp)
    try:
        return Answer(message.index, stamp_ns, from_messages(message.action), "")
    except ValueError as error:
        return Answer(message.index, stamp_ns, None, str(error))
