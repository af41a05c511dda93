"""Which measured value follows which command, and how late: for robots that echo nothing."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rtgym_ros.delays.servo import ServoEstimate, identify_servo

Floats = NDArray[np.float64]

_LEAST_EXPLAINED = 0.8
"""A response of which the model explains less is none."""


class Response(NamedTuple):
    """One value of the commands, and the measured value that follows it best.

    Attributes:
        command: index of the command's value.
        column: index of the measured value.
        integrates: it is the integral of the command: a position under a velocity.
        servo: what was identified.
    """

    command: int
    column: int
    integrates: bool
    servo: ServoEstimate


def find_responses(
    command_times: ArrayLike, commands: ArrayLike, response_times: ArrayLike, responses: ArrayLike
) -> list[Response]:
    """Return the responses to those commands that have one, the best explained first.

    For each value of the commands, the measured value that resembles it most at any lag up to 1 s (itself, or its
    change) is taken, and a servo is fitted (:func:`~rtgym_ros.delays.servo.identify_servo`).

    Args:
        command_times: when each was sent (s), increasing, shape (n,).
        commands: shape (n, a).
        response_times: when each sample was taken (s), increasing, shape (m,).
        responses: shape (m, c).
    """
    times, sampled = np.asarray(command_times, dtype=np.float64), np.asarray(response_times, dtype=np.float64)
    sent = np.asarray(commands, dtype=np.float64).reshape(len(times), -1)
    measured = np.asarray(responses, dtype=np.float64).reshape(len(sampled), -1)
    if len(times) < 16 or len(sampled) < 16:
        return []
    usable = np.isfinite(measured).all(axis=0) & (np.ptp(measured, axis=0) > 0)
    found: list[Response] = []
    for number in np.flatnonzero(np.ptp(sent, axis=0) > 0):
        column, integrates = _most_alike(times, sent[:, number], sampled, measured, usable)
        if column is None:
            continue
        try:
            servo = identify_servo(times, sent[:, number], sampled, measured[:, column], integrates=integrates)
        except (ValueError, np.linalg.LinAlgError):
            continue
        if servo.explained >= _LEAST_EXPLAINED:
            found.append(Response(int(number), column, integrates, servo))
    return sorted(found, key=lambda response: -response.servo.explained)


def _most_alike(
    times: Floats, command: Floats, sampled: Floats, measured: Floats, usable: NDArray[np.bool_]
) -> tuple[int | None, bool]:
    """Return the column that resembles the command most, and whether it is its change that does."""
    middles = (sampled[1:] + sampled[:-1]) / 2
    changes = np.diff(measured, axis=0) / np.maximum(np.diff(sampled), 1e-9)[:, None]
    best: tuple[float, int | None, bool] = (0.3, None, False)
    for at, series, integrates in ((sampled, measured, False), (middles, changes, True)):
        inside = at >= times[0] + _LONGEST_S
        if inside.sum() < 16:
            continue
        for lag in np.linspace(0.0, _LONGEST_S, 41):
            held = command[np.clip(np.searchsorted(times, at[inside] - lag, "right") - 1, 0, None)]
            for column in np.flatnonzero(usable):
                alike = abs(_correlation(held, series[inside, column]))
                if alike > best[0]:
                    best = (alike, int(column), integrates)
    return best[1], best[2]


_LONGEST_S = 1.0


def _correlation(one: Floats, other: Floats) -> float:
    x, y = one - one.mean(), other - other.mean()
    size = float(np.sqrt((x @ x) * (y @ y)))
    return float(x @ y) / size if size else 0.0
