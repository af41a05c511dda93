"""Rules of ``convert``."""

from __future__ import annotations

from collections.abc import Iterator

from rtgym_ros.contract.grammar.rules.finding import Finding, each
from rtgym_ros.contract.grammar.source import Key, nearest_key
from rtgym_ros.contract.records.action_part import ActionPart
from rtgym_ros.contract.records.conversion import (
    CONVERSIONS,
    Axes,
    Clip,
    Function,
    Image,
    Offset,
    Quaternion,
    Ranges,
    RangesForm,
    Scale,
)
from rtgym_ros.contract.records.observation_part import ObservationPart

_INVERTED = (Scale, Offset, Axes, Quaternion, Function)


def conversion_rules(part: ActionPart | ObservationPart, key: Key) -> Iterator[Finding]:
    """Axes once each; ``of`` names entries of ``fields``; bounds in order."""
    for index, conversion in enumerate(part.convert):
        at = (*key, "convert", index)
        if isinstance(conversion, Axes) and sorted(axis.lstrip("-") for axis in conversion.axes) != ["x", "y", "z"]:
            yield Finding((*at, "axes"), f"{list(conversion.axes)} is not allowed; allowed: each of x, y, z once")
        if isinstance(conversion, Clip):
            low, high = conversion.clip
            count = max((len(value) for value in (low, high) if isinstance(value, tuple)), default=1)
            if any(a > b for a, b in zip(each(low, count), each(high, count), strict=False)):
                yield Finding((*at, "clip"), "the lowest is above the highest; allowed: [lowest, highest]")
        if isinstance(conversion, Ranges) and conversion.ranges == RangesForm():
            yield Finding((*at, "ranges"), "says nothing; allowed: one or more of inf, nan, max, beams, pick")
        for name in conversion.of or ():
            if part.fields and name not in part.fields:
                yield Finding(
                    (*at, "of"), f"{name} is no entry of fields; allowed: {', '.join(part.fields)}"
                    f"{nearest_key(name, part.fields)}"
                )  # fmt: skip


def action_conversion_rules(part: ActionPart, key: Key) -> Iterator[Finding]:
    """Yield what holds of all conversions, and that those of an action can be inverted."""
    yield from conversion_rules(part, key)
    for index, conversion in enumerate(part.convert):
        at = (*key, "convert", index)
        if not isinstance(conversion, _INVERTED):
            name = next(name for name, cls in CONVERSIONS.items() if isinstance(conversion, cls))
            yield Finding(
                at,
                f"{name} cannot be inverted, as on an action it must be; "
                "allowed: scale, offset, axes, quaternion (xyzw, wxyz), function with inverse",
            )
        elif isinstance(conversion, Scale) and 0 in each(conversion.scale, 1):
            yield Finding((*at, "scale"), "0 cannot be inverted, as on an action it must be; allowed: other numbers")
        elif isinstance(conversion, Quaternion) and conversion.quaternion.to not in ("xyzw", "wxyz"):
            to = conversion.quaternion.to
            yield Finding(
                (*at, "quaternion"), f"{to} cannot be inverted, as on an action it must be; allowed: xyzw, wxyz"
            )
        elif isinstance(conversion, Function) and conversion.inverse is None:
            yield Finding(at, "function on an action needs inverse; allowed: inverse: module:name")


def default_fields(part: ObservationPart) -> tuple[str, ...]:
    """Return the fields of a part, those of an image or scan where it gives none; empty where there is no default."""
    if part.fields:
        return part.fields
    for conversion in part.convert:
        if isinstance(conversion, (Image, Ranges)):
            return ("data",) if isinstance(conversion, Image) else ("ranges",)
    return ()
