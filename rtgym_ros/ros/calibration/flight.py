"""The flight that measures: the robot is moved gently, or only watched."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from math import inf, isfinite
from typing import Any

import numpy as np
from gymnasium import spaces

from rtgym_ros.contract.records.contract import Contract
from rtgym_ros.core.config import RealTimeConfig
from rtgym_ros.core.errors import ConfigError
from rtgym_ros.core.time_source import NS_PER_S
from rtgym_ros.delays.calibration import Calibration
from rtgym_ros.delays.excitation import Excitation
from rtgym_ros.delays.learned_phase import LEARNED_FROM, typical_period_ns
from rtgym_ros.delays.phase import PhaseFollower
from rtgym_ros.delays.pictures import ActionLife
from rtgym_ros.delays.predictability import Predictability, predictability
from rtgym_ros.delays.recommendations import Measurements
from rtgym_ros.delays.response import Response, find_responses
from rtgym_ros.delays.time_step_delays import INFO_KEYS
from rtgym_ros.ros.calibration.logging_interface import Capture, LoggingInterface, seconds
from rtgym_ros.ros.contract_env import make_local_env

Policy = Callable[[Any], Any]
Progress = Callable[[int, int], None]
"""Called after each time-step with how many are over, and how many there will be."""

_SETTLING = 10
"""Time-steps at the beginning that are not counted: caches are cold, and links being found."""


def fly(
    contract: Contract,
    *,
    duration: float,
    amplitude: float,
    seed: int | None = None,
    namespace: str = "",
    guard: bool | str = False,
    time_step_duration: float | None = None,
    policy: Policy | None = None,
    allow_code_beside: bool = False,
    progress: Progress | None = None,
) -> Calibration:
    """Move the robot for a while, and measure.

    Args:
        contract: of the robot; its task is left out, so that no episode ends.
        duration: of the flight (s).
        amplitude: of the motion, see :class:`~rtgym_ros.delays.excitation.Excitation`.
        seed: of the motion.
        namespace: where the robot's topics are.
        guard: as in :func:`~rtgym_ros.ros.contract_env.make_local_env`.
        time_step_duration: in place of the contract's (s).
        policy: takes an observation; how long that takes is measured, its actions are not sent.
        allow_code_beside: whether code that the contract names may lie beside its file.
        progress: is called after each time-step.

    Raises:
        RtgymError: the robot cannot be flown; one line says why.
    """
    config: dict[str, Any] = {"ep_max_length": inf, "benchmark": True, "benchmark_type": "trace"}
    if time_step_duration is not None:
        offset = contract.time.get("start_obs_capture")
        config |= {"time_step_duration": time_step_duration}
        config |= {"start_obs_capture": time_step_duration if offset is None else min(offset, time_step_duration)}
    env = make_local_env(
        replace(contract, task=None),
        config,
        guard=guard,
        namespace=namespace,
        node_name=f"{contract.robot}_calibrate",
        allow_code_beside=allow_code_beside,
        interface=LoggingInterface,
    )
    try:
        interface: LoggingInterface = env.interface  # type: ignore[assignment]
        space = env.action_space
        box = spaces.flatten_space(space)
        if not isinstance(box, spaces.Box):
            raise ConfigError(f"the action space {space} cannot be moved in: it has to be made of Boxes")
        middle = np.asarray(spaces.flatten(space, env.default_action))
        motion = Excitation(box.low, box.high, middle, amplitude, np.random.default_rng(seed))
        count = max(round(duration / env.config.time_step_duration), 1) + _SETTLING
        observation, _ = env.reset(seed=seed)
        timeouts = 0
        for number in range(count):
            if policy is not None:
                policy(observation)
            action = spaces.unflatten(space, motion.next().astype(box.dtype))
            observation, _, terminated, truncated, info = env.step(action)
            timeouts += int(info["time_step_timed_out"] == 1.0)
            if terminated or truncated:
                observation, _ = env.reset()
            if progress is not None:
                progress(number + 1, count)
        durations = env.benchmarks()["deltas"]
    finally:
        env.close()
    return summarise(
        interface, env.config, durations if policy is not None else {**durations, "inference_duration": ()}, timeouts
    )


def watch(
    contract: Contract,
    *,
    duration: float,
    namespace: str = "",
    time_step_duration: float | None = None,
    allow_code_beside: bool = False,
) -> Calibration:
    """Send nothing; measure the observations that come, as a flight would capture them.

    Raises:
        RtgymError: a topic is silent, or the contract does not fit it.
    """
    length = time_step_duration or contract.time.get("time_step_duration", RealTimeConfig.time_step_duration)
    interface = LoggingInterface(
        replace(contract, task=None),
        time_step_duration=length,
        node_name=f"{contract.robot}_calibrate",
        namespace=namespace,
        allow_code_beside=allow_code_beside,
    )
    try:
        interface.watch(duration, length)
    finally:
        interface.close()
    ages = next(iter(interface.parts.values())).ages
    return Calibration(Measurements(ages), length, *_of_parts(interface), time_steps=len(ages))


def summarise(
    interface: LoggingInterface, config: RealTimeConfig, durations: dict[str, Any], timeouts: int
) -> Calibration:
    """Return what the log of a flight shows.

    Args:
        interface: which flew.
        config: of its environment.
        durations: of the benchmark's trace, by name (s).
        timeouts: time-steps that timed out.
    """
    captures = interface.captures[_SETTLING:]
    told = {key: np.array([c.info[key] for c in captures]) for key in INFO_KEYS}
    responses = [] if interface.has_echo else _responses(interface)
    lags = [max(response.servo.lag for response in responses)] if responses else ()
    measured = Measurements(
        observation_delays=told["observation_delay"],
        action_delays=told["action_delay"] if interface.has_echo else lags,
        capture_durations=durations["get_obs_duration"][_SETTLING:],
        inference_durations=durations["inference_duration"][_SETTLING:],
        send_durations=durations["send_control_duration"][_SETTLING:],
        places=told["alpha"] + told["kappa"],
        capture_to_send=max(config.time_step_duration - config.start_obs_capture, 0.0),
    )
    oldest, periods = _of_parts(interface)
    return Calibration(
        measured,
        config.time_step_duration,
        oldest,
        periods,
        responses,
        len(captures),
        timeouts,
        _predictable(interface, captures),
        _life(interface, captures),
    )


def _of_parts(interface: LoggingInterface) -> tuple[dict[str, float], dict[str, float]]:
    """Return the greatest age of each part, and the period of those that the clock could be in phase with (s)."""
    oldest: dict[str, float] = {}
    periods: dict[str, float] = {}
    for name, log in interface.parts.items():
        ages = [age for age in log.ages[_SETTLING:] if isfinite(age)]
        if ages:
            oldest[name] = max(ages)
        arrived = log.arrived_ns[-10 * LEARNED_FROM :]
        if (period := _period(arrived, interface.time_step_ns)) is not None:
            periods[name] = period
    return oldest, periods


def _period(arrived_ns: list[int], time_step_ns: int) -> float | None:
    if len(arrived_ns) < LEARNED_FROM or (period_ns := typical_period_ns(arrived_ns)) is None:
        return None
    follower = PhaseFollower(time_step_ns, period_ns)
    for arrival_ns in arrived_ns:
        follower.arrived(arrival_ns)
    return follower.period_ns / NS_PER_S if follower.possible else None


def _responses(interface: LoggingInterface) -> list[Response]:
    """Return how each value of the commands is answered, by the values of whichever part explains it best."""
    if not interface.sent_ns:
        return []
    best: dict[int, Response] = {}
    origin_ns, commands = interface.sent_ns[0], np.array(interface.commands)
    for log in interface.parts.values():
        if len(log.values) < 16:
            continue
        found = find_responses(
            seconds(interface.sent_ns, origin_ns), commands, seconds(log.sampled_ns, origin_ns), np.array(log.values)
        )
        for response in found:
            known = best.get(response.command)
            if known is None or response.servo.explained > known.servo.explained:
                best[response.command] = response
    return sorted(best.values(), key=lambda response: -response.servo.explained)


def _predictable(interface: LoggingInterface, captures: list[Capture]) -> Predictability | None:
    """The action that is sent after a capture is the newest of the buffer that is returned with it."""
    rows = [(c.values, interface.commands[c.sent]) for c in captures if c.sent < len(interface.commands)]
    known = [(values, command) for values, command in rows if values is not None]
    try:
        return predictability([values for values, _ in known], [command for _, command in known])
    except ValueError:
        return None


def _life(interface: LoggingInterface, captures: list[Capture]) -> ActionLife | None:
    """Return what became of an action in the middle of the flight: the first one that all is known of."""
    sent = interface.sent_ns
    last = -1
    for capture in captures[len(captures) // 2 :]:
        total, age, delay = (capture.info[key] for key in ("total_delay", "observation_delay", "action_delay"))
        if not isfinite(total + age + delay):
            continue
        number = capture.sent - int(total)
        is_first, last = number > last >= 0, number
        if not is_first or number < 0 or capture.sent + 1 >= len(sent):
            continue
        captured = (capture.time_ns - sent[number]) / NS_PER_S
        sampled = captured - age
        if delay <= sampled:
            starts = tuple((at - sent[number]) / NS_PER_S for at in sent[number : capture.sent + 2])
            return ActionLife(starts, 0.0, delay, sampled, captured)
    return None
