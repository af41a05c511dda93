"""Recorded flights as a start of the replay memory, and as a share of each batch."""

from __future__ import annotations

import subprocess
import sys

import gymnasium
import msgspec
import numpy as np
import pytest
from nats_server import config_of, make_stream, running, write

import rtgym_ros  # noqa: F401  # registers the drone
from rtgym_ros.core.errors import ConfigError
from rtgym_ros.record.reading import read_episodes
from rtgym_ros.train.config_file import make_config
from rtgym_ros.train.protocol.schema import make_schema
from rtgym_ros.train.trainer.demonstrations import read_demonstrations
from rtgym_ros.wrappers import Record

DRONE = "rtgym_ros/SimulatedDrone-v0"


@pytest.fixture
def recorded(tmp_path):
    """Record three flights, and return the environment, the folder and what came back of each time-step."""
    env = Record(gymnasium.make(DRONE, config={"ep_max_length": 5}), tmp_path / "flights")
    env.action_space.seed(1)
    came = []
    for _ in range(3):
        came.append((env.reset(seed=len(came))[0], None, 0.0))
        done = False
        while not done:
            action = env.action_space.sample()
            observation, reward, terminated, truncated, _ = env.step(action)
            came.append((observation, action, reward))
            done = terminated or truncated
    env.close()
    return env, tmp_path / "flights", came


def config_for(folder, tmp_path, **trainer):
    return make_config(
        {"run": "r", "directory": str(tmp_path), "environment": {"id": DRONE},
         "trainer": {"demonstrations": [str(folder)], "device": "cpu", "seed": 1, **trainer}}
    )  # fmt: skip


def test_every_recorded_transition_is_there_as_it_was_flown(recorded, tmp_path):
    env, folder, came = recorded
    schema = make_schema(env.observation_space, env.action_space)
    flights = list(read_demonstrations(config_for(folder, tmp_path), schema))
    after = np.concatenate([flight.after for flight in flights])
    before = np.concatenate([flight.before for flight in flights])
    steps = [index for index, (_, action, _) in enumerate(came) if action is not None]
    assert len(flights) == 3
    assert after["reward"].tolist() == [came[index][2] for index in steps]
    assert (after["action"] == [came[index][1] for index in steps]).all()
    for part in (0, 4):
        name = f"observation/{part}"
        assert (after[name] == [came[index][0][part] for index in steps]).all()
        assert (before[name] == [came[index - 1][0][part] for index in steps]).all()
    assert after["demonstration"].all()
    assert all(flight.after["truncated"][-1] or flight.after["terminated"][-1] for flight in flights)


def test_recordings_of_something_else_are_refused_by_name(recorded, tmp_path):
    env, folder, _ = recorded
    other = make_schema(env.observation_space, gymnasium.spaces.Box(-1, 1, (3,)))
    with pytest.raises(ConfigError, match=r"trainer\.demonstrations: action is Box.*in the recordings, .* in the run"):
        list(read_demonstrations(config_for(folder, tmp_path), other))
    with pytest.raises(ConfigError, match=r"trainer\.demonstrations: .*no \.mcap file"):
        list(read_demonstrations(config_for(tmp_path, tmp_path), other))


@pytest.mark.parametrize("share", [0.0, 0.25])
def test_they_are_a_share_of_each_batch_or_a_part_of_the_memory(recorded, tmp_path, share):
    pytest.importorskip("stable_baselines3")
    from rtgym_ros.train.trainer.agent import make_agent
    from rtgym_ros.train.trainer.transitions import Transitions

    env, folder, came = recorded
    schema = make_schema(env.observation_space, env.action_space)
    config = config_for(folder, tmp_path, demonstration_share=share, memory_size=1000, batch_size=40)
    agent = make_agent(schema, config.trainer)
    flights = list(read_demonstrations(config, schema))
    for flight in flights:
        agent.add(flight)
    shown = agent.memory_length
    assert shown == len(came) - 3
    assert agent.train(1).keys() >= {"critic_loss"}, "there is nothing else yet"
    own = [np.repeat(part[:1], 800) for part in (flights[0].before, flights[0].after)]
    own[0]["step"], own[1]["step"] = np.arange(0, 1600, 2), np.arange(1, 1600, 2)
    own[0]["demonstration"] = own[1]["demonstration"] = False
    own[1]["reward"] = 77.0
    agent.add(Transitions(*own))
    rewards = agent._memory.sample(40).rewards.numpy()
    assert (rewards != 77.0).sum() == 10 if share else (rewards != 77.0).sum() < 10


@pytest.mark.timeout(300)
def test_a_worker_records_and_a_trainer_begins_with_it(tmp_path):
    pytest.importorskip("stable_baselines3")
    with running(config_of(tmp_path, environment={"id": DRONE}, worker={"push_interval": 0.05})) as server:
        trainer = {"start_training": 10, "max_samples": 30, "max_updates_per_sample": 0.02, "device": "cpu"}
        config = make_config({**msgspec.to_builtins(server.config), "trainer": trainer})
        make_stream(config)
        module = [sys.executable, "-m", "rtgym_ros.train.worker.main", "--config", str(write(config))]
        flown = [*module, "--name", "w1", "--episodes", "3", "--record", str(tmp_path / "flights")]
        done = subprocess.run(flown, capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stderr
        episodes = list(read_episodes(tmp_path / "flights" / "w1"))
        assert [episode.is_over for episode in episodes] == [True] * 3
        count = sum(len(episode.steps) - 1 for episode in episodes)
        shown = f"trainer.demonstrations=[{tmp_path / 'flights' / 'w1'}]"
        learn = [
            sys.executable,
            "-m",
            "rtgym_ros.train.trainer.trainer",
            "--config",
            str(write(config)),
            "--set",
            shown,
        ]
        done = subprocess.run(learn, capture_output=True, text=True, timeout=200)
    assert done.returncode == 0, done.stderr
    assert f"{count} transitions come from recordings" in done.stderr
