"""Delays that an environment measures, from its infos to the samples and to a learner that sees them."""

from __future__ import annotations

import gymnasium
import numpy as np
import pytest

import rtgym_ros  # noqa: F401  # registers the drone
from rtgym_ros.core.locate import shared_file
from rtgym_ros.policies.mlp_model import KIND
from rtgym_ros.policies.policy import make_policy
from rtgym_ros.train.config import EnvironmentConfig, TrainerConfig, WorkerConfig
from rtgym_ros.train.config_file import load_config
from rtgym_ros.train.trainer.transitions import TransitionAssembler
from rtgym_ros.train.worker.make_env import make_env
from rtgym_ros.train.worker.ring_folder import RingFolder
from rtgym_ros.train.worker.rollout_worker import RolloutWorker
from rtgym_ros.train.worker.sample_layout import SampleLayout
from rtgym_ros.train.worker.sample_ring import RingReader

DRONE = "rtgym_ros/SimulatedDrone-v0"


def test_the_simulated_drone_measures_what_its_link_does():
    env = gymnasium.make(DRONE, config={"ep_max_length": 50})
    env.reset(seed=1)
    infos = [env.step(env.action_space.sample())[-1] for _ in range(50)][5:]
    env.close()
    total = np.array([info["alpha"] + info["kappa"] for info in infos])
    assert {info["alpha"] for info in infos} <= {0.0, 1.0}
    assert set(total) <= {1.0, 2.0, 3.0}, "the action buffer of four holds what is under way"
    assert all(0.0 < info["observation_delay"] < 0.1 for info in infos)


def test_sac_learns_with_the_delays_that_were_measured(tmp_path):
    pytest.importorskip("stable_baselines3")
    from rtgym_ros.train.trainer.agent import make_agent

    config = EnvironmentConfig(id=DRONE, delays=True, kwargs={"config": {"delays": "observed", "ep_max_length": 40}})
    env = make_env(config)
    policy = make_policy(KIND, env.observation_space, env.action_space, np.random.default_rng(0))
    layout = SampleLayout(config, env.observation_space, env.action_space)
    ring = RingFolder(tmp_path).create(layout.schema, 1000)
    reader = RingReader.open(RingFolder(tmp_path).paths()[-1])
    RolloutWorker(env, policy, ring, layout, WorkerConfig()).run(3)
    records = reader.read(1000)[1].copy()
    ring.close()
    reader.close()
    env.close()
    known = records[records["step"] > 5]
    assert np.isfinite([known[name] for name in ("alpha", "kappa", "beta")]).all()
    observed = known["observation/8"]  # each a fraction of the action buffer's length
    assert observed[:, 0] * 4 == pytest.approx(known["alpha"])
    assert observed[:, 2] * 4 == pytest.approx(known["beta"])
    agent = make_agent(layout.schema, TrainerConfig(batch_size=32, seed=1, device="cpu"))
    agent.add(TransitionAssembler().add("w", "b", records)[0])
    assert agent.train(3).keys() >= {"actor_loss", "critic_loss"}
    policy.adopt(agent.export())
    assert env.action_space.contains(policy.act(env.observation_space.sample(), True))


def test_the_configuration_with_delays_learns_as_the_other_one():
    """What `./dev train --config config/train_delays.yaml` changes is what the policy sees; the pages' test runs it."""
    plain, delayed = (load_config(shared_file(f"config/{name}.yaml")) for name in ("train", "train_delays"))
    assert delayed.trainer == plain.trainer
    assert delayed.worker == plain.worker
    assert delayed.environment.delays
    env, with_delays = (gymnasium.make(DRONE, **config.environment.kwargs) for config in (plain, delayed))
    assert len(with_delays.observation_space) == len(env.observation_space) + 1
    assert with_delays.observation_space[8].shape == (3,)
    env.close()
    with_delays.close()
