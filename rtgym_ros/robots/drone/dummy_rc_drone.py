"""The tutorial's drone in this process, with the constructor and the two methods of Real-Time Gym's."""

from __future__ import annotations

import math
import weakref
from threading import Event, RLock, Thread, current_thread

import numpy as np

from rtgym_ros.core.time_source import MonotonicTimeSource, TimeSource, to_s
from rtgym_ros.robots.delay_line import Newest
from rtgym_ros.robots.drone.simulated_drone import DroneParameters, SimulatedDrone


class DummyRCDrone:
    """A drone that flies in real time behind random communication delays (rtgym ``DummyRCDrone``).

    One thread serves all its messages; it ends with :meth:`close`, or when the drone is no longer referred to.

    Args:
        mass: as in Real-Time Gym: accepted, without effect on this drone (kg).
        friction: as in Real-Time Gym: accepted, without effect on this drone.
        communication_delay_min: shortest delay of a command or an observation (s).
        communication_delay_max: longest delay of a command or an observation (s).
        max_vel: limit of the norm of the velocity (m/s).
        world_size: the position stays in [-world_size, world_size] (m).
        control_sleep: period with which the position is sampled (s).
        seed: of the delays; None draws one.
        time_source: the clock to fly on; the system's monotonic clock by default.

    Raises:
        ValueError: the delays are negative or in the wrong order, or another value is not positive.
    """

    def __init__(
        self,
        mass: float = 1.0,
        friction: float = 1.0,
        communication_delay_min: float = 0.02,
        communication_delay_max: float = 0.05,
        max_vel: float = 2.0,
        world_size: float = 1.0,
        control_sleep: float = 0.01,
        seed: int | None = None,
        time_source: TimeSource | None = None,
    ) -> None:
        if not 0 <= communication_delay_min <= communication_delay_max:
            raise ValueError(
                "the delays need 0 <= communication_delay_min <= communication_delay_max, "
                f"got {communication_delay_min} and {communication_delay_max}"
            )
        for name, value in (("max_vel", max_vel), ("world_size", world_size), ("control_sleep", control_sleep)):
            if not value > 0:
                raise ValueError(f"{name} must be positive, got {value}")
        self.mass = mass
        self.friction = friction
        self.communication_delay_min = communication_delay_min
        self.communication_delay_max = communication_delay_max
        self.max_vel = max_vel
        self.world_size = world_size
        self.control_sleep = control_sleep
        parameters = DroneParameters(
            command_delay_min=communication_delay_min,
            command_delay_max=communication_delay_max,
            observation_delay_min=communication_delay_min,
            observation_delay_max=communication_delay_max,
            sampling_period=control_sleep,
            max_speed=max_vel,
            world_size=world_size,
        )
        self._flight = _Flight(parameters, np.random.default_rng(seed), time_source or MonotonicTimeSource())
        # The thread holds the flight and not the drone, so that a forgotten drone lands.
        self._land = weakref.finalize(self, self._flight.stop)
        self._flight.start()

    def send_control(self, vel_x: float, vel_y: float) -> None:
        """Send a velocity (m/s) to the drone; it arrives later, and only counts if it is newer than what is applied.

        Raises:
            ValueError: a component is not finite.
        """
        if not (math.isfinite(vel_x) and math.isfinite(vel_y)):
            raise ValueError(f"the velocity must be finite, got {vel_x}, {vel_y}")
        self._flight.command((float(vel_x), float(vel_y)))

    def get_observation(self) -> tuple[float, float]:
        """Return the newest position x, y (m) that has come back from the drone."""
        return self._flight.observe()

    def close(self) -> None:
        """End the drone's thread; a second call does nothing."""
        self._land()


class _Flight:
    """The simulation, and the thread that lets it pass in real time."""

    def __init__(self, parameters: DroneParameters, rng: np.random.Generator, time_source: TimeSource) -> None:
        self._time = time_source
        start_ns = time_source.now_ns()
        self._drone = SimulatedDrone(parameters, rng, start_ns)
        self._seen = Newest(start_ns - 1, (0.0, 0.0))
        self._lock = RLock()
        self._stopped = Event()
        self._thread = Thread(target=self._run, name="rtgym_ros drone", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopped.set()
        if self._thread is not current_thread():  # a forgotten drone is collected in whichever thread
            self._thread.join()

    def command(self, velocity: tuple[float, float]) -> None:
        with self._lock:
            now_ns = self._time.now_ns()
            self._drone.command(now_ns, now_ns, velocity)

    def observe(self) -> tuple[float, float]:
        with self._lock:
            self._catch_up()  # to the nanosecond, however late the thread is
            return self._seen.message

    def _catch_up(self) -> None:
        for sample in self._drone.advance(self._time.now_ns()):
            self._seen.offer(sample.stamp_ns, sample.reading)

    def _run(self) -> None:
        while True:
            with self._lock:
                self._catch_up()
                wait_s = max(to_s(self._drone.next_event_ns - self._time.now_ns()), 0.0)
            if self._stopped.wait(wait_s):
                return
