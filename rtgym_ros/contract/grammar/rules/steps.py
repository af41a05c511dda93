"""Rules of gates, sequences and heartbeats."""

from __future__ import annotations

from collections.abc import Iterator

from rtgym_ros.contract.grammar.rules.finding import Finding, each, unknown_name, walk
from rtgym_ros.contract.grammar.source import Key
from rtgym_ros.contract.records.contract import Contract
from rtgym_ros.contract.records.gate import Condition, tests
from rtgym_ros.contract.records.step import CallStep, PublishStep, SendStep, SleepStep, Step

SEQUENCES = ("start", "reset", "wait", "stop")


def step_rules(contract: Contract) -> Iterator[Finding]:
    """One test a condition; ``until`` names a gate; ``every`` has an end; ``send`` names parts of the action."""
    sections = {"gates": contract.gates, **{name: getattr(contract, name) for name in SEQUENCES}}
    for section, content in sections.items():
        for key, record in walk(content, (section,)):
            if isinstance(record, Condition):
                yield from _condition(record, key)
    for section in SEQUENCES:
        for index, step in enumerate(getattr(contract, section)):
            yield from _step(step, (section, index), contract)
    for index, heartbeat in enumerate(contract.heartbeats):
        yield from _sent_stamp(heartbeat.stamp, ("heartbeats", heartbeat.name or index, "stamp"))


def _condition(condition: Condition, key: Key) -> Iterator[Finding]:
    given = tests(condition)
    if not given:
        yield Finding(key, "has no test; allowed: one of equals, any_of, min, max, bits")
    elif len(given) > 1 and set(given) != {"min", "max"}:
        yield Finding(key, f"has the tests {' and '.join(given)}; allowed: one of them, or min and max")
    if condition.min is not None and condition.max is not None and condition.min > condition.max:
        yield Finding((*key, "min"), f"{condition.min:g} is not allowed; allowed: up to max, {condition.max:g}")


def _step(step: Step, key: Key, contract: Contract) -> Iterator[Finding]:
    until = getattr(step, "until", None)
    if isinstance(until, str) and until not in contract.gates:
        yield Finding((*key, "until"), unknown_name(until, contract.gates, "gate"))
    if isinstance(step, PublishStep):
        if step.every is not None and until is None:
            yield Finding((*key, "every"), "needs until, which ends it; allowed: with until")
        if until is not None and step.every is None:
            yield Finding((*key, "until"), "needs every, after which it is repeated (s); allowed: with every")
        yield from _sent_stamp(step.stamp, (*key, "stamp"))
    if isinstance(step, (CallStep, PublishStep)) and step.every is not None and step.every >= step.timeout:
        yield Finding((*key, "every"), f"{step.every:g} is not allowed; allowed: less than timeout, {step.timeout:g}")
    if isinstance(step, SleepStep) and step.sleep >= step.timeout:
        yield Finding(
            (*key, "sleep"),
            f"{step.sleep:g} s is as long as its timeout of {step.timeout:g} s in wall time; better: a longer timeout",
            warning=True,
        )
    if isinstance(step, SendStep):
        yield from _send(step, key, contract)


def _send(step: SendStep, key: Key, contract: Contract) -> Iterator[Finding]:
    for name, values in step.send.items():
        at = (*key, "send", name)
        part = contract.action.get(name)
        if part is None:
            yield Finding(at, unknown_name(name, contract.action, "part of the action"))
            continue
        count = max((len(row) for row in (values, part.low, part.high) if isinstance(row, tuple)), default=1)
        if any(isinstance(row, tuple) and len(row) != count for row in (values, part.low, part.high)):
            yield Finding(at, f"has {len(each(values, 1))} values; allowed: as many as action.{name} has, {count}")
            continue
        rows = zip(each(values, count), each(part.low, count), each(part.high, count), strict=True)
        for index, (value, low, high) in enumerate(rows):
            if not low <= value <= high:
                place = (*at, index) if isinstance(values, tuple) else at
                yield Finding(place, f"{value:g} is out of bounds; allowed: {low:g} to {high:g}")
                break


def _sent_stamp(stamp: object, key: Key) -> Iterator[Finding]:
    if getattr(stamp, "field", None) == "received":
        yield Finding(key, "received is not allowed; allowed: the path of a field, or none")
    if getattr(stamp, "bits", None) is not None:
        yield Finding((*key, "bits"), "is not allowed of what is sent; allowed: of observations")
