"""A picture of a flight made of characters, for a terminal: Braille dots, 2 by 4 a character."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from rich.panel import Panel
from rich.text import Text

from rtgym_ros.robots.drone.flight import Episode

_DOTS = np.array([[0x01, 0x08], [0x02, 0x10], [0x04, 0x20], [0x40, 0x80]])
"""Bits of a Braille character by row and column of the dot (Unicode block U+2800)."""

_DRONE, _TARGET = "O", "X"
_PATH_SPACING = 0.01
"""Between two dots of the path (m)."""


def flight_picture(episode: Episode, rows: int, ascii_only: bool = False) -> Panel:
    """Return a picture of the world [-1, 1]^2 (m), y upwards: the drone, its target, and where it has been.

    Args:
        episode: the flight so far.
        rows: height of the world in characters; it is twice as many wide.
        ascii_only: for terminals without Unicode: a point for each character that the path goes through.
    """
    columns = 2 * rows
    path = _interpolated(episode.positions)
    if ascii_only:
        lines = np.full((rows, columns), " ")
        x, y = _cells(path, columns, rows)
        lines[y, x] = "."
    else:
        bits = np.zeros((rows, columns), dtype=np.int64)
        x, y = _cells(path, 2 * columns, 4 * rows)
        np.bitwise_or.at(bits, (y // 4, x // 2), _DOTS[y % 4, x % 2])
        lines = np.where(bits, (bits + 0x2800).astype(np.int32).view("U1"), " ")
    text = Text(no_wrap=True)
    marks = {}
    for point, mark in ((episode.target, (_TARGET, "bold red")), (episode.positions[-1], (_DRONE, "bold cyan"))):
        (x,), (y,) = _cells(np.array([point]), columns, rows)
        lines[y, x] = mark[0]
        marks[int(y * (columns + 1) + x)] = mark[1]
    text.append("\n".join("".join(line) for line in lines))
    for place, style in marks.items():
        text.stylize(style, place, place + 1)
    title = f"{episode.policy}, episode {episode.number}"
    return Panel(text, title=title, subtitle=f"{_DRONE} drone  {_TARGET} target", width=columns + 4)


def _interpolated(positions: Sequence[tuple[float, float]]) -> np.ndarray:
    """Return points x, y (m) along the path, so near to each other that they look like a line."""
    points = np.array(positions)
    if len(points) < 2:
        return points
    lengths = np.hypot(*np.diff(points, axis=0).T)
    along = np.concatenate([[0.0], np.cumsum(np.maximum(lengths, 1e-9))])
    places = np.linspace(0.0, along[-1], max(int(along[-1] / _PATH_SPACING), 2))
    return np.column_stack([np.interp(places, along, points[:, axis]) for axis in (0, 1)])


def _cells(points: np.ndarray, columns: int, rows: int) -> tuple[np.ndarray, np.ndarray]:
    """Return column and row, from the top, of points x, y (m)."""
    x = np.clip(((points[:, 0] + 1) / 2 * columns).astype(int), 0, columns - 1)
    y = np.clip(((1 - points[:, 1]) / 2 * rows).astype(int), 0, rows - 1)
    return x, y
