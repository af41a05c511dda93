"""From an observation of the environment to the inputs of a model: order, normalisation, history."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from math import prod
from typing import Any

import numpy as np

from rtgym_ros.core.errors import ConfigError, nearest
from rtgym_ros.policies.metadata import Numbers, PartEntry, PolicyMetadata
from rtgym_ros.policies.model import Array, Model, ModelInput
from rtgym_ros.policies.parts import ObservationParts


class ObservationInput:
    """Makes the inputs of a model of observations, and remembers those before.

    Args:
        metadata: of the policy.
        model: that takes them.
        parts: of the environment.

    Raises:
        ConfigError: they do not fit; the message names both sides.
    """

    def __init__(self, metadata: PolicyMetadata, model: Model, parts: ObservationParts) -> None:
        self._parts = parts
        by_name = {one.name: one for one in model.inputs}
        groups: dict[str, list[_Part]] = {name: [] for name in by_name}
        for entry in metadata.observation:
            groups[_input_of(entry, by_name)].append(_Part(entry, parts))
        empty = [name for name, group in groups.items() if not group]
        if empty:
            raise ConfigError(f"no part of the observation goes to the policy's input {empty[0]!r}")
        self._inputs = [_Input(by_name[name], group, metadata) for name, group in groups.items()]

    def reset(self) -> None:
        """Forget the observations of the episode before."""
        for each in self._inputs:
            each.reset()

    def take(self, observation: Any) -> dict[str, Array]:
        """Return the inputs by name, for an observation that comes after those before; arrays of their own."""
        return {each.name: each.take(self._parts, observation) for each in self._inputs}


class _Part:
    """One part, normalised."""

    def __init__(self, entry: PartEntry, parts: ObservationParts) -> None:
        if entry.name not in parts.shapes:
            hint = nearest(entry.name, parts.shapes)
            raise ConfigError(
                f"the policy takes the part {entry.name!r}{hint}, and the environment has {parts.describe()}"
            )
        self.name, self.shape = entry.name, parts.shapes[entry.name]
        if entry.shape is not None and entry.shape != self.shape:
            raise ConfigError(
                f"the part {entry.name!r} has shape {entry.shape} in the policy and {self.shape} in the environment"
            )
        self._mean, self._std = self._numbers("mean", entry.mean), self._numbers("std", entry.std)
        self._clip = entry.clip
        self._is_plain = not np.any(self._mean) and bool(np.all(self._std == 1.0)) and entry.clip is None

    def _numbers(self, key: str, numbers: Numbers) -> Array:
        if not isinstance(numbers, tuple):
            return np.float64(numbers)  # type: ignore[return-value]
        if len(numbers) != prod(self.shape):
            raise ConfigError(
                f"{key} of the part {self.name!r} has {len(numbers)} values in the policy, and the part has shape "
                f"{self.shape} in the environment"
            )
        return np.reshape(np.asarray(numbers, np.float64), self.shape)

    def values(self, parts: ObservationParts, observation: Any) -> Array:
        values = parts.take(self.name, observation)
        if self._is_plain:
            return values
        values = (values - self._mean) / self._std
        return values if self._clip is None else np.clip(values, -self._clip, self._clip)


class _Input:
    """One input of the model: parts joined, and observations before."""

    def __init__(self, wanted: ModelInput, group: Sequence[_Part], metadata: PolicyMetadata) -> None:
        self.name = wanted.name
        self._group, self._dtype = group, wanted.dtype
        self._length = metadata.history
        self._begins_with_zero = metadata.history_begin == "zero"
        self._past: deque[Array] = deque(maxlen=self._length)
        size = sum(prod(part.shape) for part in group)
        self._keeps_shape = False
        for shape, keeps_shape in self._shapes(size):
            if wanted.takes(shape):
                self._shape, self._keeps_shape = shape, keeps_shape
                return
        joined = " + ".join(f"{part.name} {part.shape}" for part in group)
        history = f", {self._length} observations" if self._length > 1 else ""
        sizes = tuple("any" if each is None else each for each in wanted.shape)
        raise ConfigError(
            f"the policy's input {wanted.name!r} takes shape {sizes}, and the environment gives {joined} = "
            f"{size} values{history}"
        )

    def _shapes(self, size: int) -> Iterator[tuple[tuple[int, ...], bool]]:
        """Yield the shapes that the input may have, and whether a single part keeps its own in it."""
        if len(self._group) == 1 and len(self._group[0].shape) > 1:
            own = self._group[0].shape
            yield (own if self._length == 1 else (self._length, *own)), True
        if self._length > 1:
            yield (self._length, size), False
        yield (self._length * size,), False

    def reset(self) -> None:
        self._past.clear()

    def take(self, parts: ObservationParts, observation: Any) -> Array:
        values = [part.values(parts, observation) for part in self._group]
        newest = values[0] if self._keeps_shape else np.concatenate([np.ravel(each) for each in values])
        newest = newest.astype(self._dtype)  # a copy: it is kept, and another thread may read it
        if self._length == 1:
            return newest.reshape(self._shape)
        if not self._past:
            before = np.zeros_like(newest) if self._begins_with_zero else newest
            self._past.extend([before] * (self._length - 1))
        self._past.append(newest)
        return np.concatenate([each[None] for each in self._past]).reshape(self._shape)


def _input_of(entry: PartEntry, inputs: dict[str, ModelInput]) -> str:
    if entry.input is not None:
        if entry.input not in inputs:
            hint = nearest(entry.input, inputs)
            raise ConfigError(
                f"the metadata block sends {entry.name!r} to the input {entry.input!r}{hint}, and the policy has "
                f"{', '.join(inputs)}"
            )
        return entry.input
    if len(inputs) == 1:
        return next(iter(inputs))
    if entry.name in inputs:
        return entry.name
    raise ConfigError(
        f"the metadata block names no input for {entry.name!r}, and the policy has several: {', '.join(inputs)}"
    )
