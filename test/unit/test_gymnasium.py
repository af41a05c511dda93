"""The environments as Gymnasium knows them."""

import warnings

import gymnasium
import numpy as np
import pytest
from gymnasium import spaces
from gymnasium.utils.env_checker import check_env

from rtgym_ros import RealTimeEnv, RealTimeEnvTS, RealTimeGymInterface
from rtgym_ros.envs.registration import register_environments

IDS = {"real-time-gym-v1": RealTimeEnv, "real-time-gym-ts-v1": RealTimeEnvTS}


class Walker(RealTimeGymInterface):
    """A point on a line that goes where it is told, from a random place."""

    def __init__(self):
        self.place = self.speed = np.zeros(1, dtype=np.float32)

    def get_observation_space(self):
        return spaces.Tuple((spaces.Box(-10.0, 10.0, (1,)),))

    def get_action_space(self):
        return spaces.Box(-1.0, 1.0, (1,))

    def get_default_action(self):
        return np.zeros(1, dtype=np.float32)

    def reset(self, seed=None, options=None):
        self.place = self.np_random.uniform(-1, 1, 1).astype(np.float32)
        return [self.place], {}

    def get_obs_rew_terminated_info(self):
        self.place = np.clip(self.place + 0.1 * self.speed, -10, 10)
        return [self.place], float(-abs(self.place[0])), False, {}

    def send_control(self, control):
        self.speed = control

    def render(self):
        return np.zeros((4, 4, 3), dtype=np.uint8) if self.render_mode == "rgb_array" else None


CONFIG = {"interface": Walker, "time_step_duration": 0.005, "act_buf_len": 2, "time_step_timeout_factor": 1e6}


@pytest.mark.parametrize("env_id", IDS)
def test_make_with_the_checker_and_fly(env_id):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with gymnasium.make(env_id, config=CONFIG, disable_env_checker=False) as env:
            assert type(env.unwrapped) is IDS[env_id]
            observation, _ = env.reset(seed=1)
            again, _ = env.reset(seed=1)
            np.testing.assert_array_equal(observation, again)
            for _ in range(5):
                observation, *_ = env.step(env.action_space.sample())
                assert env.observation_space.contains(observation)


@pytest.mark.parametrize("env_id", IDS)
def test_the_environment_passes_the_checker_of_gymnasium(env_id):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.filterwarnings("ignore", "Casting input x to numpy array")
        with gymnasium.make(env_id, config=CONFIG) as env:
            check_env(env.unwrapped)


@pytest.mark.parametrize("env_id", IDS)
def test_a_time_limit_and_other_wrappers_go_around_it(env_id):
    with gymnasium.make(env_id, config=CONFIG, max_episode_steps=2, render_mode="rgb_array") as env:
        env.reset()
        assert [env.step(np.zeros(1))[3] for _ in range(2)] == [False, True]
        assert env.render().shape == (4, 4, 3)


def test_registering_twice_does_no_harm():
    before = {env_id: gymnasium.spec(env_id) for env_id in IDS}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        register_environments()
    assert {env_id: gymnasium.spec(env_id) for env_id in IDS} == before
    assert all(spec.nondeterministic for spec in before.values())


@pytest.mark.parametrize("env_id", IDS)
def test_every_method_is_reached_through_wrappers(env_id):
    config = {**CONFIG, "benchmark": True, "benchmark_type": "trace"}
    env = gymnasium.wrappers.FlattenObservation(gymnasium.make(env_id, config=config))
    reach = env.get_wrapper_attr
    env.reset(seed=1)
    reach("set_default_action")([0.5])
    reach("set_time_step_duration")(0.004)
    reach("set_start_obs_capture")(0.002)
    reach("set_ep_max_length")(2)
    assert [env.step(np.zeros(1))[3] for _ in range(2)] == [False, True]
    reach("wait")()
    reach("stop")()
    assert set(reach("benchmarks")()) == {"clock", "deltas"}
    assert reach("benchmark_statistics")()["time_steps"] == 2
    assert reach("clock").timeouts == 0
    assert reach("default_action").tolist() == [0.5]
    env.reset()
    env.close()
