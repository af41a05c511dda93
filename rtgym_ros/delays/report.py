"""The measured delays and what follows from them, as text."""

from __future__ import annotations

import math
from collections.abc import Iterator

from rtgym_ros.delays.distribution import Distribution
from rtgym_ros.delays.recommendations import Recommendations
from rtgym_ros.delays.servo import ServoEstimate

_TITLES = {
    "observation_delays": "observation delay (ms)",
    "action_delays": "action delay (ms)",
    "capture_durations": "capture (ms)",
    "inference_durations": "inference (ms)",
    "send_durations": "send (ms)",
    "places": "alpha + kappa (time-steps)",
}


def report_text(recommendations: Recommendations, servo: ServoEstimate | None = None) -> str:
    """Return the report: a table of distributions, the recommendations, and how each came about.

    Args:
        recommendations: what follows from what was measured.
        servo: of a robot that echoes nothing.
    """
    return "\n".join(_lines(recommendations, servo)) + "\n"


def _lines(recommendations: Recommendations, servo: ServoEstimate | None) -> Iterator[str]:
    yield f"{'':27}{'count':>8}{'mean':>9}{'p50':>9}{'p99':>9}{'95 % of p99':>18}{'max':>9}"
    for name, title in _TITLES.items():
        distribution = recommendations.distributions[name]
        if distribution.count:
            yield _row(title, distribution, 1.0 if name == "places" else 1e3)
    if servo is not None:
        yield ""
        yield (
            f"servo: lag {_ms(servo.lag, servo.lag_error)} = dead time {_ms(servo.dead_time, servo.dead_time_error)} + "
            f"time constant {_ms(servo.time_constant, servo.time_constant_error)}, gain {servo.gain:.3g}; "
            f"the model explains {100 * servo.explained:.1f} % of the response"
        )
    yield ""
    yield f"for time_step_duration: {recommendations.time_step_duration:g}"
    for name in ("act_buf_len", "start_obs_capture", "max_age", "shortest_time_step_duration"):
        value = getattr(recommendations, name)
        if value is None or math.isnan(value):
            yield f"  {name}: not known, too little was measured"
        else:
            shown = str(value) if isinstance(value, int) else f"{value:.4g}"
            yield f"  {name}: {shown}"
            yield f"    {recommendations.reasons[name]}"


def _row(title: str, distribution: Distribution, factor: float) -> str:
    figures = (distribution.mean, distribution.p50.value, distribution.p99.value)
    shown = "".join(f"{factor * figure:>9.3f}" for figure in figures)
    between = f"{factor * distribution.p99.low:.3f}-{factor * distribution.p99.high:.3f}"
    return f"{title:<27}{distribution.count:>8}{shown}{between:>18}{factor * distribution.maximum:>9.3f}"


def _ms(seconds: float, error: float) -> str:
    return f"{1e3 * seconds:.1f} ± {1e3 * error:.1f} ms"
