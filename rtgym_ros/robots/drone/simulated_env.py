"""The tutorial's drone on simulated time: the same task, the same delays, as fast as the processor goes.

``gymnasium.make("rtgym_ros/SimulatedDrone-v0")`` is for learning without a robot: time stands still while the policy
thinks and jumps to the next capture, so that twenty minutes of flight take one. The clock, the link's delays and the
action buffer are those of ``rtgym_ros/Drone-v0``, whose messages take some half millisecond more.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from gymnasium import spaces

from rtgym_ros.core.time_source import FakeTimeSource, TimeSource
from rtgym_ros.delays.echo_log import NO_COMMAND
from rtgym_ros.delays.ledger import DelayLedger
from rtgym_ros.envs.interface import RealTimeGymInterface
from rtgym_ros.envs.real_time_env import RealTimeEnv
from rtgym_ros.robots.drone import task
from rtgym_ros.robots.drone.simulated_drone import DroneParameters, SimulatedDrone


class SimulatedDroneInterface(RealTimeGymInterface):
    """Flies a :class:`SimulatedDrone` to random targets.

    Observation: x, y, target x, target y, each float32 of shape (1,), in m. Action: velocity x, y, float32, in m/s.
    Info: the delays of the time-step as :class:`DelayLedger` measures them, ``observation_delay`` (s), ``alpha``,
    ``kappa`` and ``beta`` among them; with ``delays: observed`` in the configuration they are observed, too.

    Args:
        parameters: what the drone and its link are like.
    """

    def __init__(self, parameters: DroneParameters | None = None) -> None:
        self._parameters = parameters or DroneParameters()
        self._time = FakeTimeSource()
        self._drone: SimulatedDrone | None = None
        self._target = np.zeros(2, dtype=np.float32)
        self._position = np.zeros(2, dtype=np.float32)
        self._stamp_ns = 0
        self._ledger = DelayLedger()
        self._sent_ns = -1

    def get_time_source(self) -> TimeSource:
        """Return the simulated time."""
        return self._time

    def get_observation_space(self) -> spaces.Tuple[Any]:
        """Return the space of position and target (m)."""
        bounds = (1.0, 1.0, task.TARGET_RANGE, task.TARGET_RANGE)
        return spaces.Tuple([spaces.Box(-bound, bound, shape=(1,), dtype=np.float32) for bound in bounds])

    def get_action_space(self) -> spaces.Box:
        """Return the space of velocities (m/s)."""
        return spaces.Box(-task.MAX_SPEED, task.MAX_SPEED, shape=(2,), dtype=np.float32)

    def get_default_action(self) -> np.ndarray:
        """Hover."""
        return np.zeros(2, dtype=np.float32)

    def reset(
        self, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[list[np.ndarray], dict[str, Any]]:
        """Draw a new target; the drone stays where it is, except that a ``seed`` begins with a drone at the origin."""
        if self._drone is None or seed is not None:
            self._drone = SimulatedDrone(self._parameters, self.np_random, self._time.now_ns())
            self._position, self._stamp_ns = np.zeros(2, dtype=np.float32), self._time.now_ns()
        self._target = task.draw_target(self.np_random)
        return self._observe(self._drone), self._info()

    def get_obs_rew_terminated_info(self) -> tuple[list[np.ndarray], float, bool, dict[str, Any]]:
        """Return the latest position that has arrived, minus the distance, and whether the target is reached."""
        observation = self._observe(self._flying())
        reward, reached = task.score(self._position, self._target)
        return observation, reward, reached, self._info()

    def send_control(self, control: np.ndarray) -> None:
        """Send a velocity (m/s) through the link."""
        now_ns = self._time.now_ns()
        if now_ns > self._sent_ns:  # an action that takes the place of another at the same instant is not a new one
            self._sent_ns = now_ns
            self._ledger.sent(now_ns)
        self._flying().command(now_ns, now_ns, (float(control[0]), float(control[1])))

    def _flying(self) -> SimulatedDrone:
        if self._drone is None:  # the safe action of an environment that is closed before its first reset
            self._drone = SimulatedDrone(self._parameters, np.random.default_rng(), self._time.now_ns())
        return self._drone

    def _observe(self, drone: SimulatedDrone) -> list[np.ndarray]:
        for sample in drone.advance(self._time.now_ns()):
            self._ledger.echo(
                sample.stamp_ns, NO_COMMAND if sample.command_stamp_ns is None else sample.command_stamp_ns
            )
            if sample.stamp_ns > self._stamp_ns:  # the link reorders
                self._stamp_ns, self._position = sample.stamp_ns, np.array(sample.reading, dtype=np.float32)
        return [np.array([value], dtype=np.float32) for value in (*self._position, *self._target)]

    def _info(self) -> dict[str, Any]:
        return self._ledger.observed(self._stamp_ns, self._time.now_ns()).info()


def make_simulated_drone_env(render_mode: str | None = None, config: Mapping[str, Any] | None = None) -> RealTimeEnv:
    """Make the tutorial's environment on simulated time.

    Args:
        render_mode: None; this drone is not rendered.
        config: entries of the configuration that replace the tutorial's.
    """
    tutorial = {
        "interface": SimulatedDroneInterface,
        "time_step_duration": task.TIME_STEP_DURATION,
        "ep_max_length": task.EPISODE_TIME_STEPS,
        "act_buf_len": 4,
        "reset_act_buf": False,
    }
    return RealTimeEnv({**tutorial, **(config or {})}, render_mode=render_mode)
