"""``default`` and ``safe``: what is sent when the agent says nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from rtgym_ros.contract.conversions.converter import Array, ConversionError
from rtgym_ros.contract.records.action_part import FillCommand
from rtgym_ros.core.errors import StateError


class CommandValues:
    """Values of a command: numbers, ``last`` (those of the last command), ``measured`` (what ``first_from`` shows).

    Args:
        command: as the contract has it: one for all values, or one a value, or ``{fill: {...}}``: the last values.
        size: number of values.
        key: ``default`` or ``safe``, for messages.

    Attributes:
        fill: constants that replace the part's own; empty where there are none.

    Raises:
        ConversionError: there are more or fewer than ``size``.
    """

    def __init__(self, command: Any, size: int, key: str) -> None:
        self.fill: Mapping[str, Any] = {}
        if isinstance(command, FillCommand):
            self.fill, command = command.fill, "last"
        each = list(command) if isinstance(command, tuple | list) else [command] * size
        if len(each) != size:
            raise ConversionError(f"{key}: {len(each)} values for {size}; allowed: one, or one a value")
        self._key = key
        self._last = np.array([value == "last" for value in each])
        self._measured = np.array([value == "measured" for value in each])
        self._numbers = np.array([0.0 if isinstance(value, str) else float(value) for value in each])

    @property
    def needs_measured(self) -> bool:
        """Whether a value is ``measured``."""
        return bool(self._measured.any())

    def values(self, last: Array, measured: Array | None) -> Array:
        """Return the numbers, shape ``(size,)``.

        Args:
            last: the last command.
            measured: what ``first_from`` shows; None where nothing has come yet.

        Raises:
            StateError: a value is ``measured`` and nothing was.
        """
        values = np.where(self._last, last, self._numbers)
        if not self.needs_measured:
            return values
        if measured is None:
            raise StateError(f"{self._key}: it is `measured`, and nothing has come from first_from yet")
        return np.where(self._measured, measured, values)
