import warnings

import gymnasium
import numpy as np
import pytest
from counter_env import BOX, CounterEnv
from gymnasium import spaces
from gymnasium.utils.env_checker import check_env

from rtgym_ros.core.errors import ConfigError, StateError
from rtgym_ros.delays.network_profiles import BurstyDelays, WifiDelays
from rtgym_ros.delays.profiles import GammaDelays, UniformDelays
from rtgym_ros.wrappers import ArtificialDelays


def act(number):
    return np.array([number], dtype=np.float32)


def run(env, seed=0, limit=500):
    """Step with the actions 1, 2, ... to the end; return what each step returned."""
    results = [(*env.reset(seed=seed),)]
    for number in range(1, limit):
        results.append(env.step(act(number)))
        if results[-1][2] or results[-1][3]:
            break
    return results


def test_without_delays_an_action_acts_one_time_step_later():
    base = CounterEnv(length=5)
    results = run(ArtificialDelays(base))
    assert [float(action[0]) for action in base.applied] == [0, 1, 2, 3, 4]
    for number, (observation, reward, _, _, info) in enumerate(results[1:], 1):
        # x, last applied, the buffer (length 1), alpha, kappa, beta over 1
        assert observation.tolist() == [number, number - 1, number, 0, 0, 1]
        assert reward == number
        assert (info["alpha"], info["kappa"], info["beta"], info["total_delay"]) == (0.0, 0.0, 1.0, 1.0)
        assert info["of"] == number


def test_constant_delays_add_up():
    base = CounterEnv(length=20)
    results = run(ArtificialDelays(base, 2, 1))
    assert [float(action[0]) for action in base.applied] == [0, 0, 0, *range(1, 18)]
    for number, (observation, _, _, _, info) in enumerate(results[1:], 1):
        if number > 4:
            assert observation[:2].tolist() == [number - 1, number - 4]
            assert observation[2:6].tolist() == [number - 3, number - 2, number - 1, number], "oldest first"
            assert (info["alpha"], info["kappa"], info["beta"]) == (1.0, 2.0, 3.0)
            # alpha + beta is where the applied action stands in the buffer, counted from the newest.
            assert number - info["total_delay"] == observation[1]


PROFILES = [
    UniformDelays(0, 3),
    WifiDelays(period=1.0),
    BurstyDelays(0, 1, 3, 6, 0.1, 0.3),
]


@pytest.mark.parametrize("profile", PROFILES)
def test_the_info_tells_the_truth_under_random_delays(profile):
    base = CounterEnv(length=300)
    env = ArtificialDelays(base, profile, profile)
    total, seen = 0.0, set()
    for number, (observation, *answer, info) in enumerate(run(env, limit=1000)[1:], 1):
        of = observation[0]
        assert number - of == info["alpha"]
        assert observation[1] == max(number - info["total_delay"], 0) or number < 10
        assert info["of"] == of
        assert info["beta"] >= 1
        # The action applied next is in the buffer: what the buffer's length is derived from.
        assert info["alpha"] + info["kappa"] <= 2 * profile.maximum
        seen.add((info["alpha"], info["kappa"], info["beta"]))
        total += answer[0]
    assert of == 300
    assert answer[1], "it ended with its last observation"
    assert total == sum(range(1, 301)), "no reward is lost"
    assert len(seen) > 10
    applied = [float(action[0]) for action in base.applied]
    assert applied == sorted(applied), "an older action never replaces a newer one"


def test_the_seed_is_that_of_the_delays_too():
    def trace(seed):
        env = ArtificialDelays(CounterEnv(), UniformDelays(0, 3), UniformDelays(0, 3))
        return [result[0].tolist() for result in run(env, seed)]

    assert trace(1) == trace(1) != trace(2)
    env = ArtificialDelays(CounterEnv(), UniformDelays(0, 3))
    first = [result[0].tolist() for result in run(env, 1)]
    env.reset()
    assert [result[0].tolist() for result in run(env, 1)] == first
    assert [result[0].tolist() for result in run(env, None)] != first


def test_seconds_are_rounded_up_to_time_steps():
    env = ArtificialDelays(CounterEnv(), UniformDelays(0.02, 0.05), 2, time_step_duration=0.05)
    assert env.observation_space.shape == (2 + 1 + 2 + 1 + 3,)
    infos = [result[-1] for result in run(env)[10:]]
    assert {info["alpha"] for info in infos} == {2.0}
    assert {info["kappa"] for info in infos} == {1.0}
    assert max(i["alpha"] for *_, i in run(ArtificialDelays(CounterEnv(), 0, "wifi", time_step_duration=0.02))) > 1


PICTURE = spaces.Box(0, 255, shape=(3, 4), dtype=np.uint8)


