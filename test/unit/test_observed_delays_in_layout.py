"""`config["delays"] = "observed"`: the delays that an interface's info tells, as a part of the observation."""

import gymnasium
import numpy as np
import pytest
from gymnasium import spaces
from gymnasium.wrappers import FlattenObservation
from unit_recorder import Recorder

from rtgym_ros.core.errors import ConfigError, InterfaceError

DELAYS = {"alpha": 1.0, "kappa": 2.0, "beta": float("nan")}
SEEN = np.array([0.25, 0.5, -1.0], np.float32)
ACTION = np.ones(1, np.float32)
SPACES = {
    "tuple": (spaces.Tuple((spaces.Box(-1, 9, (2,)),)), [np.zeros(2, np.float32)]),
    "dict": (spaces.Dict({"pose": spaces.Box(-1, 9, (2,))}), {"pose": np.zeros(2, np.float32)}),
    "flat": (spaces.Box(-1, 9, (2,)), np.zeros(2, np.float32)),
}


def make(make_env, form, info=DELAYS, **config):
    space, observation = SPACES[form] if isinstance(form, str) else (form, form.sample())
    do = {
        "get_observation_space": lambda: space,
        "reset": lambda *_: (observation, dict(info)),
        "get_obs_rew_terminated_info": lambda: (observation, 0.0, False, dict(info)),
    }
    return make_env(interface=Recorder, do=do, act_buf_len=4, delays="observed", **config)


@pytest.mark.parametrize("form", SPACES)
@pytest.mark.parametrize("act_in_obs", [True, False])
def test_they_come_after_the_action_buffer(make_env, form, act_in_obs):
    env = make(make_env, form, act_in_obs=act_in_obs)
    for observation, *_ in (env.reset(), env.step(ACTION)):
        assert observation in env.observation_space
        seen = observation["delays"] if form == "dict" else observation[-1] if form == "tuple" else observation[-3:]
        np.testing.assert_array_equal(seen, SEEN)
    assert len(spaces.flatten(env.observation_space, observation)) == 2 + 4 * act_in_obs + 3


@pytest.mark.parametrize("form", SPACES)
def test_flatten_observation(make_env, form):
    env = FlattenObservation(make(make_env, form))
    observation, _ = env.reset()
    assert observation.shape == env.observation_space.shape == (9,)
    assert isinstance(env, gymnasium.Env)


def test_an_interface_that_tells_none(make_env):
    env = make(make_env, "dict", info={"alpha": 1.0})
    with pytest.raises(ConfigError, match="info has no delay 'kappa': it has alpha"):
        env.reset()


@pytest.mark.parametrize(
    "space", [spaces.Dict({"delays": spaces.Box(0, 1, (1,))}), spaces.Box(0, 9, (2,), np.uint8), spaces.Discrete(3)]
)
def test_spaces_that_have_no_place_for_them(make_env, space):
    with pytest.raises(InterfaceError, match=r"is reserved|must return a Dict, a Tuple or a Box of floats"):
        make(make_env, space, act_in_obs=isinstance(space, spaces.Dict))


def test_another_word_is_refused(make_env):
    with pytest.raises(ConfigError, match=r"config\['delays'\] must be 'info' or 'observed', got 'seen'"):
        make_env(delays="seen")
