"""Gymnasium spaces as data, exactly: a learner elsewhere gets the spaces of the environment without having it."""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np
from gymnasium import spaces

from rtgym_ros.core.errors import ConfigError


class SpaceDescription(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """One space.

    Attributes:
        kind: ``"box"``, ``"discrete"``, ``"multi_binary"``, ``"multi_discrete"``, ``"tuple"`` or ``"dict"``.
        dtype: NumPy's name of the element type, little endian; empty for ``tuple`` and ``dict``.
        shape: of a value.
        low: of a box, one number where all are the same, else one each in C order.
        high: the same.
        n: choices, of ``discrete`` (one number) and ``multi_discrete``.
        start: the first choice of each.
        parts: of ``tuple`` and ``dict``, by name; the parts of a tuple are named by their number.
    """

    kind: str
    dtype: str = ""
    shape: tuple[int, ...] = ()
    low: tuple[float, ...] = ()
    high: tuple[float, ...] = ()
    n: tuple[int, ...] = ()
    start: tuple[int, ...] = ()
    parts: tuple[tuple[str, SpaceDescription], ...] = ()


def describe_space(space: spaces.Space[Any], name: str = "the space") -> SpaceDescription:
    """Return a space as data.

    Raises:
        ConfigError: a leaf has no fixed shape (Text, Graph, Sequence).
    """
    if isinstance(space, (spaces.Tuple, spaces.Dict)):
        kind = "tuple" if isinstance(space, spaces.Tuple) else "dict"
        items = enumerate(space.spaces) if isinstance(space, spaces.Tuple) else space.spaces.items()
        parts = tuple((str(key), describe_space(inner, f"{name}/{key}")) for key, inner in items)
        return SpaceDescription(kind, parts=parts)
    if space.shape is None or space.dtype is None:
        raise ConfigError(f"{name}: {space} has no fixed shape, so it cannot be sent; flatten it first")
    dtype, shape = np.dtype(space.dtype).newbyteorder("<").str, tuple(space.shape)
    if isinstance(space, spaces.Box):
        return SpaceDescription("box", dtype, shape, _numbers(space.low), _numbers(space.high))
    if isinstance(space, spaces.Discrete):
        return SpaceDescription("discrete", dtype, shape, n=(int(space.n),), start=(int(space.start),))
    if isinstance(space, spaces.MultiBinary):
        return SpaceDescription("multi_binary", dtype, shape)
    if isinstance(space, spaces.MultiDiscrete):
        n, start = (tuple(map(int, values.ravel())) for values in (space.nvec, space.start))
        return SpaceDescription("multi_discrete", dtype, shape, n=n, start=start)
    raise ConfigError(f"{name}: a {type(space).__name__} cannot be sent")


def make_space(description: SpaceDescription) -> spaces.Space[Any]:
    """Return the space that :func:`describe_space` described."""
    kind, shape = description.kind, description.shape
    if kind == "tuple":
        return spaces.Tuple([make_space(part) for _, part in description.parts])
    if kind == "dict":
        return spaces.Dict([(name, make_space(part)) for name, part in description.parts])
    dtype: Any = np.dtype(description.dtype).newbyteorder("=").type
    if kind == "box":
        low, high = (_array(numbers, shape, dtype) for numbers in (description.low, description.high))
        return spaces.Box(low, high, shape, dtype)
    if kind == "discrete":
        # Gymnasium 1.0 knows no other type than int64, and no argument for it.
        kind_of_it = {} if dtype is np.int64 else {"dtype": dtype}
        return spaces.Discrete(description.n[0], start=description.start[0], **kind_of_it)
    if kind == "multi_binary":
        return spaces.MultiBinary(shape)
    n, start = (np.array(numbers, dtype).reshape(shape) for numbers in (description.n, description.start))
    return spaces.MultiDiscrete(n, dtype=dtype, start=start)


def _numbers(values: np.ndarray) -> tuple[float, ...]:
    flat = values.ravel()
    if len(flat) and (flat == flat[0]).all():
        return (float(flat[0]),)
    return tuple(map(float, flat))


def _array(numbers: tuple[float, ...], shape: tuple[int, ...], dtype: Any) -> np.ndarray:
    if len(numbers) == 1:
        return np.full(shape, numbers[0], dtype)
    return np.array(numbers, dtype).reshape(shape)
