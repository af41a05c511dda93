"""Makes samples smaller before they leave the control process."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any

import numpy as np
from gymnasium import spaces


class SampleCompressor(ABC):
    """Turns observations, preprocessed, into what is sent and learned from.

    It runs in the control process, once a time-step, so it must be quick. The policy acts on what comes in, the learner
    sees what comes out: both must mean the same to them.
    """

    @abstractmethod
    def observation_space(self, space: spaces.Space[Any]) -> spaces.Space[Any]:
        """Return the space of what :meth:`compress` returns; called once, before it."""

    @abstractmethod
    def compress(self, observation: Any) -> Any:
        """Return what is sent of an observation."""


class CompactCompressor(SampleCompressor):
    """float64 becomes float32, and images become uint8: rounded, and kept inside 0..255.

    An image is a Box of two dimensions or more whose bounds are exactly 0 and 255. Integers of small bounds get the
    smallest type that holds them. Nested Tuple and Dict spaces are walked.
    """

    def observation_space(self, space: spaces.Space[Any]) -> spaces.Space[Any]:
        """Return the space with smaller types."""
        self._convert, compact = _compact(space)
        return compact

    def compress(self, observation: Any) -> Any:
        """Return the observation with smaller types; what needs no change is not copied."""
        return self._convert(observation)


_Convert = Callable[[Any], Any]


def _compact(space: spaces.Space[Any]) -> tuple[_Convert, spaces.Space[Any]]:
    if isinstance(space, spaces.Tuple):
        pairs = [_compact(inner) for inner in space.spaces]
        converts = [convert for convert, _ in pairs]
        return (
            lambda value: tuple(convert(item) for convert, item in zip(converts, value, strict=True)),
            spaces.Tuple([inner for _, inner in pairs]),
        )
    if isinstance(space, spaces.Dict):
        by_key = {key: _compact(inner) for key, inner in space.spaces.items()}
        return (
            lambda value: {key: convert(value[key]) for key, (convert, _) in by_key.items()},
            spaces.Dict({key: inner for key, (_, inner) in by_key.items()}),
        )
    if isinstance(space, spaces.Box):
        dtype = _smaller(space)
        if dtype != space.dtype:
            rounds = dtype.kind in "iu" and space.dtype is not None and space.dtype.kind == "f"
            low, high = (bound.astype(dtype) for bound in (space.low, space.high))
            return (_to_image if rounds else lambda value: np.asarray(value, dtype)), spaces.Box(
                low, high, dtype=dtype.type
            )
    return _same, space


def _smaller(space: spaces.Box) -> np.dtype[Any]:
    dtype = np.dtype(space.dtype)
    if dtype.kind in "iu":
        fits = np.result_type(np.min_scalar_type(space.low.min()), np.min_scalar_type(space.high.max()))
        return fits if fits.itemsize < dtype.itemsize and fits.kind in "iu" else dtype
    if len(space.shape) >= 2 and (space.low == 0).all() and (space.high == 255).all():
        return np.dtype(np.uint8)
    return np.dtype(np.float32) if dtype == np.float64 else dtype


def _to_image(value: Any) -> np.ndarray:
    image: np.ndarray = np.clip(np.rint(value), 0, 255).astype(np.uint8)
    return image


def _same(value: Any) -> Any:
    return value
