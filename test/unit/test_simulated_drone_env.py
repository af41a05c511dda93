"""The drone on simulated time: the same flight from the same seed, and as hard as the real one."""

import gymnasium
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env

import rtgym_ros  # noqa: F401
from rtgym_ros.robots.drone.policies import Predictor, make_p_controller


@pytest.fixture
def env():
    env = gymnasium.make("rtgym_ros/SimulatedDrone-v0")
    yield env
    env.close()


def fly(env, policy, episodes, seed):
    returns, lengths, reached = [], [], []
    for number in range(episodes):
        observation, _ = env.reset(seed=seed if number == 0 else None)
        returns.append(0.0)
        lengths.append(0)
        done = False
        while not done:
            observation, reward, terminated, truncated, _ = env.step(policy(observation))
            returns[-1] += reward
            lengths[-1] += 1
            done = terminated or truncated
        reached.append(terminated)
    return np.array(returns), np.array(lengths), np.mean(reached)


def test_the_same_seed_flies_the_same_flight(env):
    first, second, other = (fly(env, make_p_controller(4.0), 5, seed)[0] for seed in (1, 1, 2))
    assert np.array_equal(first, second)
    assert not np.array_equal(first, other)


def test_controllers_do_what_they_do_in_real_time(env):
    """In real time over ROS 2 the means are -2.57 (10.2 time-steps), -2.76 (13.7) and -20.5."""
    returns, lengths, reached = fly(env, Predictor(), 100, 1)
    assert np.mean(returns) == pytest.approx(-2.9, abs=0.4)
    assert np.mean(lengths) == pytest.approx(10.4, abs=1.0)
    assert reached == 1.0
    returns, lengths, reached = fly(env, make_p_controller(4.0), 100, 1)
    assert np.mean(lengths) == pytest.approx(14.8, abs=1.5)
    assert np.mean(fly(env, make_p_controller(20.0), 50, 1)[0]) == pytest.approx(-20.0, abs=2.0)


def test_gymnasiums_checker_passes():
    env = gymnasium.make("rtgym_ros/SimulatedDrone-v0", disable_env_checker=True)
    with pytest.warns(UserWarning, match="symmetric and normalized"):
        check_env(env.unwrapped, skip_render_check=True)
    env.close()


def test_time_stands_still_while_the_policy_thinks(env):
    env.reset(seed=1)
    env.action_space.seed(1)  # a random flight that does not end at the target
    info = [env.step(env.action_space.sample())[4] for _ in range(50)]
    starts = np.array([one["time_step_start"] for one in info])
    assert np.allclose(np.diff(starts), 0.05, atol=1e-9)
    assert not any(one["time_step_overrun"] or one["time_step_timed_out"] for one in info)
