"""Rules of the parts of the action."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from rtgym_ros.contract.grammar.rules.commands import command_rules
from rtgym_ros.contract.grammar.rules.conversions import action_conversion_rules
from rtgym_ros.contract.grammar.rules.finding import Finding, bound_problems, length_problems, repeated, unknown_name
from rtgym_ros.contract.grammar.source import Key
from rtgym_ros.contract.records.action_part import ActionPart
from rtgym_ros.contract.records.contract import Contract
from rtgym_ros.contract.records.conversion import Function
from rtgym_ros.core.config import RealTimeConfig

_LIMITS = {
    "position": ("max_velocity", "max_acceleration", "max_deceleration", "max_jerk"),
    "velocity": ("max_acceleration", "max_deceleration", "max_jerk"),
    "acceleration": ("max_jerk",),
    "effort": ("max_deceleration", "max_jerk"),
}
"""The limits of what is above each quantity. An effort is like an acceleration; how fast it may fall is a limit too."""
_NOT_FOR_GOALS = ("stamp", "checksum", "rate", "qos", "echo")
_RATE_TOLERANCE = 1e-9


def action_rules(contract: Contract) -> Iterator[Finding]:
    """Yield what is wrong with each part of the action."""
    for part in contract.action.values():
        key: Key = ("action", part.name)
        yield from _carrier(part, key)
        yield from _values(part, key)
        yield from _first_from(part, key, contract)
        yield from _limits(part, key)
        yield from _relative(part, key)
        if part.between != "hold" and part.rate is None:
            yield Finding((*key, "between"), f"{part.between} needs rate; allowed: with rate, or hold")
        yield from command_rules(part, key)
        yield from action_conversion_rules(part, key)


def quantities(part: ActionPart) -> tuple[str, ...]:
    """Return the quantity of each value, or the one of all."""
    return part.quantity if isinstance(part.quantity, tuple) else (part.quantity,)


def _carrier(part: ActionPart, key: Key) -> Iterator[Finding]:
    if (part.topic is None) == (part.goal is None):
        what = "neither topic nor goal is given" if part.topic is None else "has the keys topic and goal"
        yield Finding(key, f"{what}; allowed: one of them")
    kind = "msg" if part.goal is None else "action"
    if part.type is not None and f"/{kind}/" not in part.type:
        yield Finding((*key, "type"), f"{part.type} is not allowed; allowed: package/{kind}/Name")
    if part.goal is not None:
        for name in _NOT_FOR_GOALS:
            if getattr(part, name) is not None:
                yield Finding((*key, name), "is not allowed with goal; allowed: with topic")
    yield from repeated((*key, "fields"), part.fields)
    yield from repeated((*key, "names"), part.names or ())
    if part.prefix and part.names is None:
        yield Finding((*key, "prefix"), "has no effect without names; allowed: with names")
    for name in ("stamp", "echo"):
        stamp = part.stamp if name == "stamp" else part.echo.stamp if part.echo else None
        place = (*key, "stamp") if name == "stamp" else (*key, "echo", "stamp")
        if stamp is None:
            continue
        if stamp.field == "received" or (name == "echo" and stamp.field == "none"):
            yield Finding(place, f"{stamp.field} is not allowed; allowed: the path of a field")
        if stamp.bits is not None and name == "stamp":
            yield Finding((*place, "bits"), "is not allowed of a command; allowed: of observations")


def _values(part: ActionPart, key: Key) -> Iterator[Finding]:
    lists: dict[str, Any] = {name: getattr(part, name) for name in ("low", "high", "quantity", "default", "safe")}
    lists["max_step"] = part.max_step
    if part.limits:
        lists.update({f"limits.{name}": getattr(part.limits, name) for name in _LIMITS["position"]})
    pairs = _pairs(part)
    if not any(isinstance(conversion, Function) for conversion in part.convert):
        lists["agent_range"] = pairs if _is_list(part) else None
    yield from length_problems(key, lists)
    yield from bound_problems(key, part.low, part.high)
    for index, (low, high) in enumerate(pairs):
        if not low < high:
            at = (index,) if _is_list(part) else ()
            yield Finding((*key, "agent_range", *at), f"{[low, high]} is not allowed; allowed: the lower number first")


def _is_list(part: ActionPart) -> bool:
    return part.agent_range is not None and isinstance(part.agent_range[0], tuple)


def _pairs(part: ActionPart) -> tuple[tuple[float, float], ...]:
    """Return the pairs of ``agent_range``: one a value, the one of all, or none."""
    if part.agent_range is None:
        return ()
    return part.agent_range if _is_list(part) else (part.agent_range,)  # type: ignore[return-value]


def _first_from(part: ActionPart, key: Key, contract: Contract) -> Iterator[Finding]:
    if part.first_from is not None and part.first_from not in contract.observation:
        message = unknown_name(part.first_from, contract.observation, "part of the observation")
        yield Finding((*key, "first_from"), message)
    if part.first_from is None and part.limits is not None and "position" in quantities(part):
        yield Finding(
            key, "limits of a position need first_from, the part from which the first command is limited, and it is "
            f"missing; allowed: one of {', '.join(contract.observation)}"
        )  # fmt: skip


def _limits(part: ActionPart, key: Key) -> Iterator[Finding]:
    known = set(quantities(part))
    allowed = [name for name in _LIMITS["position"] if any(name in _LIMITS[quantity] for quantity in known)]
    for name in _LIMITS["position"]:
        if part.limits is not None and getattr(part.limits, name) is not None and name not in allowed:
            yield Finding(
                (*key, "limits", name),
                f"{name} is not above the quantity {' '.join(sorted(known))}; allowed: {', '.join(allowed)}",
            )


def _relative(part: ActionPart, key: Key) -> Iterator[Finding]:
    if part.relative and part.max_step is None:
        yield Finding((*key, "relative"), "true needs max_step; allowed: with max_step, the most that an action adds")
    if part.max_step is not None and not part.relative:
        yield Finding((*key, "max_step"), "has no effect without relative: true; allowed: with it")


def rate_rules(contract: Contract) -> Iterator[Finding]:
    """Commands that are repeated between time-steps come more often than those."""
    duration = contract.time.get("time_step_duration", RealTimeConfig.time_step_duration)
    for part in contract.action.values():
        if part.rate is not None and part.rate * duration < 1 - _RATE_TOLERANCE:
            yield Finding(
                ("action", part.name, "rate"),
                f"{part.rate:g} Hz is slower than the time-steps, {1 / duration:g} Hz, and has no effect; better: more",
                warning=True,
            )
