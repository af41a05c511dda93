"""A simulated robot as a node: what the drone, the drive and the arm have in common."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from threading import RLock
from time import time_ns
from typing import Any, ClassVar, Generic, TypeVar, cast

import numpy as np
from rclpy.clock import ROSClock
from rclpy.qos import DurabilityPolicy, QoSProfile, qos_profile_sensor_data
from std_msgs.msg import Bool

from rtgym_ros.core.stop_signal import StopSignal
from rtgym_ros.core.time_source import NS_PER_S, to_s
from rtgym_ros.msg import AppliedAction
from rtgym_ros.nodes.robot_parameters import check_delays
from rtgym_ros.robots.simulated_robot import Sample, SimulatedRobot
from rtgym_ros.robots.truth_log import TruthLog, TruthSink, Values
from rtgym_ros.ros.parameters import Parameter, declare
from rtgym_ros.ros.pulled_subscription import PulledSubscription
from rtgym_ros.ros.session import RosSession
from rtgym_ros.ros.stamps import header_stamp_ns, to_time

Reading = TypeVar("Reading")

LATCHED = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
"""Who subscribes later receives the last message."""

SENSOR_QOS = qos_profile_sensor_data
"""Best effort: a sample that is lost is replaced by the next one."""

_COMMAND_QOS = QoSProfile(depth=100)
"""Reliable. A queue, although only the newest counts: each command takes the link's delay from when it came."""

_LONGEST_WAIT_S = 0.1
"""Between two looks (s): the clock may be set."""

_SIMULATED_WAIT_S = 0.001
"""The same on a simulated clock (s), which may go at any speed, stand still and be set back."""

_JUMP_NS = 10 * NS_PER_S
"""A clock that goes on by more between two looks was set (ns)."""

_STEP_NS = NS_PER_S
"""The system's clock was set where it goes back by more (ns); a simulated one where it goes back at all."""


