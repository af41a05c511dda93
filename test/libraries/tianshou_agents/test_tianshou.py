"""Tianshou's vectors and collectors work on real-time environments."""

import gymnasium
import numpy as np
import pytest

pytest.importorskip("tianshou")

from line_robot import make
from tianshou.data import Batch, Collector, VectorReplayBuffer
from tianshou.env import DummyVectorEnv, ShmemVectorEnv, SubprocVectorEnv

VECTORS = [DummyVectorEnv, SubprocVectorEnv, ShmemVectorEnv]


@pytest.mark.parametrize("vector", VECTORS)
def test_vectors(vector):
    probe = make()  # as its examples do, to see the spaces
    probe.close()
    envs = vector([make, make])
    try:
        envs.reset()
        for _ in range(15):
            observation, reward, _, _, infos = envs.step(np.zeros((2, 1), np.float32))
        assert observation.shape == (2, 3)
        assert np.isfinite(reward).all()
        assert all("capture_time" in info for info in infos)
    finally:
        envs.close()


@pytest.mark.parametrize("vector", [SubprocVectorEnv, ShmemVectorEnv])
def test_over_ros_in_a_worker_after_an_environment_here(vector, drone_namespace):
    def make_drone():
        env = gymnasium.make("rtgym_ros/Drone-v0", namespace=drone_namespace, config={"time_step_timeout_factor": 1e6})
        return gymnasium.wrappers.FlattenObservation(env)

    probe = make_drone()
    probe.close()
    envs = vector([make_drone])
    try:
        envs.reset()
        for _ in range(5):
            _, reward, *_ = envs.step(np.zeros((1, 2), np.float32))
        assert np.isfinite(reward).all()
    finally:
        envs.close()


assert Batch
assert Collector
assert VectorReplayBuffer
