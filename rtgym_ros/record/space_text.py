"""Gymnasium spaces as JSON text, exactly: a replay, an agent or a learner has them without the environment."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
from gymnasium import spaces

from rtgym_ros.record.errors import RecordError


def space_to_text(space: spaces.Space[Any]) -> str:
    """Return JSON (without NaN and Infinity, which JSON has not: they are texts)."""
    return json.dumps(_describe(space), allow_nan=False)


def space_from_text(text: str) -> spaces.Space[Any]:
    """Return the space that :func:`space_to_text` was given.

    Raises:
        RecordError: the text is of something else.
    """
    try:
        return _build(json.loads(text))
    except (ValueError, KeyError, TypeError) as error:
        raise RecordError(f"not the description of a space: {text[:80]!r} ({error!r})") from error


def _describe(space: spaces.Space[Any]) -> dict[str, Any]:
    kind = type(space).__name__
    if isinstance(space, spaces.Dict):
        return {"type": "Dict", "spaces": [[key, _describe(child)] for key, child in space.spaces.items()]}
    if isinstance(space, spaces.Tuple):
        return {"type": "Tuple", "spaces": [_describe(child) for child in space.spaces]}
    if isinstance(space, spaces.Box):
        bounds = {"low": _numbers(space.low), "high": _numbers(space.high)}
        return {"type": "Box", **bounds, "shape": list(space.shape), "dtype": space.dtype.str}
    if isinstance(space, spaces.Discrete):
        return {"type": "Discrete", "n": int(space.n), "start": int(space.start), "dtype": space.dtype.str}
    if isinstance(space, spaces.MultiDiscrete):
        described = {"nvec": space.nvec.tolist(), "start": space.start.tolist()}
        return {"type": "MultiDiscrete", **described, "dtype": space.dtype.str}
    if isinstance(space, spaces.MultiBinary):
        return {"type": "MultiBinary", "n": space.n if isinstance(space.n, int) else list(space.shape)}
    raise RecordError(f"a {kind} cannot be recorded")


def _build(described: dict[str, Any]) -> spaces.Space[Any]:
    kind = described["type"]
    if kind == "Dict":
        return spaces.Dict([(key, _build(child)) for key, child in described["spaces"]])  # in this order
    if kind == "Tuple":
        return spaces.Tuple([_build(child) for child in described["spaces"]])
    if kind == "MultiBinary":
        return spaces.MultiBinary(described["n"])
    dtype: Any = np.dtype(described["dtype"]).type
    if kind == "Box":
        shape = tuple(described["shape"])
        low, high = (_array(described[side], shape, dtype) for side in ("low", "high"))
        return spaces.Box(low, high, shape, dtype)
    if kind == "Discrete":
        # Gymnasium 1.0 knows no other type than int64, and no argument for it.
        typed = {} if dtype is np.int64 else {"dtype": dtype}
        return spaces.Discrete(described["n"], start=described["start"], **typed)
    if kind == "MultiDiscrete":
        return spaces.MultiDiscrete(np.array(described["nvec"]), dtype, start=np.array(described["start"]))
    raise RecordError(f"no space is called {kind!r}")


def _numbers(array: np.ndarray[Any, Any]) -> Any:
    """Return one number where all are equal (images), otherwise a flat list; infinities as text."""
    values = array.ravel()
    if values.size and (values == values[0]).all():
        return _number(values[0].item())
    return [_number(value) for value in values.tolist()]


def _number(value: Any) -> Any:
    return value if np.isfinite(value) else str(value)


def _array(numbers: Any, shape: tuple[int, ...], dtype: Any) -> np.ndarray[Any, Any]:
    if not isinstance(numbers, list):
        return np.full(shape, dtype(numbers), dtype)
    return np.array([dtype(number) for number in numbers], dtype).reshape(shape)
