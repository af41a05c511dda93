"""Environments on ROS in forked processes, after the program has had one of its own: real processes, real DDS."""

import gymnasium
import numpy as np
import pytest
from gymnasium.vector import AsyncVectorEnv

import rtgym_ros  # noqa: F401

CONFIG = {"time_step_timeout_factor": 1e6}


@pytest.mark.timeout(90)
@pytest.mark.parametrize("context", ["fork", "spawn"])
def test_a_worker_flies_after_its_parent_has_closed_an_environment(drone, namespace, context):
    kwargs = {"namespace": namespace, "config": CONFIG}
    env = gymnasium.make("rtgym_ros/Drone-v0", **kwargs)
    env.reset()
    env.step(env.action_space.sample())
    env.close()
    # make_vec makes one more here, for its spaces, and closes it before the fork.
    envs = gymnasium.make_vec(
        "rtgym_ros:rtgym_ros/Drone-v0",
        num_envs=1,
        vectorization_mode="async",
        vector_kwargs={"context": context},
        **kwargs,
    )
    assert isinstance(envs.unwrapped, AsyncVectorEnv)
    try:
        envs.reset_async()
        envs.reset_wait(timeout=60)
        for _ in range(5):
            envs.step_async(envs.action_space.sample())
            _, rewards, *_ = envs.step_wait(timeout=60)
        assert np.isfinite(rewards).all()
    finally:
        envs.close(timeout=20)
