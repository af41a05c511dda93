"""Observations and actions of a schema as flat arrays: the trainer has no environment to ask for its spaces."""

from __future__ import annotations

import re

import numpy as np

from rtgym_ros.core.errors import ConfigError
from rtgym_ros.train.protocol.schema import FieldDescription, SampleSchema

_NUMBER = r"([-+0-9.e]+)"
_UNIFORM = re.compile(rf"\[{_NUMBER}, {_NUMBER}\]")


class FlatSpaces:
    """How samples become the arrays of a learner that knows one Box for each.

    Observations are flattened and joined in the order of their space, like
    :func:`rtgym_ros.train.policy.squashed_gaussian_mlp.flatten_into`; actions are scaled to [-1, 1].

    Args:
        schema: of the samples.

    Attributes:
        observation_size: how long a flattened observation is.
        low: lower bounds of the action, float32, flat.
        high: upper bounds.

    Raises:
        ConfigError: an observation is neither Box nor MultiBinary, or the action is not a bounded Box.
    """

    def __init__(self, schema: SampleSchema) -> None:
        fields = {field.name: field for field in schema.fields}
        for name in schema.observation_names:
            if fields[name].bounds and not fields[name].bounds.startswith("["):
                raise ConfigError(
                    f"{name} is a {fields[name].bounds}: this agent takes Box and MultiBinary; preprocess it"
                )
        if "action" not in fields:
            raise ConfigError("the action has several parts: this agent takes one bounded Box")
        self._columns = [(name, int(np.prod(fields[name].shape))) for name in schema.observation_names]
        self.observation_size = sum(size for _, size in self._columns)
        self.low, self.high = _bounds(fields["action"])
        self._scale = 2.0 / (self.high.astype(np.float64) - self.low)

    def observations(self, records: np.ndarray) -> np.ndarray:
        """Return the observations of records, float32, shape (n, observation_size)."""
        flat = np.empty((len(records), self.observation_size), np.float32)
        begin = 0
        for name, size in self._columns:
            flat[:, begin : begin + size] = records[name].reshape(len(records), size)
            begin += size
        return flat

    def scaled_actions(self, records: np.ndarray) -> np.ndarray:
        """Return the actions of records in [-1, 1], float32, shape (n, size of an action)."""
        actions = records["action"].reshape(len(records), self.low.size)
        scaled: np.ndarray = np.clip((actions - self.low) * self._scale - 1.0, -1.0, 1.0)
        return scaled.astype(np.float32)


def _bounds(field: FieldDescription) -> tuple[np.ndarray, np.ndarray]:
    size = int(np.prod(field.shape))
    if field.low is not None and field.high is not None:
        low, high = np.array(field.low, np.float32), np.array(field.high, np.float32)
    elif match := _UNIFORM.fullmatch(field.bounds):
        low, high = (np.full(size, float(value), np.float32) for value in match.groups())
    else:
        raise ConfigError(f"the action is in {field.bounds or 'MultiBinary'}: this agent takes one bounded Box")
    if low.shape != (size,) or high.shape != (size,) or not (low < high).all():
        raise ConfigError(f"the action is in {field.bounds}: this agent takes a Box whose lows are below its highs")
    return low, high
