"""A flat world of straight walls: distances to them, and the ranges that a laser scanner sees."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

Point = tuple[float, float]
Wall = tuple[Point, Point]

_TRIES = 10_000


class World:
    """Walls without thickness, and the rectangle around them.

    Args:
        walls: each from one point x, y to another (m); at least one.

    Attributes:
        walls: float64, shape (n, 2, 2): wall, end, coordinate (m).
        low: the smallest x and y of a wall (m).
        high: the largest x and y of a wall (m).
    """

    def __init__(self, walls: Sequence[Wall]) -> None:
        self.walls = np.array(walls, dtype=np.float64).reshape(-1, 2, 2)
        if not (len(self.walls) and np.isfinite(self.walls).all()):
            raise ValueError(f"a world needs at least one wall, and finite coordinates, got {walls!r}")
        self.low = self.walls.min(axis=(0, 1))
        self.high = self.walls.max(axis=(0, 1))
        self._starts = self.walls[:, 0]
        self._edges = self.walls[:, 1] - self.walls[:, 0]
        # A wall without length is a point: any divisor keeps its share at zero.
        self._squares = np.maximum((self._edges**2).sum(axis=1), np.finfo(float).tiny)

    def distance(self, x: float, y: float) -> float:
        """Return the distance (m) from a point to the nearest wall."""
        towards = np.array((x, y)) - self._starts
        share = np.clip((towards * self._edges).sum(axis=1) / self._squares, 0.0, 1.0)
        return float(np.sqrt(((towards - share[:, None] * self._edges) ** 2).sum(axis=1).min()))

    def scan(self, x: float, y: float, angles: np.ndarray, range_max: float) -> np.ndarray:
        """Return what a laser scanner sees.

        Args:
            x: of the scanner (m).
            y: of the scanner (m).
            angles: of its beams in the frame of the world, shape (m,) (rad).
            range_max: a wall further away is not seen (m).

        Returns:
            float64, shape (m,): the distance to the nearest wall (m), ``inf`` where none is seen (REP 117).
        """
        # Beam: origin + range * direction; wall: start + share * edge. Cross products solve for range and share.
        directions = np.stack((np.cos(angles), np.sin(angles)), axis=1)[:, None]
        towards = self._starts - (x, y)
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):  # a beam along a wall
            turn = _cross(directions, self._edges)
            ranges = _cross(towards, self._edges) / turn
            shares = _cross(towards, directions) / turn
            hit = (ranges >= 0) & (ranges <= range_max) & (shares >= 0) & (shares <= 1)
        nearest: np.ndarray = np.where(hit, ranges, np.inf).min(axis=1)
        return nearest

    def free_point(self, rng: np.random.Generator, clearance: float) -> Point:
        """Draw a point uniformly from where every wall is further away than ``clearance`` (m).

        The inside of a pillar counts as well: it should be narrower than twice the clearance.

        Raises:
            ValueError: there is hardly any such place.
        """
        for _ in range(_TRIES):
            x, y = rng.uniform(self.low, self.high).tolist()
            if self.distance(x, y) > clearance:
                return x, y
        raise ValueError(f"no free place found in the world with a clearance of {clearance} m")


def _cross(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    product: np.ndarray = a[..., 0] * b[..., 1] - a[..., 1] * b[..., 0]
    return product


def closed(*corners: Point) -> list[Wall]:
    """Return the walls of a polygon."""
    return list(zip(corners, (*corners[1:], corners[0]), strict=True))


ROOM = World(
    [
        *closed((-2.0, -2.0), (2.0, -2.0), (2.0, 2.0), (-2.0, 2.0)),
        ((-2.0, 0.8), (-0.6, 0.8)),
        ((0.7, -2.0), (0.7, -0.7)),
        *closed((0.9, 0.8), (1.2, 0.8), (1.2, 1.1), (0.9, 1.1)),
    ]
)
"""The world of ``drive_node``: a room of 4 m x 4 m with two inner walls and a pillar."""
