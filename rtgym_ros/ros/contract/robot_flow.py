"""When what flows to a robot under a contract: heartbeats, commands, and the steps of its sequences."""

from __future__ import annotations

import logging
from collections.abc import Callable
from enum import Enum
from time import monotonic

from rtgym_ros.contract.records.contract import Contract
from rtgym_ros.contract.records.step import CallStep, GoalStep, PublishStep
from rtgym_ros.contract.sequences.periodic import Periodic
from rtgym_ros.contract.sequences.runner import SequenceRunner
from rtgym_ros.ros.contract.commands import Commands
from rtgym_ros.ros.contract.resolved_steps import ResolvedSteps
from rtgym_ros.ros.contract.ros_port import RosPort

_log = logging.getLogger(__name__)

_AT_REST_S = 10.0
"""How long limits may keep the safe action from being reached before `stop` begins (s)."""

_ACKNOWLEDGEMENT_S = 0.5

_STOP_PATIENCE_S = 1.0
"""How long `stop` waits for a server that is not there (s): the robot has ended before its environment did."""


class Flow(Enum):
    """Which commands flow."""

    NONE = "nothing is sent"
    SAFE = "the safe action"
    AGENT = "the agent's actions"


class RobotFlow:
    """Keeps to the contract's order of things; belongs to one thread.

    Heartbeats flow from the first step of ``start`` until ``stop`` begins; commands from the end of ``start`` until
    then: the safe action at the rate of the commands, unless the agent acts.

    Args:
        contract: read before.
        steps: of its sequences.
        commands: of its action.
        port: the graph.
        now_ns: the ROS time (ns).
        time_step: duration of a time-step and how late one may begin (s), for ``late_action``.

    Attributes:
        flow: which commands flow.
        has_begun: whether ``start`` has begun, and ``stop`` has not.
        late_actions: time-steps of the agent whose end and elasticity had passed when its next action came.
    """

    def __init__(
        self,
        contract: Contract,
        steps: ResolvedSteps,
        commands: Commands,
        port: RosPort,
        now_ns: Callable[[], int],
        time_step: tuple[float, float],
    ) -> None:
        self.flow = Flow.NONE
        self.has_begun = False
        self.late_actions = 0
        self._steps = steps
        self._commands = commands
        self._port = port
        self._now_ns = now_ns
        self._actions = contract.action
        self._late_action = contract.time.get("late_action")
        self._late_after = sum(time_step)
        self._period = min(topic.period for topic in commands.topics)
        self._safe = Periodic(self._period, commands.send_safe)
        self._heartbeats = [
            Periodic(1.0 / beat.rate, lambda p=publisher, w=writer: p.publish(w.write([], now_ns())))  # type: ignore[misc]
            for beat, publisher, writer in steps.heartbeats
        ]
        self._source = contract.source
        self._runner = SequenceRunner(port, steps.gates, contract.source, heartbeats=self._heartbeats)
        self._step_began: float | None = None  # s, of the clock of the time-steps; None where no time-step runs

    @property
    def shortest_period(self) -> float:
        """The shortest period of what flows by itself (s)."""
        return min([topic.period for topic in self._commands.topics] + [beat.period for beat in self._heartbeats])

    def retime(self, time_step_duration: float, elasticity: float) -> None:
        """Change when an action is late, and the rate of commands that have none of their own.

        Args:
            time_step_duration: (s).
            elasticity: how late a time-step may begin (s).
        """
        self._late_after = time_step_duration + elasticity
        for topic in self._commands.topics:
            if all(self._actions[name].rate is None for name in topic.parts):
                topic.period = time_step_duration
        self._period = self._safe.period = min(topic.period for topic in self._commands.topics)

    def start(self, wait_for_observations: Callable[[], None]) -> None:
        """Run ``start`` and wait for the gates and for observations; commands flow from then on.

        Raises:
            StepError: a step has failed.
            InterfaceTimeoutError: a gate does not hold.
        """
        self._go(Flow.NONE)
        self.has_begun = True
        self._runner.run("start", self._steps.sequences["start"])
        self.wait_for_gates(wait_for_observations)

    def wait_for_gates(self, wait_for_observations: Callable[[], None]) -> None:
        """Wait until the gates hold and there are new observations, from which commands are limited.

        Raises:
            InterfaceTimeoutError: a gate does not hold.
        """
        self._runner.wait_for_gates()
        wait_for_observations()
        self._commands.start()
        self._go(Flow.SAFE)

    def run(self, sequence: str) -> bool:
        """Run the steps of ``reset`` or ``wait``, the robot under the safe action.

        Returns:
            Whether one of them asked somebody else, who may have moved the robot. Otherwise the commands have never
            ceased, and the next one is limited from the last.

        Raises:
            StepError: a step has failed.
        """
        self._step_began = None
        self._go(Flow.SAFE)
        steps = self._steps.sequences[sequence]
        self._runner.run(sequence, steps)
        return any(isinstance(step, CallStep | GoalStep | PublishStep) for step in steps)

    def begin_time_step(self) -> None:
        """Let the agent's actions flow: the next one is sent now."""
        began = self._port.time()
        if self._step_began is not None and began - self._step_began > self._late_after:
            self.late_actions += 1
        self._step_began = began
        self._go(Flow.AGENT)

    def make_safe(self) -> None:
        """Send the safe action, where commands flow, and go on with it."""
        if self.flow is not Flow.NONE:
            self._go(Flow.SAFE)
            self._commands.send_safe()

    def let_flow(self) -> None:
        """Send what is due."""
        if not self.has_begun:
            return
        now = monotonic()
        for beat in self._heartbeats:
            beat.run(now)
        if self.flow is Flow.SAFE:
            self._safe.run(now)
        elif self.flow is Flow.AGENT:
            elapsed = self._port.time() - self._step_began if self._step_began is not None else 0.0
            self._commands.repeat(self._now_ns(), elapsed)
            if self._late_action is not None and elapsed > self._late_after:
                self._act_late(self._late_action)

    def pause(self) -> None:
        """Wait some milliseconds, and send what is due.

        Raises:
            RosShutdownError: the context of the node has ended.
        """
        self.let_flow()
        self._port.wait(self.shortest_period)

    def stop(self, wait_for_acknowledgement: Callable[[float], bool]) -> None:
        """Send the safe action until it is reached and acknowledged, then run ``stop``; errors are logged.

        Args:
            wait_for_acknowledgement: of all that was sent, so many seconds at most.
        """
        if not self.has_begun:
            return
        try:
            if self.flow is not Flow.NONE:
                self._come_to_rest()
                if not wait_for_acknowledgement(_ACKNOWLEDGEMENT_S):
                    _log.error("nobody has acknowledged the safe action for %g s", _ACKNOWLEDGEMENT_S)
        except Exception as error:
            _log.error("the safe action could not be sent: %s", error)
        self.has_begun = False
        self._step_began = None
        self._go(Flow.NONE)
        # Without heartbeats and commands.
        runner = SequenceRunner(self._port, self._steps.gates, self._source, patience=_STOP_PATIENCE_S)
        try:
            runner.run("stop", self._steps.sequences["stop"], keep_going=True)
        except Exception as error:
            _log.error("the contract's `stop` has failed: %s", error)

    def _come_to_rest(self) -> None:
        self._go(Flow.SAFE)
        deadline = monotonic() + _AT_REST_S
        while not self._commands.send_safe() and monotonic() < deadline:
            end = monotonic() + self._period
            while (left := end - monotonic()) > 0:
                for beat in self._heartbeats:
                    beat.run(monotonic())
                self._port.sleep(left)

    def _go(self, flow: Flow) -> None:
        self.flow = flow
        self._runner.commands = self._safe if flow is Flow.SAFE else None

    def _act_late(self, late_action: str) -> None:
        if not all(topic.is_due(self._now_ns()) for topic in self._commands.topics):
            return
        if late_action == "safe":
            self._commands.send_safe()
        elif late_action == "default":
            self._commands.send_default()
        else:
            self._commands.move(self._commands.executed_values())
