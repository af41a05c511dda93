import warnings

import gymnasium
import numpy as np
import pytest
from counter_env import BOX, CounterEnv
from gymnasium import spaces
from gymnasium.utils.env_checker import check_env
from gymnasium.wrappers import FlattenObservation

from rtgym_ros.core.errors import ConfigError
from rtgym_ros.wrappers import ArtificialDelays, ObservedDelays


def test_delays_of_the_info_are_appended_divided_by_their_scale():
    env = ObservedDelays(ArtificialDelays(CounterEnv(), 2, 1, delays=(), act_buf_len=0), {"alpha": 4, "beta": 3})
    env.reset(seed=0)
    for _ in range(6):
        observation, *_ = env.step(np.zeros(1, dtype=np.float32))
    assert observation.shape == (4,)
    assert observation[2:].tolist() == [0.25, 1.0]
    assert env.observation_space.contains(observation)


class Telling(gymnasium.Wrapper):
    """Tells one delay."""

    value = 0.0

    def reset(self, **kwargs):
        observation, info = self.env.reset(**kwargs)
        return observation, {**info, "action_delay": float("nan")}

    def step(self, action):
        *answer, info = self.env.step(action)
        return (*answer, {**info, "action_delay": self.value})


@pytest.mark.parametrize(("value", "shown"), [(float("nan"), -1.0), (0.05, 0.5), (0.3, 1.0), (-0.1, 0.0)])
def test_what_is_unknown_or_out_of_range_stays_in_the_space(value, shown):
    env = ObservedDelays(Telling(CounterEnv()), {"action_delay": 0.1})
    first, _ = env.reset()
    assert first[2] == -1.0
    env.env.value = value
    observation, *_ = env.step(np.zeros(1, dtype=np.float32))
    assert observation[2] == np.float32(shown)
    assert observation in env.observation_space


def test_dict_and_tuple():
    for space in (spaces.Dict(a=BOX), spaces.Tuple([BOX])):
        base = CounterEnv(observation_space=space, make=lambda *_, space=space: space.sample())
        env = ObservedDelays(Telling(base), {"action_delay": 1})
        assert env.reset()[0] in env.observation_space
        assert env.step(np.zeros(1, dtype=np.float32))[0] in env.observation_space
        assert FlattenObservation(env).reset()[0].shape == (3,)


def test_the_checker_is_content():
    env = ObservedDelays(ArtificialDelays(CounterEnv(), 1, 1), {"alpha": 3.0})
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.filterwarnings(
            "ignore", message=".*different from the unwrapped version|.*not set to the environment spec"
        )
        warnings.filterwarnings("ignore", message=".*recommend using a symmetric")
        check_env(env, skip_render_check=True)


def test_a_delay_that_nobody_tells_is_named():
    env = ObservedDelays(CounterEnv(), {"gamma": 1})
    with pytest.raises(ConfigError, match="info has no delay 'gamma': it has of"):
        env.reset()


@pytest.mark.parametrize("scales", [{}, {"alpha": 0}, {"alpha": float("inf")}])
def test_scales_must_make_sense(scales):
    with pytest.raises(ConfigError, match="delay"):
        ObservedDelays(CounterEnv(), scales)


def test_a_name_that_is_taken_is_refused():
    space = spaces.Dict(delays=BOX)
    with pytest.raises(ValueError, match="already has a part 'delays'"):
        ObservedDelays(CounterEnv(observation_space=space), {"alpha": 1})
