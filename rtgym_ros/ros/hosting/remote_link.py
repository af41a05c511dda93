"""The topics and services between an agent and the node that hosts its environment, as the agent sees them."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from threading import Event
from time import monotonic, sleep
from typing import Any, TypeVar

from gymnasium import spaces
from rclpy.context import Context
from rclpy.node import Node
from std_srvs.srv import Trigger

from rtgym_ros.core.config import RealTimeConfig
from rtgym_ros.core.errors import InterfaceError, InterfaceTimeoutError, StateError
from rtgym_ros.msg import AgentAction, EnvState, TimeStep
from rtgym_ros.record.cdr_reader import decode
from rtgym_ros.record.cdr_writer import encode_answer
from rtgym_ros.record.parts import to_parts
from rtgym_ros.record.space_text import space_from_text
from rtgym_ros.record.time_step import Parts, RecordedTimeStep
from rtgym_ros.ros.contract_interface import ContractInterface
from rtgym_ros.ros.errors import RosShutdownError
from rtgym_ros.ros.hosting.agent_topics import ACTION_QOS, STATE_QOS, TIME_STEP_QOS
from rtgym_ros.ros.hosting.named_arrays import from_messages
from rtgym_ros.ros.pulled_subscription import PulledSubscription
from rtgym_ros.ros.session import RosSession
from rtgym_ros.ros.stamps import to_nanoseconds
from rtgym_ros.srv import Describe, Reset

_POLL_S = 0.0002
"""Between two looks at the topics (s): a part of what an observation is late by."""

_ASK_AGAIN_S = 2.0
"""After how long a question that a node can answer at once is asked again (s)."""

_ACTIVE_POLL_S = 0.1
"""Between two questions to a node that is not active yet (s)."""

_REASON_S = 0.2
"""How long the reason of a truncation, which is published before the time-step, may be on its way after it (s)."""

Found = TypeVar("Found")


@dataclass(frozen=True)
class Description:
    """What a node says of the environment that it hosts.

    Attributes:
        robot: name in the contract.
        contract: its text.
        observation_space: of the environment.
        action_space: of the environment.
        observation_parts: space of each part of the observation, in the order in which a Tuple or a flat Box has them.
        config: its configuration; entries that are no numbers, flags or texts are the defaults.
        default_action: what a reset sends.
    """

    robot: str
    contract: str
    observation_space: spaces.Space[Any]
    action_space: spaces.Space[Any]
    observation_parts: Mapping[str, spaces.Box]
    config: RealTimeConfig
    default_action: Parts


class RemoteLink:
    """Talks to one ``env_node``. Used by one thread; it waits for nothing without a bound.

    Args:
        name: full name of the node.
        session: whose node the topics and services are; it is closed with the link.
        timeout: how long the node may take to answer what it can answer at once (s).
    """

    def __init__(self, name: str, session: RosSession, timeout: float) -> None:
        self.name = name
        self.timeout = timeout
        self._session = session
        node = session.node
        self._time_steps: PulledSubscription[Any] = PulledSubscription(
            node, TimeStep, f"{name}/time_step", TIME_STEP_QOS
        )
        self._states: PulledSubscription[Any] = PulledSubscription(node, EnvState, f"{name}/state", STATE_QOS)
        self._actions = node.create_publisher(AgentAction, f"{name}/action", ACTION_QOS)
        self._describe = node.create_client(Describe, f"{name}/describe")
        self._reset = node.create_client(Reset, f"{name}/reset")
        self._pause = node.create_client(Trigger, f"{name}/pause")
        self._state: Any = EnvState()

    @property
    def node(self) -> Node:
        """Of this side."""
        return self._session.node

    @property
    def context(self) -> Context:
        """Of the node of this side."""
        return self._session.context

    def describe(self) -> Description:
        """Ask the node what it hosts, and wait until it is active.

        Raises:
            InterfaceTimeoutError: there is no such node, or it does not answer.
            StateError: it is not active.
        """
        deadline = monotonic() + self.timeout
        while True:
            try:
                # Asked again: where a node was killed, what is sent while it is still in the graph is lost.
                answer = self._call(self._describe, Describe.Request(), min(self.timeout, _ASK_AGAIN_S))
            except InterfaceTimeoutError:
                if monotonic() > deadline:
                    raise
                continue
            if answer.success:
                break
            if monotonic() > deadline:
                raise StateError(f"{answer.message} (waited {self.timeout:g} s)")
            self.poll(_ACTIVE_POLL_S)
        return Description(
            answer.robot,
            answer.contract,
            space_from_text(answer.observation_space),
            space_from_text(answer.action_space),
            {name: _box(space) for name, space in json.loads(answer.observation_parts)},
            _config(answer.config),
            from_messages(answer.default_action),
        )

    def reset(self, seed: int | None, options: str, contract: str, timeout: float) -> RecordedTimeStep:
        """Begin an episode and return its first time-step.

        Args:
            seed: of the task, None for none.
            options: JSON, empty for none.
            contract: hash of the contract that the agent knows.
            timeout: how long the environment may take (s).

        Raises:
            InterfaceTimeoutError: the node does not answer.
            RtgymError: what the environment raised there.
        """
        self._wait_for(self._actions.get_subscription_count, f"nobody is subscribed to {self.name}/action")
        request = Reset.Request(has_seed=seed is not None, seed=seed or 0, options=options, contract=contract)
        answer = self._call(self._reset, request, timeout)
        if not answer.success:
            raise error_of(answer.error_type, answer.message)
        stamp_ns = to_nanoseconds(answer.stamp)

        def first() -> RecordedTimeStep | None:
            for step in self.take_time_steps():
                if (step.index, step.stamp_ns) == (answer.index, stamp_ns):
                    return step
            return None

        return self._wait_for(first, f"the time-step that a reset began has not come on {self.name}/time_step")

    def pause(self, timeout: float) -> None:
        """Have the robot held under the safe action.

        Raises:
            InterfaceTimeoutError: the node does not answer.
            InterfaceError: it could not be done.
        """
        answer = self._call(self._pause, Trigger.Request(), timeout)
        if not answer.success:
            raise InterfaceError(answer.message)

    def answer(self, step: RecordedTimeStep, space: spaces.Space[Any], action: Any) -> None:
        """Publish the action that answers ``step``."""
        now_ns = self._session.node.get_clock().now().nanoseconds
        self._actions.publish(encode_answer(now_ns, step.index, step.stamp_ns, to_parts(space, action)))

    def take_time_steps(self) -> list[RecordedTimeStep]:
        """Return what has come on ``~/time_step`` since the last call."""
        return [decode(raw.data) for raw in self._time_steps.take_serialised()]

    def look_at_state(self, since_ns: int = 0) -> Any:
        """Return the newest message of ``~/state``, or one of a running environment where that is older than given.

        Args:
            since_ns: stamp (ns) from which on it counts: what was published before a reset says nothing after it.
        """
        for message, _ in self._states.take():
            self._state = message
        is_of_now = to_nanoseconds(self._state.header.stamp) >= since_ns
        return self._state if is_of_now else EnvState(state=EnvState.RUNNING)

    def truncation_of(self, step: RecordedTimeStep) -> str:
        """Return why an episode ended with ``step`` before its time; empty where nobody says it."""
        deadline = monotonic() + _REASON_S
        while monotonic() < deadline:
            state = self.look_at_state()
            if (state.state, state.episode, state.index) == (EnvState.DONE, step.episode, step.index):
                return str(state.truncation)
            self.poll()
        return ""

    def close(self) -> None:
        """End the topics, and the node of this side where it was made for them."""
        self._time_steps.close()
        self._states.close()
        node = self._session.node
        node.destroy_publisher(self._actions)
        for client in (self._describe, self._reset, self._pause):
            node.destroy_client(client)
        self._session.close()

    def poll(self, seconds: float = _POLL_S) -> None:
        """Wait until it is worth looking again.

        Raises:
            RosShutdownError: ROS was shut down.
        """
        if self._session.is_shut_down:
            raise RosShutdownError(f"ROS was shut down: {self.name} stops the robot when no action comes")
        sleep(seconds)

    def _call(self, client: Any, request: Any, timeout: float) -> Any:
        ready = f"no env_node {self.name}: service {client.srv_name} has no server"
        self._wait_for(client.service_is_ready, ready, min(timeout, self.timeout))
        done = Event()
        future = client.call_async(request)
        future.add_done_callback(lambda _: done.set())
        deadline = monotonic() + timeout
        try:
            while not done.wait(0.05):
                if self._session.is_shut_down:
                    raise RosShutdownError("ROS was shut down while a service was called")
                if monotonic() > deadline:
                    raise InterfaceTimeoutError(
                        f"env_node {self.name} has not answered {client.srv_name} for {timeout:g} s: it has ended, or "
                        "is stopped or overloaded"
                    )
        finally:
            if not future.done():
                client.remove_pending_request(future)
        return future.result()

    def _wait_for(self, find: Callable[[], Found | None], problem: str, timeout: float | None = None) -> Found:
        bound = self.timeout if timeout is None else timeout
        deadline = monotonic() + bound
        while not (found := find()):
            if monotonic() > deadline:
                raise InterfaceTimeoutError(f"{problem} (waited {bound:g} s)")
            self.poll()
        return found


def error_of(type_name: str, message: str) -> Exception:
    """Return an error of this package by the name of its class; another one as an :class:`InterfaceError`."""
    from rtgym_ros.contract.grammar.source import ContractError
    from rtgym_ros.core import errors

    kind = {"ContractError": ContractError, "RosShutdownError": InterfaceError}.get(type_name)
    kind = kind or getattr(errors, type_name, None)
    if isinstance(kind, type) and issubclass(kind, errors.RtgymError):
        return kind(message)
    return InterfaceError(f"{type_name}: {message}")


def _box(described: Any) -> spaces.Box:
    space = space_from_text(json.dumps(described))
    assert isinstance(space, spaces.Box)
    return space


def _config(text: str) -> RealTimeConfig:
    known = {entry.name for entry in fields(RealTimeConfig)}  # a node of a newer version may have more
    entries = {name: value for name, value in json.loads(text).items() if name in known}
    numbers = {name: float(value) for name, value in entries.items() if value in ("inf", "-inf")}
    return RealTimeConfig(interface=ContractInterface, **(entries | numbers))
