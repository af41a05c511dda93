"""The graph of ROS 2, as the sequences of a contract see it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from time import monotonic, sleep

from rclpy.context import Context

from rtgym_ros.contract.records.gate import Condition
from rtgym_ros.contract.records.step import CallStep, GoalStep, PublishStep
from rtgym_ros.contract.sequences.port import Reading
from rtgym_ros.core.time_source import TimeSource, to_s
from rtgym_ros.envs.clock_thread import pause
from rtgym_ros.ros.contract.commands import Commands
from rtgym_ros.ros.contract.conditions import Conditions
from rtgym_ros.ros.contract.requests import SentGoal, ServiceResponse
from rtgym_ros.ros.contract.resolved_steps import ResolvedSteps
from rtgym_ros.ros.errors import RosShutdownError

_POLL_S = 0.002


class RosPort:
    """Implements :class:`rtgym_ros.contract.sequences.port.Port`; called in the clock thread.

    Args:
        context: of the node: when it ends, so do sequences.
        time_source: the clock of the time-steps.
        now_ns: the ROS time (ns).
        steps: with their clients and publishers.
        conditions: that steps wait for.
        commands: that ``send`` steps move.
    """

    def __init__(
        self,
        context: Context,
        time_source: TimeSource,
        now_ns: Callable[[], int],
        steps: ResolvedSteps,
        conditions: Conditions,
        commands: Commands,
    ) -> None:
        self._context = context
        self._time_source = time_source
        self._now_ns = now_ns
        self._steps = steps
        self._conditions = conditions
        self._commands = commands
        self._period = min(topic.period for topic in commands.topics)

    def now(self) -> float:
        """Return the wall time (s, monotonic)."""
        return monotonic()

    def time(self) -> float:
        """Return the time of the clock of the time-steps (s)."""
        return to_s(self._time_source.now_ns())

    def wait(self, seconds: float) -> None:
        """Sleep, for so long that nothing that arrives waits for more than some milliseconds.

        Raises:
            RosShutdownError: the context has ended.
        """
        pause(min(max(seconds, 0.0), _POLL_S))
        if not self._context.ok():
            raise RosShutdownError("ROS was shut down while a sequence of the contract was under way")

    def sleep(self, seconds: float) -> None:
        """Sleep as :meth:`wait` does, whether or not ROS goes on."""
        sleep(min(max(seconds, 0.0), _POLL_S))

    def server_ready(self, step: CallStep | GoalStep) -> bool:
        """Return whether the service, or ROS action, has a server."""
        client = self._steps.client(step)
        return bool(client.service_is_ready() if isinstance(step, CallStep) else client.server_is_ready())

    def call(self, step: CallStep) -> ServiceResponse:
        """Call the service."""
        return ServiceResponse(self._steps.client(step), self._steps.writer(step).write([], self._now_ns()))

    def send_goal(self, step: GoalStep) -> SentGoal:
        """Send the goal."""
        return SentGoal(self._steps.client(step), self._steps.writer(step).write([], self._now_ns()))

    def publish(self, step: PublishStep) -> None:
        """Publish the message once, stamped now."""
        self._steps.publisher(step).publish(self._steps.writer(step).write([], self._now_ns()))

    def read(self, condition: Condition) -> Reading:
        """Return the newest message of the condition's topic."""
        return self._conditions.read(condition)

    def move(self, targets: Mapping[str, float | tuple[float, ...]]) -> bool:
        """Send the next commands on the way to ``targets``, within the limits of the parts."""
        return self._commands.move(targets)

    def command_period(self) -> float:
        """Return the period of the commands (s)."""
        return self._period