class RobotNode(ABC, Generic[Reading]):
    """A :class:`SimulatedRobot` on ROS topics.

    Every robot has, beside its own topics:

    - ``robot_ready`` (``std_msgs/Bool``, latched): whether it can be commanded.
    - ``e_stop`` (``std_msgs/Bool``, subscribed): true stops it at once and drops every command until false comes.
    - the echo (``rtgym_ros/AppliedAction``), before each sample: under which command it was taken. A command is
      identified by its header stamp; one without, by the time at which the middleware sent it.

    The loop of :meth:`run` does everything but the services, which run in the session's executor.

    Args:
        session: whose node it is.

    Attributes:
        parameters: what the node declares; the names are those of the robot's parameters, ``seed`` and ``truth_log``.
        echo_topic: where the echo is published.
        command_size: how many numbers a command has.
        enabled: whether it takes commands, the emergency stop apart.
        lock: held by whoever works on the robot.
    """

    parameters: ClassVar[Sequence[Parameter]]
    echo_topic: ClassVar[str] = "applied_command"
    echo_qos: ClassVar[QoSProfile] = QoSProfile(depth=10)
    command_size: ClassVar[int] = 2
    starts_enabled: ClassVar[bool] = True

    def __init__(self, session: RosSession) -> None:
        self.node = session.node
        values = declare(self.node, self.parameters)
        check_delays(values)
        seed, truth_log = values.pop("seed"), values.pop("truth_log")
        self._values = values
        self._rng = np.random.default_rng(None if seed < 0 else seed)
        self._truth = TruthLog(truth_log) if truth_log else TruthSink()
        self._clock = cast(ROSClock, self.node.get_clock())
        self._seen_ns = self._now_ns()
        self.lock = RLock()
        self.enabled = self.starts_enabled
        self._stopped = False
        self.robot = self._make()
        self._echo = self.node.create_publisher(AppliedAction, self.echo_topic, self.echo_qos)
        self._ready = self.node.create_publisher(Bool, "robot_ready", LATCHED)
        # Pulled between two events: an executor's callbacks would make the loop wait for the interpreter lock.
        self._commands: list[tuple[PulledSubscription[Any], Callable[[Any], Values]]] = []
        self._e_stop = PulledSubscription(self.node, Bool, "e_stop", QoSProfile(depth=10))

    @abstractmethod
    def make_robot(
        self, values: dict[str, Any], rng: np.random.Generator, start_ns: int, truth: TruthSink
    ) -> SimulatedRobot[Reading]:
        """Return the robot as it is when it starts, made of the values of :attr:`parameters`."""

    @abstractmethod
    def publish(self, sample: Sample[Reading]) -> None:
        """Publish what was measured."""

    def subscribe_commands(self, message_type: type[Any], topic: str, to_values: Callable[[Any], Values]) -> None:
        """Take commands from a topic.

        Args:
            message_type: of the topic.
            topic: its name, relative.
            to_values: returns the command in a message; raises ValueError where there is none in it.
        """
        self._commands.append((PulledSubscription(self.node, message_type, topic, _COMMAND_QOS), to_values))

    def run(self, stop: StopSignal) -> None:
        """Let time pass and publish what comes through the link, until told to stop."""
        self._ready.publish(Bool(data=True))
        wait_s = 0.0
        try:
            while not stop.wait(wait_s):
                with self.lock:
                    self._follow_clock()
                    self._take_e_stop()
                    samples = []
                    if self._seen_ns:  # a simulated clock is zero until its first message comes
                        self._take_commands()
                        samples = self.robot.advance(self._seen_ns)
                    next_ns = self.robot.next_event_ns
                for sample in samples:
                    self._publish_echo(sample)  # first: who sees the sample can have seen the command that led to it
                    self.publish(sample)
                wait_s = max(to_s(next_ns - self._now_ns()), 0.0)
                wait_s = _SIMULATED_WAIT_S if self._clock.ros_time_is_active else min(wait_s, _LONGEST_WAIT_S)
        finally:
            self._truth.close()

    def set_enabled(self, enabled: bool) -> bool:
        """Take commands from now on, or no longer; return whether it is so: not during an emergency stop."""
        with self.lock:
            self.enabled = enabled and not self._stopped
            self.robot.accepts = self.enabled
            return self.enabled == enabled

    def _make(self) -> SimulatedRobot[Reading]:
        robot = self.make_robot(self._values, self._rng, self._seen_ns, self._truth)
        robot.accepts = self.enabled and not self._stopped
        return robot

    def _follow_clock(self) -> None:
        """Read the clock; where it was set, there is nothing to catch up: the robot starts again."""
        now_ns = self._now_ns()
        passed_ns = now_ns - self._seen_ns
        # Who keeps the system's time may set it back by a little: then time stands still for the robot.
        if not (0 if self._clock.ros_time_is_active else -_STEP_NS) <= passed_ns <= _JUMP_NS:
            if self._seen_ns:
                self.node.get_logger().warning("the clock was set: the robot starts again")
                self._truth.applied(now_ns, None, None)
            self._seen_ns = now_ns
            self.robot = self._make()
        self._seen_ns = max(self._seen_ns, now_ns)

    def _take_e_stop(self) -> None:
        for message, _ in self._e_stop.take():
            if message.data == self._stopped:
                continue
            self._stopped = message.data
            if self._stopped:
                self.robot.halt()
                self.enabled = self.starts_enabled
            else:
                self.robot.accepts = self.enabled
            self.node.get_logger().warning(f"emergency stop {'engaged' if self._stopped else 'released'}")
            self._ready.publish(Bool(data=not self._stopped))

    def _take_commands(self) -> None:
        for subscription, to_values in self._commands:
            for message, information in subscription.take():
                self._receive(message, information, to_values)

    def _receive(self, message: Any, information: Any, to_values: Callable[[Any], Values]) -> None:
        """Send a command through the link, from when it came and not from when it is looked at."""
        came_ns = self._seen_ns - max(time_ns() - information["received_timestamp"], 0)
        sent_ns = came_ns if self._clock.ros_time_is_active else information["source_timestamp"]
        stamp_ns = header_stamp_ns(message) or sent_ns
        values: Values = ()
        try:
            values = to_values(message)
            if len(values) != self.command_size:
                raise ValueError(f"{len(values)} values where {self.command_size} are expected")
            if not all(map(math.isfinite, values)):
                raise ValueError(f"{values} is not finite")
        except ValueError as error:
            self.node.get_logger().warning(f"command dropped: {error}", throttle_duration_sec=1.0)
            self._truth.received(came_ns, stamp_ns, values)
            self._truth.dropped(came_ns, stamp_ns, str(error))
            return
        self.robot.command(came_ns, stamp_ns, values)

    def _publish_echo(self, sample: Sample[Reading]) -> None:
        applied = AppliedAction()
        applied.header.stamp = to_time(sample.stamp_ns)
        if sample.command_stamp_ns is not None:
            applied.command_stamp = to_time(sample.command_stamp_ns)
        self._echo.publish(applied)

    def _now_ns(self) -> int:
        return int(self._clock.now().nanoseconds)
