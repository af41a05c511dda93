"""A differential drive with odometry and a laser scanner, in a world with walls, behind its link."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rtgym_ros.robots.drive.kinematics import Pose, approach, arc
from rtgym_ros.robots.drive.odometry import ORIGIN, Odometry
from rtgym_ros.robots.drive.world import ROOM, World
from rtgym_ros.robots.simulated_robot import RobotParameters, SimulatedRobot
from rtgym_ros.robots.truth_log import TruthSink, Values

RADIUS = 0.105
"""Of the robot (m): no wall comes nearer to its centre."""

WHEEL_SEPARATION = 0.16
"""Between the two wheels (m)."""

RANGE_MIN, RANGE_MAX = 0.05, 3.5
"""What the scanner sees (m); it stands in the centre."""


@dataclass(frozen=True)
class DriveParameters(RobotParameters):
    """What a drive is like; sizes, speeds and accelerations are about those of a TurtleBot3 Burger.

    Attributes:
        max_speed: limit of the speed forwards and backwards (m/s).
        max_turn_rate: limit of the turn rate to either side (rad/s).
        max_acceleration: limit of the change of the speed (m/s^2).
        max_turn_acceleration: limit of the change of the turn rate (rad/s^2).
        odometry_drift: standard deviation of the relative error of each wheel's radius.
        scan_beams: beams of the scanner, evenly over the whole turn, the first one ahead.
        scan_every: a scan comes with each so many samples.
    """

    sampling_period: float = 0.02
    max_speed: float = 0.22
    max_turn_rate: float = 2.84
    max_acceleration: float = 2.5
    max_turn_acceleration: float = 3.2
    odometry_drift: float = 0.0
    scan_beams: int = 180
    scan_every: int = 5


@dataclass(frozen=True, eq=False)
class DriveReading:
    """One sample of a drive's sensors.

    Attributes:
        pose: by odometry, in the frame in which it started or was reset.
        speed: forwards, as the wheels measure it (m/s).
        turn_rate: to the left, as the wheels measure it (rad/s).
        scan: distances to the walls, float64 of shape (scan_beams,), ``inf`` where none is seen (m), counter-clockwise
            from straight ahead; None in samples without a scan.
    """

    pose: Pose
    speed: float
    turn_rate: float
    scan: np.ndarray | None


class DriveBody:
    """Commands are speed (m/s) and turn rate (rad/s); without one it brakes; at a wall it stops, and may turn.

    Args:
        parameters: what it is like.
        rng: the source of the odometry's errors.
        world: where it drives; it starts at the origin of it, heading along x.

    Attributes:
        pose: where it truly is.
        odometry: where it believes to be.
    """

    def __init__(self, parameters: DriveParameters, rng: np.random.Generator, world: World) -> None:
        self._parameters = parameters
        self._world = world
        self._angles = np.arange(parameters.scan_beams) * (2 * np.pi / parameters.scan_beams)
        self._samples = 0
        self._speed = self._turn_rate = 0.0
        self.pose = ORIGIN
        self.odometry = Odometry(WHEEL_SEPARATION, parameters.odometry_drift, rng)

    @property
    def state(self) -> Values:
        """The true x, y (m), heading (rad), speed (m/s) and turn rate (rad/s)."""
        return (*self.pose, self._speed, self._turn_rate)

    def read(self) -> DriveReading:
        """Return odometry and, in every ``scan_every``-th sample, a scan."""
        scan = None
        if self._samples % self._parameters.scan_every == 0:
            x, y, heading = self.pose
            scan = self._world.scan(x, y, self._angles + heading, RANGE_MAX)
        self._samples += 1
        return DriveReading(self.odometry.pose, *self.odometry.measure(self._speed, self._turn_rate), scan)

    def move(self, command: Values | None, duration: float) -> None:
        """Change the speeds towards the command as fast as the limits allow, then drive the arc."""
        p = self._parameters
        speed, turn_rate = command or (0.0, 0.0)
        speed = min(max(speed, -p.max_speed), p.max_speed)
        turn_rate = min(max(turn_rate, -p.max_turn_rate), p.max_turn_rate)
        self._speed = approach(self._speed, speed, p.max_acceleration * duration)
        self._turn_rate = approach(self._turn_rate, turn_rate, p.max_turn_acceleration * duration)
        turn = self._turn_rate * duration
        pose = arc(self.pose, self._speed * duration, turn)
        # Away from a wall is always allowed: rounding must not hold it there.
        distance = self._world.distance(*pose[:2])
        if distance < RADIUS and distance < self._world.distance(*self.pose[:2]):
            self._speed = 0.0
            pose = arc(self.pose, 0.0, turn)
        self.pose = pose
        self.odometry.move(self._speed * duration, turn)

    def halt(self) -> None:
        """Block the wheels."""
        self._speed = self._turn_rate = 0.0

    def return_to_start(self) -> None:
        """Stand at the origin of the world again, with an odometry that says so."""
        self.halt()
        self.pose = ORIGIN
        self.odometry.reset()


class SimulatedDrive(SimulatedRobot[DriveReading]):
    """Stands at the origin of its world from ``start_ns`` on.

    Args:
        parameters: what it is like.
        rng: the source of its delays and of the odometry's errors.
        start_ns: the time of its first sample (ns).
        truth: is notified of every event.
        world: where it drives.
    """

    body: DriveBody

    def __init__(
        self,
        parameters: DriveParameters,
        rng: np.random.Generator,
        start_ns: int,
        truth: TruthSink | None = None,
        world: World = ROOM,
    ) -> None:
        super().__init__(DriveBody(parameters, rng, world), parameters, rng, start_ns, truth)
