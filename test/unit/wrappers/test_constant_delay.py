import gymnasium
import numpy as np
import pytest
from counter_env import CounterEnv

from rtgym_ros.core.errors import ConfigError
from rtgym_ros.delays.network_profiles import WifiDelays
from rtgym_ros.delays.profiles import UniformDelays
from rtgym_ros.wrappers import ArtificialDelays, ConstantDelay


class Told(gymnasium.Wrapper):
    """Tells the age of its observations, and can hold nothing."""

    def step(self, action):
        *answer, info = self.env.step(action)
        return (*answer, {**info, "alpha": 0.0})


def bare(env, *delays):
    return ArtificialDelays(env, *delays, act_buf_len=0, delays=())


@pytest.mark.parametrize("profile", [UniformDelays(0, 3), UniformDelays(3, 3), WifiDelays(3, period=1.0)])
@pytest.mark.parametrize("name", ["Pendulum-v1", "MountainCarContinuous-v0"])
def test_random_delays_become_exactly_the_constant_ones(name, profile):
    """The same actions lead to the same observations and rewards as with delays that are constant from the start."""
    random = ConstantDelay(bare(gymnasium.make(name), profile, profile), 3, 3)
    constant = ArtificialDelays(gymnasium.make(name), 3, 3, delays=())
    assert random.observation_space == constant.observation_space
    actions = np.random.default_rng(1)
    random.reset(seed=5)
    constant.reset(seed=5)
    for number in range(150):
        action = actions.uniform(-1, 1, size=random.action_space.shape).astype(np.float32)
        one, other = random.step(action), constant.step(action)
        np.testing.assert_array_equal(one[0], other[0])
        assert one[1] == pytest.approx(other[1])
        if number > 7:
            assert (one[4]["alpha"], one[4]["total_delay"]) == (3.0, 7.0)
    assert random.late_observations == random.get_wrapper_attr("late_actions") == 0


def test_what_comes_late_is_counted_and_replaced():
    env = ConstantDelay(bare(CounterEnv(length=200), UniformDelays(0, 4), UniformDelays(0, 4)), 1, 1)
    env.reset(seed=0)
    total, over, counts = 0.0, False, []
    for number in range(300):
        observation, reward, over, _, info = env.step(np.array([number], dtype=np.float32))
        total += reward
        counts.append(observation[0])
        assert over or info["alpha"] >= 1 or number < 1
        if over:
            break
    assert over
    assert total == pytest.approx(sum(range(1, 201)))
    assert counts == sorted(counts)
    assert env.late_observations > 10
    assert env.get_wrapper_attr("late_actions") > 10


def test_the_last_observation_is_returned_at_once_where_nothing_beneath_holds_it():
    env = ConstantDelay(Told(CounterEnv(length=10)), 3)
    env.reset(seed=0)
    rewards = []
    for number in range(10):
        observation, reward, over, *_ = env.step(np.array([number], dtype=np.float32))
        rewards.append(reward)
    assert over
    assert observation[0] == 10
    assert sum(rewards) == sum(range(1, 11))


def test_observations_alone_in_any_environment_that_tells_their_age():
    env = ConstantDelay(Told(CounterEnv()), 2)
    env.reset()
    observations = [env.step(np.array([n], dtype=np.float32))[0] for n in range(10)]
    assert [o[0] for o in observations] == [0, 0, 1, 2, 3, 4, 5, 6, 7, 8]
    assert observations[-1][2:].tolist() == [7, 8, 9]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((-1,), "observation_delay must be a whole number of time-steps, 0 or more, got -1"),
        ((1, 0.5), "action_delay must be a whole number"),
        ((1, 1), "needs an environment that can hold actions"),
    ],
)
def test_what_makes_no_sense_is_refused(arguments, message):
    with pytest.raises(ConfigError, match=message):
        ConstantDelay(CounterEnv(), *arguments)


def test_an_age_that_nobody_tells_is_an_error():
    env = ConstantDelay(CounterEnv(), 1)
    env.reset()
    with pytest.raises(ConfigError, match=r"needs the age of the observation, info\['alpha'\], got nan"):
        env.step(np.zeros(1, dtype=np.float32))
