"""The API of a learner of one's own: what it gets, and a script that learns with it while a robot flies."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from gymnasium import spaces
from nats_server import config_of, running, write
from trainer_helpers import ACTION, OBSERVATION, make_records, send

from rtgym_ros.core.errors import ConfigError
from rtgym_ros.train import Run
from rtgym_ros.train.config_file import make_config
from rtgym_ros.train.errors import LinkError
from rtgym_ros.train.protocol.schema import make_schema, unflatten
from rtgym_ros.train.protocol.space_description import describe_space, make_space

EXAMPLES = Path(__file__).parents[3] / "docs" / "examples"


@pytest.fixture
def server(tmp_path):
    with running(config_of(tmp_path, environment={"id": "rtgym_ros/SimulatedDrone-v0"})) as server:
        yield server


def connect(server, **arguments) -> Run:
    return Run.connect("r", server.config.server.url[0], directory=server.config.directory, **arguments)


def test_spaces_samples_and_transitions_come_as_the_environment_has_them(server):
    records = make_records([100, 50], test_every=2)
    send(server.config, records)
    with connect(server) as run:
        assert (run.observation_space, run.action_space) == (OBSERVATION, ACTION)
        batches = list(run.transitions(timeout=1.0))
    learned = records[(records["step"] > 0) & ~records["test"]]
    assert sum(map(len, batches)) == len(learned) == 50
    rewards = np.concatenate([batch.rewards for batch in batches])
    assert rewards.tolist() == learned["reward"].tolist()
    assert isinstance(batches[0].observations, tuple)
    assert batches[0].next_observations[1].shape[1:] == (1,)
    assert (np.concatenate([batch.executed for batch in batches]) == learned["executed"]).all()
    assert {batch.robot for batch in batches} == {"robot"}


def test_another_connection_goes_on_at_a_bookmark(server):
    send(server.config, make_records([100]))
    with connect(server) as run:
        for batch in run.samples():
            first = batch
            break
        bookmark = run.bookmark
    with connect(server, bookmark=bookmark) as run:
        rest = [stamp for batch in run.samples(timeout=1.0) for stamp in batch.records["stamp_ns"].tolist()]
    assert first.records["stamp_ns"].tolist() + rest == list(range(101))


def test_the_configuration_of_the_run_may_be_given_in_its_place(server):
    send(server.config, make_records([10]))
    for run in (write(server.config), str(write(server.config)), server.config):
        with Run.connect(run) as connected:
            assert connected.schema.action_space == ACTION


def test_what_is_wrong_is_said_in_a_line(tmp_path):
    for arguments, error, message in (
        (("r", "http://here"), ConfigError, "trainer.url must be nats://HOST:PORT, got 'http://here'"),
        ((17,), ConfigError, "run is a name, a path or a TrainConfig, got int"),
        (("r", "nats://127.0.0.1:1"), LinkError, "no server at nats://127.0.0.1:1 within 0.5 s"),
    ):
        with pytest.raises(error, match=message):
            Run.connect(*arguments, directory=str(tmp_path), timeout=0.5)


@pytest.mark.parametrize(
    "space",
    [
        spaces.Box(-1.0, np.inf, (2, 3), np.float64),
        spaces.Box(np.array([0.1, -2.0], np.float32), np.array([0.2, 3.0], np.float32)),
        spaces.Box(0, 255, (4, 5, 3), np.uint8),
        spaces.Discrete(7, start=-3),
        spaces.MultiBinary((2, 2)),
        spaces.MultiDiscrete([3, 4]),
        spaces.Dict({"b": spaces.Box(-1, 1, ()), "a": spaces.Tuple((spaces.Discrete(2), spaces.MultiBinary([3])))}),
    ],
)
def test_spaces_travel_exactly(space):
    assert make_space(describe_space(space)) == space
    schema = make_schema(space, spaces.Discrete(2))
    assert schema.observation_space == space
    structured = unflatten("observation", space, np.zeros(5, schema.dtype))
    assert isinstance(structured, {spaces.Dict: dict, spaces.Tuple: tuple}.get(type(space), np.ndarray))


@pytest.mark.timeout(600)
def test_the_loop_of_the_example_learns_while_a_robot_flies(server):
    pytest.importorskip("torch")
    config = make_config(
        {"run": "r", "directory": server.config.directory, "environment": {"id": "rtgym_ros/SimulatedDrone-v0"},
         "server": {"url": list(server.config.server.url)},
         "worker": {"push_interval": 0.05, "max_steps_per_update": 200, "initial_steps": 300}}
    )  # fmt: skip
    worker = [sys.executable, "-m", "rtgym_ros.train.worker.main", "--config", str(write(config)), "--name", "w1"]
    robot = subprocess.Popen([*worker, "--episodes", "100"], stderr=subprocess.PIPE, text=True)
    try:
        command = [sys.executable, EXAMPLES / "own_loop.py", "r", config.server.url[0], config.directory, "400"]
        learner = subprocess.run(list(map(str, command)), capture_output=True, text=True, timeout=500)
    finally:
        robot.terminate()
        said = robot.communicate(timeout=60)[1]
    assert learner.returncode == 0, learner.stderr
    assert "400 updates on" in learner.stdout
    assert (config.folder / "workers/w1/policy.safetensors").exists(), said
