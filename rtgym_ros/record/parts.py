"""Values of Gymnasium spaces as named arrays, and back without a change of a bit."""

from __future__ import annotations

from typing import Any

import numpy as np
from gymnasium import spaces

from rtgym_ros.core.errors import ConfigError
from rtgym_ros.record.errors import RecordError
from rtgym_ros.record.time_step import Parts

_LEAVES = (spaces.Box, spaces.Discrete, spaces.MultiDiscrete, spaces.MultiBinary)


def check_recordable(space: spaces.Space[Any], name: str) -> None:
    """Refuse a space whose values are not arrays of numbers of a known structure.

    Raises:
        ConfigError: naming the part.
    """
    if isinstance(space, (spaces.Dict, spaces.Tuple)):
        for key, child in _children(space):
            if "/" in key:
                raise ConfigError(f"{name}: the key {key!r} has a '/' in it, which separates levels in a recording")
            check_recordable(child, f"{name}/{key}")
    elif not isinstance(space, _LEAVES):
        known = ", ".join(kind.__name__ for kind in (*_LEAVES, spaces.Dict, spaces.Tuple))
        raise ConfigError(f"{name}: a {type(space).__name__} cannot be recorded, only {known}")


def to_parts(space: spaces.Space[Any], value: Any) -> Parts:
    """Return the arrays in ``value``, named by their place in ``space`` ('' where it is one array).

    The arrays are not copied.
    """
    parts: list[tuple[str, np.ndarray[Any, Any]]] = []
    _collect(space, value, "", parts)
    return tuple(parts)


def from_parts(space: spaces.Space[Any], parts: Parts) -> Any:
    """Return the value that :func:`to_parts` was given: tuples, dicts, arrays, and scalars where ``space`` has them.

    Raises:
        RecordError: the parts are those of another space.
    """
    arrays = dict(parts)
    try:
        value = _assemble(space, "", arrays)
    except KeyError as error:
        raise RecordError(f"the recording has no part {error}, only {sorted(dict(parts))}") from None
    if arrays:
        raise RecordError(f"the recording has parts that the space has not: {sorted(arrays)}")
    return value


def _children(space: spaces.Dict | spaces.Tuple[Any]) -> list[tuple[str, spaces.Space[Any]]]:
    if isinstance(space, spaces.Dict):
        return [(str(key), child) for key, child in space.spaces.items()]
    return [(str(number), child) for number, child in enumerate(space.spaces)]


def _collect(space: spaces.Space[Any], value: Any, name: str, parts: list[tuple[str, np.ndarray[Any, Any]]]) -> None:
    if isinstance(space, spaces.Dict):
        for key, child in space.spaces.items():
            _collect(child, value[key], f"{name}/{key}" if name else str(key), parts)
    elif isinstance(space, spaces.Tuple):
        for number, (child, element) in enumerate(zip(space.spaces, value, strict=True)):
            _collect(child, element, f"{name}/{number}" if name else str(number), parts)
    else:
        parts.append((name, np.asarray(value)))


def _assemble(space: spaces.Space[Any], name: str, arrays: dict[str, np.ndarray[Any, Any]]) -> Any:
    if isinstance(space, (spaces.Dict, spaces.Tuple)):
        values = [_assemble(child, f"{name}/{key}" if name else key, arrays) for key, child in _children(space)]
        return dict(zip(space.spaces, values, strict=True)) if isinstance(space, spaces.Dict) else tuple(values)
    array = arrays.pop(name)
    return array[()] if isinstance(space, spaces.Discrete) else array
