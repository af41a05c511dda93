"""The delay of a robot that echoes nothing, from its commands and its response.

The model is a first-order servo with a dead time: ``time_constant * dx/dt = command(t - dead_time) - x``, and the
response is ``gain * x + offset``, or the integral of that for a robot that is commanded by velocity and tells its
position. Commands are held between two of them, which makes the model's solution exact at any time, so that neither
series need be regular. Least squares over dead time and time constant; gain, offset and initial state are linear.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]


class ServoEstimate(NamedTuple):
    """What was found. Times in s; each ``*_error`` is the half width of the 95 % confidence interval.

    Attributes:
        lag: ``dead_time + time_constant``: by so much the response trails a steadily changing command.
        dead_time: until a command begins to act.
        time_constant: of the servo's approach to its command.
        gain: of the response.
        explained: share of the response's variance that the model explains (R²); below some 0.9, doubt the rest.
    """

    lag: float
    lag_error: float
    dead_time: float
    dead_time_error: float
    time_constant: float
    time_constant_error: float
    gain: float
    explained: float


def identify_servo(
    command_times: ArrayLike,
    commands: ArrayLike,
    response_times: ArrayLike,
    response: ArrayLike,
    *,
    integrates: bool = False,
    longest_dead_time: float = 0.5,
    longest_time_constant: float = 1.0,
) -> ServoEstimate:
    """Estimate dead time and time constant of a servo.

    Args:
        command_times: when each command was sent (s), increasing, shape (n,).
        commands: one value of the commands, shape (n,).
        response_times: when the response was sampled (s), increasing, on the same clock, shape (m,).
        response: the value that follows the commands, shape (m,).
        integrates: the response is the integral of what the commands command.
        longest_dead_time: none beyond this is looked for (s).
        longest_time_constant: none beyond this is looked for (s).

    Raises:
        ValueError: the series are too short, of different lengths or not increasing, or the commands do not change.
    """
    times, values = _series("command", command_times, commands, 4)
    sampled, measured = _series("response", response_times, response, 16)
    if np.ptp(values) <= 0:
        raise ValueError("the commands do not change: nothing can be learned from their response")
    inside = sampled >= times[0] + longest_dead_time  # before that the model lacks commands
    if inside.sum() < 16:
        raise ValueError(f"the response is too short: {inside.sum()} samples after the first {longest_dead_time} s")
    fit = _Fit(times, values, sampled[inside], measured[inside], integrates)
    dead_times = np.linspace(0.0, longest_dead_time, 51)
    constants = np.geomspace(0.004, longest_time_constant, 16)
    best = min((fit.error(d, c), d, c) for c in constants for d in dead_times)
    bounds = np.array([[0.0, longest_dead_time], [1e-4, longest_time_constant]])
    point, _ = _descend(fit, np.array(best[1:]), bounds)
    return _estimate(fit, point)


def _series(name: str, times: ArrayLike, values: ArrayLike, least: int) -> tuple[Floats, Floats]:
    t, v = np.asarray(times, dtype=np.float64), np.asarray(values, dtype=np.float64)
    if t.ndim != 1 or t.shape != v.shape:
        raise ValueError(f"{name}: times and values must be of one length, got shapes {t.shape} and {v.shape}")
    if len(t) < least:
        raise ValueError(f"{name}: at least {least} samples are needed, got {len(t)}")
    if not (np.diff(t) > 0).all() or not np.isfinite(v).all():
        raise ValueError(f"{name}: times must increase and values must be finite")
    return t, v


class _Fit:
    """The model at the sampling times, for any dead time and time constant."""

    def __init__(self, times: Floats, values: Floats, sampled: Floats, measured: Floats, integrates: bool) -> None:
        self._times, self._values, self._integrates = times, values, integrates
        self.sampled, self.measured = sampled, measured
        self._known: dict[float, tuple[Floats, Floats]] = {}

    def error(self, dead_time: float, constant: float) -> float:
        """Return the mean square of what the best gain and offset leave."""
        return float(np.mean(self.residual(dead_time, constant) ** 2))

    def residual(self, dead_time: float, constant: float) -> Floats:
        columns = self.columns(dead_time, constant)
        solution, *_ = np.linalg.lstsq(columns, self.measured, rcond=None)
        return np.asarray(self.measured - columns @ solution)

    def columns(self, dead_time: float, constant: float) -> Floats:
        """Return the regressors of the response, shape (m, 3 or 4); that of the gain first."""
        starts, integrals = self._states(constant)
        shifted = self.sampled - dead_time
        at = np.searchsorted(self._times, shifted, "right") - 1
        since = shifted - self._times[at]
        decay = np.exp(-since / constant)
        value = self._values[at]
        since_start = self.sampled - self.sampled[0]
        fading = np.exp(-since_start / constant)
        ones = np.ones_like(since)
        if not self._integrates:
            return np.column_stack([value + (starts[at] - value) * decay, ones, fading])
        integral = integrals[at] + value * since + (starts[at] - value) * constant * (1.0 - decay)
        return np.column_stack([integral, ones, fading, since_start])

    def _states(self, constant: float) -> tuple[Floats, Floats]:
        """Return the servo's state, and its integral, when each command begins to act."""
        if constant not in self._known:
            gaps = np.diff(self._times)
            decays = np.exp(-gaps / constant)
            state, integral = float(self._values[0]), 0.0
            states, integrals = [state], [integral]
            for value, decay, gap in zip(self._values.tolist(), decays.tolist(), gaps.tolist(), strict=False):
                integral += value * gap + (state - value) * constant * (1.0 - decay)
                state = value + (state - value) * decay
                states.append(state)
                integrals.append(integral)
            self._known = {
                constant: (np.array(states), np.array(integrals))
            }  # the last one: searches vary one at a time
        return self._known[constant]


