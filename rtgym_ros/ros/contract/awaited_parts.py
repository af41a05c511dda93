"""Waiting for the parts of an observation, and which topics are silent."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from math import inf
from time import monotonic
from typing import Any

from rclpy.qos import DurabilityPolicy

from rtgym_ros.core.errors import InterfaceTimeoutError
from rtgym_ros.envs.clock_thread import pause
from rtgym_ros.ros.contract.observations import Observations
from rtgym_ros.ros.contract.observed_part import ObservedPart
from rtgym_ros.ros.pulled_subscription import PulledSubscription
from rtgym_ros.ros.topic_checks import TopicChecks

_POLL_S = 0.01


class AwaitedParts:
    """Waits, with a bound, for what the robot has still to send.

    Args:
        observations: the parts.
        checks: what may be wrong with their topics.
        now_ns: the ROS time (ns).
    """

    def __init__(self, observations: Observations, checks: TopicChecks, now_ns: Callable[[], int]) -> None:
        self._observations = observations
        self._checks = checks
        self._now_ns = now_ns

    def wait_for_new(self, timeout: float, let_pass: Callable[[], None]) -> None:
        """Wait until the robot has sampled every part after this call, as far as its stamps can tell.

        A part is waited for by its stamps for as long as its ``max_age`` at most; then the next message to arrive will
        do. Of latched topics any will.

        Args:
            timeout: how long they are waited for (s).
            let_pass: waits some milliseconds.

        Raises:
            InterfaceTimeoutError: a topic is silent.
        """
        self._observations.pull()
        began, began_ns = monotonic(), self._now_ns()
        waiting = {name: (part, part.accepted) for name, part in self._observations.parts.items()}

        def is_new(part: ObservedPart, accepted: int) -> bool:
            if is_latched(part.topic.subscription):
                return part.newest is not None
            is_sampled_since = part.sampled_ns >= began_ns or not monotonic() - began < part.max_age < inf
            return part.accepted > accepted and is_sampled_since

        while True:
            self._observations.pull()
            waiting = {name: part for name, part in waiting.items() if not is_new(*part)}
            if not waiting:
                return
            if monotonic() - began > timeout:
                raise InterfaceTimeoutError(self.silence_of(waiting, timeout))
            let_pass()

    def wait_for_shapes(self, timeout: float) -> None:
        """Wait for a message of each part whose shape only that tells, for ``timeout`` (s) at most.

        Raises:
            InterfaceTimeoutError: a topic is silent.
        """
        deadline = monotonic() + timeout
        while waiting := [name for name, part in self._observations.parts.items() if not part.has_shape]:
            if monotonic() > deadline:
                silence = self.silence_of(waiting, timeout)
                raise InterfaceTimeoutError(
                    f"{silence}; its shape comes with its first message, unless the contract gives it"
                )
            pause(_POLL_S)
            self._observations.pull()

    def silence_of(self, names: Iterable[str], timeout: float) -> str:
        """Return one line on parts that have brought nothing for ``timeout`` (s), those of a topic together."""
        together: dict[PulledSubscription[Any], list[str]] = {}
        for name in names:
            together.setdefault(self._observations.parts[name].topic.subscription, []).append(name)
        lines = []
        for subscription, silent in together.items():
            parts = [self._observations.parts[name] for name in silent]
            new = "new " if any(part.accepted for part in parts) else ""
            lines += [
                f"observation {', '.join(silent)}: no {new}message on {subscription.topic} for "
                f"{timeout:g} s ({subscription.publishers} publishers)",
                *self._checks.problems_of_observation(subscription),
                *dict.fromkeys(part.skipped for part in parts if part.skipped),
            ]
        return "; ".join(lines)


def is_latched(subscription: PulledSubscription[Any]) -> bool:
    """Whether the last message on a topic stays true: it is kept for who comes later (transient local)."""
    return bool(subscription.qos.durability == DurabilityPolicy.TRANSIENT_LOCAL)
