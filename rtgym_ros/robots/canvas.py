"""A picture of a part of a plane, for the robots' renderers: OpenCV, drawn in metres."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

Colour = tuple[int, int, int]
"""Red, green, blue, 0 to 255."""

WHITE: Colour = (255, 255, 255)
BLACK: Colour = (40, 40, 40)
GREY: Colour = (190, 190, 190)
BLUE: Colour = (40, 90, 220)
RED: Colour = (220, 50, 40)


class Canvas:
    """A white picture; y goes upwards. cv2 is imported when one is made.

    Args:
        low: x, y of the lower left corner (m).
        high: x, y of the upper right corner (m).
        width: of the picture (pixels); its height follows.

    Attributes:
        picture: uint8, shape (height, width, 3), RGB.
    """

    def __init__(self, low: Sequence[float], high: Sequence[float], width: int) -> None:
        import cv2

        self._cv2 = cv2
        self._left, self._top = low[0], high[1]
        self._scale = width / (high[0] - low[0])
        self.picture = np.full((round(self._scale * (high[1] - low[1])), width, 3), WHITE, dtype=np.uint8)

    def line(self, points: Sequence[Sequence[float]] | np.ndarray, colour: Colour, thickness: int = 1) -> None:
        """Draw a line through points x, y (m)."""
        pixels = np.array([self._pixel(point) for point in points], dtype=np.int32).reshape(-1, 1, 2)
        self._cv2.polylines(self.picture, [pixels], False, colour, thickness, self._cv2.LINE_AA)

    def circle(self, centre: Sequence[float] | np.ndarray, radius: float, colour: Colour, thickness: int = 2) -> None:
        """Draw a circle of ``radius`` (m) around x, y (m)."""
        pixels = max(round(radius * self._scale), 1)
        self._cv2.circle(self.picture, self._pixel(centre), pixels, colour, thickness, self._cv2.LINE_AA)

    def dot(self, centre: Sequence[float] | np.ndarray, colour: Colour, pixels: int = 4) -> None:
        """Draw a filled circle around x, y (m)."""
        self._cv2.circle(self.picture, self._pixel(centre), pixels, colour, self._cv2.FILLED, self._cv2.LINE_AA)

    def title(self, text: str) -> None:
        """Write a short text into the upper left corner."""
        font = self._cv2.FONT_HERSHEY_SIMPLEX
        self._cv2.putText(self.picture, text, (8, 20), font, 0.5, BLACK, 1, self._cv2.LINE_AA)

    def _pixel(self, point: Sequence[float] | np.ndarray) -> tuple[int, int]:
        return round((point[0] - self._left) * self._scale), round((self._top - point[1]) * self._scale)
