"""Gymnasium wrappers around any environment, simulated ones too: delays that are added, made constant, or observed."""

from rtgym_ros.wrappers.artificial_delays import ArtificialDelays
from rtgym_ros.wrappers.constant_delay import ConstantDelay
from rtgym_ros.wrappers.observed_delays import ObservedDelays

__all__ = ["ArtificialDelays", "ConstantDelay", "ObservedDelays"]
