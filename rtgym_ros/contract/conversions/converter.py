"""What every conversion of ``convert`` does."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any

import numpy as np

from rtgym_ros.core.errors import ConfigError

Array = np.ndarray[Any, Any]


class ConversionError(ConfigError):
    """An entry of ``convert`` does not fit the values that it is to convert."""


class Converter(ABC):
    """Converts a vector of values of the message into one of the agent.

    Attributes:
        by_entry: whether each selected entry of ``fields`` is converted on its own.
    """

    by_entry = False

    @abstractmethod
    def size(self, size: int) -> int:
        """Return how many values come out where ``size`` go in.

        Raises:
            ConversionError: so many cannot be converted.
        """

    @abstractmethod
    def forward(self, values: Array) -> Array:
        """Return the agent's values; ``values`` is not changed.

        Raises:
            SkippedMessage: they cannot be converted, and the message counts as not having come.
        """

    def inverse(self, values: Array) -> Array:
        """Return the message's values of the agent's.

        Raises:
            ConversionError: there is no way back.
        """
        raise ConversionError(f"{type(self).__name__} cannot be inverted")

    def bounds(self, low: Array, high: Array) -> tuple[Array, Array]:
        """Return the agent's bounds of values between ``low`` and ``high``, for conversions that are monotone."""
        one, other = self.forward(low), self.forward(high)
        return np.minimum(one, other), np.maximum(one, other)


def one_each(numbers: float | Sequence[float], size: int, key: str) -> Array:
    """Return ``size`` numbers: a single one stands for all.

    Raises:
        ConversionError: there are as many neither as one nor as ``size``.
    """
    if isinstance(numbers, float | int):
        return np.full(size, float(numbers))
    if len(numbers) != size:
        raise ConversionError(f"{key}: {len(numbers)} numbers for {size} values; allowed: one number, or one a value")
    return np.array(numbers, np.float64)
