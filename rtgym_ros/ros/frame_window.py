"""A window that shows frames, where there is a display."""

from __future__ import annotations

import logging
import os
import sys
from typing import Any

import numpy as np

_log = logging.getLogger(__name__)


class FrameWindow:
    """Shows frames; one that cannot be opened is reported once, and the flight goes on.

    Args:
        title: of the window.
    """

    def __init__(self, title: str) -> None:
        self._title = title
        self._is_open = False
        self._can_show = sys.platform != "linux" or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
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
        except cv2.error as error:
            self._can_show = False
            self._tell(str(error).strip().splitlines()[-1])

    def close(self) -> None:
        """Close the window, if there is one."""
        if self._is_open:
            import cv2

            cv2.destroyWindow(self._title)
            self._is_open = False

    def _tell(self, reason: str) -> None:
        if not self._has_told:
            self._has_told = True
            _log.warning("render_mode 'human' shows nothing: %s", reason)
