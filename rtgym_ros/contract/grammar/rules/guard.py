"""Rules of the guard."""

from __future__ import annotations

import math
from collections.abc import Iterator

from rtgym_ros.contract.grammar.rules.finding import Finding, unknown_name
from rtgym_ros.contract.grammar.source import Key
from rtgym_ros.contract.records.contract import Contract
from rtgym_ros.contract.records.guard import Input
from rtgym_ros.core.config import RealTimeConfig

JOY = "sensor_msgs/msg/Joy"


def longest_time_step(contract: Contract) -> float:
    """Return after how long (s) a time-step times out; ``inf`` where it never does."""
    duration = contract.time.get("time_step_duration", RealTimeConfig.time_step_duration)
    factor = contract.time.get("time_step_timeout_factor", RealTimeConfig.time_step_timeout_factor)
    return float(duration * (1 + factor))


def guard_timeout(contract: Contract) -> float:
    """Return the timeout of the guard (s); what stands for it where it is left out is twice the longest time-step."""
    given = contract.guard.timeout if contract.guard else None
    return 2 * longest_time_step(contract) if given is None else given


def guard_rules(contract: Contract) -> Iterator[Finding]:
    """The timeout is longer than a time-step may be; the fields of inputs fit the parts of the action."""
    guard = contract.guard
    if guard is None:
        return
    longest = longest_time_step(contract)
    if math.isinf(longest):
        if guard.timeout is None:
            yield Finding(
                ("guard",), "timeout is missing, and time_step_timeout_factor is .inf; allowed: a number of seconds"
            )
        elif guard.timeout <= (duration := contract.time.get("time_step_duration", RealTimeConfig.time_step_duration)):
            yield Finding(
                ("guard", "timeout"),
                f"{guard.timeout:g} is not allowed; allowed: more than time_step_duration, {duration:g} s",
            )
    elif guard.timeout is not None and guard.timeout <= longest:
        yield Finding(
            ("guard", "timeout"),
            f"{guard.timeout:g} is too short; allowed: more than time_step_duration * (1 + time_step_timeout_factor), "
            f"{longest:g} s",
        )
    for name, one in guard.inputs.items():
        yield from _input(one, ("guard", "inputs", name), contract)


def _input(one: Input, key: Key, contract: Contract) -> Iterator[Finding]:
    if one.type == JOY:
        for name in ("topic", "fields"):
            if getattr(one, name) is None:
                yield Finding((*key, "type"), f"{JOY} needs {name}; allowed: with topic and fields")
    elif one.fields is not None and one.topic is None:
        yield Finding((*key, "fields"), "needs topic; allowed: with topic")
    carriers = {(part.topic, part.goal) for part in contract.action.values()}
    if one.topic is not None and one.fields is None and len(carriers) > 1:
        yield Finding(
            (*key, "topic"),
            f"carries one command, and the action has {len(carriers)}; "
            f"allowed: left out, and each part on {key[-1]}/TOPIC",
        )
    if isinstance(one.fields, tuple) and len(contract.action) > 1:
        parts = ", ".join(contract.action)
        yield Finding((*key, "fields"), f"is a list, and there are several parts; allowed: a list for each of {parts}")
    if isinstance(one.fields, dict):
        for name in one.fields:
            if name not in contract.action:
                yield Finding((*key, "fields", name), unknown_name(name, contract.action, "part of the action"))
