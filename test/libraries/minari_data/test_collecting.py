"""Minari's DataCollector records real-time environments, with everything that info says about time."""

import gymnasium
import numpy as np
import pytest

pytest.importorskip("minari.data_collector")

import minari
from line_robot import TIME_KEYS, make

from rtgym_ros.envs.step_info import ROS_KEYS
from rtgym_ros.wrappers import NumericInfo

STEPS = 20


@pytest.fixture(autouse=True)
def data_sets(tmp_path, monkeypatch):
    monkeypatch.setenv("MINARI_DATASETS_PATH", str(tmp_path / "minari"))


def collected(env, episodes=2):
    """Fly with Minari's collector and return the data set, loaded again, and what step() returned."""
    env = minari.DataCollector(env, record_infos=True)
    env.action_space.seed(1)
    flown = []
    for seed in range(episodes):
        env.reset(seed=seed)
        flown.append([])
        over = False
        while not over:
            action = env.action_space.sample()
            answer = env.step(action)
            flown[-1].append((action, answer))
            over = answer[2] or answer[3]
    env.create_dataset("line/fly-v0", algorithm_name="random")
    env.close()
    return minari.load_dataset("line/fly-v0"), flown


def parts(observations):
    """Return the arrays of an observation, or of many that are stacked."""
    if isinstance(observations, dict):
        return [array for key in sorted(observations) for array in parts(observations[key])]
    if isinstance(observations, tuple):
        return [array for part in observations for array in parts(part)]
    return [observations]


@pytest.mark.parametrize("form", ["box", "dict", "tuple"])
def test_what_flew_is_what_it_recorded(form):
    data_set, flown = collected(make(form))
    assert (data_set.total_episodes, data_set.total_steps) == (2, 2 * STEPS)
    for episode, answers in zip(data_set.iterate_episodes(), flown, strict=True):
        assert episode.truncations.tolist() == [False] * (STEPS - 1) + [True]
        for index, (action, (observation, reward, _, _, info)) in enumerate(answers):
            for stacked, array in zip(parts(episode.observations), parts(observation), strict=True):
                np.testing.assert_array_equal(stacked[index + 1], array)
            np.testing.assert_array_equal(episode.actions[index], action)
            assert episode.rewards[index] == reward
            for key in TIME_KEYS | {"goal"}:
                assert episode.infos[key][index + 1] == info[key], key


def test_the_times_of_a_reset_are_not_known_yet():
    data_set, _ = collected(make())
    for episode in data_set.iterate_episodes():
        assert np.isnan(episode.infos["time_step_index"][0])
        assert (np.diff(episode.infos["time_step_index"][1:]) == 1).all()
        assert (np.diff(episode.infos["capture_time"]) > 0).all()


def test_the_environment_is_made_again_from_a_data_set():
    data_set, _ = collected(make("tuple"))
    with data_set.recover_environment() as env:
        assert env.observation_space == data_set.observation_space
        assert env.unwrapped.config.time_step_duration == 0.002


def test_over_ros(drone_namespace):
    config = {"time_step_timeout_factor": 1e6, "ep_max_length": STEPS}
    env = gymnasium.make("rtgym_ros/Drone-v0", namespace=drone_namespace, config=config)
    data_set, flown = collected(NumericInfo(env), episodes=1)
    (episode,) = data_set.iterate_episodes()
    for key in (*ROS_KEYS, "age.pose"):
        np.testing.assert_array_equal(episode.infos[key][1:], [answer[-1][key] for _, answer in flown[0]])
