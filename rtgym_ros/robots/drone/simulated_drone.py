"""The drone of Real-Time Gym's tutorial: a body that takes on its commanded velocity at once, behind its radio link."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rtgym_ros.robots.drone.dynamics import limit_speed, move
from rtgym_ros.robots.simulated_robot import RobotParameters, SimulatedRobot
from rtgym_ros.robots.truth_log import TruthSink, Values


@dataclass(frozen=True)
class DroneParameters(RobotParameters):
    """What a drone is like; the defaults are those of Real-Time Gym's tutorial.

    Attributes:
        max_speed: limit of the norm of the velocity (m/s).
        world_size: the position stays in [-world_size, world_size] (m).
    """

    max_speed: float = 2.0
    world_size: float = 1.0


class DroneBody:
    """A point that starts at the origin; its commands are velocities x, y (m/s), its reading is the position x, y (m).

    Args:
        parameters: what it is like.
    """

    def __init__(self, parameters: DroneParameters) -> None:
        self._parameters = parameters
        self._position = (0.0, 0.0)

    @property
    def state(self) -> Values:
        """The position x, y (m)."""
        return self._position

    def read(self) -> tuple[float, float]:
        """Return the position x, y (m)."""
        return self._position

    def move(self, command: Values | None, duration: float) -> None:
        """Fly with the commanded velocity, as far as the limits allow; hover without a command."""
        if command is not None:
            velocity = limit_speed((command[0], command[1]), self._parameters.max_speed)
            self._position = move(self._position, velocity, duration, self._parameters.world_size)

    def halt(self) -> None:
        """Hover, which takes no time."""


class SimulatedDrone(SimulatedRobot[tuple[float, float]]):
    """Flies from the origin, hovering, from ``start_ns`` on.

    Args:
        parameters: what it is like.
        rng: the source of its delays.
        start_ns: the time of its first sample (ns).
        truth: is notified of every event.
    """

    def __init__(
        self, parameters: DroneParameters, rng: np.random.Generator, start_ns: int, truth: TruthSink | None = None
    ) -> None:
        super().__init__(DroneBody(parameters), parameters, rng, start_ns, truth)
