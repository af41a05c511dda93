"""A six-joint arm behind its link: position commands, followed by servos that lag.

The mechanics are kinematics with a first-order servo and no physics engine, on purpose: the response to a command is
known in closed form, which makes it the truth that a measurement of the lag is compared with.
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass

import numpy as np

from rtgym_ros.robots.arm.kinematics import HOME, JOINTS, POSITION_LIMITS
from rtgym_ros.robots.simulated_robot import RobotParameters, SimulatedRobot
from rtgym_ros.robots.truth_log import TruthSink, Values


@dataclass(frozen=True)
class ArmParameters(RobotParameters):
    """What an arm is like.

    Attributes:
        servo_time_constant: of the first-order lag from command to position (s); 0.133 s is what an SO-101 was
            measured to have (torchrl issue 4422).
        servo_dead_time: before a servo responds at all (s), rounded to sampling periods.
        max_velocity: of each joint (rad/s).
    """

    servo_time_constant: float = 0.133
    servo_dead_time: float = 0.0
    max_velocity: float = math.pi


@dataclass(frozen=True)
class ArmReading:
    """One sample of the joints, in the order of :data:`~rtgym_ros.robots.arm.kinematics.JOINTS`.

    Attributes:
        positions: (rad).
        velocities: mean over the last sampling period (rad/s).
    """

    positions: Values
    velocities: Values


class ArmBody:
    """Commands are six positions (rad); without one it holds the last; a halt holds where it is.

    Args:
        parameters: what it is like.
    """

    def __init__(self, parameters: ArmParameters) -> None:
        self._parameters = parameters
        self._limits = np.array(POSITION_LIMITS)
        self._positions = np.array(HOME)
        self._velocities = np.zeros(len(JOINTS))
        self._goal = self._positions
        self._waiting: deque[np.ndarray] = deque()
        self.halt()

    @property
    def state(self) -> Values:
        """The positions (rad), then the velocities (rad/s)."""
        return (*self._positions.tolist(), *self._velocities.tolist())

    def read(self) -> ArmReading:
        """Return positions and velocities."""
        return ArmReading(tuple(self._positions.tolist()), tuple(self._velocities.tolist()))

    def move(self, command: Values | None, duration: float) -> None:
        """Let the servos follow the command of a dead time ago, within the limits."""
        p = self._parameters
        if command is not None:
            self._goal = np.clip(command, -self._limits, self._limits)
        self._waiting.append(self._goal)
        share = -math.expm1(-duration / p.servo_time_constant) if p.servo_time_constant else 1.0
        largest = p.max_velocity * duration
        step = np.clip((self._waiting.popleft() - self._positions) * share, -largest, largest)
        self._positions = self._positions + step
        self._velocities = step / duration

    def halt(self) -> None:
        """Hold the present positions."""
        p = self._parameters
        self._goal = self._positions
        self._waiting = deque([self._goal] * round(p.servo_dead_time / p.sampling_period))
        self._velocities = np.zeros(len(JOINTS))


class SimulatedArm(SimulatedRobot[ArmReading]):
    """Stands at :data:`~rtgym_ros.robots.arm.kinematics.HOME` from ``start_ns`` on.

    Args:
        parameters: what it is like.
        rng: the source of its delays.
        start_ns: the time of its first sample (ns).
        truth: is notified of every event.
    """

    def __init__(
        self, parameters: ArmParameters, rng: np.random.Generator, start_ns: int, truth: TruthSink | None = None
    ) -> None:
        super().__init__(ArmBody(parameters), parameters, rng, start_ns, truth)
