"""The thread that uses an environment for an agent elsewhere."""

from __future__ import annotations

from collections.abc import Callable
from math import isfinite
from queue import Empty
from threading import Thread
from typing import Any

from rtgym_ros.core.errors import ActionError, InterfaceError
from rtgym_ros.core.inbox import Inbox
from rtgym_ros.core.time_source import MonotonicTimeSource, to_s
from rtgym_ros.core.timer_slack import set_timer_slack
from rtgym_ros.envs.clock_thread import Request
from rtgym_ros.envs.real_time_env import RealTimeEnv
from rtgym_ros.envs.state import State
from rtgym_ros.msg import EnvState
from rtgym_ros.record.errors import RecordError
from rtgym_ros.record.observer import Observer
from rtgym_ros.record.parts import from_parts
from rtgym_ros.record.time_step import RecordedTimeStep
from rtgym_ros.ros.hosting.agent_topics import AgentTopics, Answer, in_ros_time
from rtgym_ros.ros.hosting.host_state import HostState
from rtgym_ros.ros.hosting.recording_on_request import RecordingOnRequest
from rtgym_ros.ros.node_log import NodeLog

_SHORTEST_POLL_S, _LONGEST_POLL_S = 0.0001, 0.001
_POLLS_A_TIME_STEP = 50
_READY_S, _RARE_POLL_S = 0.0015, 0.005
"""An answer counts from the end of its time-step: until so long before that (s) it is looked for this rarely (s)."""

_IDLE_POLL_S = 0.05
"""Between two looks at an environment in which nothing is expected (s)."""

_EXTRA_S = 5.0
"""How much longer than the environment's own bounds a call is waited for (s)."""


