"""From what a model answers to actions of the environment."""

from __future__ import annotations

from typing import Any

import numpy as np
from gymnasium import spaces

from rtgym_ros.core.errors import ActionError, ConfigError
from rtgym_ros.policies.metadata import Numbers, PolicyMetadata
from rtgym_ros.policies.model import Array, Model
from rtgym_ros.policies.space_leaves import leaf_spaces


class ActionOutput:
    """Maps answers to the action space, and keeps them inside.

    Args:
        metadata: of the policy.
        model: that answers.
        action_space: of the environment.

    Raises:
        ConfigError: they do not fit; the message names both sides.

    Attributes:
        output: name of the model's output.
    """

    def __init__(self, metadata: PolicyMetadata, model: Model, action_space: spaces.Space[Any]) -> None:
        self._space, self._chunk, self._size = action_space, metadata.chunk, metadata.size
        self.output = model.outputs[0] if metadata.output is None else metadata.output
        if self.output not in model.outputs:
            raise ConfigError(
                f"the metadata block names the output {self.output!r}, and the policy has {', '.join(model.outputs)}"
            )
        size = _size_of(action_space)
        if size != metadata.size:
            raise ConfigError(
                f"the actions of the policy have {metadata.size} values and those of the environment {size}: "
                f"{action_space}"
            )
        given = model.output_size(self.output)
        if given is not None and given != metadata.chunk * size:
            raise ConfigError(
                f"the policy's output {self.output!r} has {given} values, and the metadata block says "
                f"{metadata.chunk} actions of {size}"
            )
        flat: Any = spaces.flatten_space(action_space)
        self._bounds = low, high = flat.low.astype(np.float64), flat.high.astype(np.float64)
        _compare("low", metadata.low, low)
        _compare("high", metadata.high, high)
        self._from = metadata.range
        if not isinstance(self._from, str) and not np.isfinite([low, high]).all():
            raise ConfigError(
                f"the policy answers {list(self._from)} for the bounds of the action space, which has none: "
                f"{action_space}"
            )

    def actions(self, answer: Array) -> Array:
        """Return the actions of an answer, flattened: float64 of shape (chunk, size), inside the action space.

        Raises:
            ActionError: it is not finite, or of another size.
        """
        values = np.asarray(answer, np.float64)
        if values.size != self._chunk * self._size:
            raise ActionError(
                f"the policy has answered shape {values.shape}, and the metadata block says {self._chunk} actions of "
                f"{self._size} values"
            )
        if not np.isfinite(values).all():
            raise ActionError(f"the policy has answered values that are not finite: {values.ravel()[:12]}")
        values = values.reshape(self._chunk, self._size)
        low, high = self._bounds
        if not isinstance(self._from, str):
            least, most = self._from
            values = low + (values - least) / (most - least) * (high - low)
        clipped: Array = np.clip(values, low, high)
        return clipped

    def action(self, values: Array) -> Any:
        """Return one of those as an element of the action space."""
        if isinstance(self._space, spaces.Box):
            # Rounding to the type of the space must not lead out of it.
            typed = values.astype(self._space.dtype).reshape(self._space.shape)
            return np.clip(typed, self._space.low, self._space.high)
        return spaces.unflatten(self._space, values)


def _size_of(space: spaces.Space[Any]) -> int:
    for _, leaf in leaf_spaces(space):
        if not isinstance(leaf, spaces.Box) or leaf.dtype.kind != "f":
            raise ConfigError(f"a policy answers numbers, and the action space has a {leaf}")
    return int(spaces.flatdim(space))


def _compare(key: str, policy: Numbers | None, environment: Array) -> None:
    """Refuse a policy for another robot: its actions would mean something else here."""
    if policy is None:
        return
    wanted = np.asarray(policy, np.float64)
    if wanted.ndim and wanted.shape != environment.shape:
        raise ConfigError(
            f"{key} of the action has {wanted.size} values in the policy, {environment.size} in the space"
        )
    if not np.allclose(wanted, environment, rtol=1e-5, atol=1e-6):
        raise ConfigError(
            f"{key} of the action is {np.ravel(wanted).tolist()} in the policy and {environment.tolist()} in the "
            "environment"
        )
