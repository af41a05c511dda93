"""Delay profiles by the names that parameters and command lines use."""

from __future__ import annotations

from pathlib import Path

from rtgym_ros.core.errors import ConfigError, nearest
from rtgym_ros.delays.network_profiles import BurstyDelays, WifiDelays
from rtgym_ros.delays.profiles import ConstantDelays, DelayProfile, GammaDelays, UniformDelays
from rtgym_ros.delays.recorded_delays import RecordedDelays

_NAMES = ("constant", "uniform", "gamma", "bursty", "wifi", "recorded:FILE")

_GAMMA_2_P99 = 6.6383520679938
"""99th percentile of a gamma distribution of shape 2 and scale 1."""


def make_profile(name: str, low: float = 0.0, high: float = 0.0) -> DelayProfile:
    """Return a profile by the name that parameters and command lines use.

    Args:
        name: ``constant`` (always ``high``); ``uniform``; ``gamma`` (shape 2, from ``low`` on, 99 % below ``high``);
            ``bursty`` (in ``low`` and the third above it when good, up to ``high`` when bad); ``wifi`` (neither is
            used); ``recorded:FILE`` (a file of :class:`~rtgym_ros.delays.recorded_delays.RecordedDelays`).
        low: shortest delay (s).
        high: longest delay (s), of ``gamma`` the 99th percentile.

    Raises:
        ConfigError: the name is unknown, the delays are negative or in the wrong order, or the file is no recording.
    """
    kind, _, file = name.partition(":")
    if kind == "recorded" and file:
        return RecordedDelays.load(Path(file))
    between = UniformDelays(low, high)  # which checks them
    if name == "constant":
        return ConstantDelays(high)
    if name == "uniform":
        return between
    if name == "gamma":
        return GammaDelays(low, 2.0, (high - low) / _GAMMA_2_P99)
    if name == "bursty":
        third = low + (high - low) / 3
        return BurstyDelays(low, third, third, high)
    if name == "wifi":
        return WifiDelays()
    raise ConfigError(f"unknown delay profile {name!r}: one of {', '.join(_NAMES)}{nearest(name, _NAMES)}")
