"""The replay buffer that Stable-Baselines3 loads holds what flew."""

import gymnasium
import numpy as np
import pytest
from gymnasium import spaces

pytest.importorskip("stable_baselines3.common")

from stable_baselines3 import SAC

from rtgym_ros.record.errors import RecordError
from rtgym_ros.record.exports.flown_episodes import Exported
from rtgym_ros.record.exports.replay_buffer import export_replay_buffer, to_replay_buffer
from rtgym_ros.record.reading import read_episodes
from rtgym_ros.wrappers import Record


def row(observations, index):
    if isinstance(observations, dict):
        return {key: rows[index, 0] for key, rows in observations.items()}
    return observations[index, 0]


def shown(observation, space):
    return spaces.flatten(space, observation) if isinstance(space, spaces.Tuple) else observation


def test_a_learner_loads_what_flew(flight, tmp_path):
    exported = export_replay_buffer(flight.folder, tmp_path / "buffer.pkl")
    assert (exported.episodes, exported.steps) == (3, 12)
    run = next(read_episodes(flight.folder)).run
    space = run.observation_space
    env = gymnasium.Env()
    env.observation_space = spaces.flatten_space(space) if isinstance(space, spaces.Tuple) else space
    env.action_space = run.action_space
    model = SAC("MultiInputPolicy" if isinstance(space, spaces.Dict) else "MlpPolicy", env, buffer_size=12)
    model.load_replay_buffer(tmp_path / "buffer.pkl")
    buffer = model.replay_buffer
    assert buffer.size() == 12
    index = 0
    for seen, done, rewards, terminated, _ in flight.episodes:
        for step, (action, reward) in enumerate(zip(done, rewards, strict=True)):
            for stored, observation in (buffer.observations, seen[step]), (buffer.next_observations, seen[step + 1]):
                np.testing.assert_equal(row(stored, index), shown(observation, space))
            np.testing.assert_array_equal(buffer.actions[index, 0], action)
            assert buffer.rewards[index, 0] == np.float32(reward)
            last = step == len(done) - 1
            assert buffer.dones[index, 0] == last
            assert buffer.timeouts[index, 0] == (last and not terminated)
            index += 1


def test_the_last_ones_are_kept(flight):
    buffer = to_replay_buffer(flight.folder, Exported(), buffer_size=5)
    assert buffer.full
    assert -1.25 in buffer.rewards
    assert -0.25 in buffer.rewards


def test_spaces_that_it_has_no_buffer_for(tmp_path):
    class Nested(gymnasium.Env):
        observation_space = spaces.Dict({"a": spaces.Dict({"b": spaces.Discrete(2)})})
        action_space = spaces.Discrete(2)

        def reset(self, *, seed=None, options=None):
            return self.observation_space.sample(), {}

        def step(self, action):
            return self.observation_space.sample(), 0.0, True, False, {}

    env = Record(Nested(), tmp_path / "nested")
    env.reset()
    env.step(0)
    env.close()
    with pytest.raises(RecordError, match="no replay buffer for these spaces"):
        to_replay_buffer(tmp_path / "nested", Exported())
