"""The leaves of nested spaces and of their values, in Gymnasium's order."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from gymnasium import spaces


def leaf_spaces(space: spaces.Space[Any], name: str = "") -> Iterator[tuple[str, spaces.Space[Any]]]:
    """Yield the path and space of every leaf of nested Tuple and Dict spaces, in Gymnasium's order."""
    if isinstance(space, (spaces.Tuple, spaces.Dict)):
        items = enumerate(space.spaces) if isinstance(space, spaces.Tuple) else space.spaces.items()
        for key, inner in items:
            yield from leaf_spaces(inner, f"{name}/{key}" if name else str(key))
    else:
        yield name or "0", space


def leaf_values(space: spaces.Space[Any], value: Any) -> Iterator[Any]:
    """Yield the leaves of a value of ``space``, in the order of :func:`leaf_spaces`."""
    if isinstance(space, spaces.Tuple):
        for inner, item in zip(space.spaces, value, strict=True):
            yield from leaf_values(inner, item)
    elif isinstance(space, spaces.Dict):
        for key, inner in space.spaces.items():
            yield from leaf_values(inner, value[key])
    else:
        yield value
