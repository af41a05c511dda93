"""Gymnasium wrappers around any environment: delays added, made constant or observed; recording; numeric infos."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rtgym_ros.wrappers.artificial_delays import ArtificialDelays
from rtgym_ros.wrappers.constant_delay import ConstantDelay
from rtgym_ros.wrappers.numeric_info import NumericInfo
from rtgym_ros.wrappers.observed_delays import ObservedDelays

if TYPE_CHECKING:
    from rtgym_ros.wrappers.record import Record

__all__ = ["ArtificialDelays", "ConstantDelay", "NumericInfo", "ObservedDelays", "Record"]


def __getattr__(name: str) -> Any:
    # Imported where it is used: recording needs the extra `record`.
    if name == "Record":
        from rtgym_ros.wrappers.record import Record

        return Record
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
