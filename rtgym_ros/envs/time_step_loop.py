"""The time-steps of one environment: what the clock thread does in them, and when.

Every method but the properties is called in the clock thread (:mod:`rtgym_ros.envs.clock_thread`), so nothing here
needs a lock. Between a capture and the send that follows it there is nothing that could be done before or afterwards:
how long that takes varies, and the robot would feel it.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from math import inf, isfinite
from time import monotonic
from typing import Any, NamedTuple

import numpy as np

from rtgym_ros.core.action_buffer import copy_action
from rtgym_ros.core.benchmark import Benchmark
from rtgym_ros.core.config import RealTimeConfig
from rtgym_ros.core.elastic_clock import ElasticClock, TimeStep
from rtgym_ros.core.errors import ClockJumpError, InterfaceError, StateError, TimeStepTimeoutWarning
from rtgym_ros.core.time_source import TimeSource, to_ns, to_s
from rtgym_ros.envs.answers import AnswerCheck
from rtgym_ros.envs.episode import Episode
from rtgym_ros.envs.interface import RealTimeGymInterface
from rtgym_ros.envs.interface_calls import CAPTURE, SEND, InterfaceCalls
from rtgym_ros.envs.state import State
from rtgym_ros.envs.step_info import time_step_info
from rtgym_ros.envs.step_warnings import StepWarnings

_log = logging.getLogger(__name__)

Step = tuple[Any, float, bool, bool, dict[str, Any]]

_ACKNOWLEDGEMENT_S = 0.5
"""How long a safe action is repeated for while the robot's side does not acknowledge it (s)."""

_REPEAT_S = 0.05
"""How long one acknowledgement is waited for (s)."""


class _Captured(NamedTuple):
    answer: Any
    began_ns: int
    truncation: str | None
    to_ros_ns: int | None


