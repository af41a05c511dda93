"""Rules of the parts of the observation."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from rtgym_ros.contract.grammar.rules.conversions import conversion_rules, default_fields
from rtgym_ros.contract.grammar.rules.finding import Finding, bound_problems, each, length_problems, repeated
from rtgym_ros.contract.grammar.source import Key
from rtgym_ros.contract.records.contract import Contract
from rtgym_ros.contract.records.observation_part import ObservationPart


def observation_rules(contract: Contract) -> Iterator[Finding]:
    """Yield what is wrong with each part of the observation."""
    for part in contract.observation.values():
        key: Key = ("observation", part.name)
        if not default_fields(part):
            yield Finding(key, "key fields is missing; allowed: a list of paths of fields")
        yield from conversion_rules(part, key)
        yield from length_problems(key, {"low": part.low, "high": part.high})
        if part.low is not None and part.high is not None:
            yield from bound_problems(key, part.low, part.high)
        yield from _dtype(part, key)
        yield from _names(part, key)
        yield from _stamp(part, key)


def _dtype(part: ObservationPart, key: Key) -> Iterator[Finding]:
    dtype = np.dtype(part.dtype)
    for name in ("low", "high"):
        bound = getattr(part, name)
        if dtype.kind in "iu":
            info = np.iinfo(dtype)
            outside = [value for value in each(bound, 1) if bound is not None and not info.min <= value <= info.max]
            if outside:
                yield Finding((*key, name), f"{outside[0]:g} is no {part.dtype}; allowed: {info.min} to {info.max}")
        elif bound is None:
            side = "below" if name == "low" else "above"
            yield Finding(
                key, f"{name} is missing: the observation has no bound {side}; better: {name}: a number", warning=True
            )


def _names(part: ObservationPart, key: Key) -> Iterator[Finding]:
    yield from repeated((*key, "names"), part.names or ())
    if part.prefix and part.names is None:
        yield Finding((*key, "prefix"), "has no effect without names; allowed: with names")


def _stamp(part: ObservationPart, key: Key) -> Iterator[Finding]:
    stamp = part.stamp
    if stamp is not None and stamp.bits is not None and stamp.unit is None:
        yield Finding((*key, "stamp"), "bits needs unit; allowed: unit: s, ms, us or ns")
