"""Makes samples smaller before they leave the control process."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

import numpy as np
from gymnasium import spaces

from rtgym_ros.policies.space_leaves import leaf_spaces
from rtgym_ros.record.parts import from_parts, to_parts


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
        compact = _compact(space)
        self._space, self._dtypes = space, [leaf.dtype for _, leaf in leaf_spaces(compact)]
        return compact

    def compress(self, observation: Any) -> Any:
        """Return the observation with smaller types; what needs no change is not copied."""
        parts = zip(to_parts(self._space, observation), self._dtypes, strict=True)
        return from_parts(self._space, tuple((name, _compressed(value, dtype)) for (name, value), dtype in parts))


def _compact(space: spaces.Space[Any]) -> spaces.Space[Any]:
    if isinstance(space, spaces.Tuple):
        return spaces.Tuple([_compact(inner) for inner in space.spaces])
    if isinstance(space, spaces.Dict):
        return spaces.Dict([(key, _compact(inner)) for key, inner in space.spaces.items()])
    if not isinstance(space, spaces.Box):
        return space
    dtype = _smaller(space)
    return spaces.Box(space.low.astype(dtype), space.high.astype(dtype), dtype=dtype.type)


def _compressed(value: np.ndarray, dtype: Any) -> np.ndarray:
    if value.dtype.kind == "f" and dtype == np.uint8:
        value = np.clip(np.rint(value), 0, 255)
    return value.astype(dtype, copy=False)


def _smaller(space: spaces.Box) -> np.dtype[Any]:
    dtype = np.dtype(space.dtype)
    if dtype.kind in "iu":
        fits = np.result_type(np.min_scalar_type(space.low.min()), np.min_scalar_type(space.high.max()))
        return fits if fits.itemsize < dtype.itemsize and fits.kind in "iu" else dtype
    if len(space.shape) >= 2 and (space.low == 0).all() and (space.high == 255).all():
        return np.dtype(np.uint8)
    return np.dtype(np.float32) if dtype == np.float64 else dtype