class TimeStepLoop:
    """Holds the interface to the elastic clock and stops the robot when something fails or nobody calls.

    Args:
        interface: the user's; nothing else calls it.
        calls: how it is called.
        time_source: what deadlines are waited for on.
        config: of the environment, read anew where entries may change.
        clock: lays out the time-steps.
        benchmark: is given the times of sends and captures.
        episode: counts time-steps and keeps the action buffer.
        combine: takes an observation, the actions of the buffer and info, returns all that is observed of them as one.
        answers: checks what the interface returns.
        safe_action: what stops the robot.
        warnings: collects warnings for the caller.
        use_slack: called before a wait with its length (ns), for what can be done meanwhile.
    """

    def __init__(
        self,
        interface: RealTimeGymInterface,
        calls: InterfaceCalls,
        time_source: TimeSource,
        config: RealTimeConfig,
        clock: ElasticClock,
        benchmark: Benchmark,
        episode: Episode,
        combine: Callable[[Any, tuple[Any, ...], Mapping[str, Any]], Any],
        answers: AnswerCheck,
        safe_action: Any,
        warnings: StepWarnings,
        use_slack: Callable[[int], None] | None = None,
    ) -> None:
        self.time_source = time_source
        self.config = config
        self.state = State.CREATED
        self.over_ns = 0
        """When the running time-step was last known to be over (ns)."""
        self.looks_by_itself = False
        """Whether the time that :meth:`due_ns` returned last comes before the running time-step is over."""
        self.agent_timeouts = 0
        """How often the robot was stopped because nobody called."""
        self._interface = interface
        self._calls = calls
        self._now_ns = time_source.now_ns
        self._clock = clock
        self._benchmark = benchmark
        self._episode = episode
        self._combine = combine
        self._answers = answers
        self._safe_action = safe_action
        self._warnings = warnings
        self._use_slack = use_slack
        self._rests_until_ns: int | None = None
        listens = type(interface).on_rest is not RealTimeGymInterface.on_rest and time_source.poll_period == inf
        self._on_rest = interface.on_rest if listens else None
        self._running: TimeStep | None = None
        self._captured: _Captured | None = None
        self._prepare_due_ns: int | None = None
        self._preparation_ns: int | None = None
        self._agent_due_ns: int | None = None
        self._tick_period_ns: int | None = None
        self._tick_due_ns: int | None = None
        self._seen_ns = self._now_ns()
        self._jump: str | None = None
        self._error: BaseException | None = None
        self._has_acted = False

    # --- requests ---

    def reset(
        self, seed: int | None, options: dict[str, Any] | None, rng: np.random.Generator
    ) -> tuple[Any, dict[str, Any]]:
        """Reset the interface and begin an episode with the first action; the running time-step is over."""
        self.over_ns = self._now_ns()
        self._raise_stored_error()
        return self._or_stop(self._reset, seed, options, rng)  # type: ignore[no-any-return]

    def refuse_without_episode(self) -> None:
        """Raise where ``step()`` makes no sense; from any thread.

        Raises:
            StateError: no episode is under way, and there is no error to raise instead.
        """
        if self.state is not State.RUNNING and self._error is None:
            raise StateError(f"step() while {self.state.name}: no episode is under way, call reset() first")

    def step(self, action: Any) -> Step:
        """Begin the next time-step with ``action`` and return what was captured in the one that is over."""
        if self._error is not None or self.state is not State.RUNNING:
            self._raise_stored_error()
            self.refuse_without_episode()
        return self._or_stop(self._step, action)  # type: ignore[no-any-return]

    def join(self) -> None:
        """Do nothing: the running time-step is over when this is called."""
        self._raise_stored_error()

    def start(self) -> None:
        """Let the interface ready the robot; what flows by itself between time-steps flows from then on."""
        self._raise_stored_error()
        self._or_stop(self._start)

    def wait(self) -> None:
        """Let the interface hold the robot; the clock excuses the time that passes."""
        self._raise_stored_error()
        self._or_stop(self._wait)

    def configure(self, config: RealTimeConfig) -> None:
        """Change the timing and the length of episodes, from the next time-step on."""
        self.config = config
        self._clock.retime(*config.clock_timing())
        duration = config.time_step_duration
        self._or_stop(
            self._calls.call,
            "on_timing",
            self._interface.on_timing,
            duration,
            duration * config.time_step_timeout_factor,
        )

    def render(self, mode: str | None) -> Any:
        """Return what the interface renders."""
        return self._or_stop(self._render, mode)

    def close(self) -> None:
        """Send the safe action if anything was ever sent, and close the interface; a second call does nothing."""
        if self.state is State.CLOSED:
            return
        self.state = State.CLOSED
        self._calls.resume()
        self._running = self._agent_due_ns = self._tick_due_ns = None
        if self._error is not None:
            _log.error("an error that no call has returned: %s", self._error)
        try:
            self._send_safe_action()
        finally:
            self._calls.call("close", self._interface.close)

    # --- what happens by itself ---

    def due_ns(self, has_request: bool) -> int | None:
        """Return when :meth:`on_due` or the end of the time-step is to be waited for by the clock itself (ns)."""
        now_ns = self._look_at_clock()
        running = self._running
        due_ns: int | None = None
        rest_ns: int | None = None
        if running is not None:
            deadline_ns = running.capture_ns if self._captured is None else running.end_ns
            due_ns = rest_ns = deadline_ns - self._lead_ns(running)
            if self._captured is None and self._prepare_due_ns is not None:
                due_ns = self._prepare_due_ns
            if self._captured is not None and not has_request and now_ns >= due_ns:
                due_ns = rest_ns = None  # it is over: whoever calls next is served at once
        if self._on_rest is not None and rest_ns != self._rests_until_ns:
            self._rests_until_ns = rest_ns
            self._call_or_fail("on_rest", self._on_rest, rest_ns)
        self.looks_by_itself = due_ns is not None and self.time_source.poll_period == inf
        if not has_request and self._agent_due_ns is not None:
            due_ns = self._agent_due_ns if due_ns is None else min(due_ns, self._agent_due_ns)
        if self._tick_due_ns is not None:
            due_ns = self._tick_due_ns if due_ns is None else min(due_ns, self._tick_due_ns)
        if due_ns is not None and self._use_slack is not None:
            self._use_slack(due_ns - now_ns)
        return due_ns

    def on_due(self) -> None:
        """Capture, stop the robot of an absent agent, or tick: whichever is due."""
        now_ns = self._now_ns()
        running = self._running
        if running is not None and self._captured is None and now_ns >= running.capture_ns - self._lead_ns(running):
            self._capture(running)
        elif running is not None and self._prepare_due_ns is not None and now_ns >= self._prepare_due_ns:
            self._prepare_due_ns = None
            self._call_or_fail("prepare_capture", self._interface.prepare_capture)
        elif self._agent_due_ns is not None and now_ns >= self._agent_due_ns:
            self._agent_due_ns = None
            self.agent_timeouts += 1
            self._send_safe_action()  # first: whoever takes the log may hold it up
            _log.warning("nobody has called step() or reset() in time: the safe action is sent")
        elif self._tick_due_ns is not None and now_ns >= self._tick_due_ns:
            assert self._tick_period_ns is not None
            self._tick_due_ns = max(self._tick_due_ns + self._tick_period_ns, now_ns)
            self._call_or_fail("tick", self._interface.tick)

    def is_ending(self) -> bool:
        """Whether the running time-step, if there is one, was captured and is over but for the last moment."""
        running = self._running
        if running is None or isfinite(self.time_source.poll_period):
            return True  # a clock with a rate of its own waits for itself, and bounds how long
        return self._captured is not None and self._now_ns() >= running.end_ns - self._lead_ns(running)

    def capture_if_due(self) -> None:
        """Capture if that is still to be done and its time has come, as with a ``start_obs_capture`` of 0."""
        running = self._running
        if running is not None and self._captured is None and self._now_ns() >= running.capture_ns:
            self._capture(running)

    def finish_time_step(self) -> None:
        """Capture if that is still to be done, and wait for the end of the running time-step."""
        self._look_at_clock()
        running = self._running
        if running is not None and self._captured is None:
            self._capture(running)
        if running is not None and self._running is running:
            try:
                self.time_source.sleep_until_ns(running.end_ns)
            except ClockJumpError as error:
                self._clock_was_set_back(str(error))
            except Exception as error:  # of a clock that stands still
                self._fail(error)

    def stop_abandoned(self) -> None:
        """Stop the robot where a call has given up and the interface has returned in the same moment."""
        if self._calls.abandoned:
            self._stop_robot()

    # --- inside ---

    def _reset(
        self, seed: int | None, options: dict[str, Any] | None, rng: np.random.Generator
    ) -> tuple[Any, dict[str, Any]]:
        self._jump = None
        self._interface.np_random = rng
        answer = self._calls.call("reset", self._call_reset, seed, options)
        captured_ns = self._now_ns()
        observation, info = self._answers.of_reset(answer)
        if self.config.time_in_info:
            info = {**time_step_info(None, captured_ns, self._interface.get_ros_time_offset_ns()), **info}
        self._begin(self._episode.first_action, self._begin_episode)
        self._start_ticking()
        return self._combine(observation, self._episode.observed_actions(), info), info

    def _begin_episode(self, action: Any) -> None:
        self._episode.begin(action)
        self.state = State.RUNNING

    def _call_reset(self, seed: int | None, options: dict[str, Any] | None) -> Any:
        return self._interface.reset(seed=seed, options=options)

    def _step(self, action: Any) -> Step:
        time_step, captured = self._running, self._captured
        if self._jump is not None or time_step is None or captured is None:
            return self._step_after_jump(action)
        self.over_ns = self._now_ns()
        is_last = self._episode.time_steps + 1 >= self.config.ep_max_length
        # The send comes first. What was captured is only looked at before where it may have ended the episode.
        goes_on = not is_last and captured.truncation is None and _certainly_goes_on(captured.answer)
        if goes_on:
            self._begin(action, self._episode.take)
        observation, reward, terminated, info = self._answers.of_capture(captured.answer)
        if self.config.time_in_info:
            info = {**time_step_info(time_step, captured.began_ns, captured.to_ros_ns), **info}
        truncated = not terminated and (is_last or captured.truncation is not None)
        if captured.truncation is not None:
            info = {**info, "truncation": captured.truncation}
        if not goes_on:
            if terminated or truncated:
                self._end_episode(action)
            else:
                self._begin(action, self._episode.take)
        observed = self._combine(observation, self._episode.observed_actions(), info)
        return observed, reward, terminated, truncated, info

    def _step_after_jump(self, action: Any) -> Step:
        """End the episode with what the robot shows now: the time-step under way is no longer on any grid."""
        began_ns = self.over_ns = self._now_ns()
        answer, _, to_ros_ns = self._calls.call(CAPTURE, self._read)
        observation, reward, terminated, info = self._answers.of_capture(answer)
        if self.config.time_in_info:
            info = {**time_step_info(None, began_ns, to_ros_ns), **info}
        self._end_episode(action)
        info = {**info, "truncation": self._jump or "the clock was set back"}
        observed = self._combine(observation, self._episode.observed_actions(), info)
        return observed, reward, terminated, not terminated, info

    def _end_episode(self, action: Any) -> None:
        self._episode.end(action)
        self.state = State.DONE
        if self._interface.safe_action_between_episodes:
            self._send_safe_action()
        if self.config.wait_on_done:
            self._wait()

    def _begin(self, action: Any, account: Callable[[Any], None]) -> None:
        """Send an action and begin a time-step now: one whose action could not be sent has not begun."""
        self._has_acted = True
        control = self._prepared(action)
        began_ns = self._now_ns()
        self._calls.call(SEND, self._interface.send_control, control)
        sent_ns = self._now_ns()
        time_step = self._running = self._clock.begin(began_ns)
        self._captured = None
        self._prepare_due_ns = self._preparation_of(time_step)
        self._agent_due_ns = self._agent_due_after(time_step.end_ns)
        account(self._executed(action))
        self._benchmark.send_control(began_ns, sent_ns)
        if time_step.timed_out:
            self._warnings.add(
                TimeStepTimeoutWarning,
                f"time-step {time_step.index} timed out: it began {to_s(time_step.lateness_ns):.6f} s late, "
                "more than its elasticity; the clock restarts from now",
            )
        on_time_step = self._interface.on_time_step
        if getattr(on_time_step, "__func__", None) is not RealTimeGymInterface.on_time_step:  # which does nothing
            self._calls.call("on_time_step", on_time_step, time_step)

    def _capture(self, running: TimeStep) -> None:
        """Wait until the capture is due, then read the latest observation; an error stops the robot and is kept."""
        self._prepare_due_ns = None
        try:
            self.time_source.sleep_until_ns(running.capture_ns)
            began_ns = self._now_ns()
            answer, truncation, to_ros_ns = self._calls.call(CAPTURE, self._read)
            self._benchmark.get_obs(began_ns, self._now_ns())
            self._shift_next_capture()
        except ClockJumpError as error:
            self._clock_was_set_back(str(error))
        except KeyboardInterrupt:  # of the caller, whose thread this is: nothing has failed
            if self.time_source.passes_by_itself:
                self._fail(KeyboardInterrupt())
                return
            raise
        except BaseException as error:
            self._fail(error)
        else:
            self._captured = _Captured(answer, began_ns, truncation, to_ros_ns)

    def _read(self) -> tuple[Any, str | None, int | None]:
        interface = self._interface
        answer = interface.get_obs_rew_terminated_info()
        return answer, interface.get_truncation(), interface.get_ros_time_offset_ns()

    def _shift_next_capture(self) -> None:
        get_shift, due_ns = self._interface.get_capture_shift, self._clock.next_capture_ns
        if due_ns is None or getattr(get_shift, "__func__", None) is RealTimeGymInterface.get_capture_shift:
            return
        shift_ns = self._calls.call("get_capture_shift", get_shift, due_ns)
        if shift_ns != 0:
            try:
                self._clock.shift_next_capture(shift_ns)
            except (TypeError, ValueError) as error:
                raise InterfaceError(f"get_capture_shift() returned {shift_ns!r}: {error}") from error

    def _start(self) -> None:
        self._calls.call("on_start", self._interface.on_start)
        self._start_ticking()

    def _wait(self) -> None:
        self._clock.pause()
        if type(self._interface).wait is not RealTimeGymInterface.wait:  # otherwise nobody holds the robot
            self._agent_due_ns = None
        self._calls.call("wait", self._interface.wait)

    def _render(self, mode: str | None) -> Any:
        frame = self._calls.call("render", self._interface.render)
        return self._answers.of_render(frame, mode)

    def _or_stop(self, function: Callable[..., Any], *args: Any) -> Any:
        """Return ``function(*args)``; where it raises, the robot is stopped before the caller gets the error."""
        try:
            return function(*args)
        except BaseException as error:
            is_callers = isinstance(error, KeyboardInterrupt) and not self.time_source.passes_by_itself
            if not is_callers:
                self._stop_robot()
            raise

    def _call_or_fail(self, method: str, function: Callable[..., Any], *args: Any) -> None:
        try:
            self._calls.call(method, function, *args)
        except BaseException as error:
            self._fail(error)

    def _fail(self, error: BaseException) -> None:
        """Stop the robot because of an error that no call waits for; the next one raises it."""
        if not self._calls.abandoned:  # otherwise a call has raised already
            self._error = error  # first: a step() that sees FAILED finds why
        self._stop_robot()

    def _stop_robot(self) -> None:
        self._calls.resume()
        self.state = State.FAILED
        self._running = self._captured = self._agent_due_ns = None
        self._clock.restart()
        self._send_safe_action()
        try:
            self._calls.call("on_failure", self._interface.on_failure)
        except Exception as error:  # what led here is the error to raise
            _log.error("on_failure() has failed: %s", error)

    def _send_safe_action(self) -> None:
        """Send the safe action until the robot's side acknowledges it; nothing is sent where nothing ever was."""
        if not self._has_acted:
            return
        try:
            deadline = monotonic() + _ACKNOWLEDGEMENT_S
            while True:
                self._calls.call(SEND, self._interface.send_safe_action, self._prepared(self._safe_action))
                if self._calls.call("wait_for_acknowledgement", self._interface.wait_for_acknowledgement, _REPEAT_S):
                    break
                if monotonic() >= deadline:
                    _log.error("nobody has acknowledged the safe action for %g s", _ACKNOWLEDGEMENT_S)
                    break
        except Exception as error:  # what led here is the error to raise; this one must not hide it
            _log.error("the safe action could not be sent: %s", error)
        else:
            self._episode.send_between(self._executed(self._safe_action))

    def _executed(self, action: Any) -> Any:
        executed = self._interface.get_executed_action()
        return action if executed is None else executed

    def _prepared(self, action: Any) -> Any:
        """Return ``action`` as the interface gets it: preprocessed, and its own to write into."""
        copied = action.copy() if type(action) is np.ndarray else copy_action(action)
        preprocess = self.config.act_prepro_func
        return copied if preprocess is None else self._calls.call(SEND, preprocess, copied)

    def _lead_ns(self, time_step: TimeStep) -> int:
        """Return how long before a deadline to stop listening to requests and wait for the clock itself (ns)."""
        return min(self.time_source.lead_ns, (time_step.end_ns - time_step.start_ns) // 4)

    def _preparation_of(self, time_step: TimeStep) -> int | None:
        """Return when to prepare the capture (ns), None where the time-step has begun too late for that."""
        if self._preparation_ns is None:
            return None
        due_ns = time_step.capture_ns - self._lead_ns(time_step) - self._preparation_ns
        return due_ns if due_ns > time_step.began_ns else None

    def _agent_due_after(self, end_ns: int) -> int | None:
        timeout = self.config.agent_timeout
        is_watched = self.time_source.passes_by_itself and timeout < 1e9
        return end_ns + to_ns(timeout) if is_watched else None

    def _start_ticking(self) -> None:
        preparation = self._interface.get_preparation_time()
        self._preparation_ns = None if preparation is None else to_ns(preparation)
        if self._tick_due_ns is None:
            period = self._interface.get_tick_period()
            if period is not None:
                self._tick_period_ns = to_ns(period)
                self._tick_due_ns = self._now_ns() + self._tick_period_ns

    def _look_at_clock(self) -> int:
        """Return the time (ns); where it has gone back, the grid is left."""
        now_ns = self._now_ns()
        if now_ns < self._seen_ns:
            self._clock_was_set_back(to_s(self._seen_ns - now_ns))
        self._seen_ns = now_ns
        return now_ns

    def _clock_was_set_back(self, by: str | float) -> None:
        """Leave the grid, on which every deadline is too far away now; a running episode ends with the next step."""
        now_ns = self._seen_ns = self._now_ns()
        self._clock.restart()
        self._jump = by if isinstance(by, str) else f"the clock was set back by {by:.3f} s"
        _log.warning("%s: the episode ends", self._jump)
        self._running = self._captured = None
        if self._agent_due_ns is not None:
            self._agent_due_ns = self._agent_due_after(now_ns)
        if self._tick_due_ns is not None:
            self._tick_due_ns = now_ns

    def _raise_stored_error(self) -> None:
        error, self._error = self._error, None
        if error is not None:
            raise error


def _certainly_goes_on(answer: Any) -> bool:
    """Whether an answer that is in order does not end the episode; other answers are looked at more closely."""
    if type(answer) is not tuple or len(answer) != 4:
        return False
    _, reward, terminated, info = answer
    return (
        type(reward) is float
        and isfinite(reward)
        and (terminated is False or terminated is np.False_)
        and (type(info) is dict or isinstance(info, Mapping))  # the first is far cheaper to ask
    )
