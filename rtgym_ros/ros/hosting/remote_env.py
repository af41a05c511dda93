"""The environment of an agent whose clock is kept elsewhere, by ``env_node``."""

from __future__ import annotations

import json
from contextlib import suppress
from copy import copy
from math import inf, isfinite
from time import monotonic
from typing import Any, NoReturn

import gymnasium
import numpy as np
from gymnasium.envs.registration import EnvSpec
from rclpy.node import Node

from rtgym_ros.contract.records.contract import Contract
from rtgym_ros.core.errors import ConfigError, InterfaceTimeoutError, RtgymError, StateError
from rtgym_ros.envs.actions import ActionGuard
from rtgym_ros.envs.state import State
from rtgym_ros.msg import EnvState
from rtgym_ros.record.parts import from_parts, to_parts
from rtgym_ros.record.time_step import Parts, RecordedTimeStep
from rtgym_ros.ros.hosting.agent_services import contract_hash
from rtgym_ros.ros.hosting.remote_link import Description, RemoteLink, error_of
from rtgym_ros.ros.session import RosSession

_EXTRA_S = 5.0
"""How much longer than the environment's own bounds a reset is waited for (s)."""

_PAUSE_S = 2.0
"""How long the end waits for the robot to be held (s); without an answer the node does so by itself."""