def _descend(fit: _Fit, point: Floats, bounds: Floats) -> tuple[Floats, float]:
    """Return the minimum near ``point``: Gauss-Newton with damping (Levenberg and Marquardt), within the bounds."""
    damping, error = 1e-3, fit.error(*point)
    for _ in range(40):
        jacobian, residual = _jacobian(fit, point), fit.residual(*point)
        normal = jacobian.T @ jacobian
        step = -np.linalg.solve(normal + damping * np.diag(np.diag(normal) + 1e-30), jacobian.T @ residual)
        trial = np.clip(point + step, bounds[:, 0], bounds[:, 1])
        trial_error = fit.error(*trial)
        if trial_error < error:
            moved = np.abs(trial - point).max()
            point, error, damping = trial, trial_error, damping / 5
            if moved < 1e-7:
                break
        else:
            damping *= 5
            if damping > 1e9:
                break
    return point, error


def _jacobian(fit: _Fit, point: Floats) -> Floats:
    columns = []
    for index, width in enumerate((5e-4, max(1e-2 * point[1], 2e-5))):
        step = np.zeros(2)
        step[index] = width
        low = np.maximum(point - step, [0.0, 1e-5])
        columns.append((fit.residual(*(point + step)) - fit.residual(*low)) / (point[index] + width - low[index]))
    return np.column_stack(columns)


def _estimate(fit: _Fit, point: Floats) -> ServoEstimate:
    residual = fit.residual(*point)
    jacobian = _jacobian(fit, point)  # of the residual: gain and offset are already adjusted
    variance = float(residual @ residual) / max(len(residual) - 5, 1)
    # Neighbouring residuals that resemble each other are worth fewer samples.
    resemblance = float(residual[1:] @ residual[:-1]) / max(float(residual @ residual), 1e-300)
    resemblance = min(max(resemblance, 0.0), 0.99)
    variance *= (1 + resemblance) / (1 - resemblance)
    covariance = variance * np.linalg.pinv(jacobian.T @ jacobian)
    columns = fit.columns(*point)
    gain = float(np.linalg.lstsq(columns, fit.measured, rcond=None)[0][0])
    lag_variance = float(covariance.sum())
    total = float(np.sum((fit.measured - fit.measured.mean()) ** 2))
    return ServoEstimate(
        lag=float(point.sum()),
        lag_error=_Z * math.sqrt(max(lag_variance, 0.0)),
        dead_time=float(point[0]),
        dead_time_error=_Z * math.sqrt(max(covariance[0, 0], 0.0)),
        time_constant=float(point[1]),
        time_constant_error=_Z * math.sqrt(max(covariance[1, 1], 0.0)),
        gain=gain,
        explained=1.0 - float(residual @ residual) / total if total else 0.0,
    )


_Z = 1.959964
"""95 % of a normal distribution lie within so many standard deviations."""
