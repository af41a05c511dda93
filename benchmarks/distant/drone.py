"""A drone in the control process, with images of any size, and every sample numbered: what is measured flies this.

A configuration names it: ``modules: [benchmarks.distant.drone]``, ``id: benchmarks/DistantDrone-v0``, and
``observation_preprocessor: benchmarks.distant.drone:Traced``.
"""

from __future__ import annotations

import os
from pathlib import Path
from time import monotonic_ns

import gymnasium
import numpy as np
from gymnasium import spaces

from benchmarks.distant.trace import TraceWriter
from rtgym_ros import DummyRCDrone, RealTimeGymInterface
from rtgym_ros.envs.real_time_env import RealTimeEnv
from rtgym_ros.policies.policy import Policy

ENV_ID = "benchmarks/DistantDrone-v0"
TRACE = "RTGYM_ROS_DISTANT_TRACE"
"""Environment variable: the folder of the traces."""
SERIALS = 2.0**20
BOOTS = 2.0**10
"""Numbers travel divided by these: exact in float32, and small enough for a network."""


class DroneInterface(RealTimeGymInterface):
    """Flies the dummy drone to targets; ``image_bytes`` more come with each observation."""

    def __init__(self, image_bytes: int = 0) -> None:
        self._drone = DummyRCDrone()
        self._target = np.zeros(2, np.float32)
        self._images = [np.full(image_bytes, value, np.uint8) for value in range(4)] if image_bytes else []
        self._count = 0

    def get_observation_space(self):
        leaves = [spaces.Box(-2, 2, (2,), np.float32), spaces.Box(-1, 1, (2,), np.float32)]
        return spaces.Tuple(leaves + [spaces.Box(0, 255, image.shape, np.uint8) for image in self._images[:1]])

    def get_action_space(self):
        return spaces.Box(-2, 2, (2,), np.float32)

    def get_default_action(self):
        return np.zeros(2, np.float32)

    def reset(self, seed=None, options=None):
        self._target = self.np_random.uniform(-0.5, 0.5, 2).astype(np.float32)
        return self._observe(), {}

    def get_obs_rew_terminated_info(self):
        observation = self._observe()
        return observation, -float(np.linalg.norm(observation[0] - observation[1])), False, {}

    def send_control(self, control):
        self._drone.send_control(float(control[0]), float(control[1]))

    def close(self):
        self._drone.close()

    def _observe(self):
        self._count += 1
        images = self._images[self._count % 4 : self._count % 4 + 1]
        return [np.array(self._drone.get_observation(), np.float32), self._target, *images]


def make_drone(rate_hz: float = 20.0, image_bytes: int = 0, steps: int = 100, render_mode: str | None = None):
    """Return the environment: ``rate_hz`` time-steps a second, ``steps`` an episode."""
    return RealTimeEnv(
        {
            "interface": DroneInterface,
            "interface_kwargs": {"image_bytes": image_bytes},
            "time_step_duration": 1.0 / rate_hz,
            "ep_max_length": steps,
            "act_buf_len": 4,
            "reset_act_buf": False,
        },
        render_mode=render_mode,
    )


if ENV_ID not in gymnasium.registry:
    gymnasium.register(ENV_ID, make_drone, nondeterministic=True)


class Traced(gymnasium.Wrapper):
    """Numbers every sample, in the observation as well as in a trace that is there after a SIGKILL."""

    def __init__(self, env) -> None:
        super().__init__(env)
        self._trace = TraceWriter(Path(os.environ[TRACE]))
        mark = spaces.Box(0, 1, (2,), np.float32)
        self.observation_space = spaces.Tuple([*env.observation_space.spaces, mark])
        self._boot = self._trace.boot / BOOTS
        self._returned = 0

    def reset(self, *, seed=None, options=None):
        entered = monotonic_ns()
        observation, info = self.env.reset(seed=seed, options=options)
        observation = self._marked(observation)
        self._returned = monotonic_ns()
        self._trace.append(entered, self._returned, -1, -1, -1, 0, 0)
        return observation, info

    def step(self, action):
        entered = monotonic_ns()
        observation, reward, terminated, truncated, info = self.env.step(action)
        observation = self._marked(observation)
        before, self._returned = self._returned, monotonic_ns()
        self._trace.append(
            entered,
            self._returned,
            round(info["time_step_lateness"] * 1e9),
            self._returned - round(info["capture_time"] * 1e9),
            entered - before,
            int(info["time_step_timed_out"]),
            terminated or truncated,
        )
        return observation, reward, terminated, truncated, info

    def _marked(self, observation):
        return (*observation, np.array([self._boot, self._trace.count / SERIALS], np.float32))


class TowardsTarget(Policy):
    """Flies by a rule, whatever the weights are: a network for 2 MB of image would be what is measured."""

    def act(self, observation, deterministic):
        return np.clip(3 * (observation[1] - observation[0]), -2, 2).astype(np.float32)

    def adopt(self, weights):
        self.version = weights.version
