"""Whether a condition holds, and why not."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from rtgym_ros.contract.records.gate import Condition, Gate
from rtgym_ros.contract.sequences.port import Reading
from rtgym_ros.core.errors import ConfigError, nearest

_SEVERITY = {"fail": 0, "truncate": 1, "wait": 2}


def why_not(condition: Condition, reading: Reading) -> str | None:
    """Return None where a condition holds, else the reason, which names topic, field and value.

    A condition does not hold while its topic has no publisher or no message has come, when the message is older than
    ``max_age``, and when its test fails; NaN fails every test.
    """
    where = f"{condition.field} of {condition.topic}"
    if reading.publishers == 0:
        return f"{condition.topic} has no publisher"
    if reading.age is None:
        return f"no message has come on {condition.topic} ({reading.publishers} publishers)"
    if isinstance(condition.max_age, float) and reading.age > condition.max_age:
        return f"the message on {condition.topic} is {reading.age:.3g} s old, and max_age is {condition.max_age:g} s"
    failed = _failed_test(condition, reading.value)
    return None if failed is None else f"{where} is {reading.value!r}, and not {failed}"


def _failed_test(condition: Condition, value: Any) -> str | None:
    if condition.equals is not None:
        return None if _same(value, condition.equals) else repr(condition.equals)
    if condition.any_of is not None:
        if any(_same(value, allowed) for allowed in condition.any_of):
            return None
        return "one of " + ", ".join(map(repr, condition.any_of))
    if condition.bits is not None:
        mask = _mask(condition.bits)
        if isinstance(value, (int, np.integer)) and int(value) & mask == mask:
            return None
        return f"with the bits {mask:#x} set"
    if condition.min is not None and not _number(value) >= condition.min:
        return f"at least {condition.min:g}"
    if condition.max is not None and not _number(value) <= condition.max:
        return f"at most {condition.max:g}"
    return None


def _number(value: Any) -> float:
    try:
        return float(value)
    except (TypeError, ValueError):
        return float("nan")


def _same(value: Any, wanted: Any) -> bool:
    if isinstance(value, str) or isinstance(wanted, str):
        return bool(value == wanted)
    # 0.1 in the file is the float32 nearest to it in a message.
    return bool(value == wanted) or (isinstance(wanted, float) and np.float32(_number(value)) == np.float32(wanted))


def _mask(bits: Any) -> int:
    mask = 0
    for bit in bits if isinstance(bits, tuple) else (bits,):
        mask |= int(bit)
    return mask


def with_constants(condition: Condition, constants: Mapping[str, int | float | str | bool], numeric: bool) -> Condition:
    """Return a condition with the names of constants of the message replaced by their values.

    Args:
        condition: with names or without.
        constants: of the message type.
        numeric: whether the field is a number (or a bool): a text is then the name of a constant. In a field of text
            it stands for itself.

    Raises:
        ConfigError: there is no such constant.
    """

    def value(given: Any) -> Any:
        if not numeric or not isinstance(given, str):
            return given
        if given not in constants:
            names = ", ".join(constants) or "none is defined"
            raise ConfigError(f"{given!r} is no constant of the message; allowed: {names}{nearest(given, constants)}")
        return constants[given]

    changes: dict[str, Any] = {}
    if condition.equals is not None:
        changes["equals"] = value(condition.equals)
    if condition.any_of is not None:
        changes["any_of"] = tuple(value(given) for given in condition.any_of)
    if condition.bits is not None:
        bits = condition.bits
        changes["bits"] = tuple(map(value, bits)) if isinstance(bits, tuple) else value(bits)
    return replace(condition, **changes)


@dataclass(frozen=True)
class LostGate:
    """A gate that does not hold.

    Attributes:
        gate: its record.
        reason: why; names topic, field and value.
    """

    gate: Gate
    reason: str


def lost_gates(gates: Mapping[str, Gate], read: Callable[[Condition], Reading]) -> list[LostGate]:
    """Return the gates that do not hold, the one with the gravest ``when_lost`` (fail, truncate, wait) first."""

    def found() -> Iterator[LostGate]:
        for gate in gates.values():
            reason = why_not(gate, read(gate))
            if reason is not None:
                yield LostGate(gate, reason)

    return sorted(found(), key=lambda lost: _SEVERITY[lost.gate.when_lost])
