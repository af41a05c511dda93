"""Infos of numbers alone, under the same keys."""

import math
import pickle

import gymnasium
import numpy as np
import pytest
from gymnasium import spaces

from rtgym_ros.wrappers import NumericInfo


class Told(gymnasium.Env):
    """Tells the infos that it is given, in turn."""

    observation_space = action_space = spaces.Discrete(2)

    def __init__(self, *infos):
        self.infos = iter(infos)

    def reset(self, *, seed=None, options=None):
        return 0, next(self.infos)

    def step(self, action):
        return 1, 0.5, False, True, next(self.infos)


def test_every_info_has_the_keys_of_the_first():
    env = NumericInfo(
        Told({"age": {"pose": 0.25}, "who": None, "n": 3}, {"age": {}, "who": "joy", "more": 1.0}, {"n": 4})
    )
    first, second = env.reset()[1], env.step(0)[-1]
    assert list(first) == list(second) == ["age.pose", "who", "n"]
    assert (first["age.pose"], first["n"]) == (0.25, 3.0)
    assert math.isnan(first["who"])
    assert all(map(math.isnan, second.values()))
    assert {type(value) for value in (*first.values(), *second.values())} == {np.float64}
    assert env.reset()[1]["n"] == 4.0


def test_arrays_and_flags():
    command = np.array([1.0, 2.0], np.float32)
    env = NumericInfo(Told({"command": command, "late": np.True_}, {"late": False}, {"command": np.array("up")}))
    first = env.reset()[1]
    assert first["command"] is command
    assert first["late"] == 1.0
    for info in env.step(0)[-1], env.step(0)[-1]:
        np.testing.assert_array_equal(info["command"], [np.nan, np.nan])


def test_the_keys_that_are_wanted():
    env = NumericInfo(Told({}, {"age": {"pose": 0.25}, "n": 3}), keys=["age.pose", "late"])
    assert list(env.reset()[1]) == ["age.pose", "late"]
    info = env.step(0)[-1]
    assert info["age.pose"] == 0.25
    assert math.isnan(info["late"])


def test_the_answers_are_the_environments():
    env = NumericInfo(Told({}, {}))
    assert env.reset(seed=3) == (0, {})
    assert env.step(1) == (1, 0.5, False, True, {})


@pytest.mark.parametrize("keys", [None, ["n"]])
def test_its_spec_makes_it_again(keys):
    gymnasium.register("rtgym_ros_test/Told-v0", Told)
    try:
        env = NumericInfo(gymnasium.make("rtgym_ros_test/Told-v0"), keys)
        again = gymnasium.make(pickle.loads(pickle.dumps(env.spec)))
        assert isinstance(again, NumericInfo)
    finally:
        del gymnasium.registry["rtgym_ros_test/Told-v0"]
