"""Delays that were measured: an empirical distribution, written to and read from JSON."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from rtgym_ros.core.errors import ConfigError
from rtgym_ros.delays.profiles import DelayProfile, Draw

_VERSION = 1


@dataclass(frozen=True)
class RecordedDelays(DelayProfile):
    """Draws from delays that were measured.

    Attributes:
        delays: as measured, in their order (s), at least one; not negative.
        in_order: replay them in their order, from a random one on and round again, so that what comes in bursts comes
            in bursts; otherwise each is drawn by itself.
    """

    delays: tuple[float, ...] = field(repr=False)
    in_order: bool = True

    def __post_init__(self) -> None:
        if not self.delays or not all(0 <= delay < math.inf for delay in self.delays):
            raise ConfigError("recorded delays must be finite numbers, at least one and none negative (s)")

    @property
    def maximum(self) -> float:
        """The longest that was measured (s)."""
        return max(self.delays)

    def draws(self, rng: np.random.Generator) -> Draw:
        """Return a function that draws delays (s)."""
        count = len(self.delays)
        if not self.in_order:
            return lambda: self.delays[int(rng.integers(count))]
        at = int(rng.integers(count)) - 1

        def draw() -> float:
            nonlocal at
            at = (at + 1) % count
            return self.delays[at]

        return draw

    def save(self, path: Path) -> None:
        """Write them as JSON: ``{"delays": [...], "in_order": true, "unit": "s", "version": 1}``."""
        document = {"version": _VERSION, "unit": "s", "in_order": self.in_order, "delays": list(self.delays)}
        path.write_text(json.dumps(document) + "\n")

    @classmethod
    def load(cls, path: Path) -> RecordedDelays:
        """Read a file that :meth:`save` has written.

        Raises:
            ConfigError: the file cannot be read, or is something else; one line says what.
        """
        try:
            document = json.loads(path.read_text())
        except (OSError, ValueError) as error:
            raise ConfigError(f"{path}: no recording of delays: {error}") from None
        if not isinstance(document, dict) or document.get("version") != _VERSION or document.get("unit") != "s":
            raise ConfigError(f"{path}: no recording of delays of version {_VERSION} in s")
        delays, in_order = document.get("delays"), document.get("in_order", True)
        if not isinstance(delays, Sequence) or isinstance(delays, str) or not all(map(_is_number, delays)):
            raise ConfigError(f"{path}: delays must be a list of numbers (s)")
        if not isinstance(in_order, bool):
            raise ConfigError(f"{path}: in_order must be true or false, got {in_order!r}")
        try:
            return cls(tuple(map(float, delays)), in_order)
        except ConfigError as error:
            raise ConfigError(f"{path}: {error}") from None


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)
