"""Nothing reaches a learner that is not an observation: elements are checked against the space, cast and copied."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from copy import deepcopy
from functools import partial
from typing import Any

import numpy as np
from gymnasium import spaces

from rtgym_ros.core.array_ring import ArrayRing
from rtgym_ros.core.bounds import Array, make_is_inside
from rtgym_ros.core.caller_warning import warn_caller
from rtgym_ros.core.errors import InterfaceError, ObservationWarning

Admit = Callable[[Any], Any]

_SLOTS = 3
"""The observation of the last step(), the one before it, and the one that is being captured."""


class ObservationGuard:
    """Turns what the interface returned into an element of the observation space, or objects.

    Args:
        space: the interface's observation space: a Tuple, a Dict or a Box.
        check: ``"raise"`` an error, ``"warn"`` once and hand it out all the same, or ``"off"``: hand out what comes.
        source: what led to the observation after the method that it came from, for the error.
        reused: hand out read-only arrays of a ring, instead of fresh ones.
    """

    def __init__(
        self,
        space: spaces.Space[Any],
        check: str,
        warn: Callable[[str], None] | None = None,
        source: str = "",
        reused: bool = False,
    ) -> None:
        self._admit = _function_for(space, _SLOTS if reused else 0)
        self._is_tuple = isinstance(space, spaces.Tuple)
        self._warn = warn or partial(warn_caller, category=ObservationWarning)
        self._check = check
        self._source = source

    def admit(self, observation: Any, method: str) -> Any:
        """Return the observation as arrays of the space's types, which the interface does not write to.

        Args:
            observation: an element of the space; for a Tuple any sequence with one element per space.
            method: the method that returned it, for the error.

        Raises:
            InterfaceError: it is not in the space, where that is to raise; or not even a sequence.
        """
        if self._is_tuple:
            try:
                observation = tuple(observation)
            except TypeError:
                raise InterfaceError(
                    f"{self._source}{method}() must return a list as its observation, got {_shown(observation)}"
                ) from None
        if self._check == "off":
            return observation
        try:
            admitted = self._admit(observation)
        except _NotInSpaceError as error:
            message = f"{self._source}{method}() must return an observation in its space: {error}"
            if self._check == "raise":
                raise InterfaceError(f"{message} (config['observation_check'] = 'warn' lets it pass)") from None
            self._check = "off"
            self._warn(f"{message}; it is handed out as it is, and the next ones unchecked")
            return observation
        return admitted if self._check == "raise" else observation


class _NotInSpaceError(Exception):
    """What is wrong with an observation, to be completed on the way up."""


def _function_for(space: spaces.Space[Any], slots: int) -> Admit:
    """Return the function that admits elements of a space: what can be known beforehand is looked up once."""
    if isinstance(space, spaces.Box):
        return _box_function(space, slots)
    if isinstance(space, spaces.Tuple):
        return _tuple_function(space, slots)
    if isinstance(space, spaces.Dict):
        return _dict_function(space, slots)
    return _other_function(space)


def _tuple_function(space: spaces.Tuple[Any], slots: int) -> Admit:
    functions = [_function_for(element, slots) for element in space.spaces]

    def admit(elements: Any) -> Any:
        if not isinstance(elements, (tuple, list)) or len(elements) != len(functions):
            got = len(elements) if isinstance(elements, (tuple, list)) else _shown(elements)
            raise _NotInSpaceError(f"it must have {len(functions)} elements, got {got}")
        admitted = []
        try:
            for function, element in zip(functions, elements):  # noqa: B905 (as many, see above)
                admitted.append(function(element))
        except _NotInSpaceError as error:
            raise _NotInSpaceError(f"[{len(admitted)}] {error}") from None
        return tuple(admitted)

    return admit


def _dict_function(space: spaces.Dict, slots: int) -> Admit:
    functions = {key: _function_for(element, slots) for key, element in space.spaces.items()}

    def admit(elements: Any) -> Any:
        if not isinstance(elements, Mapping) or set(elements) != set(functions):
            got = sorted(map(str, elements)) if isinstance(elements, Mapping) else _shown(elements)
            raise _NotInSpaceError(f"it must have the keys {sorted(map(str, functions))}, got {got}")
        return {key: _admit_part(key, function, elements[key]) for key, function in functions.items()}

    return admit


def _admit_part(where: Any, function: Admit, part: Any) -> Any:
    try:
        return function(part)
    except _NotInSpaceError as error:
        raise _NotInSpaceError(f"[{where!r}] {error}") from None


def _box_function(box: spaces.Box, slots: int) -> Admit:
    shape, dtype, low, high = box.shape, box.dtype, box.low, box.high
    limits = np.iinfo(str(dtype)) if dtype.kind in "iu" else None
    # An image of whole bytes, say, has nothing to compare.
    is_full_range = limits is not None and bool((low == limits.min).all() and (high == limits.max).all())
    is_inside = _yes if is_full_range else make_is_inside(low, high)
    keep = ArrayRing(shape, dtype, slots).keep if slots else np.ndarray.copy

    def admit(element: Any) -> Any:
        if type(element) is np.ndarray and element.dtype == dtype and element.shape == shape:
            kept = keep(element)  # before the check: the interface may go on writing into its own
            if is_inside(kept):
                return kept
        return keep(convert(element))

    def convert(element: Any) -> Array:
        try:
            given = np.array(element)
        except ValueError:  # a ragged list
            raise _NotInSpaceError(f"must be an array of shape {shape}, got {_shown(element)}") from None
        if given.shape != shape:
            raise _NotInSpaceError(f"must have shape {shape}, got {given.shape}")
        if given.dtype != dtype and not np.can_cast(given.dtype, dtype, "same_kind") and given.dtype.kind not in "iub":
            raise _NotInSpaceError(f"must be of type {dtype}, got {given.dtype}")
        cast = given.astype(dtype, copy=False)
        # Integers are compared before the cast, which would wrap them around; floats after it, which rounds them.
        compared = cast if limits is None else given
        inside = (low <= compared) & (compared <= high)  # NaN is in no interval
        if not inside.all():
            at = tuple(map(int, np.argwhere(~inside)[0]))
            raise _NotInSpaceError(f"must lie in [{low[at]}, {high[at]}] at {list(at)}, got {given[at]}")
        return cast

    return admit


def _yes(_array: Array) -> bool:
    return True


def _other_function(space: spaces.Space[Any]) -> Admit:
    def admit(element: Any) -> Any:
        if not space.contains(element):
            raise _NotInSpaceError(f"must be in {space}, got {_shown(element)}")
        return deepcopy(element)

    return admit


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) < 100 else f"{text[:100]}..."
