"""The window of ``--view``."""

from __future__ import annotations

from types import TracebackType

import numpy as np

from rtgym_ros.robots.drone.flight import Episode
from rtgym_ros.robots.drone.rendering import draw
from rtgym_ros.robots.frame_window import FrameWindow


class FlightWindow:
    """Shows the drone, its target and where it has been. It belongs to the thread that flies, as window systems ask."""

    def __init__(self) -> None:
        self._window = FrameWindow("rtgym_ros drone")

    def __enter__(self) -> FlightWindow:
        """Open the window, empty: that takes longer than a time-step may."""
        self._window.show(np.full_like(draw((0.0, 0.0), (0.0, 0.0)), 255))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the window."""
        self._window.close()

    def step(self, episode: Episode) -> None:
        """Show the flight as it is after a time-step."""
        self._window.show(draw(episode.positions[-1], episode.target, episode.positions))
