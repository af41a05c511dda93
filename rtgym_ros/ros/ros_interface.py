"""The base of a robot's interface on ROS 2: a node, latest observations, commands, and a report of every time-step."""

from __future__ import annotations

from collections.abc import Sequence
from time import monotonic, sleep
from typing import TypeVar

from rclpy.node import Node

from rtgym_ros.core.elastic_clock import TimeStep
from rtgym_ros.core.errors import InterfaceTimeoutError
from rtgym_ros.core.time_source import MonotonicTimeSource, TimeSource
from rtgym_ros.envs.interface import RealTimeGymInterface
from rtgym_ros.msg import StepTiming
from rtgym_ros.ros.command_publisher import CommandPublisher
from rtgym_ros.ros.latest_subscription import LatestSubscription
from rtgym_ros.ros.parameters import Bounded, declare
from rtgym_ros.ros.ros_time_source import RosTimeSource
from rtgym_ros.ros.session import RosSession
from rtgym_ros.ros.stamps import to_duration, to_time

Message = TypeVar("Message")

PARAMETERS = (
    Bounded(
        "observation_timeout", 10.0, 0.1, 3600.0, "how long reset() waits for a first observation of every topic (s)"
    ),
    Bounded("clock_timeout", 60.0, 0.1, 3600.0, "how long /clock may stand still while use_sim_time is true (s)"),
)
_POLL_S = 0.002


class RosInterface(RealTimeGymInterface):
    """An interface whose robot is on ROS 2 topics: a subclass declares them when it is made, then reads and writes.

    The clock runs in the environment's thread and no executor; observations are pulled when they are captured. The node
    publishes ``step_timing`` (``rtgym_ros/msg/StepTiming``) once a time-step.

    Args:
        node_name: default name of the node.
        namespace: its default namespace.
        arguments: command line with ``--ros-args``; the program's own by default.

    Raises:
        ConfigError: an argument or a parameter cannot be used.
        InterfaceTimeoutError: ``use_sim_time`` is true and nobody publishes ``/clock``.
    """

    def __init__(self, node_name: str = "rtgym", namespace: str = "", arguments: Sequence[str] | None = None) -> None:
        self._session = RosSession(node_name, namespace, arguments)
        try:
            parameters = declare(self.node, PARAMETERS)
            self._observation_timeout: float = parameters["observation_timeout"]
            self._observations: list[LatestSubscription[object]] = []
            self._timing_publisher = self.node.create_publisher(StepTiming, "step_timing", 10)
            self._time_source = self._make_time_source(parameters["clock_timeout"])
        except BaseException:
            self._session.close()
            raise

    @property
    def node(self) -> Node:
        """The node, for what else a robot needs: services, timers, parameters. A MultiThreadedExecutor serves it."""
        return self._session.node

    def subscribe_latest(self, message_type: type[Message], topic: str, depth: int = 1) -> LatestSubscription[Message]:
        """Declare a topic whose latest message is part of the observation; see :class:`LatestSubscription`."""
        subscription = LatestSubscription(self.node, message_type, topic, depth)
        self._observations.append(subscription)  # type: ignore[arg-type]
        return subscription

    def advertise_command(self, message_type: type[Message], topic: str) -> CommandPublisher[Message]:
        """Declare a topic that actions are written to; see :class:`CommandPublisher`."""
        return CommandPublisher(self.node, message_type, topic)

    def wait_for_observations(self) -> None:
        """Wait until every latest-observation topic has brought a message.

        Raises:
            InterfaceTimeoutError: a topic is silent for longer than the parameter ``observation_timeout``.
        """
        deadline = monotonic() + self._observation_timeout
        for subscription in self._observations:
            while not subscription.pull() and subscription.latest is None:
                if monotonic() > deadline:
                    raise InterfaceTimeoutError(
                        f"no message on {subscription.topic} for {self._observation_timeout:g} s "
                        f"({subscription.publishers} publishers)"
                    )
                sleep(_POLL_S)

    def get_time_source(self) -> TimeSource:
        """Return the monotonic clock, or ROS time where ``use_sim_time`` is true."""
        return self._time_source

    def on_time_step(self, time_step: TimeStep) -> None:
        """Publish ``step_timing``, in ROS time, if anybody listens: the message costs more than the rest of a step."""
        if not self._timing_publisher.get_subscription_count():
            return
        now_ns = self.node.get_clock().now().nanoseconds
        to_ros_ns = now_ns - self._time_source.now_ns()
        timing = StepTiming(index=time_step.index, overrun=time_step.overrun, timed_out=time_step.timed_out)
        timing.header.stamp = to_time(now_ns)
        timing.start = to_time(time_step.start_ns + to_ros_ns)
        timing.capture = to_time(time_step.capture_ns + to_ros_ns)
        timing.end = to_time(time_step.end_ns + to_ros_ns)
        timing.lateness = to_duration(time_step.lateness_ns)
        self._timing_publisher.publish(timing)

    def close(self) -> None:
        """End node, executor and context; a second call does nothing."""
        self._session.close()

    def _make_time_source(self, clock_timeout: float) -> TimeSource:
        if not self.node.get_parameter("use_sim_time").value:
            return MonotonicTimeSource()
        clock = self.node.get_clock()
        deadline = monotonic() + self._observation_timeout
        while clock.now().nanoseconds == 0:
            if monotonic() > deadline:
                raise InterfaceTimeoutError(
                    f"use_sim_time is true, but no message on /clock for {self._observation_timeout:g} s "
                    f"({self.node.count_publishers('/clock')} publishers)"
                )
            sleep(_POLL_S)
        return RosTimeSource(clock, clock_timeout)
