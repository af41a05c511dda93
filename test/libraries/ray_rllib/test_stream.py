"""RLlib as the learner of a run: two learners compute, a robot flies, and the stream is between them."""

import numpy as np
import pytest

pytest.importorskip("ray.rllib")

from flying_robot import flown_policy, flying
from nats_server import config_of, running, write
from ray.rllib.algorithms.sac import SACConfig
from ray.rllib.core.columns import Columns
from ray.rllib.utils.replay_buffers import EpisodeReplayBuffer
from trainer_helpers import ACTION, OBSERVATION, make_records, send

from rtgym_ros.core.errors import ConfigError
from rtgym_ros.libraries.ray_rllib import StreamEnvRunner
from rtgym_ros.policies.squashed_gaussian import SquashedGaussianMlp
from rtgym_ros.train.errors import LinkError

NETWORK = {
    "fcnet_hiddens": [32],
    "fcnet_activation": "relu",
    "head_fcnet_hiddens": [32],
    "head_fcnet_activation": "relu",
}


def sac(config, learners=0, fragment=25, **entries):
    return (
        SACConfig()
        .environment(env_config={"run": str(write(config)), **entries})
        .env_runners(
            env_runner_cls=StreamEnvRunner, num_env_runners=0, rollout_fragment_length=fragment, sample_timeout_s=60
        )
        .learners(num_learners=learners)
        .rl_module(model_config=NETWORK)
        .training(train_batch_size_per_learner=32, num_steps_sampled_before_learning_starts=100)
    )


@pytest.fixture
def stream(tmp_path):
    with running(config_of(tmp_path, environment={"id": "e"})) as server:
        yield server.config


def runner_of(config, fragment=25, timeout=60, **entries):
    algorithm = sac(config, fragment=fragment, **entries).env_runners(sample_timeout_s=timeout)
    return StreamEnvRunner(config=algorithm, worker_index=0)


@pytest.mark.timeout(600)
def test_two_learners_learn_while_a_robot_flies(tmp_path):
    with flying(tmp_path) as config:
        algorithm = sac(config, learners=2).build_algo()
        try:
            for _ in range(6):
                result = algorithm.train()
        finally:
            algorithm.stop()
    assert result["env_runners"]["num_env_steps_sampled_lifetime"] >= 600
    assert result["learners"]["default_policy"]["num_module_steps_trained_lifetime"] > 0
    assert np.isfinite(result["env_runners"]["episode_return_mean"])
    policy = flown_policy(config)
    assert policy.version > 0
    assert {name.rpartition(".")[0] for name in policy.arrays} == {"layer.0", "layer.1", "mean", "log_std"}


def test_it_exports_what_it_has(stream):
    send(stream, make_records([10]))
    runner = runner_of(stream)
    try:
        policy = SquashedGaussianMlp(OBSERVATION, ACTION, np.random.default_rng(1))
        policy.adopt(runner.export())
        observation = OBSERVATION.sample()
        flat = np.concatenate(observation)[None]
        import torch

        logits = runner.module.forward_inference({Columns.OBS: torch.as_tensor(flat)})[Columns.ACTION_DIST_INPUTS]
        expected = logits[0, :2].tanh().detach().numpy() * [1.0, 2.5] + [0.0, 0.5]
        assert policy.act(observation, deterministic=True) == pytest.approx(expected, abs=1e-5)
    finally:
        runner.stop()


@pytest.mark.parametrize("fragment", [7, 25, 100])
def test_every_transition_comes_once_in_pieces_that_rllib_joins(stream, fragment):
    records = make_records([40, 30, 50], terminated=False)
    records["test"] = records["episode"] == 1
    for begin, end in ((0, 25), (28, 130), (130, len(records))):  # samples 25 to 27 were given up by the robot
        send(stream, records[begin:end], first_seq=begin)
    runner = runner_of(stream, fragment, timeout=2)
    buffer, found, sizes = EpisodeReplayBuffer(capacity=10_000), [], []

    def take_all():
        while True:
            pieces = runner.sample()
            sizes.append(sum(map(len, pieces)))
            buffer.add(pieces)
            found.extend(pieces)

    try:
        with pytest.raises(LinkError, match="no robot has sent a transition for 2 s"):
            take_all()
        metrics = runner.get_metrics()
    finally:
        runner.stop()
    steps = [step for piece in found for step in range(piece.t_started + 1, piece.t + 1)]
    assert steps == [*range(1, 25), *range(29, 41), *range(1, 51)]
    assert set(sizes[:-1]) <= {fragment}
    assert {episode.is_truncated for episode in buffer.episodes} == {True, False}
    assert len({piece.id_ for piece in found}) == 3
    assert float(metrics["num_env_steps_sampled_lifetime"].peek()) == len(steps)
    assert "test_episode_return_mean" in metrics


@pytest.mark.parametrize(
    ("entries", "runners", "message"),
    [
        ({}, 1, "num_env_runners must be 0"),
        ({"learn_from": "acton"}, 0, "learn_from is 'executed' or 'action', got 'acton'"),
        ({"publish_interval": 0}, 0, "publish_interval must be a whole number from 1, got 0"),
    ],
)
def test_what_cannot_be_is_refused_in_a_line(stream, entries, runners, message):
    with pytest.raises(ConfigError, match=message):
        StreamEnvRunner(config=sac(stream, **entries).env_runners(num_env_runners=runners), worker_index=0)
