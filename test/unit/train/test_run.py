"""The API of a learner of one's own: what it gets, and a script that learns with it while a robot flies."""

from __future__ import annotations

import asyncio

import numpy as np
import pytest
from flying_robot import distant_lines, flown_policy, flying, learn
from gymnasium import spaces
from nats_server import config_of, running, write
from trainer_helpers import ACTION, OBSERVATION, make_records, send

from rtgym_ros.core.errors import ConfigError
from rtgym_ros.train import Run
from rtgym_ros.train.errors import LinkError
from rtgym_ros.train.protocol.schema import make_schema, schema_from_bytes, unflatten


@pytest.fixture
def server(tmp_path):
    with running(config_of(tmp_path, environment={"id": "rtgym_ros/SimulatedDrone-v0"})) as server:
        yield server


def connect(server, **arguments) -> Run:
    return Run.connect("r", server.config.server.url[0], directory=server.config.directory, **arguments)


def test_spaces_samples_and_transitions_come_as_the_environment_has_them(server):
    records = make_records([100, 50], test_every=2)
    with connect(server) as run:
        assert not run.wait_for_robot(0.1)
    send(server.config, records)
    with connect(server) as run:
        assert run.wait_for_robot(10.0)
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
    schema = schema_from_bytes(make_schema(space, spaces.Discrete(2)).to_bytes())
    assert schema.observation_space == space
    structured = unflatten("observation", space, np.zeros(5, schema.dtype))
    assert isinstance(structured, {spaces.Dict: dict, spaces.Tuple: tuple}.get(type(space), np.ndarray))


@pytest.mark.timeout(600)
@pytest.mark.parametrize(("example", "amount", "said"), [
    ("learn_pytorch.py", 300, "300 updates on"),
    ("learn_cleanrl.py", 400, "updates, "),
])  # fmt: skip
def test_a_script_learns_while_a_robot_flies(tmp_path, example, amount, said):
    pytest.importorskip("torch")
    with flying(tmp_path) as config:
        assert said in learn(config, example, amount)
    policy = flown_policy(config)
    assert policy.version >= 0
    assert {"layer.1.weight", "mean.weight", "log_std.weight"} <= policy.arrays.keys()
    assert distant_lines(example) <= 50


def test_a_batch_says_whose_it_is_and_what_was_told_of_it(server):
    """Of one's own schema: infos, and what a policy answers besides the action."""
    schema = make_schema(OBSERVATION, ACTION, delays=True, info=("battery",), extras={"log_prob": ()})
    plain = make_records([10, 20], test_every=2)
    records = np.zeros(len(plain), schema.dtype)
    for name in plain.dtype.names:
        records[name] = plain[name]
    records["info/battery"] = np.where(records["step"] == 5, np.nan, 0.5)
    records["extra/log_prob"], records["alpha"] = -records["step"], 1.0
    records["intervention"] = records["step"] == 7
    records["executed"][records["intervention"]] = ACTION.high
    send(server.config, records, robot="drone1", boot="b7", schema=schema)
    with connect(server) as run:
        batches = list(run.transitions(timeout=1.0))
    (batch,) = batches
    assert (batch.robot, batch.boot, len(batch)) == ("drone1", "b7", 20)
    assert set(batch.episodes) == {1}
    assert batch.steps.tolist() == list(range(1, 21))
    assert batch.infos["battery"][5] == 0.5
    assert np.isnan(batch.infos["battery"][4])
    assert batch.extras["log_prob"].tolist() == [-step for step in range(1, 21)]
    assert batch.interventions.tolist() == [step == 7 for step in range(1, 21)]
    assert not batch.demonstrations.any()
    assert (batch.executed[6] == ACTION.high).all()
    assert (batch.actions[6] != ACTION.high).all()
    assert set(batch.records["alpha"]) == {1.0}
    for array in (batch.rewards, batch.terminated, batch.executed, batch.observations[0], batch.episodes,
                  batch.infos["battery"], batch.extras["log_prob"]):  # fmt: skip
        assert array.flags.c_contiguous  # PyTorch takes no others of packed records
    assert [(episode.episode, episode.test, episode.length) for episode in batch.ended] == [
        (0, True, 10),
        (1, False, 20),
    ]


def test_observations_and_actions_are_flat_as_the_policy_of_the_robot_has_them(server):
    records = make_records([10])
    send(server.config, records)
    with connect(server) as run:
        (batch,) = run.transitions(timeout=1.0)
        assert [space.shape for space in run.flat_spaces] == [(3,), (2,)]
        seen, scaled = run.flat(batch.observations), run.scaled(batch.executed)
    assert seen.dtype == scaled.dtype == np.float32
    assert (seen == np.concatenate([records["observation/0"], records["observation/1"]], axis=1)[:-1]).all()
    assert scaled * [1.0, 2.5] + [0.0, 0.5] == pytest.approx(records["executed"][1:], abs=1e-6)


def test_a_sample_that_is_not_finite_is_left_out_and_counted(server):
    records = make_records([20])
    records["reward"][5], records["observation/0"][12, 1] = np.inf, np.nan
    send(server.config, records)
    with connect(server) as run:
        steps = [step for batch in run.transitions(timeout=1.0) for step in batch.steps.tolist()]
        assert run.counts["not_finite"] == 2
    assert steps == [step for step in range(1, 21) if step not in (5, 6, 12, 13)]


def test_images_have_no_vector(server):
    schema = make_schema(spaces.Box(0, 255, (8, 8, 3), np.uint8), ACTION)
    send(server.config, np.zeros(3, schema.dtype), schema=schema)
    with connect(server) as run, pytest.raises(ConfigError, match="there are images among the observations"):
        _ = run.flat_spaces


def test_it_may_be_used_where_an_event_loop_runs(server):
    """As in a cell of a notebook."""
    send(server.config, make_records([10]))

    async def cell():
        with connect(server) as run:
            return sum(len(batch) for batch in run.transitions(timeout=1.0))

    assert asyncio.run(cell()) == 10
