"""What to send to a robot to see whether it takes every action."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from copy import deepcopy
from typing import Any

import numpy as np
from gymnasium import spaces

_ALL_CORNERS_UP_TO = 4
"""Elements of a Box: it has 16 corners then."""

_RANDOM_CORNERS = 14
"""Of a larger Box, beside the lowest and the highest."""


def corners_and_samples(space: spaces.Space[Any], samples: int, seed: int) -> list[Any]:
    """Return the extreme elements of an action space, then random ones; the same for the same ``seed``.

    Args:
        space: any; where a bound is infinite, a random value stands in for it.
        samples: how many random elements.
        seed: of both.
    """
    space = deepcopy(space)  # seeding it must not disturb its owner
    space.seed(seed)
    return [*_corners(space, np.random.default_rng(seed)), *(space.sample() for _ in range(samples))]


def _corners(space: spaces.Space[Any], rng: np.random.Generator) -> Iterator[Any]:
    if isinstance(space, spaces.Box):
        yield from _box_corners(space, rng)
    elif isinstance(space, spaces.Discrete):
        yield from (space.start, space.start + space.n - 1)
    elif isinstance(space, spaces.MultiDiscrete):
        yield from (space.start, (space.start + space.nvec - 1).astype(space.dtype))
    elif isinstance(space, spaces.MultiBinary):
        yield from (np.zeros(space.shape, space.dtype), np.ones(space.shape, space.dtype))
    elif isinstance(space, spaces.Tuple):
        yield from _side_by_side([_or_sample(part, rng) for part in space.spaces])
    elif isinstance(space, spaces.Dict):
        parts = _side_by_side([_or_sample(part, rng) for part in space.spaces.values()])
        yield from (dict(zip(space.spaces, part, strict=True)) for part in parts)


def _box_corners(box: spaces.Box, rng: np.random.Generator) -> Iterator[np.ndarray]:
    inside = box.sample()
    low = np.where(np.isfinite(box.low), box.low, inside)
    high = np.where(np.isfinite(box.high), box.high, inside)
    size = low.size
    choices: Any = itertools.product((False, True), repeat=size)
    if size > _ALL_CORNERS_UP_TO:
        choices = [np.zeros(size, bool), np.ones(size, bool), *(rng.random((_RANDOM_CORNERS, size)) < 0.5)]
    for choice in choices:
        yield np.asarray(np.where(np.reshape(choice, box.shape), high, low), dtype=box.dtype)


def _or_sample(space: spaces.Space[Any], rng: np.random.Generator) -> list[Any]:
    return list(_corners(space, rng)) or [space.sample()]


def _side_by_side(corners: list[list[Any]]) -> Iterator[tuple[Any, ...]]:
    """Yield every corner of every part at least once, but not each with each."""
    for index in range(max(map(len, corners), default=0)):
        yield tuple(part[index % len(part)] for part in corners)
