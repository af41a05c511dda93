"""The drone with its radio link, as events on a clock that the caller reads: the same seed flies the same flight."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rtgym_ros.core.time_source import to_ns, to_s
from rtgym_ros.robots.drone.delay_line import DelayLine, Newest
from rtgym_ros.robots.drone.dynamics import limit_speed, move


@dataclass(frozen=True)
class DroneParameters:
    """What a drone is like; the defaults are those of Real-Time Gym's tutorial.

    Attributes:
        command_delay_min: shortest delay of a command (s).
        command_delay_max: longest delay of a command (s).
        observation_delay_min: shortest delay of an observation (s).
        observation_delay_max: longest delay of an observation (s).
        sampling_period: from one sample of the position to the next (s); the motion is integrated with it.
        max_speed: limit of the norm of the velocity (m/s).
        world_size: the position stays in [-world_size, world_size] (m).
        command_timeout: without an accepted command for this long (s) it hovers; ``inf`` flies on.
    """

    command_delay_min: float = 0.02
    command_delay_max: float = 0.05
    observation_delay_min: float = 0.02
    observation_delay_max: float = 0.05
    sampling_period: float = 0.01
    max_speed: float = 2.0
    world_size: float = 1.0
    command_timeout: float = float("inf")


@dataclass(frozen=True)
class Sample:
    """What the drone measured, once it has come through the link.

    Attributes:
        stamp_ns: when it was measured (ns).
        position: x, y (m).
        command_stamp_ns: the stamp of the command being applied then (ns); None while hovering for want of one.
    """

    stamp_ns: int
    position: tuple[float, float]
    command_stamp_ns: int | None


class SimulatedDrone:
    """Flies from the origin, hovering, from ``start_ns`` on. Times are in ns on one clock and must not go back.

    Args:
        parameters: what it is like.
        rng: the source of its delays.
        start_ns: the time of its first sample (ns).
    """

    def __init__(self, parameters: DroneParameters, rng: np.random.Generator, start_ns: int) -> None:
        p = parameters
        self._parameters = p
        self._period_ns = to_ns(p.sampling_period)
        self._timeout_ns = None if np.isinf(p.command_timeout) else to_ns(p.command_timeout)
        # A generator each: the delays do not depend on when somebody looks.
        up, down = (np.random.default_rng(seed) for seed in rng.integers(2**63, size=2))
        self._uplink: DelayLine[tuple[int, tuple[float, float]]] = DelayLine(
            p.command_delay_min, p.command_delay_max, up
        )
        self._downlink: DelayLine[Sample] = DelayLine(p.observation_delay_min, p.observation_delay_max, down)
        self._next_sample_ns = start_ns
        self._position = (0.0, 0.0)
        self._command: Newest[tuple[float, float]] | None = None
        self._accepted_ns = start_ns

    @property
    def next_event_ns(self) -> int:
        """When something happens next (ns): a sample is taken, or one arrives."""
        arrival_ns = self._downlink.next_arrival_ns
        return self._next_sample_ns if arrival_ns is None else min(self._next_sample_ns, arrival_ns)

    def command(self, now_ns: int, stamp_ns: int, velocity: tuple[float, float]) -> None:
        """Send a velocity command (m/s) to the drone at ``now_ns``; the newest ``stamp_ns`` (ns) will win."""
        self._uplink.send(now_ns, (stamp_ns, velocity))

    def advance(self, now_ns: int) -> list[Sample]:
        """Let time pass until ``now_ns`` and return what arrived at the observer, in the order of its arrival."""
        while self._next_sample_ns <= now_ns:
            self._tick(self._next_sample_ns)
            self._next_sample_ns += self._period_ns
        return list(self._downlink.arrivals(now_ns))

    def _tick(self, now_ns: int) -> None:
        self._receive(now_ns)
        velocity, command_stamp_ns = (0.0, 0.0), None
        if self._command is not None:
            velocity, command_stamp_ns = self._command.message, self._command.stamp_ns
        self._downlink.send(now_ns, Sample(now_ns, self._position, command_stamp_ns))
        self._position = move(self._position, velocity, to_s(self._period_ns), self._parameters.world_size)

    def _receive(self, now_ns: int) -> None:
        for stamp_ns, velocity in self._uplink.arrivals(now_ns):
            velocity = limit_speed(velocity, self._parameters.max_speed)
            if self._command is None:
                self._command = Newest(stamp_ns, velocity)
            elif not self._command.offer(stamp_ns, velocity):
                continue
            self._accepted_ns = now_ns
        if self._timeout_ns is not None and now_ns - self._accepted_ns >= self._timeout_ns:
            self._command = None  # hover; and whoever commands next is believed, whatever its clock says
