"""Whether two values have a part in common that one could be changed through."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np


def share_memory(one: Any, other: Any) -> bool:
    """Whether somebody who writes into ``one`` changes ``other``, or the other way round.

    Args:
        one: arrays, scalars, and dictionaries, tuples and lists of them.
        other: likewise.
    """
    theirs = list(_mutable_parts(other))
    return any(_are_one(part, their) for part in _mutable_parts(one) for their in theirs)


def _mutable_parts(value: Any) -> Iterator[Any]:
    if isinstance(value, (np.ndarray, list, dict)):
        yield value
    if isinstance(value, (list, tuple)):
        for part in value:
            yield from _mutable_parts(part)
    elif isinstance(value, Mapping):
        for part in value.values():
            yield from _mutable_parts(part)


def _are_one(part: Any, other: Any) -> bool:
    if isinstance(part, np.ndarray) and isinstance(other, np.ndarray):
        return (part.flags.writeable or other.flags.writeable) and np.shares_memory(part, other)
    return part is other