class RemoteContractEnv(gymnasium.Env[Any, Any]):
    """The environment of a robot under a contract, hosted by ``env_node``; made by ``rtgym_ros/Contract-v0``.

    Spaces, observations, action buffers, rewards and flags are those of the environment in the node. ``info`` has its
    numbers, ``executed_action``, and why an episode was truncated. An error of the environment comes out of the call
    that waits for it, as in one process; the robot was stopped by the node.

    Args:
        contract: read before; the node must host the same.
        node_name: of ``env_node``; relative ones are in the namespace.
        namespace: of the node of this side.
        agent_name: of the node of this side; the robot's name and ``_agent`` by default.
        timeout: how long ``env_node`` may take to answer at once, and how late a time-step may come, beyond its own
            duration and elasticity (s).

    Raises:
        InterfaceTimeoutError: there is no such node, or it does not answer.
        StateError: it is not active.
        ConfigError: it hosts another contract.
    """

    _spec: EnvSpec | None = None
    metadata: dict[str, Any] = {"render_modes": []}  # noqa: RUF012 (Gymnasium's)

    def __init__(
        self,
        contract: Contract,
        node_name: str,
        *,
        namespace: str = "",
        agent_name: str | None = None,
        timeout: float = 5.0,
    ) -> None:
        if not 0 < timeout < inf:
            raise ConfigError(f"node_timeout must be a number of seconds > 0, got {timeout!r}")
        self.contract = contract
        self._hash = contract_hash(contract.source.text)
        self._is_closed = False
        self._step: RecordedTimeStep | None = None  # the newest, while an episode is under way
        self._failed = False
        session = RosSession(agent_name or f"{contract.robot}_agent", namespace)
        try:
            name = _full_name(node_name, session.node.get_namespace())
            self._link = RemoteLink(name, session, timeout)
        except BaseException:
            session.close()
            raise
        try:
            self._take_over(self._link.describe())
        except BaseException:
            self._link.close()
            raise

    # --- Gymnasium ---

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        """Begin an episode.

        Raises:
            StateError: the environment is closed, or the node is not active.
            ConfigError: the node hosts another contract by now, or ``options`` cannot be sent as JSON.
            InterfaceTimeoutError: the node does not answer.
            RtgymError: what the environment raised there.
        """
        self._refuse_if_closed("reset()")
        super().reset(seed=seed)
        text = _options_text(options)
        self._step, self._failed = None, True
        self._check(self._link.describe())  # first: a node that has ended is noticed at once
        bound = self.config.interface_timeout + _EXTRA_S
        step = self._link.reset(seed, text, self._hash, bound)
        self._step, self._failed = step, False
        return self._observation(step), self._info(step)

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        """Answer the newest time-step and wait for the next one.

        Raises:
            ActionError: the action is not one; nothing was sent.
            StateError: no episode is under way, or another agent has taken over.
            InterfaceTimeoutError: no time-step came; ``reset()`` begins again.
            RtgymError: what the environment raised in the node.
        """
        self._refuse_if_closed("step()")
        before = self._step
        if before is None:
            raise StateError(f"step() while {self.state.name}: no episode is under way, call reset() first")
        admitted = self._guard.admit(action)
        try:
            self._link.answer(before, self.action_space, admitted)
            step = self._next(before)
            self._refuse_another_agent(step, admitted)
        except BaseException:
            self._step, self._failed = None, True
            raise
        is_over = step.terminated or step.truncated
        self._step = None if is_over else step
        return self._observation(step), step.reward, step.terminated, step.truncated, self._info(step)

    def render(self) -> None:
        """Return None: the robot is elsewhere."""

    def close(self) -> None:
        """Have the robot held if an episode is under way, and end this side; a second call does nothing."""
        if self._is_closed:
            return
        self._is_closed = True
        try:
            if self._step is not None and self._link.context.ok():
                with suppress(RtgymError):  # the node stops the robot when no action comes
                    self._link.pause(_PAUSE_S)
        finally:
            self._link.close()

    def __reduce__(self) -> NoReturn:
        """Refuse to be copied or pickled.

        Raises:
            TypeError: always.
        """
        raise TypeError("an environment with a robot cannot be copied or pickled: make another one")

    @property
    def spec(self) -> EnvSpec | None:
        """What ``gymnasium.make`` was given; ``max_episode_steps`` is ``ep_max_length`` where that is finite."""
        return self._spec

    @spec.setter
    def spec(self, spec: EnvSpec | None) -> None:
        length = self.config.ep_max_length
        if spec is not None and spec.max_episode_steps is None and isfinite(length):
            spec = copy(spec)  # gymnasium.make would put a TimeLimit around the environment otherwise
            spec.max_episode_steps = int(length)
        self._spec = spec

    # --- beyond Gymnasium ---

    @property
    def node(self) -> Node:
        """The node of this side."""
        return self._link.node

    @property
    def state(self) -> State:
        """What the environment is doing, as far as this side knows."""
        if self._is_closed:
            return State.CLOSED
        if self._step is not None:
            return State.RUNNING
        return State.FAILED if self._failed else State.CREATED if self._newest is None else State.DONE

    @property
    def default_action(self) -> Any:
        """A copy of the action that ``reset()`` sends."""
        return from_parts(self.action_space, tuple((name, array.copy()) for name, array in self._default_action))

    def wait(self) -> None:
        """Pause: the robot is held under the safe action until the next call.

        Raises:
            InterfaceTimeoutError: the node does not answer.
            InterfaceError: it could not be done.
        """
        self._refuse_if_closed("wait()")
        self._link.pause(self.config.interface_timeout + _EXTRA_S)

    # --- inside ---

    def _take_over(self, description: Description) -> None:
        self._refuse_another_contract(description)
        self.observation_space = description.observation_space
        self.action_space = description.action_space
        self.observation_parts = description.observation_parts
        self.config = description.config
        self._default_action: Parts = description.default_action
        self._newest: RecordedTimeStep | None = None
        self._guard = ActionGuard(self.action_space, self.config.out_of_bounds_action, self.config.action_check)
        self.metadata = {**self.metadata, "render_fps": max(round(1 / self.config.time_step_duration), 1)}

    def _check(self, description: Description) -> None:
        self._refuse_another_contract(description)
        if (description.observation_space, description.action_space) != (self.observation_space, self.action_space):
            raise ConfigError(f"env_node {self._link.name} has other spaces than when this environment was made")
        self.config = description.config  # parameters of the node may have been set

    def _refuse_another_contract(self, description: Description) -> None:
        if description.contract == self.contract.source.text:
            return
        mine, theirs = self.contract.robot, description.robot
        what = "another version of the contract" if mine == theirs else f"the contract of robot {theirs}"
        raise ConfigError(f"env_node {self._link.name} hosts {what}, not {self.contract.source.file} of {mine}")

    def _next(self, before: RecordedTimeStep) -> RecordedTimeStep:
        """Wait for the time-step after ``before``."""
        config = self.config
        duration = config.time_step_duration
        bound = duration + min(duration * config.time_step_timeout_factor, duration) + self._link.timeout
        deadline = monotonic() + bound
        while True:
            for step in self._link.take_time_steps():
                if step.index <= before.index and step.stamp_ns <= before.stamp_ns:
                    continue
                if step.episode != before.episode or step.index <= before.index:
                    raise StateError("another agent has begun an episode: one at a time can use a robot")
                if step.index == before.index + 1:
                    return step
                raise StateError("time-steps are missing: another agent uses the environment, or this one was away")
            state = self._link.look_at_state(since_ns=before.stamp_ns)
            if state.state == EnvState.FAILED and state.episode == before.episode:
                raise error_of(state.error_type, state.error)
            if state.state == EnvState.INACTIVE:
                raise StateError(f"env_node {self._link.name} was deactivated: the robot is stopped")
            if monotonic() > deadline:
                raise InterfaceTimeoutError(
                    f"env_node {self._link.name} has begun no time-step for {bound:.3g} s: it has ended, was restarted,"
                    " or its clock stands still; reset() begins again where it is back"
                )
            self._link.poll()

    def _refuse_another_agent(self, step: RecordedTimeStep, action: Any) -> None:
        given = to_parts(self.action_space, action)
        if any(not np.array_equal(mine[1], theirs[1]) for mine, theirs in zip(given, step.action, strict=False)):
            raise StateError(f"another agent has answered time-step {step.index - 1}: one at a time can use a robot")

    def _observation(self, step: RecordedTimeStep) -> Any:
        self._newest = step
        return from_parts(self.observation_space, step.observation)

    def _info(self, step: RecordedTimeStep) -> dict[str, Any]:
        info: dict[str, Any] = {**step.info, **step.delays, "age": dict(step.ages)}
        if step.executed_action:
            info["executed_action"] = from_parts(self.action_space, step.executed_action)
        if step.truncated:
            reason = self._link.truncation_of(step)
            if reason:
                info["truncation"] = reason
        return info

    def _refuse_if_closed(self, call: str) -> None:
        if self._is_closed:
            raise StateError(f"{call} after close(): make a new environment")


def _full_name(name: str, namespace: str) -> str:
    return name if name.startswith("/") else f"{namespace.rstrip('/')}/{name}"


def _options_text(options: dict[str, Any] | None) -> str:
    if not options:
        return ""
    try:
        return json.dumps(options)
    except (TypeError, ValueError) as error:
        raise ConfigError(f"options must be what JSON can say, for a node elsewhere: {error}") from None
