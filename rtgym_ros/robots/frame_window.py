"""A window that shows frames, where there is a display."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
from typing import Any

import numpy as np

_log = logging.getLogger(__name__)

_TRIAL_S = 20.0
"""How long a window may take to open in :func:`can_open_windows` (s)."""


def can_open_windows() -> bool:
    """Return whether OpenCV can open a window here, tried in a process of its own.

    An OpenCV with windows ends its process where the display that ``DISPLAY`` names does not answer.
    """
    if not _has_display():
        return False
    trial = "import cv2; cv2.namedWindow('rtgym_ros'); cv2.waitKey(1); cv2.destroyAllWindows()"
    try:
        done = subprocess.run([sys.executable, "-c", trial], capture_output=True, timeout=_TRIAL_S, check=False)
    except subprocess.TimeoutExpired:
        return False
    return done.returncode == 0


def _has_display() -> bool:
    return sys.platform != "linux" or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


class FrameWindow:
    """Shows frames; one that cannot be opened is reported once, and the flight goes on.

    Args:
        title: of the window.
    """

    def __init__(self, title: str) -> None:
        self._title = title
        self._is_open = False
        self._can_show = _has_display()
        self._has_told = False

    def show(self, frame: np.ndarray[Any, Any]) -> None:
        """Show an RGB frame, uint8, shape (height, width, 3)."""
        if not self._can_show:
            self._tell("there is no display (is DISPLAY set?)")
            return
        import cv2

        try:
            cv2.imshow(self._title, np.ascontiguousarray(frame[:, :, ::-1]))
            cv2.waitKey(1)
            self._is_open = True
        except cv2.error as error:  # an OpenCV built without windows
            self._can_show = False
            self._tell(
                "install opencv-python in place of opencv-python-headless (" + " ".join(str(error).split()) + ")"
            )

    def close(self) -> None:
        """Close the window, if there is one; a second call does nothing."""
        if self._is_open:
            import cv2

            cv2.destroyWindow(self._title)
            self._is_open = False

    def _tell(self, reason: str) -> None:
        if not self._has_told:
            self._has_told = True
            _log.warning("render_mode 'human' shows nothing: %s", reason)
