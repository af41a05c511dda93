"""Random delays as networks have them: in bursts, and as measured on Wi-Fi."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rtgym_ros.delays.profiles import DelayProfile, Draw


@dataclass(frozen=True)
class BurstyDelays(DelayProfile):
    """A link with a good and a bad state (Gilbert 1960, Elliott 1963), each with uniform delays.

    Attributes:
        low: shortest delay in the good state (s).
        high: longest delay in the good state (s).
        burst_low: shortest delay in the bad state (s).
        burst_high: longest delay in the bad state (s).
        enter: probability, a message, that a good link turns bad.
        leave: probability, a message, that a bad link turns good; bursts are 1 / ``leave`` messages long on average.
    """

    low: float
    high: float
    burst_low: float
    burst_high: float
    enter: float = 0.02
    leave: float = 0.2

    def __post_init__(self) -> None:
        self._check("low", "high", "burst_low", "burst_high")
        self._check("enter", "leave", high=1.0)
        self._check_order("low", "high")
        self._check_order("burst_low", "burst_high")

    @property
    def maximum(self) -> float:
        """The longest delay of both states (s)."""
        return max(self.high, self.burst_high)

    def draws(self, rng: np.random.Generator) -> Draw:
        """Return a function that draws delays (s); the first message meets either state as often as any later one."""
        total = self.enter + self.leave
        bad = bool(total and rng.random() < self.enter / total)

        def draw() -> float:
            nonlocal bad
            low, high = (self.burst_low, self.burst_high) if bad else (self.low, self.high)
            delay = float(rng.uniform(low, high))
            bad = bool(rng.random() >= self.leave) if bad else bool(rng.random() < self.enter)
            return delay

        return draw


WIFI_PERIOD = 0.02
"""Width of the classes of :data:`WIFI_PROBABILITIES` (s)."""

WIFI_PROBABILITIES = (0.3082, 0.5927, 0.0829, 0.0075, 0.0031, 0.0056)
"""Share of messages that took up to 20, 40, ... ms; the last are all that took more than 100 ms."""


@dataclass(frozen=True)
class WifiDelays(DelayProfile):
    """10,000 measured Wi-Fi transmissions in classes of 20 ms (the figures of Bouteiller et al.'s ``rlrd``).

    A delay is uniform within its class, so that in time-steps of 20 ms, rounded up, the classes come out again.

    Attributes:
        classes: how many of the six; the probability of those left out goes to the last one (rlrd uses 6 and 4).
        period: width of a class (s).
    """

    classes: int = 6
    period: float = WIFI_PERIOD

    def __post_init__(self) -> None:
        self._check("classes", low=1, high=len(WIFI_PROBABILITIES))
        self._check("period")

    @property
    def probabilities(self) -> tuple[float, ...]:
        """Of the classes, from the fastest to the slowest."""
        kept = WIFI_PROBABILITIES[: self.classes - 1]
        return (*kept, 1.0 - sum(kept))

    @property
    def maximum(self) -> float:
        """End of the last class (s)."""
        return self.classes * self.period

    def draws(self, rng: np.random.Generator) -> Draw:
        """Return a function that draws delays (s)."""
        ends = np.cumsum(self.probabilities[:-1])
        # (0, 1] and not [0, 1): the end of a class belongs to it.
        return lambda: self.period * float(np.searchsorted(ends, rng.random(), "right") + 1.0 - rng.random())
