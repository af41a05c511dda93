"""A robot under a contract, as an interface: no class of one's own to write."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from time import monotonic
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from gymnasium import spaces
from rclpy.context import Context
from rclpy.node import Node

from rtgym_ros.contract.forms import SpaceForm
from rtgym_ros.contract.freshness.outcome import Outcome
from rtgym_ros.contract.load_code import load_code, load_task
from rtgym_ros.contract.records.contract import Contract
from rtgym_ros.contract.sequences.conditions import lost_gates
from rtgym_ros.contract.task import Task
from rtgym_ros.core.errors import InterfaceError
from rtgym_ros.core.time_source import TimeSource, to_ns, to_s
from rtgym_ros.delays.learned_phase import LearnedPhase
from rtgym_ros.robots.frame_window import FrameWindow
from rtgym_ros.ros.contract.awaited_parts import AwaitedParts, is_latched
from rtgym_ros.ros.contract.command_sink import GoalSink
from rtgym_ros.ros.contract.commands import Commands
from rtgym_ros.ros.contract.conditions import Conditions
from rtgym_ros.ros.contract.contract_topic import ContractTopic
from rtgym_ros.ros.contract.guard_watch import GuardWatch
from rtgym_ros.ros.contract.guarded_topics import GuardedTopics
from rtgym_ros.ros.contract.interface_types import InterfaceTypes
from rtgym_ros.ros.contract.make_commands import make_commands
from rtgym_ros.ros.contract.measured_delays import MeasuredDelays
from rtgym_ros.ros.contract.observations import Observations
from rtgym_ros.ros.contract.observed_part import Finding, gravity
from rtgym_ros.ros.contract.resolved_steps import ResolvedSteps
from rtgym_ros.ros.contract.robot_flow import Flow, RobotFlow
from rtgym_ros.ros.contract.ros_port import RosPort
from rtgym_ros.ros.contract.topic_table import TopicTable
from rtgym_ros.ros.diagnostics.status import Rates, Status, TopicFacts, alarm_status, recorder_status
from rtgym_ros.ros.parameters import Flag, Parameter
from rtgym_ros.ros.pulled_subscription import PulledSubscription
from rtgym_ros.ros.ros_interface import RosInterface
from rtgym_ros.ros.scene_publisher import ScenePublisher

if TYPE_CHECKING:
    from rtgym_ros.record.recorder import Recorder
    from rtgym_ros.ros.contract.flight_record import FlightRecord
    from rtgym_ros.ros.contract.message_record import MessageRecord

_TYPES_S = 5.0
"""How long a type that the contract leaves out is looked for in the graph (s)."""

_SHORTEST_TICK_S = 0.001

_PREPARATION_S = 0.0015
"""How long before a capture what has arrived is taken over: far longer than that takes, so that it delays nothing."""

PARAMETERS = (
    Flag("markers", False, "what was observed, the action and the target are published on markers, for RViz, Foxglove"),
)
"""Besides those of every :class:`RosInterface`."""


class ContractInterface(RosInterface):
    """Observes and commands a robot as its contract says.

    **When what flows.** Nothing before the first ``reset()``. Heartbeats from the first step of ``start``; commands
    from its end, once the gates hold: in an episode the agent's, at all other times the safe action at the rate of the
    commands. ``close()``, or a failure, sends the safe action, sees it acknowledged, and runs ``stop``: nothing but its
    steps is sent from then on, and the next ``reset()`` begins with ``start``.

    Info: ``age``: how old (s) each part is, by name; ``capture_ros_time``: ROS time of the capture (s);
    ``executed_action``: the last command, as an action; ``intervention``: who commands the robot in place of the
    environment (:class:`.GuardWatch`), None: it does; ``late_actions``: time-steps so far whose next action had not
    come within the elasticity; the measured delays
    (:data:`rtgym_ros.delays.time_step_delays.INFO_KEYS`); what the task says.

    Args:
        contract: read before.
        task: what is to be done; None: that of the contract.
        guard: False: commands go to the robot; True, or the name of an input: to its guard.
        time_step_duration: of the environment (s).
        act_buf_len: length of its action buffer.
        elasticity: how late a time-step may begin (s).
        node_name: name of its node.
        namespace: where the robot's topics are.
        node: a node that exists, or a function that returns it, in place of a node of its own.
        context: a context that exists, for a node of its own.
        allow_code_beside: whether code that the contract names may lie beside its file.
        parameters: that the node has besides, of whoever makes this.

    Raises:
        ContractError: an entry does not fit a message type; one line: file, line, key, what is allowed.
    """

    safe_action_between_episodes: ClassVar[bool] = True
    _is_open = False

    def __init__(
        self,
        contract: Contract,
        *,
        task: Task | None = None,
        guard: bool | str = False,
        time_step_duration: float = 0.05,
        act_buf_len: int = 1,
        elasticity: float = 0.05,
        node_name: str = "rtgym_env",
        namespace: str = "",
        node: Node | Callable[[], Node] | None = None,
        context: Context | None = None,
        allow_code_beside: bool = False,
        parameters: Sequence[Parameter] = (),
    ) -> None:
        self.contract = contract
        self._guarded = GuardedTopics(contract, guard)
        self.task = task if task is not None else load_task(contract, allow_beside=allow_code_beside)
        super().__init__(node_name, namespace, node=node, context=context)
        self._more_parameters = parameters
        self._ends: list[Callable[[], None]] = []
        self._goals: list[GoalSink] = []
        try:
            self._open((time_step_duration, elasticity), act_buf_len, allow_code_beside)
        except BaseException:
            self._release()
            super().close()
            raise
        self._record: MessageRecord | None = None
        self._recorder: Recorder | None = None
        self._form: SpaceForm | None = None
        self._default_action: Any = None
        self._flight_record: FlightRecord | None = None
        self._is_first_action = False
        self._intervened: Any = None
        self._truncation: str | None = None
        self._reset_ns = 0
        self._window = FrameWindow(f"rtgym_ros {contract.robot}")
        self._is_open = True

    def _open(self, time_step: tuple[float, float], act_buf_len: int, beside: bool) -> None:
        contract = self.contract
        duration = time_step[0]
        types = InterfaceTypes(self.node, contract.source, _TYPES_S)
        topics = TopicTable(contract.source, types, self.resolve, self._subscribe, self.ros_time_ns)
        self._ends.append(topics.close)
        self._topics = topics

        def load_for(name: str) -> Callable[[str], Any]:
            key = ("observation", name, "convert")
            return lambda code: load_code(contract, key, code, allow_beside=beside)

        phase = contract.time.get("phase")
        self._parts = Observations(contract, topics, duration, load_for, phase)
        self._awaited = AwaitedParts(self._parts, self._checks, self.ros_time_ns)
        self._phase = None
        if phase is not None:
            self._phase = LearnedPhase(to_ns(duration), lambda line: self._log.warning(f"time.phase: {phase}: {line}"))
            self._parts.parts[phase].topic.add_arrival_reader(self._phase.arrived)
        self._conditions = Conditions(contract.source, topics, self.ros_time_ns)
        commands = make_commands(
            contract,
            types,
            topics,
            lambda cls, name, qos: self.advertise_command(cls, self._guarded.publish_on(name), qos, stamps=False),
            self._make_goal,
            self.resolve,
            duration,
            self.ros_time_ns,
            repeats=self._guarded.input is None,
            allow_beside=beside,
        )
        self._sent = Commands(contract, commands, self._parts)
        self._steps = ResolvedSteps(
            contract,
            self.node,
            types,
            topics,
            self._conditions,
            self.resolve,
            lambda cls, name, qos: self.advertise_command(cls, name, qos, stamps=False),
            allow_beside=beside,
        )
        self._ends.append(self._steps.close)
        first = next(iter(self._parts.parts.values()))
        self._delays = MeasuredDelays(contract, topics, first, act_buf_len, self._log.warning)
        self._watch: GuardWatch | None = None
        if self._guarded.input is not None:
            self._watch = GuardWatch(self.node, self.resolve("guard/sent"), self._guarded.input)
            self._ends.append(self._watch.close)
        self._scenes: ScenePublisher | None = None
        if self.declare_parameters(*PARAMETERS, *self._more_parameters)["markers"]:
            self._scenes = ScenePublisher(self.node, self.resolve("markers"))
            self._ends.append(self._scenes.close)
        self._clock = super().get_time_source()
        port = RosPort(self._session.context, self._clock, self.ros_time_ns, self._steps, self._conditions, self._sent)
        self._flow = RobotFlow(contract, self._steps, self._sent, port, self.ros_time_ns, time_step)

    # --- spaces ---

    def get_observation_space(self) -> spaces.Space[Any]:
        """Return the space of the parts and of what the task adds, in the form that the contract wants."""
        self._awaited.wait_for_shapes(self._observation_timeout)
        parts = {name: part.make_space() for name, part in self._parts.parts.items()}
        if self.task is not None:
            self.task.check({name: part.capture_space for name, part in self._parts.parts.items()})
            for name, space in self.task.extra_spaces().items():
                if name in parts:
                    raise self.contract.source.error(
                        ("observation", name), f"the task adds a part of that name; allowed: another one than {name}"
                    )
                parts[name] = space
        self._form = SpaceForm(self.contract.spaces.observation, parts)
        return self._form.space

    @property
    def observation_parts(self) -> Mapping[str, spaces.Box]:
        """The spaces of the parts, the task's included, by name, in the order in which a Tuple or a flat Box has them.

        Known once :meth:`get_observation_space` was called.
        """
        return {} if self._form is None else self._form.parts

    def get_action_space(self) -> spaces.Space[Any]:
        """Return the space of the agent's actions."""
        return self._sent.agent.form.space

    def get_default_action(self) -> Any:
        """Return the action that stands for ``default``; what is really sent is :meth:`get_executed_action`."""
        self._default_action = self._sent.agent.nominal(lambda part: part.default)
        return self._default_action

    def get_safe_action(self) -> Any:
        """Return the action that stands for ``safe``; what is really sent is :meth:`get_executed_action`."""
        return self._sent.agent.nominal(lambda part: part.safe)

    def get_time_source(self) -> TimeSource:
        """Return the clock of the time-steps."""
        return self._clock

    # --- an episode ---

    def reset(self, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        """Begin an episode: ``start`` where it is needed, the gates, the task, ``reset``, and new observations.

        Raises:
            StepError: a step of a sequence has failed; the message names file, line and step.
            InterfaceTimeoutError: a gate does not hold, or a topic is silent.
            InterfaceError: a guard is missing, or in the way; or an observation cannot be used.
        """
        self._raise_if_shut_down()
        if self._form is None:
            self.get_observation_space()
        self._guarded.check(self.node, self.resolve)
        if not self._flow.has_begun or lost_gates(self._steps.gates, self._conditions.read):
            self._flow.start(self.wait_for_observations)
        values = {} if self.task is None else dict(self.task.reset(self.np_random, options or {}))
        self._steps.set_task_values(values)
        self._sent.set_task_values(values)
        moved_by_others = self._flow.run("reset")
        self.wait_for_observations()
        if moved_by_others:
            self._sent.resume()
        self._reset_ns = self._clock.now_ns()
        self._is_first_action = True
        observation, info = self._capture(restart=True)
        return observation, info

    def send_control(self, control: Any) -> None:
        """Send the agent's action; the first one after a reset, where it is the default action, as ``default`` says."""
        if self._flow.flow is Flow.NONE:
            return  # stopped by a failure that the environment has not noticed yet
        if self._default_action is None:
            self.get_default_action()
        is_default = self._is_first_action and _equal(control, self._default_action)
        self._is_first_action = False
        self._flow.begin_time_step()
        if is_default:
            self._sent.send_default()
        else:
            self._sent.send_action(control)
        self._delays.sent(self._sent.stamp_ns)

    def send_safe_action(self, control: Any) -> None:
        """Send what the contract calls safe, where commands flow."""
        self._flow.make_safe()

    def get_executed_action(self) -> Any:
        """Return the last command as an action; while somebody else commands the robot, the last one of theirs."""
        return self._sent.executed_action() if self._intervened is None else self._intervened

    def get_obs_rew_terminated_info(self) -> tuple[Any, float, bool, dict[str, Any]]:
        """Return the newest values of each part, and what the task says of them.

        Raises:
            InterfaceError: a gate is lost, or a part is too old or out of bounds, and the contract says ``fail``.
        """
        self._truncation = None
        self._hold_gates()
        self._follow_the_guard()
        self._parts.pull()
        self._sent.observe()
        observation, info = self._capture(restart=False)
        if self.task is None:
            return observation, 0.0, False, info
        reward, terminated, more = self.task.evaluate(
            self._parts.newest, self._sent.executed_values(), self._time_since_reset()
        )
        return observation, float(reward), bool(terminated), {**info, **more}

    def get_truncation(self) -> str | None:
        """Return why the episode ends: a part or a gate for which the contract says ``truncate``."""
        return super().get_truncation() or self._truncation

    def get_capture_shift(self, next_capture_ns: int) -> int:
        """Return by how much to shift the next capture (ns) to come nearer to the arrivals of the part in phase."""
        if self._phase is None:
            return 0
        # Messages arrive on the ROS clock, captures are due on that of the time-steps.
        return self._phase.shift_ns(next_capture_ns - self._clock.now_ns() + self.ros_time_ns())

    def wait(self) -> None:
        """Run the steps of ``wait``, the robot under the safe action."""
        if self._flow.flow is not Flow.NONE and self._flow.run("wait"):
            self.wait_for_observations()
            self._sent.resume()

    def render(self) -> Any:
        """Return the picture that the task draws, or show it in a window."""
        if self.task is None or len(self._parts.newest) < len(self._parts.parts):
            return None
        frame = self.task.render(self._parts.newest, self._sent.executed_values())
        return frame if frame is None or self.render_mode != "human" else self._window.show(frame)

    # --- recording ---

    def recording_facts(self) -> dict[str, str]:
        """Return what a recording says of the robot: contract, names of its topics, parameters of the node (JSON)."""
        names = {part.topic: self.resolve(part.topic) for part in self.contract.observation.values()}
        names |= {part.topic: self.resolve(part.topic) for part in self.contract.action.values() if part.topic}
        parameters = self.node.get_parameters_by_prefix("")
        return {
            "contract": self.contract.source.text,
            "topics": json.dumps(names),
            "parameters": json.dumps({name: parameter.value for name, parameter in parameters.items()}, default=str),
        }

    def record_messages(self, recorder: Recorder, record_all: bool) -> None:
        """Have the messages of the robot's topics recorded from now on, best before the first ``reset()``.

        Args:
            recorder: writes them; it never waits.
            record_all: whether every message is recorded, and the commands, ``/diagnostics`` and
                ``/parameter_events`` too, or only those that an observation was made of.

        Raises:
            ConfigError: the definition of a message is not installed.
        """
        from rtgym_ros.ros.contract.flight_record import FlightRecord
        from rtgym_ros.ros.contract.message_record import MessageRecord  # needs the extra `record`

        self._record = MessageRecord(recorder, self._topics, record_all)
        self._recorder = recorder
        if record_all:
            self._flight_record = FlightRecord(recorder, self.node, self._commands)
            self._ends.append(self._flight_record.close)

    # --- diagnostics ---

    def diagnose(self, rates: Rates) -> list[Status]:
        """Return what ``/diagnostics`` says: also of the action buffer and of a recording of messages."""
        if not self._is_open:  # the timer of the node runs already
            return []
        statuses = [*super().diagnose(rates), alarm_status(self._delays.alarms, rates)]
        if self._recorder is not None:
            state = self._recorder.state
            written, dropped = state.written + state.messages_written, state.dropped + state.messages_dropped
            statuses.append(recorder_status(written, dropped, state.error, rates))
        return statuses

    def count_actions(self) -> dict[str, int]:
        """Return how many actions became what: also by the limits of the contract."""
        limited = {f"{name} limited": part.limited for name, part in self._sent.parts.items()}
        return {**super().count_actions(), **limited, "late": self._flow.late_actions}

    def get_intervention(self) -> str | None:
        """Return who commands the robot through the guard in place of the environment."""
        return None if self._watch is None else self._watch.intervention

    def observed_topics(self) -> list[TopicFacts]:
        """Return how the topics of the parts are."""
        return [self._facts(topic) for topic in self._parts.topics]

    # --- between time-steps, and the end ---

    @property
    def delay_alarms(self) -> int:
        """Observations so far whose sample the robot left with an action that the action buffer had lost."""
        return self._delays.alarms

    def get_preparation_time(self) -> float:
        """Return how long before a capture the messages that have come are taken over (s)."""
        return _PREPARATION_S

    def prepare_capture(self) -> None:
        """Take over what has arrived: the capture has only the messages of the last moment left.

        Raises:
            RosShutdownError: ROS was shut down.
        """
        for topic in self._topics:
            topic.pull()

    def on_timing(self, time_step_duration: float, elasticity: float) -> None:
        """Have the next actions be late by the new timing."""
        self._flow.retime(time_step_duration, elasticity)

    def get_tick_period(self) -> float:
        """Return half of the shortest period of what flows by itself (s), 0.1 s at most."""
        return max(min(super().get_tick_period(), self._flow.shortest_period / 2), _SHORTEST_TICK_S)

    def tick(self) -> None:
        """Send heartbeats, commands that have a rate, and the safe action at all times but in an episode.

        Raises:
            RosShutdownError: ROS was shut down since the last call.
        """
        super().tick()
        self._flow.let_flow()

    def on_start(self) -> None:
        """Run ``start`` and wait for the gates; the safe action flows from then on.

        Raises:
            StepError: a step has failed.
            InterfaceTimeoutError: a gate does not hold, or a topic is silent.
            InterfaceError: a guard is missing, or in the way.
        """
        self._raise_if_shut_down()
        self._guarded.check(self.node, self.resolve)
        self._flow.start(self.wait_for_observations)

    def on_failure(self) -> None:
        """Run ``stop``; the environment has failed and sent the safe action."""
        self._flow.stop(self.wait_for_acknowledgement)

    def close(self) -> None:
        """Run ``stop`` where ``start`` has begun, and end what was made here; a second call does nothing."""
        if self._is_closed:
            return
        try:
            self._flow.stop(self.wait_for_acknowledgement)
        finally:
            self._window.close()
            self._session.end_callbacks()
            self._release()
            super().close()

    def wait_for_acknowledgement(self, timeout: float) -> bool:
        """Wait until all commands are acknowledged and all goals answered, ``timeout`` (s) at most."""
        deadline = monotonic() + timeout
        acknowledged = super().wait_for_acknowledgement(timeout)
        answered = [goal.wait_for_acknowledgement(deadline - monotonic()) for goal in self._goals]
        return acknowledged and all(answered)

    def wait_for_observations(self) -> None:
        """Wait until every part has values that the robot sampled after this call; commands flow meanwhile.

        A part is waited for by its stamps, in ROS time, for as long as its ``max_age`` at most: where the robot's clock
        is behind by more, or there is no ``max_age``, the next message to arrive will do. Of latched topics any will.

        Raises:
            InterfaceTimeoutError: a topic is silent for longer than the parameter ``observation_timeout``.
            InterfaceError: another node publishes on a topic of commands, and the parameter ``exclusive`` is true.
            RosShutdownError: ROS was shut down meanwhile.
        """
        super().wait_for_observations()  # refuses others on the topics of commands where `exclusive` is true
        self._awaited.wait_for_new(self._observation_timeout, self._pause)
        self._sent.observe()

    # --- inside ---

    def _pause(self) -> None:
        self._raise_if_shut_down()
        self._flow.pause()

    def _report_safe_actions(self) -> None:
        """Report nothing: the safe action flows at all times but in an episode."""

    def _follow_the_guard(self) -> None:
        """Note who commands the robot, and go on from there."""
        if self._watch is None:
            return
        self._watch.pull()
        self._intervened = None if self._watch.intervention is None else self._sent.follow(self._watch.executed)

    def _hold_gates(self) -> None:
        """Act on gates that do not hold any longer."""
        if not self._steps.gates:
            return
        lost = lost_gates(self._steps.gates, self._conditions.read)
        if not lost:
            return
        first = lost[0]
        line = self.contract.source.problem(("gates", first.gate.name), f"is lost: {first.reason}")
        if first.gate.when_lost == "fail":
            raise InterfaceError(line)
        if first.gate.when_lost == "truncate":
            self._truncation = line
            return
        self._log.warning(f"{line}; waiting for it")
        self._flow.make_safe()
        self._flow.wait_for_gates(self.wait_for_observations)

    def _capture(self, restart: bool) -> tuple[Any, dict[str, Any]]:
        now_ns = self.ros_time_ns()
        findings: list[Finding] = []
        values = {name: part.capture(now_ns, restart, findings) for name, part in self._parts.parts.items()}
        if self._record is not None:
            self._record.captured(now_ns, restart, list(self._parts.parts.values()))
        if self._flight_record is not None:
            self._flight_record.pull()
        for finding in sorted(findings, key=gravity, reverse=True):
            if finding.outcome is Outcome.FAIL:
                raise InterfaceError(finding.message)
            if finding.outcome is Outcome.TRUNCATE and not restart:
                self._truncation = self._truncation or finding.message
            else:
                self._log.warning_at_most(finding.message.split(":")[0], finding.message)
        if self.task is not None:
            values |= self.task.observe(self._time_since_reset())
            if self._scenes is not None:
                self._scenes.show(self.task.scene(self._parts.newest, self._sent.executed_values()), now_ns)
        info: dict[str, Any] = {
            "age": self._parts.ages,
            "capture_ros_time": to_s(now_ns),
            "executed_action": self.get_executed_action(),
            "intervention": None if self._watch is None else self._watch.intervention,
            "late_actions": self._flow.late_actions,
            **self._delays.observed(now_ns),
        }
        assert self._form is not None  # reset() has made it
        return self._form.arrange(values), info

    def _time_since_reset(self) -> float:
        return to_s(self._clock.now_ns() - self._reset_ns)

    def _facts(self, topic: ContractTopic) -> TopicFacts:
        parts = {name: part for name, part in self._parts.parts.items() if part.topic is topic}
        return TopicFacts(
            topic.topic,
            topic.arrived,
            topic.subscription.publishers,
            max(part.age for part in parts.values()),  # at the last capture
            min(part.max_age for part in parts.values()),
            is_latched(topic.subscription),
            {"parts": ", ".join(parts), **{f"of {name}": part.skipped for name, part in parts.items() if part.skipped}},
        )

    def _subscribe(self, message_class: Any, name: str, qos: Any) -> PulledSubscription[Any]:
        subscription: PulledSubscription[Any] = PulledSubscription(self.node, message_class, name, qos)
        shared = {self.resolve(part.topic) for part in self.contract.observation.values() if part.names}
        self._checks.add_observation(subscription, alone=name not in shared)
        return subscription

    def _make_goal(self, action_type: Any, name: str) -> GoalSink:
        sink = GoalSink(self.node, action_type, name)
        self._goals.append(sink)
        self._ends.append(sink.close)
        return sink

    def _release(self) -> None:
        for end in reversed(self._ends):
            end()
        self._ends.clear()


def _equal(one: Any, other: Any) -> bool:
    if isinstance(one, dict):
        return all(np.array_equal(one[name], other[name]) for name in one)
    if isinstance(one, tuple):
        return all(map(np.array_equal, one, other))
    return np.array_equal(one, other)
