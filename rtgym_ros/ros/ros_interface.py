"""The base of a robot's interface on ROS 2: a node, latest observations, commands, and a report of every time-step."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import inf
from time import monotonic, time_ns
from typing import Any, TypeVar

from rclpy.callback_groups import MutuallyExclusiveCallbackGroup
from rclpy.clock import Clock
from rclpy.clock_type import ClockType
from rclpy.context import Context
from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, QoSProfile

from rtgym_ros.core.elastic_clock import TimeStep
from rtgym_ros.core.errors import InterfaceError, InterfaceTimeoutError
from rtgym_ros.core.time_source import MonotonicTimeSource, TimeSource, to_s
from rtgym_ros.envs.clock_thread import pause
from rtgym_ros.envs.interface import RealTimeGymInterface
from rtgym_ros.msg import StepTiming
from rtgym_ros.ros.command_publisher import CommandPublisher
from rtgym_ros.ros.diagnostics.diagnostics_publisher import DiagnosticsPublisher
from rtgym_ros.ros.diagnostics.status import (
    Rates,
    Status,
    TimeStepStatus,
    TopicFacts,
    actions_status,
    graph_status,
    topic_status,
)
from rtgym_ros.ros.errors import RosShutdownError
from rtgym_ros.ros.latest_subscription import LatestSubscription
from rtgym_ros.ros.node_log import NodeLog
from rtgym_ros.ros.parameters import Bounded, Flag, Parameter, declare, refuse_unknown_overrides
from rtgym_ros.ros.ros_time_source import RosTimeSource
from rtgym_ros.ros.session import RosSession
from rtgym_ros.ros.stamps import to_duration, to_time
from rtgym_ros.ros.topic_checks import TopicChecks

Message = TypeVar("Message")

PARAMETERS = (
    Bounded("observation_timeout", 10.0, 0.1, 3600.0, "how long reset() waits for new observations on every topic (s)"),
    Bounded("clock_timeout", 60.0, 0.1, 3600.0, "how long /clock may stand still while use_sim_time is true (s)"),
    Flag("exclusive", False, "reset() fails while another node publishes on a topic of commands"),
)
_POLL_S = 0.002
_TICK_S = 0.1
_CHECK_S = 1.0
_OFFSET_NS = 20_000
_OFFSET_TRIES = 5


class RosInterface(RealTimeGymInterface):
    """An interface whose robot is on ROS 2 topics: a subclass declares them when it is made, then reads and writes.

    **What it brings.** A node with an executor in threads of its own (for services, timers, parameters and what else
    :attr:`node` is used for); subscriptions that are pulled when an observation is captured; publishers of commands
    whose safe action still leaves when ROS has been shut down; the clock (monotonic, or ``/clock`` with
    ``use_sim_time``); ``step_timing`` (``rtgym_ros/msg/StepTiming``) once a time-step; on ``/rosout`` what is wrong
    with its topics, time-steps that timed out, and safe actions; ``/diagnostics`` once a second (:meth:`diagnose`).

    **When what is called**, all of it in the clock thread of the environment (:class:`RealTimeGymInterface` says more):

    ===================================  ==========================================  ===============================
    method                               called                                      may take
    ===================================  ==========================================  ===============================
    ``__init__``                         when the environment is made                ``interface_timeout`` (60 s)
    ``get_observation_space`` and alike  once, after that                            as above
    ``reset``                            by ``env.reset()``; first thing to do:      as above
                                         :meth:`wait_for_observations`
    ``send_control``                     at the start of each time-step, and with    a small part of a time-step;
                                         the safe action, even after ROS was shut    1 s at most
                                         down: only publish there
    ``get_obs_rew_terminated_info``      once a time-step: ``pull()`` each           a small part of a time-step;
                                         subscription, never wait                    1 s at most
    ``close``                            once, after the safe action; call           ``interface_timeout``
                                         ``super().close()`` last
    ===================================  ==========================================  ===============================

    A method that raises stops the robot: the environment sends the safe action (repeated until the robot has
    acknowledged it, 0.5 s at most) and raises the error from the next public call. When ROS is shut down (by a signal
    that rclpy handles, or ``rclpy.shutdown()``), that error is a
    :class:`~rtgym_ros.ros.errors.RosShutdownError`, which is an ``rclpy.executors.ExternalShutdownException``.
    Callbacks of :attr:`node` run in the executor's threads: hand over what ``get_obs_rew_terminated_info`` reads by one
    assignment, or under a lock.

    **Parameters.** ``observation_timeout``, ``clock_timeout`` and ``exclusive``; :meth:`declare_parameters` adds those
    of a subclass. Overrides that name no parameter are refused when the environment is made. QoS overrides are
    honoured.

    Args:
        node_name: name of the node.
        namespace: its namespace; with ``node``, what its relative topics are put under.
        arguments: a command line with ``--ros-args`` for this node alone; the program's own by default.
        node: a node that exists, or a function that returns it, in place of a node of its own. Whoever made it spins
            it; what it uses the spinning for is reports alone.
        context: a context that exists, for a node of its own.

    Raises:
        ConfigError: an argument or a parameter cannot be used.
        InterfaceTimeoutError: ``use_sim_time`` is true and nobody publishes ``/clock``.

    Example::

        class Drive(RosInterface):
            def __init__(self):
                super().__init__("drive_env")
                parameters = self.declare_parameters(Bounded("speed_limit", 0.2, 0.0, 1.0, "of the wheels (m/s)"))
                self.speed_limit = parameters["speed_limit"]
                self.odometry = self.subscribe_latest(Odometry, "odom", max_age=0.2, when_stale="truncate")
                self.cmd_vel = self.advertise_command(TwistStamped, "cmd_vel")

            def get_observation_space(self):
                return spaces.Tuple([spaces.Box(-10.0, 10.0, (2,))])

            def get_action_space(self):
                return spaces.Box(-1.0, 1.0, (2,))

            def get_default_action(self):
                return np.zeros(2, np.float32)

            def send_control(self, control):
                command = TwistStamped()
                command.twist.linear.x = float(control[0]) * self.speed_limit
                command.twist.angular.z = float(control[1])
                self.cmd_vel.publish(command)

            def reset(self, seed=None, options=None):
                self.wait_for_observations()
                return self._observe(), {"age": self.get_ages()}

            def get_obs_rew_terminated_info(self):
                self.odometry.pull()
                return self._observe(), 0.0, False, {"age": self.get_ages()}

            def _observe(self):
                position = self.odometry.latest.pose.pose.position
                return [np.array([position.x, position.y], np.float32)]
    """

    def __init__(
        self,
        node_name: str = "rtgym",
        namespace: str = "",
        arguments: Sequence[str] | None = None,
        *,
        node: Node | Callable[[], Node] | None = None,
        context: Context | None = None,
    ) -> None:
        self._session = RosSession(node_name, namespace, arguments, node=node, context=context)
        self._prefix = "" if self._session.owns_node or not namespace else f"{namespace.rstrip('/')}/"
        self._log = NodeLog(self._session)
        self._checks = TopicChecks(self.node, self._log.warning)
        self._observations: list[LatestSubscription[Any]] = []
        self._ages: list[tuple[str, LatestSubscription[Any]]] = []
        self._commands: list[CommandPublisher[Any]] = []
        self._clock_resets = 0
        self._safe_actions = self._all_safe_actions = 0
        self._time_steps = TimeStepStatus()
        self._rates = Rates()
        self._is_closed = False
        self._has_told_shutdown = False
        self._sim_time: RosTimeSource | None = None
        try:
            parameters = self.declare_parameters(*PARAMETERS)
            self._observation_timeout: float = parameters["observation_timeout"]
            self._is_exclusive: bool = parameters["exclusive"]
            self._timing_publisher = self.node.create_publisher(StepTiming, f"{self._prefix}step_timing", 10)
            if self.node.get_parameter("use_sim_time").value:
                self._sim_time = RosTimeSource(self.node, parameters["clock_timeout"])
                self._sim_time.wait_for_first(self._observation_timeout)
            self._diagnostics = DiagnosticsPublisher(self.node, self._prefix.strip("/"))
            self._check_timer = self.node.create_timer(
                _CHECK_S,
                self._check,
                callback_group=MutuallyExclusiveCallbackGroup(),
                clock=Clock(clock_type=ClockType.STEADY_TIME),
            )
        except BaseException:
            self._session.close()
            raise

    @property
    def node(self) -> Node:
        """The node, for what else a robot needs: services, timers, parameters. Its executor has two threads."""
        return self._session.node

    # --- what a subclass declares ---

    def declare_parameters(self, *parameters: Parameter) -> dict[str, Any]:
        """Declare parameters of the node, in ``__init__``, and return their values by name.

        Raises:
            ConfigError: an override is of the wrong type or out of bounds.
        """
        return declare(self.node, parameters, complete=False)

    def subscribe_latest(
        self,
        message_type: type[Message],
        topic: str,
        depth: int = 1,
        *,
        qos: QoSProfile | None = None,
        max_age: float | None = None,
        when_stale: str = "warn",
        newer_than_reset: bool | None = None,
    ) -> LatestSubscription[Message]:
        """Declare a topic whose latest message is part of the observation; see :class:`LatestSubscription`.

        A capture whose message is older than ``max_age`` is reported, ends the episode (``info["truncation"]``) or
        raises, as ``when_stale`` says: ``"warn"``, ``"truncate"``, ``"fail"``.
        """
        subscription = LatestSubscription(
            self.node,
            message_type,
            self._prefix + topic,
            depth,
            qos=qos,
            max_age=max_age,
            when_stale=when_stale,
            newer_than_reset=newer_than_reset,
            now_ns=self.ros_time_ns,
        )
        self._observations.append(subscription)
        self._ages.append((_relative(subscription.topic, self.node), subscription))
        self._checks.add_observation(subscription)
        return subscription

    def advertise_command(
        self, message_type: type[Message], topic: str, qos: QoSProfile | None = None, *, stamps: bool = True
    ) -> CommandPublisher[Message]:
        """Declare a topic that actions are written to; see :class:`CommandPublisher`."""
        publisher = CommandPublisher(
            self.node,
            message_type,
            self.resolve(topic),
            qos,
            now_ns=self.ros_time_ns,
            outlives_node=True,
            stamps=stamps,
        )
        self._commands.append(publisher)
        self._checks.add_command(publisher)
        return publisher

    # --- what a subclass uses ---

    def resolve(self, name: str) -> str:
        """Return the full name of a relative topic, service or action, before remapping; an absolute one stays."""
        name = name if name.startswith("/") else self._prefix + name
        return name if name.startswith("/") else f"{self.node.get_namespace().rstrip('/')}/{name}"

    def wait_for_observations(self) -> None:
        """Wait until every latest-observation topic has brought a message that is newer than this call.

        Newer is what arrives from now on with a stamp beyond the last one of its topic: no clocks are compared. Of
        latched topics, and with ``newer_than_reset=False``, any message will do.

        Raises:
            InterfaceTimeoutError: a topic is silent for longer than the parameter ``observation_timeout``.
            InterfaceError: another node publishes on a topic of commands, and the parameter ``exclusive`` is true.
            RosShutdownError: ROS was shut down meanwhile.
        """
        self._raise_if_shut_down()
        deadline = monotonic() + self._observation_timeout
        for subscription in self._observations:
            subscription.pull()
        before = [subscription.accepted if subscription.newer_than_reset else 0 for subscription in self._observations]
        for subscription, accepted in zip(self._observations, before, strict=True):
            while not subscription.pull() and subscription.accepted <= accepted:
                if monotonic() > deadline:
                    raise InterfaceTimeoutError(self._silence_of(subscription))
                self._raise_if_shut_down()
                pause(_POLL_S)
        others = self._checks.other_publishers() if self._is_exclusive else []
        if others:
            raise InterfaceError(f"{'; '.join(others)}; the parameter exclusive is true")

    def get_ages(self) -> dict[str, float]:
        """Return how old (s) the latest message of each topic is, by its name as declared; NaN before the first."""
        return {name: subscription.age for name, subscription in self._ages}

    def ros_time_ns(self) -> int:
        """Return the ROS time (ns): that of ``/clock`` with ``use_sim_time``, else the system's since the epoch."""
        return time_ns() if self._sim_time is None else self._sim_time.now_ns()

    # --- what the environment calls ---

    def get_ros_time_offset_ns(self) -> int:
        """Return ROS time less the time of the environment's clock (ns): 0 with ``use_sim_time``."""
        if self._sim_time is not None:
            return 0
        # Both clocks at one moment: where the thread was interrupted between the two, once more.
        for _ in range(_OFFSET_TRIES):
            before_ns = MonotonicTimeSource.now_ns()
            ros_ns = self.ros_time_ns()
            took_ns = MonotonicTimeSource.now_ns() - before_ns
            if took_ns < _OFFSET_NS:
                break
        return ros_ns - before_ns - took_ns // 2

    def get_time_source(self) -> TimeSource:
        """Return the monotonic clock, or that of ``/clock`` where ``use_sim_time`` is true.

        Raises:
            ConfigError: an override of a parameter names none that was declared.
        """
        if self._session.owns_node:
            refuse_unknown_overrides(self.node, self._session.arguments)
        return MonotonicTimeSource() if self._sim_time is None else self._sim_time

    def get_truncation(self) -> str | None:
        """Return why the episode ends, where a message is older than its ``max_age`` and says ``"truncate"``.

        Raises:
            InterfaceError: a message is too old and says ``"fail"``.
            RosShutdownError: ROS was shut down.
        """
        self._raise_if_shut_down()
        reason = None
        if self._observations:
            self._report_clock_resets()
        for subscription in self._observations:
            if not subscription.is_stale:
                continue
            text = f"{subscription.topic} is {subscription.age:.3g} s old, its max_age is {subscription.max_age:g} s"
            if subscription.when_stale == "fail":
                raise InterfaceError(text)
            if subscription.when_stale == "warn":
                self._log.warning_at_most(subscription.topic, text)
            elif reason is None:
                reason = text
        return reason

    def wait_for_acknowledgement(self, timeout: float) -> bool:
        """Wait until all commands are acknowledged by all who are subscribed, ``timeout`` (s) at most."""
        deadline = monotonic() + timeout
        acknowledged = [
            publisher.wait_for_acknowledgement(max(deadline - monotonic(), 0.0)) for publisher in self._commands
        ]
        self._safe_actions += 1
        self._all_safe_actions += 1
        return all(acknowledged)

    def get_tick_period(self) -> float:
        """Return 0.1 s: how soon the robot stops when ROS is shut down while nobody calls."""
        return _TICK_S

    def tick(self) -> None:
        """Report safe actions, and end with ROS.

        Raises:
            RosShutdownError: ROS was shut down since the last call.
        """
        if self._session.is_shut_down and not self._has_told_shutdown:
            self._raise_if_shut_down()
        self._report_safe_actions()

    @property
    def delay_alarms(self) -> int:
        """Observations so far that are not Markovian, as ``step_timing`` tells; 0 where delays are not measured."""
        return 0

    def on_rest(self, until_ns: int | None) -> None:
        """Keep callbacks of the node from beginning when the clock thread has to be on time."""
        self._session.open_callbacks_until(until_ns)

    def on_time_step(self, time_step: TimeStep) -> None:
        """Publish ``step_timing``, in ROS time, if anybody listens: the message costs more than the rest of a step."""
        self._time_steps.add(time_step)
        if time_step.timed_out:
            self._log.warning_at_most(
                "time-steps",
                f"time-step {time_step.index} timed out: it began {to_s(time_step.lateness_ns):.3g} s late",
            )
        if self._session.is_shut_down or not self._timing_publisher.get_subscription_count():
            return
        now_ns = self.ros_time_ns()
        clock_ns = now_ns if self._sim_time is not None else MonotonicTimeSource.now_ns()
        to_ros_ns = now_ns - clock_ns
        timing = StepTiming(index=time_step.index, overrun=time_step.overrun, timed_out=time_step.timed_out)
        timing.header.stamp = to_time(now_ns)
        timing.start = to_time(time_step.start_ns + to_ros_ns)
        timing.capture = to_time(time_step.capture_ns + to_ros_ns)
        timing.end = to_time(time_step.end_ns + to_ros_ns)
        timing.lateness = to_duration(time_step.lateness_ns)
        timing.delay_alarms = self.delay_alarms
        self._timing_publisher.publish(timing)

    def close(self) -> None:
        """End what was made here: subscriptions, publishers, and the node with its executor unless it was handed in.

        A second call does nothing.
        """
        if self._is_closed:
            return
        self._is_closed = True
        self._session.end_callbacks()
        self.node.destroy_timer(self._check_timer)
        self.node.destroy_publisher(self._timing_publisher)
        self._diagnostics.close()
        for publisher in self._commands:
            publisher.close()
        for subscription in self._observations:
            subscription.close()
        if self._sim_time is not None:
            self._sim_time.close()
        self._session.close()

    # --- once a second, in a thread of the executor ---

    def diagnose(self, rates: Rates) -> list[Status]:
        """Return what ``/diagnostics`` says; a subclass adds statuses of its own.

        Called once a second in a thread of the node's executor, never in the clock thread: read counts there, and pull
        nothing.

        Args:
            rates: make rates of counts.
        """
        before = self._time_steps.time_steps
        time_steps = self._time_steps.status(rates, self._all_safe_actions)
        is_observed = rates.since("captures", before) > 0
        actions = actions_status(
            {publisher.topic: self.node.count_subscribers(publisher.topic) for publisher in list(self._commands)},
            self.count_actions(),
            self.get_intervention(),
        )
        topics = [topic_status(facts, rates, is_observed) for facts in self.observed_topics()]
        return [time_steps, actions, *topics, graph_status(self._checks.lasting)]

    def count_actions(self) -> dict[str, int]:
        """Return how many actions became what, by name, for :meth:`diagnose`."""
        return {"clipped to the action space": self.count_clipped_actions()}

    def get_intervention(self) -> str | None:
        """Return who commands the robot in place of the environment, for :meth:`diagnose`; None: it does."""
        return None

    def observed_topics(self) -> list[TopicFacts]:
        """Return how the topics of the observation are, for :meth:`diagnose`."""
        return [
            TopicFacts(
                one.topic,
                one.accepted + one.dropped,
                one.publishers,
                one.age,
                inf if one.max_age is None else one.max_age,
                one.qos.durability == DurabilityPolicy.TRANSIENT_LOCAL,
                {"dropped, for they came after newer ones": one.dropped, "clock resets": one.clock_resets},
            )
            for one in list(self._observations)
        ]

    def _check(self) -> None:
        self._checks.check()
        self._rates.next(MonotonicTimeSource.now_ns())
        self._diagnostics.publish(self.diagnose(self._rates))

    # --- inside ---

    def _raise_if_shut_down(self) -> None:
        if self._session.is_shut_down:
            self._has_told_shutdown = True
            raise RosShutdownError("ROS was shut down: the environment has stopped its robot")

    def _report_clock_resets(self) -> None:
        resets = sum(subscription.clock_resets for subscription in self._observations)
        if resets != self._clock_resets:
            self._clock_resets = resets
            topics = ", ".join(s.topic for s in self._observations if s.clock_resets)
            self._log.warning_at_most("clock resets", f"the stamps of {topics} were set back: followed")

    def _report_safe_actions(self) -> None:
        if self._safe_actions:
            self._safe_actions = 0
            self._log.warning_at_most("safe actions", "the safe action was sent: a failure, or the agent was away")

    def _silence_of(self, subscription: LatestSubscription[Any]) -> str:
        new = "new " if subscription.accepted else ""
        lines = [
            f"no {new}message on {subscription.topic} for {self._observation_timeout:g} s "
            f"({subscription.publishers} publishers)",
            *self._checks.problems_of_observation(subscription),
        ]
        return "; ".join(lines)


def _relative(topic: str, node: Node) -> str:
    """Return ``topic`` without the namespace of ``node``."""
    return topic.removeprefix(f"{node.get_namespace().rstrip('/')}/")
