"""One generator for each kind of step: polled, it yields why it is not over yet, until it is.

What a generator yields is a :class:`Waiting`: the reason, for the error of a step that takes too long, and when it
wants to be polled again at the latest. It raises :class:`RefusedError` where the step has failed for good.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass
from math import inf
from typing import TypeAlias

from rtgym_ros.contract.records.gate import Condition, Gate
from rtgym_ros.contract.records.step import CallStep, GoalStep, PublishStep, SendStep, SleepStep, Step, UntilStep
from rtgym_ros.contract.sequences.conditions import why_not
from rtgym_ros.contract.sequences.port import Port, Response

POLL_PERIOD = 0.01
"""Between two looks at something that does not say when it will change (s)."""

_GONE_S = 1.0
"""How long a server that was asked may be missing before its answer is waited for no longer (s)."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """Why a step is not over.

    Attributes:
        reason: in words.
        delay: until it wants to be polled again (s).
    """

    reason: str
    delay: float = POLL_PERIOD


class RefusedError(Exception):
    """A step has failed, and waiting longer would not help."""


Run: TypeAlias = Generator[Waiting, None, None]


def run_step(step: Step, port: Port, gates: Mapping[str, Gate], patience: float = inf) -> Run:
    """Return the generator of a step; nothing is done before it is polled.

    Args:
        step: of a sequence.
        port: the graph.
        gates: that ``until`` may name.
        patience: how long a server that is not there is waited for (s).
    """
    if isinstance(step, CallStep):
        return _call(step, port, patience)
    if isinstance(step, PublishStep):
        return _publish(step, port, gates)
    if isinstance(step, GoalStep):
        return _goal(step, port, patience)
    if isinstance(step, SleepStep):
        return _sleep(step, port)
    if isinstance(step, SendStep):
        return _send(step, port, gates)
    return _until(step, port, gates)


def step_name(step: Step) -> str:
    """Return what a step is called in errors: its kind and what it is about."""
    if isinstance(step, CallStep):
        return f"call {step.call}"
    if isinstance(step, PublishStep):
        return f"publish {step.publish}"
    if isinstance(step, GoalStep):
        return f"goal {step.goal}"
    if isinstance(step, SleepStep):
        return f"sleep {step.sleep:g}"
    if isinstance(step, SendStep):
        return f"send {', '.join(step.send)}"
    return f"until {step.until if isinstance(step.until, str) else step.until.topic}"


def _call(step: CallStep, port: Port, patience: float) -> Run:
    yield from _server(step, port, f"service {step.call}", patience)
    while True:
        began = port.now()
        response = port.call(step)
        try:
            yield from _answer(step, port, response.done, f"service {step.call}", "responded")
            refusal = _refusal(step, response)
        finally:
            response.cancel()
        if refusal is None:
            return
        if step.every is None:
            raise RefusedError(refusal)
        while (left := began + step.every - port.now()) > 0:
            yield Waiting(refusal, left)


def _server(step: CallStep | GoalStep, port: Port, what: str, patience: float) -> Run:
    """Wait for a server."""
    began = port.now()
    while not port.server_ready(step):
        if port.now() - began >= patience:
            raise RefusedError(f"{what} has no server")
        yield Waiting(f"{what} has no server")


def _answer(step: CallStep | GoalStep, port: Port, is_there: Callable[[], bool], what: str, done: str) -> Run:
    """Wait for the answer of a server, for as long as that is there."""
    seen = port.now()
    while not is_there():
        if port.server_ready(step):
            seen = port.now()
        elif port.now() - seen >= _GONE_S:
            raise RefusedError(f"{what} has gone and has not {done}")
        yield Waiting(f"{what} has not {done}")


def _refusal(step: CallStep, response: Response) -> str | None:
    if step.expect is None:
        try:
            success = response.field("success")
        except LookupError:
            return None
        if success:
            return None
        wrong = "success is false"
    else:
        values = {path: response.field(path) for path in step.expect}
        failed = [path for path, value in values.items() if value != step.expect[path]]
        if not failed:
            return None
        wrong = ", ".join(f"{path} is {values[path]!r}, and not {step.expect[path]!r}" for path in failed)
    try:
        message = response.field("message")
    except LookupError:
        message = ""
    return f"service {step.call} refused: {wrong}" + (f" ({message})" if message else "")


def _publish(step: PublishStep, port: Port, gates: Mapping[str, Gate]) -> Run:
    port.publish(step)
    if step.every is None or step.until is None:
        return
    sent = port.now()
    while (reason := _unmet(step.until, port, gates)) is not None:
        left = sent + step.every - port.now()
        if left <= 0:
            port.publish(step)
            sent, left = port.now(), step.every
        yield Waiting(reason, min(left, POLL_PERIOD))


def _goal(step: GoalStep, port: Port, patience: float) -> Run:
    yield from _server(step, port, f"action {step.goal}", patience)
    goal = port.send_goal(step)
    over = False
    try:
        yield from _answer(step, port, lambda: goal.accepted() is not None, f"action {step.goal}", "answered the goal")
        if not goal.accepted():
            over = True
            raise RefusedError(f"action {step.goal} refused the goal")
        while step.wait and (succeeded := goal.succeeded()) is None:
            yield Waiting(f"the goal of {step.goal} is {goal.status()}")
        over = True
        if step.wait and not succeeded:
            raise RefusedError(f"the goal of {step.goal} is {goal.status()}")
    finally:
        if not over:
            goal.cancel()


def _until(step: UntilStep, port: Port, gates: Mapping[str, Gate]) -> Run:
    while (reason := _unmet(step.until, port, gates)) is not None:
        yield Waiting(reason)


def _sleep(step: SleepStep, port: Port) -> Run:
    end = port.time() + step.sleep
    # The two clocks may run at different rates.
    while (left := end - port.time()) > 0:
        yield Waiting(f"{left:.3g} s of the clock are left", min(left, POLL_PERIOD))


def _send(step: SendStep, port: Port, gates: Mapping[str, Gate]) -> Run:
    while True:
        arrived = port.move(step.send)
        reason = None if step.until is None else _unmet(step.until, port, gates)
        if reason is None and (arrived or step.until is not None):
            return
        yield Waiting(reason or "the commands are still on the way", port.command_period())


def _unmet(until: str | Condition, port: Port, gates: Mapping[str, Gate]) -> str | None:
    condition = gates[until] if isinstance(until, str) else until
    return why_not(condition, port.read(condition))
