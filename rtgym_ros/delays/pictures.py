"""Pictures of measured delays, with matplotlib, which is imported when one is drawn (extra ``report``)."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from rtgym_ros.delays.predictability import Predictability
from rtgym_ros.delays.recommendations import Measurements, Recommendations


class ActionLife(NamedTuple):
    """What became of one action; times in s of one clock.

    Attributes:
        starts: when the time-steps began, from the one that it was sent in to the one after the observation's.
        sent: when it was sent.
        applied: when the robot began to apply it.
        sampled: when the robot first sampled an observation under it.
        captured: when that observation was captured.
    """

    starts: tuple[float, ...]
    sent: float
    applied: float
    sampled: float
    captured: float


def save_delay_picture(
    path: Path,
    measured: Measurements,
    recommendations: Recommendations,
    life: ActionLife | None = None,
    found: Predictability | None = None,
) -> None:
    """Write a PNG: the distributions, what became of one action, and what the length of the action buffer is worth.

    What was not measured is left out.

    Raises:
        OSError: the file cannot be written.
        ModuleNotFoundError: matplotlib is not installed.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(12.0, 6.5), layout="constrained")
    FigureCanvasAgg(figure)  # a picture needs no window system
    (top_left, top_middle, top_right), (below_left, below_middle, below_right) = figure.subplots(2, 3)
    duration = recommendations.time_step_duration
    draw_durations(top_left, measured.observation_delays, "observation delay at capture (ms)", duration)
    draw_durations(top_middle, measured.action_delays, "action delay (ms)", duration)
    draw_places(top_right, measured.places, recommendations.act_buf_len)
    if np.size(measured.inference_durations):
        draw_durations(below_left, measured.inference_durations, "inference (ms)", duration)
    else:
        draw_durations(below_left, measured.capture_durations, "capture (ms)", duration)
    draw_predictability(below_middle, found)
    draw_life(below_right, life)
    figure.savefig(path, dpi=100)


def draw_durations(axes: Any, seconds: ArrayLike, label: str, time_step_duration: float) -> None:
    """Draw a histogram of durations (s) on matplotlib axes, with the median, p99, and the ends of time-steps."""
    values = _finite(seconds) * 1e3
    if _empty(axes, values, label):
        return
    axes.hist(values, bins=60, color="C0")
    for quantile, style in ((50, "-"), (99, "--")):
        at = np.percentile(values, quantile)
        axes.axvline(at, color="C3", linestyle=style, linewidth=1, label=f"p{quantile}: {at:.1f}")
    step_ms = 1e3 * time_step_duration
    for number in range(1, min(int(values.max() / step_ms), 20) + 1):
        axes.axvline(number * step_ms, color="0.6", linewidth=0.8)
    axes.set(xlabel=label, ylabel="time-steps", yscale="log", ylim=(0.7, None))
    axes.legend(loc="lower left", fontsize=8)


def draw_places(axes: Any, places: ArrayLike, act_buf_len: int | None) -> None:
    """Draw how often the robot went on with which action of the buffer (time-steps), and the buffer's length."""
    values = _finite(places).astype(int)
    label = "alpha + kappa (time-steps)"
    if _empty(axes, values, label):
        return
    counts = np.bincount(values)
    axes.bar(np.arange(len(counts)), counts, width=0.8, color="C0")
    if act_buf_len is not None:
        axes.axvline(act_buf_len - 0.5, color="C3", linewidth=1, label=f"act_buf_len {act_buf_len}")
        axes.legend(loc="lower left", fontsize=8)
    axes.set(xlabel=label, ylabel="time-steps", yscale="log", ylim=(0.7, None), xticks=np.arange(len(counts)))


def draw_predictability(axes: Any, found: Predictability | None) -> None:
    """Draw the held-out R² of predicting the next observation over the number K of last actions."""
    label = "last K actions"
    if _empty(axes, () if found is None else found.scores, label) or found is None:
        return
    axes.plot(found.lengths, np.maximum(found.scores, 0.0), "o-", color="C0")
    axes.axvline(found.elbow, color="C3", linewidth=1, label=f"elbow at K = {found.elbow}")
    axes.set(xlabel=label, ylabel="next observation explained (R²)", ylim=(-0.03, 1.03), xticks=found.lengths)
    axes.legend(frameon=False, loc="lower right")


def draw_life(axes: Any, life: ActionLife | None) -> None:
    """Draw one action on a time line: sent, applied, sampled, captured."""
    label = "one action (ms)"
    if _empty(axes, () if life is None else life.starts, label) or life is None:
        return
    events = {"sent": life.sent, "applied": life.applied, "sampled": life.sampled, "captured": life.captured}
    spans = (("sent", "applied"), ("applied", "sampled"), ("sampled", "captured"))
    for row, (begin, end) in enumerate(spans):
        left, right = (1e3 * (events[key] - life.sent) for key in (begin, end))
        axes.barh(row, right - left, left=left, height=0.6, color=f"C{row}")
        axes.text(right, row, f"  {right - left:.1f} ms", va="center", fontsize=9)
    for start in life.starts:
        axes.axvline(1e3 * (start - life.sent), color="0.6", linewidth=0.8)
    last = 1e3 * (max(life.captured, *life.starts) - life.sent)
    axes.set(
        xlabel=label,
        yticks=range(len(spans)),
        yticklabels=["action delay", "until sampled", "observation delay"],
        xlim=(-0.05 * last, 1.3 * last),
    )
    axes.invert_yaxis()


def _finite(values: ArrayLike) -> np.ndarray[Any, Any]:
    x: np.ndarray[Any, Any] = np.asarray(values, dtype=float).ravel()
    finite: np.ndarray[Any, Any] = x[np.isfinite(x)]
    return finite


def _empty(axes: Any, values: Any, label: str) -> bool:
    if len(values):
        return False
    axes.text(0.5, 0.5, "not measured", ha="center", va="center", color="0.5")
    axes.set(xlabel=label, xticks=[], yticks=[])
    return True
