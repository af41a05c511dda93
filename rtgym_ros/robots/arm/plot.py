"""A picture of a motion of the arm: the position of each joint against its command."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from rtgym_ros.robots.arm.kinematics import JOINTS


def save_plot(
    path: Path,
    times: np.ndarray,
    positions: np.ndarray,
    commands: np.ndarray,
    target: np.ndarray | None = None,
) -> None:
    """Write a PNG, one panel a joint.

    Args:
        path: the file to write.
        times: shape (n,) (s).
        positions: as measured, shape (n, 6) (rad).
        commands: as sent, shape (n, 6) (rad).
        target: where the joints are to be, shape (6,) or (n, 6) (rad); None draws none.

    Raises:
        OSError: the file cannot be written.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8.3, 5.4), layout="constrained")
    FigureCanvasAgg(figure)  # a picture needs no window system
    panels = figure.subplots(2, 3, sharex=True)
    targets = None if target is None else np.broadcast_to(target, positions.shape)
    for number, (axes, name) in enumerate(zip(panels.flat, JOINTS, strict=True)):
        if targets is not None:
            axes.plot(times, targets[:, number], "--", color="C3", linewidth=1, label="target")
        axes.step(times, commands[:, number], where="post", color="C7", label="command")
        axes.plot(times, positions[:, number], color="C0", label="position")
        axes.set(title=name.replace("_", " "), ylabel="rad" if number % 3 == 0 else None)
        axes.set(xlabel="time (s)" if number >= 3 else None)
        axes.grid(alpha=0.3)
    panels.flat[0].legend(loc="best")
    figure.savefig(path, dpi=100)