@pytest.mark.parametrize(
    ("space", "make", "action_space", "expected"),
    [
        (None, None, None, "Box"),
        (None, None, spaces.Discrete(3, start=1), "Dict(action_buffer, delays, observation)"),
        (spaces.Discrete(60), lambda count, _: count, None, "Dict(action_buffer, delays, observation)"),
        (PICTURE, lambda *_: np.zeros((3, 4), np.uint8), None, "Dict(action_buffer, delays, observation)"),
        (spaces.Dict(a=BOX), lambda *_: {"a": np.zeros(2, np.float32)}, None, "Dict(a, action_buffer, delays)"),
        (spaces.Tuple([BOX]), lambda *_: (np.zeros(2, np.float32),), None, "Tuple 3"),
    ],
)
def test_spaces_hold_their_observations_and_the_checker_is_content(space, make, action_space, expected):
    env = ArtificialDelays(CounterEnv(30, space, action_space, make), UniformDelays(0, 2), UniformDelays(0, 3))
    kind = type(env.observation_space).__name__
    if kind == "Dict":
        kind += f"({', '.join(sorted(env.observation_space.spaces))})"
    elif kind == "Tuple":
        kind += f" {len(env.observation_space)}"
    assert kind == expected
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.filterwarnings(
            "ignore", message=".*different from the unwrapped version|.*not set to the environment spec"
        )
        warnings.filterwarnings(
            "ignore", message=".*infinity|.*recommend using a symmetric|.*observation space is an odd"
        )
        check_env(env, skip_render_check=True)
    observation, _ = env.reset(seed=1)
    assert observation in env.observation_space
    for _ in range(25):
        observation, *_ = env.step(env.action_space.sample())
        assert observation in env.observation_space


def test_the_parts_can_be_left_out():
    assert (
        ArtificialDelays(CounterEnv(), 1, 1, act_buf_len=0, delays=()).observation_space
        == CounterEnv().observation_space
    )
    assert ArtificialDelays(CounterEnv(), 1, 1, act_buf_len=2, delays=("alpha",)).observation_space.shape == (5,)


def test_nobody_else_writes_into_what_was_returned():
    env = ArtificialDelays(CounterEnv(), 1, observation_delay=1)
    env.reset(seed=0)
    action = act(1)
    first, *_ = env.step(action)
    kept = first.copy()
    action[0] = 7
    second, *_ = env.step(act(2))
    second[:] = 99
    assert (first == kept).all()
    third, *_ = env.step(act(3))
    assert third[2:5].tolist() == [1, 2, 3]


def test_an_observation_that_arrives_late_ends_the_episode_late():
    results = run(ArtificialDelays(CounterEnv(length=5), 0, 3))
    assert len(results) - 1 == 8
    assert [result[2] for result in results[1:]] == [False] * 7 + [True]
    assert [result[1] for result in results[1:]] == [0, 0, 0, 1, 2, 3, 4, 5]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"action_delay": GammaDelays(0, 2, 1)}, "act_buf_len must be given"),
        ({"action_delay": -1}, "delay must be in"),
        ({"action_delay": "wify"}, "unknown delay profile"),
        ({"act_buf_len": -1}, "act_buf_len must be a whole number, 0 or more, got -1"),
        ({"delays": ("alpha", "bta")}, r"got 'bta' \(did you mean 'beta'\?\)"),
        ({"time_step_duration": 0.0}, "time_step_duration must be positive"),
        ({"initial_action": act(-5)}, "initial_action must be in"),
    ],
)
def test_what_makes_no_sense_is_refused(arguments, message):
    with pytest.raises(ConfigError, match=message):
        ArtificialDelays(CounterEnv(), **arguments)


def test_unbounded_delays_with_a_given_buffer():
    env = ArtificialDelays(CounterEnv(), GammaDelays(0, 2, 1), GammaDelays(0, 2, 1), act_buf_len=4)
    for observation, *_ in run(env):
        assert observation in env.observation_space


def test_an_action_space_without_a_zero_wants_an_initial_action():
    with pytest.raises(ValueError, match="initial_action must be given"):
        ArtificialDelays(CounterEnv(action_space=spaces.MultiBinary(3)))


def test_illegal_calls_say_what_to_do():
    env = ArtificialDelays(CounterEnv(length=1))
    with pytest.raises(StateError, match=r"call reset\(\)"):
        env.step(act(1))
    env.reset()
    env.step(act(1))
    with pytest.raises(StateError, match=r"call reset\(\)"):
        env.step(act(1))


def test_a_registered_environment_keeps_its_specification():
    env = ArtificialDelays(gymnasium.make("Pendulum-v1"), 1, 1)
    again = gymnasium.make(env.spec)
    assert again.observation_space == env.observation_space
