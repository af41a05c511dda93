"""A picture of the world: where the drone was seen last, and where it is to go."""

from __future__ import annotations

import logging
import os
import sys

import numpy as np

_SIZE = 400
_WINDOW = "rtgym_ros drone"
_WHITE, _BLUE, _RED = (255, 255, 255), (40, 90, 220), (220, 50, 40)  # RGB

_log = logging.getLogger(__name__)


def draw(position: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Return an RGB frame, uint8 of shape (400, 400, 3), of the world [-1, 1]^2 (m), y upwards."""
    import cv2

    frame = np.full((_SIZE, _SIZE, 3), _WHITE, dtype=np.uint8)
    cv2.circle(frame, _pixel(target), radius=5, color=_RED, thickness=cv2.FILLED, lineType=cv2.LINE_AA)
    cv2.circle(frame, _pixel(position), radius=10, color=_BLUE, thickness=2, lineType=cv2.LINE_AA)
    return frame


def _pixel(point: np.ndarray) -> tuple[int, int]:
    half = _SIZE / 2
    return round(half + float(point[0]) * half), round(half - float(point[1]) * half)


class DroneView:
    """Renders as a Gymnasium render mode asks. A window that cannot be opened is reported once: the flight goes on."""

    def __init__(self) -> None:
        self._window = _can_show()
        self._shown = False

    def render(self, position: np.ndarray, target: np.ndarray, mode: str | None) -> np.ndarray | None:
        """Return a frame (see :func:`draw`), or None where it is shown instead (``"human"``)."""
        frame = draw(position, target)
        if mode != "human":
            return frame
        if self._window:
            self._show(frame)
        elif not self._shown:
            _log.warning("render_mode 'human' shows nothing: there is no display (is DISPLAY set?)")
            self._shown = True
        return None

    def close(self) -> None:
        """Close the window, if there is one; a second call does nothing."""
        if self._window and self._shown:
            import cv2

            cv2.destroyWindow(_WINDOW)
            self._shown = False

    def _show(self, frame: np.ndarray) -> None:
        import cv2

        try:
            cv2.imshow(_WINDOW, cv2.cvtColor(frame, cv2.COLOR_RGB2BGR))
            cv2.waitKey(1)
            self._shown = True
        except cv2.error as error:  # an OpenCV built without windows
            _log.warning(
                "render_mode 'human' shows nothing: install opencv-python in place of opencv-python-headless (%s)",
                " ".join(str(error).split()),
            )
            self._window = False
            self._shown = True


def _can_show() -> bool:
    """Whether there is a display: OpenCV's window system ends the process where there is none."""
    return not sys.platform.startswith("linux") or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