class EnvHost:
    """Calls ``reset()`` and ``step()`` of an environment for an agent that talks by topics and services.

    The time-steps are the environment's own, and so is what happens when no action comes in time: the clock waits for
    it up to the elasticity, then the contract's ``late_action`` is applied, and after ``agent_timeout`` the safe
    action flows. An action that comes after that begins the next time-step, as in one process.

    Args:
        env: it is closed with the host.
        topics: of the agent.
        log: of the node.
        on_crash: called in the thread of the host when it ends by an error of its own.

    Attributes:
        env: the environment.
        recording: of its time-steps, by choice.
    """

    def __init__(
        self, env: RealTimeEnv, topics: AgentTopics, log: NodeLog, on_crash: Callable[[BaseException], None]
    ) -> None:
        self.env = env
        self.recording = RecordingOnRequest(env)
        self._topics = topics
        self._log = log
        self._on_crash = on_crash
        self._observer = Observer(env.observation_space, env.action_space)
        self._state = HostState()
        self._newest: RecordedTimeStep | None = None
        self._inbox: Inbox[Request] = Inbox()
        self._is_ending = False
        clock = env.interface.get_time_source()
        self._now_ns = clock.now_ns if isinstance(clock, MonotonicTimeSource) else None
        self._thread = Thread(target=self._run, name="rtgym_ros host", daemon=True)

    def start(self) -> None:
        """Ready the robot and wait for an agent.

        Raises:
            Exception: what the environment raised; it was stopped.
        """
        self.env.start()
        self._topics.take_actions()  # of an earlier life
        self._publish(EnvState.READY)
        self._thread.start()

    def reset(self, seed: int | None, options: dict[str, Any] | None) -> RecordedTimeStep:
        """Begin an episode; from any thread.

        Raises:
            Exception: what the environment raised.
        """
        return self._submit(Request("reset", self._reset, seed, options))  # type: ignore[no-any-return]

    def pause(self) -> None:
        """Hold the robot under the safe action until the next answer or reset; from any thread.

        Raises:
            Exception: what the environment raised.
        """
        self._submit(Request("pause", self._pause))

    def post(self, name: str, function: Callable[..., Any], *args: Any) -> None:
        """Have something done between two time-steps; from any thread."""
        self._inbox.put(Request(name, function, *args))

    def close(self) -> None:
        """End the thread, then the environment: the safe action, acknowledged, then ``stop``.

        Raises:
            InterfaceTimeoutError: the interface is blocked.
        """
        self._is_ending = True
        self.post("end", lambda: None)
        try:
            self.env.close()
        finally:
            if self._thread.is_alive():
                self._thread.join(self._bound_s)
            self.recording.stop()
            if self._thread.is_alive():
                self._log.error("the thread of the host has not ended")
            else:
                self._publish(EnvState.INACTIVE)

    @property
    def _bound_s(self) -> float:
        return float(self.env.config.interface_timeout) + _EXTRA_S

    def _submit(self, request: Request) -> Any:
        self._inbox.put(request)
        return request.result(self._bound_s)

    # --- in the thread ---

    def _run(self) -> None:
        set_timer_slack(1)
        try:
            while not self._is_ending:
                awaits_action = self._state.state in (EnvState.RUNNING, EnvState.PAUSED)
                try:
                    request = self._inbox.get(timeout=self._poll_s if awaits_action else _IDLE_POLL_S)
                except Empty:
                    self._look(awaits_action)
                else:
                    request.run()
        except BaseException as error:
            if not self._is_ending:
                self._on_crash(error)

    @property
    def _poll_s(self) -> float:
        """How long nothing need be looked at (s): what waits for an answer that is late is the robot."""
        duration, running = self.env.config.time_step_duration, self.env.clock.current
        if self._now_ns is not None and running is not None:
            left = to_s(running.end_ns - self._now_ns())
            if left > _READY_S:
                return min(left - _READY_S, _RARE_POLL_S)
            if left > -duration:
                return _SHORTEST_POLL_S
        return min(max(duration / _POLLS_A_TIME_STEP, _SHORTEST_POLL_S), _LONGEST_POLL_S)

    def _look(self, awaits_action: bool) -> None:
        """Notice a failure that no call was there for, and take the answer to the newest time-step."""
        if self.env.agent_timeouts != self._state.agent_timeouts:
            self._publish(self._state.state)
        if self.env.state is State.FAILED and self._state.state != EnvState.FAILED:
            self._guarded(self.env.stop)  # raises what has failed
            if self._state.state != EnvState.FAILED:
                self._fail(InterfaceError("a method of the interface was blocked: the robot was stopped"))
        answers = self._topics.take_actions()
        action = self._choose(answers)
        if action is not None and awaits_action and self.env.state is State.RUNNING:
            self._step(action)

    def _choose(self, answers: list[Answer]) -> Any:
        """Return the last action that answers the newest time-step; others are counted."""
        action, newest, before = None, self._newest, self._state.stale_actions + self._state.refused_actions
        for answer in answers:
            if answer.index is None:
                self._refuse(RecordError(answer.problem))
                continue
            if newest is None or (answer.index, answer.time_step_stamp_ns) != (newest.index, newest.stamp_ns):
                self._state.stale_actions += 1
                continue
            try:
                if answer.parts is None:
                    raise RecordError(answer.problem)
                action = from_parts(self.env.action_space, answer.parts)
            except RecordError as error:
                self._refuse(error)
        if self._state.stale_actions + self._state.refused_actions != before:
            self._publish(self._state.state)
        return action

    def _refuse(self, error: Exception) -> None:
        self._state.refused_actions += 1
        self._log.warning_at_most("actions", f"an action was refused: {error}")

    def _step(self, action: Any) -> None:
        try:
            returned = self.env.step(action)
        except ActionError as error:  # nothing was sent, and the time-step goes on
            self._refuse(error)
            self._publish(self._state.state)
        except Exception as error:
            self._fail(error)
        else:
            self._show(self._observer.step(action, returned), returned[4])

    def _reset(self, seed: int | None, options: dict[str, Any] | None) -> RecordedTimeStep:
        self._topics.take_actions()  # of the episode before
        self.recording.begin_episode(self._observer.episode + 1, seed, options)
        try:
            observation, info = self.env.reset(seed=seed, options=options)
        except Exception as error:
            self._fail(error)
            raise
        return self._show(self._observer.reset(observation, info), info)

    def _pause(self) -> None:
        try:
            self.env.wait()
        except Exception as error:
            self._fail(error)
            raise
        if self.env.state is State.RUNNING:
            self._publish(EnvState.PAUSED)

    def _show(self, returned: RecordedTimeStep, info: Any) -> RecordedTimeStep:
        self.recording.write(returned)
        step = in_ros_time(returned)
        state = self._state
        before = (state.state, state.late_actions, state.episode)
        late = returned.info.get("late_actions", 0.0)
        state.late_actions = int(late) if isfinite(late) else 0
        state.error_type = state.error = ""
        state.truncation = str(info.get("truncation", "")) if step.truncated else ""
        state.episode, state.index = step.episode, step.index
        state.state = EnvState.DONE if step.terminated or step.truncated else EnvState.RUNNING
        self._newest = step
        if (state.state, state.late_actions, state.episode) != before:
            self._publish(state.state)
        self._topics.publish_time_step(step)
        return step

    def _guarded(self, function: Callable[[], Any]) -> None:
        try:
            function()
        except Exception as error:
            self._fail(error)

    def _fail(self, error: Exception) -> None:
        """Say what has failed; the environment has stopped the robot."""
        self._state.error_type, self._state.error = type(error).__name__, " ".join(str(error).split())
        self._log.error(f"{self._state.error_type}: {self._state.error}; the robot was stopped, ~/reset begins again")
        self._publish(EnvState.FAILED)

    def _publish(self, state: int) -> None:
        self._state.state = state
        self._state.agent_timeouts = self.env.agent_timeouts
        self._topics.publish_state(self._state)
