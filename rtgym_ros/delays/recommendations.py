"""What measured delays and durations mean for the configuration of an environment. Durations in s.

Derivation of ``act_buf_len``. The observation that is returned with action ``k``, sent at ``k T``, was sampled at most
``A`` before. From then on the robot applied action ``c``; had action ``c + 1`` arrived, it would have applied that one,
so it was still under way: ``(c + 1) T + D > k T - A``, with ``D`` the longest action delay. Hence
``k - c < (A + D) / T + 1``, and the largest ``alpha + kappa = k - c`` is ``ceil((A + D) / T)``. The buffer has to hold
the actions ``c`` to ``k``: one more than that. (It is the total delay in time-steps, one for the inference included.)
Each command that may be lost in a row adds one.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike

from rtgym_ros.delays.distribution import Distribution, describe_distribution


def action_buffer_length(
    observation_delay: float, action_delay: float, time_step_duration: float, lost_in_a_row: int = 0
) -> int:
    """Return the ``act_buf_len`` that the longest delays need.

    Args:
        observation_delay: longest age of an observation when the next action is sent (s): at capture, and the time from
            then to the end of the time-step.
        action_delay: longest time from sending an action to its application (s).
        time_step_duration: of the environment (s).
        lost_in_a_row: commands that are lost one after another.

    Raises:
        ValueError: the duration is not positive, or a delay is negative.
    """
    if not time_step_duration > 0 or min(observation_delay, action_delay) < 0:
        raise ValueError(
            f"time_step_duration must be positive and delays not negative, got {time_step_duration} and "
            f"{observation_delay}, {action_delay} (s)"
        )
    return math.ceil((observation_delay + action_delay) / time_step_duration - 1e-9) + 1 + lost_in_a_row


@dataclass(frozen=True)
class Measurements:
    """What was measured; durations in s, in the order of measuring, and any of them may be empty.

    Attributes:
        observation_delays: age of the observation at each capture.
        action_delays: from sending each action to its application.
        capture_durations: of reading the observation.
        inference_durations: of the policy, from one return of ``step()`` to the next call.
        send_durations: of sending an action.
        places: ``alpha + kappa`` of each time-step, where the robot echoes (time-steps).
        capture_to_send: from a capture to the next send: ``time_step_duration - start_obs_capture`` of the flight.
    """

    observation_delays: ArrayLike = ()
    action_delays: ArrayLike = ()
    capture_durations: ArrayLike = ()
    inference_durations: ArrayLike = ()
    send_durations: ArrayLike = ()
    places: ArrayLike = ()
    capture_to_send: float = 0.0


@dataclass(frozen=True)
class Recommendations:
    """What follows; NaN or None where too little was measured. Durations in s.

    Attributes:
        time_step_duration: what the rest was computed for.
        act_buf_len: the shortest action buffer that holds all that is applied from the oldest sample on.
        shortest_time_step_duration: in which capture, inference and sending fit, in 99 of 100 time-steps.
        start_obs_capture: the latest capture that is over before the time-step is, in 99 of 100.
        max_age: older observations are no longer usual: half as old again as the oldest seen.
        distributions: of what was measured, by name.
        reasons: one line for each recommendation.
    """

    time_step_duration: float
    act_buf_len: int | None
    shortest_time_step_duration: float
    start_obs_capture: float
    max_age: float
    distributions: Mapping[str, Distribution] = field(repr=False)
    reasons: Mapping[str, str] = field(repr=False)


def recommend(measured: Measurements, time_step_duration: float, seed: int = 0) -> Recommendations:
    """Return what the measurements mean for a time-step of ``time_step_duration`` (s); ``seed`` is the bootstrap's.

    Raises:
        ValueError: the duration is not positive.
    """
    rng = np.random.default_rng(seed)
    names = ("observation_delays", "action_delays", "capture_durations", "inference_durations", "send_durations")
    found = {name: describe_distribution(getattr(measured, name), rng) for name in (*names, "places")}
    reasons: dict[str, str] = {}

    capture = _sure_p99(found["capture_durations"])
    inference = _sure_p99(found["inference_durations"])
    send = _sure_p99(found["send_durations"])
    shortest = capture + inference + send
    if not math.isnan(shortest):
        reasons["shortest_time_step_duration"] = (
            f"p99 of capture {_ms(capture)} + inference {_ms(inference)} + send {_ms(send)}, upper ends of their 95 % "
            f"confidence = {_ms(shortest)}"
        )
    start = time_step_duration - min(capture + send, time_step_duration)
    if not math.isnan(start):
        reasons["start_obs_capture"] = (
            f"time-step {_ms(time_step_duration)} - p99 of capture {_ms(capture)} and send {_ms(send)} = {_ms(start)}"
        )
    oldest = found["observation_delays"].maximum
    max_age = 1.5 * oldest
    if not math.isnan(max_age):
        reasons["max_age"] = f"1.5 x the oldest observation of {found['observation_delays'].count}, {_ms(oldest)}"
    length = _buffer(found, measured.capture_to_send, time_step_duration, reasons)
    return Recommendations(time_step_duration, length, shortest, start, max_age, found, reasons)


def _buffer(
    found: Mapping[str, Distribution], capture_to_send: float, duration: float, reasons: dict[str, str]
) -> int | None:
    age, delay = found["observation_delays"].maximum + capture_to_send, found["action_delays"].maximum
    length: int | None = None
    if not math.isnan(age + delay):
        length = action_buffer_length(max(age, 0.0), max(delay, 0.0), duration)
        reasons["act_buf_len"] = (
            f"(oldest observation {_ms(age)} + longest action delay {_ms(delay)}) / time-step {_ms(duration)}, "
            f"rounded up, + 1 = {length}"
        )
    if found["places"].count:
        seen = int(found["places"].maximum)
        if length is None or seen + 1 > length:
            length = seen + 1
            reasons["act_buf_len"] = f"the largest alpha + kappa of {found['places'].count} time-steps, {seen}, + 1"
        else:
            reasons["act_buf_len"] += f"; the largest alpha + kappa seen is {seen}"
    return length


def _sure_p99(distribution: Distribution) -> float:
    """Return the upper end of the confidence interval of p99, NaN where nothing was measured."""
    return distribution.p99.high


def _ms(seconds: float) -> str:
    return f"{1e3 * seconds:.4g} ms"
