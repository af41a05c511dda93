"""How an interface lives and ends: between episodes, in a picture, closed, made again, inside of an environment."""

from __future__ import annotations

import math
import threading

import gymnasium
import numpy as np

from rtgym_ros.envs.answers import is_frame
from rtgym_ros.envs.clock_thread import CLOCK_THREAD
from rtgym_ros.envs.registration import register_environments
from rtgym_ros.testing.rules import require
from rtgym_ros.testing.tests_base import SEED, TestsBase

_THREAD_GRACE_S = 1.0
"""How long each thread is given to end after close() (s)."""


class LifeTests(TestsBase):
    """Tests of ``wait``, ``render`` and ``close``, and of the interface in both environments."""

    def test_wait_lets_the_robot_go_on(self) -> None:
        """``wait`` does not raise, and an episode can begin after it."""
        with self._interface() as robot:
            self._drive(robot)
            robot.call("wait")
            self._drive(robot)

    def test_render_returns_nothing_or_a_frame(self) -> None:
        """``render`` does not raise; with the render mode ``"rgb_array"`` it returns None or a frame.

        The mode ``"human"`` is left alone: it would open a window.
        """
        for mode in (None, "rgb_array"):
            with self._interface(mode) as robot:
                self._drive(robot)
                frame = robot.call("render", demand=f"; the render mode was {mode!r}")
        shown = f"{frame.dtype} {frame.shape}" if isinstance(frame, np.ndarray) else repr(frame)
        require(
            frame is None or is_frame(frame),
            "render() must return None or a uint8 array of shape (height, width, 3) with the render mode 'rgb_array', "
            f"got {shown}",
        )

    def test_close_may_be_called_at_any_time(self) -> None:
        """``close`` does nothing the second time, and does not need a reset before it."""
        with self._interface() as robot:
            robot.close("; it may be called before the first reset()")
        with self._interface() as robot:
            self._drive(robot)
            robot.close()
            robot.call("close", demand="; it must do nothing when it is called again")

    def test_close_ends_the_threads(self) -> None:
        """No thread that the interface started outlives ``close``."""
        before = set(threading.enumerate())
        with self._interface() as robot:
            self._drive(robot)
        started = [thread for thread in threading.enumerate() if thread not in before and thread.name != CLOCK_THREAD]
        for thread in started:
            thread.join(_THREAD_GRACE_S)
        left = sorted(thread.name for thread in started if thread.is_alive())
        require(not left, f"close() must end every thread that the interface started, still running: {left}")

    def test_another_interface_can_be_made(self) -> None:
        """After ``close`` a second interface works like the first."""
        with self._interface() as robot:
            self._drive(robot)
        try:
            with self._interface() as robot:
                self._drive(robot)
        except Exception as error:
            raise AssertionError(
                f"after close() another interface must work as the first one did, but: {type(error).__name__}: {error}"
            ) from error

    def test_real_time_gym_v1_drives_it(self) -> None:
        """The interface works in ``rtgym_ros/RealTime-v1``."""
        self._drive_environment("rtgym_ros/RealTime-v1")

    def test_real_time_gym_ts_v1_drives_it(self) -> None:
        """The interface works in ``rtgym_ros/RealTime-ts-v1``."""
        self._drive_environment("rtgym_ros/RealTime-ts-v1")

    def _drive_environment(self, env_id: str) -> None:
        register_environments()
        config = {
            # A function: Gymnasium copies what an environment is made with, and this object need not be copyable.
            "interface": lambda: self.make_interface(),
            "time_step_duration": self.time_step_duration,
            "time_step_timeout_factor": math.inf,  # how busy the machine is does not matter here
            "interface_timeout": self.interface_timeout,
        }
        try:
            with gymnasium.make(env_id, config=config, time_source=self.time_source) as env:
                env.reset(seed=SEED)
                for action in self._random_actions(env.action_space):
                    _, _, terminated, _, _ = env.step(action)
                    if terminated:
                        env.reset()
        except Exception as error:
            raise AssertionError(f"{env_id} must drive the interface, but: {type(error).__name__}: {error}") from error
