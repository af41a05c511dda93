"""Conversions that take each value, or each vector of three, for itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

import numpy as np

from rtgym_ros.contract.conversions.converter import Array, ConversionError, Converter, one_each
from rtgym_ros.contract.messages.skipped import Reason, SkippedMessage


class _SameSize(Converter):
    """As many values come out as go in."""

    def size(self, size: int) -> int:
        return size


class ScaleConverter(_SameSize):
    """Multiplies by ``factors``."""

    def __init__(self, factors: float | Sequence[float], size: int) -> None:
        self._factors = one_each(factors, size, "scale")

    def forward(self, values: Array) -> Array:
        """Multiply."""
        return np.asarray(values * self._factors)

    def inverse(self, values: Array) -> Array:
        """Divide."""
        return np.asarray(values / self._factors)


class OffsetConverter(_SameSize):
    """Adds ``offsets``."""

    def __init__(self, offsets: float | Sequence[float], size: int) -> None:
        self._offsets = one_each(offsets, size, "offset")

    def forward(self, values: Array) -> Array:
        """Add."""
        return np.asarray(values + self._offsets)

    def inverse(self, values: Array) -> Array:
        """Subtract."""
        return np.asarray(values - self._offsets)


class ClipConverter(_SameSize):
    """Keeps within [``low``, ``high``]; NaN stays."""

    def __init__(self, low: float | Sequence[float], high: float | Sequence[float], size: int) -> None:
        self._low, self._high = one_each(low, size, "clip"), one_each(high, size, "clip")

    def forward(self, values: Array) -> Array:
        """Clip."""
        return np.minimum(np.maximum(values, self._low), self._high)


class WrapConverter(_SameSize):
    """Brings values into [-``half_turn``, ``half_turn``) by adding multiples of a turn."""

    def __init__(self, half_turn: float) -> None:
        self._half = half_turn

    def forward(self, values: Array) -> Array:
        """Wrap."""
        wrapped = (values + self._half) % (2 * self._half) - self._half
        # The remainder of a tiny negative number is rounded to the whole turn.
        return np.where(wrapped >= self._half, -self._half, wrapped)


class AxesConverter(_SameSize):
    """Exchanges and mirrors the axes of vectors.

    Args:
        axes: for each of the agent's axes the message's: ``["y", "x", "-z"]``.
        size: number of values, a multiple of three.

    Raises:
        ConversionError: the number of values is none.
    """

    def __init__(self, axes: Sequence[str], size: int) -> None:
        if size % 3:
            raise ConversionError(f"axes: {size} values are no groups of three")
        source = np.array(["xyz".index(axis[-1]) for axis in axes])
        sign = np.array([-1.0 if axis.startswith("-") else 1.0 for axis in axes])
        groups = np.arange(0, size, 3)[:, None]
        self._source = (groups + source).ravel()
        self._target = (groups + np.argsort(source)).ravel()
        self._sign = np.tile(sign, size // 3)
        self._source_sign = self._sign[self._target]

    def forward(self, values: Array) -> Array:
        """Take each axis from where it is in the message."""
        return np.asarray(values[self._source] * self._sign)

    def inverse(self, values: Array) -> Array:
        """Put each axis to where it is in the message."""
        return np.asarray(values[self._target] * self._source_sign)


class NanConverter(_SameSize):
    """Says what is done with values that are not a number.

    Args:
        replacement: the number that stands for them, or ``refuse``: the message is skipped.
    """

    def __init__(self, replacement: float | Literal["refuse"]) -> None:
        self._replacement = replacement

    def forward(self, values: Array) -> Array:
        """Replace, or raise SkippedMessage."""
        unknown = np.isnan(values)
        if not unknown.any():
            return values
        if isinstance(self._replacement, str):
            raise SkippedMessage(Reason.VALUE)
        return np.where(unknown, self._replacement, values)


class MapConverter(_SameSize):
    """Makes numbers of texts and of the values of enumerations; a message with an unknown one is skipped.

    Args:
        table: the number of each value.
    """

    def __init__(self, table: Mapping[Any, float]) -> None:
        self._table = dict(table)

    def forward(self, values: Array) -> Array:
        """Look up each value."""
        try:
            return np.array([self._table[value] for value in values.tolist()], np.float64)
        except KeyError:
            raise SkippedMessage(Reason.VALUE) from None


class FunctionConverter(Converter):
    """Calls the user's function.

    Args:
        function: takes the values, shape ``(size,)``, and returns an array of one axis.
        inverse: the way back, where there is one.
        size: number of values that go in.

    Raises:
        ConversionError: what the function, or the way there and back, returns for zeros cannot be used.
    """

    def __init__(self, function: Callable[[Array], Any], inverse: Callable[[Array], Any] | None, size: int) -> None:
        self._function, self._inverse = function, inverse
        self._in = size
        self._out = size
        try:
            result = np.asarray(function(np.zeros(size)), np.float64)
        except Exception as error:
            raise ConversionError(f"function: {_name(function)} raises {error!r} for {size} zeros") from error
        if result.ndim != 1:
            raise ConversionError(f"function: {_name(function)} returns shape {result.shape}; allowed: one axis")
        self._out = len(result)
        if inverse is not None:
            self._run(inverse, result, size, "inverse")

    def size(self, size: int) -> int:
        """Return the number of values that the function returned for zeros."""
        return self._out

    def forward(self, values: Array) -> Array:
        """Call the function."""
        return self._run(self._function, values, self._out, "function")

    def inverse(self, values: Array) -> Array:
        """Call the way back."""
        if self._inverse is None:
            return super().inverse(values)
        return self._run(self._inverse, values, self._in, "inverse")

    def _run(self, function: Callable[[Array], Any], values: Array, size: int, key: str) -> Array:
        result = np.asarray(function(values.copy()), np.float64)
        if result.shape != (size,):
            raise ConversionError(f"{key}: {_name(function)} returns shape {result.shape}; expected: ({size},)")
        return result


def _name(function: Callable[[Array], Any]) -> str:
    return f"{getattr(function, '__module__', '')}:{getattr(function, '__qualname__', function)}"
