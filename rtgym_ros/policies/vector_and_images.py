"""Observations as a network takes them: one vector, and each image for itself; on the robot as at the learner."""

from __future__ import annotations

from collections.abc import Iterable
from math import prod
from typing import Any

import numpy as np
from gymnasium import spaces

from rtgym_ros.core.errors import ConfigError
from rtgym_ros.policies.space_leaves import leaf_spaces

VECTOR, IMAGE = "vector", "image"


class VectorAndImages:
    """The parts of an observation.

    A leaf is an image if it is a Box of two or three dimensions with the bounds 0 and 255; its channels come first
    here. All other leaves are joined to one vector, float32, in the order of their space.

    Args:
        space: of the observations, nested as it may be.
        frames: how many of each image a network sees, the newest last: it and those before.

    Attributes:
        space: what a network sees: a flat Box where there are no images, else a Dict of ``vector`` and ``image...``.
        frames: as given.

    Raises:
        ConfigError: a leaf is neither Box nor MultiBinary, or there is no image of which to take several.
    """

    def __init__(self, space: spaces.Space[Any], frames: int = 1) -> None:
        self.frames = frames
        self._keys: list[str] = []  # of each leaf: its part
        size, parts = 0, {}
        for name, leaf in leaf_spaces(space):
            if not isinstance(leaf, (spaces.Box, spaces.MultiBinary)):
                where = "observation" if leaf is space else f"observation {name}"
                raise ConfigError(f"{where} is a {leaf}: this policy takes Box and MultiBinary; preprocess it")
            if _is_image(leaf):
                key = f"{IMAGE}{sum(key != VECTOR for key in self._keys)}"
                channels, *sides = _channels_first(np.empty((1, *leaf.shape), bool)).shape[1:]
                parts[key] = spaces.Box(0, 255, (channels * frames, *sides), np.uint8)
            else:
                key, size = VECTOR, size + prod(leaf.shape)
            self._keys.append(key)
        if frames > 1 and not parts:
            raise ConfigError(f"trainer.frames is {frames}, and the observation has no image")
        vector = spaces.Box(-np.inf, np.inf, (size,), np.float32)
        self.space: spaces.Box | spaces.Dict = vector
        if parts:
            self.space = spaces.Dict({**({VECTOR: vector} if size else {}), **parts})

    def of(self, leaves: Iterable[np.ndarray]) -> dict[str, np.ndarray]:
        """Return the parts of n observations, a single frame of each image.

        Args:
            leaves: the values of each leaf, shape (n, ...), in the order of the space.

        Returns:
            ``vector`` of shape (n, size), float32; ``image0`` and so on of shape (n, channels, height, width), uint8.
        """
        parts: dict[str, np.ndarray] = {}
        vector: list[np.ndarray] = []
        for key, leaf in zip(self._keys, leaves, strict=True):
            if key == VECTOR:
                vector.append(leaf.reshape(len(leaf), -1))
            else:
                whole = leaf if leaf.dtype == np.uint8 else np.clip(np.rint(leaf), 0, 255).astype(np.uint8)
                parts[key] = _channels_first(whole)
        if vector:
            parts[VECTOR] = np.concatenate(vector, axis=1, dtype=np.float32, casting="same_kind")
        return parts


def _is_image(space: spaces.Space[Any]) -> bool:
    return (
        isinstance(space, spaces.Box)
        and len(space.shape) in (2, 3)
        and bool((space.low == 0).all() and (space.high == 255).all())
    )


def _channels_first(images: np.ndarray) -> np.ndarray:
    """Return images of shape (n, channels, height, width): gray ones get a channel, the smallest axis is that of it."""
    if images.ndim == 3:
        return images[:, None]
    last = images.shape[3] < images.shape[1]
    return np.moveaxis(images, 3, 1) if last else images
