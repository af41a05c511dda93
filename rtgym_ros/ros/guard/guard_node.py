"""The guard as a node: one loop that takes what has arrived and sends what is due."""

from __future__ import annotations

from dataclasses import replace
from threading import Event
from time import monotonic, monotonic_ns, sleep

from std_srvs.srv import Trigger

from rtgym_ros.contract.guard.guard_logic import GuardState
from rtgym_ros.contract.guard.guarded_command import Sent
from rtgym_ros.contract.records.contract import Contract
from rtgym_ros.core.stop_signal import StopSignal
from rtgym_ros.ros.guard.guard_diagnostics import GuardDiagnostics
from rtgym_ros.ros.guard.guard_topics import GuardTopics
from rtgym_ros.ros.node_log import NodeLog
from rtgym_ros.ros.parameters import Bounded, Flag, declare
from rtgym_ros.ros.ros_time_source import RosTimeSource
from rtgym_ros.ros.session import RosSession

_REST_S, _ACKNOWLEDGEMENT_S = 2.0, 0.5
"""How long the end waits for limits to let the safe action be reached, and for its acknowledgement (s)."""

_ANSWER_S = 1.0
"""How long a call of ``~/stand_by`` waits for the loop (s)."""

PARAMETERS = (
    Bounded("poll_period", 0.001, 0.0002, 0.02, "between two looks at the topics (s): the most that a command waits"),
    Bounded("diagnostics_period", 1.0, 0.1, 60.0, "between two messages on /diagnostics (s)"),
    Flag(
        "heartbeats",
        False,
        "the contract's heartbeats are sent while an input commands: for a policy that sends none; environments do",
    ),
)


class GuardNode:
    """Stands between the inputs of a contract's guard and its robot; see ``docs/guard.md``.

    Everything that is sent is sent by :meth:`run`, in its thread. Parameters and ``~/stand_by`` are served by the
    session's executor.

    Args:
        session: whose node it is.
        contract: with a section ``guard``.
        allow_code_beside: whether code that the contract names may lie beside its file.

    Raises:
        ContractError: the contract has no guard, or does not fit a message type.
        ConfigError: a parameter cannot be used.
    """

    def __init__(self, session: RosSession, contract: Contract, *, allow_code_beside: bool = False) -> None:
        if contract.guard is None:
            raise contract.source.error((), "guard is missing; allowed: a section guard, {timeout: 0.3} for example")
        guarded = {name: part for name, part in contract.action.items() if part.topic is not None}
        if not guarded:
            raise contract.source.error(("action",), "is sent as goals alone; allowed: a part with a topic")
        self._session, self.node = session, session.node
        self._log = NodeLog(session)
        parameters = declare(self.node, PARAMETERS, arguments=session.arguments)
        self._poll_s, self._diagnostics_s = parameters["poll_period"], parameters["diagnostics_period"]
        self._sim_time: RosTimeSource | None = None
        if self.node.get_parameter("use_sim_time").value:
            self._sim_time = RosTimeSource(self.node, stall_timeout=float("inf"))
        self._topics = GuardTopics(
            self.node,
            replace(contract, action=guarded),
            self._ros_time_ns,
            self._log.warning_at_most,
            heartbeats=parameters["heartbeats"],
            allow_beside=allow_code_beside,
        )
        self._logic = self._topics.logic
        waits_for = [
            [measured.subscription.topic for measured in self._topics.measured if measured.command is command]
            for command in self._logic.commands
        ]
        self._diagnostics = GuardDiagnostics(self.node, self._logic, self._topics.inputs, self._topics.lock, waits_for)
        self._next_diagnostics = monotonic() + self._diagnostics_s
        self._said: tuple[GuardState, str | None] = (GuardState.STANDS_BY, None)
        self._wanted, self._stood_by = Event(), Event()
        self.node.create_service(Trigger, "~/stand_by", self._stand_by)

    def run(self, stop: StopSignal) -> None:
        """Forward commands until told to stop; then send the safe action, and see it acknowledged."""
        try:
            while not stop.wait(self._poll_s):
                self._turn()
        finally:
            self._end()

    def _turn(self) -> None:
        """Take what has arrived, and send what is due."""
        now_ns = self._now_ns()
        if now_ns == 0:  # a simulated clock before its first message
            return
        self._topics.pull(now_ns)
        if self._wanted.is_set():
            self._wanted.clear()
            self._logic.stand_by()
            self._stood_by.set()
        self._publish(self._logic.advance(now_ns))
        now = monotonic()
        if self._logic.state is GuardState.FORWARDS:
            for heartbeat in self._topics.heartbeats:
                heartbeat.run(now)
        self._log_changes()
        if now >= self._next_diagnostics:
            self._next_diagnostics = now + self._diagnostics_s
            self._diagnostics.publish(now_ns, self._topics.problems())

    def _publish(self, commands: list[Sent]) -> None:
        for sent in commands:
            self._topics.outputs[sent.command].send(sent, self._logic.state is GuardState.LOCKED)

    def _log_changes(self) -> None:
        state, source = self._logic.state, self._logic.source
        now = (state, None if source is None else source.name)
        if now == self._said:
            return
        self._said = now
        say = self._log.warning if state in (GuardState.SAFE, GuardState.LOCKED) else self._log.info
        say(state.value if source is None else f"{state.value} of {source.name}")

    def _end(self) -> None:
        """Send the safe action until the robot has it, and end the publishers."""
        if self._logic.state is not GuardState.STANDS_BY:
            deadline = monotonic() + _REST_S
            while True:
                self._publish(self._logic.make_safe(self._now_ns()))
                if self._logic.is_at_rest or monotonic() > deadline:
                    break
                sleep(self._poll_s)
            for output in self._topics.outputs:
                output.publisher.wait_for_acknowledgement(_ACKNOWLEDGEMENT_S)
        self._session.end_callbacks()
        self._topics.close()

    def _stand_by(self, request: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
        self._stood_by.clear()
        self._wanted.set()
        response.success = self._stood_by.wait(_ANSWER_S)
        response.message = "nothing is sent until the next command" if response.success else "the loop does not answer"
        return response

    def _now_ns(self) -> int:
        return monotonic_ns() if self._sim_time is None else self._sim_time.now_ns()

    def _ros_time_ns(self) -> int:
        return int(self.node.get_clock().now().nanoseconds) if self._sim_time is None else self._sim_time.now_ns()
