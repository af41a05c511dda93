"""skrl wraps real-time environments and learns on them."""

import gymnasium
import numpy as np
import pytest

pytest.importorskip("skrl")

import torch
from gymnasium.vector import AsyncVectorEnv, SyncVectorEnv
from line_robot import make
from skrl.agents.torch.sac import SAC
from skrl.envs.wrappers.torch import wrap_env
from skrl.memories.torch import RandomMemory
from skrl.trainers.torch import SequentialTrainer
from skrl.utils.model_instantiators.torch import deterministic_model, gaussian_model
from skrl.utils.spaces.torch import compute_space_size

NETWORK = [{"name": "net", "input": "OBSERVATIONS", "layers": [16], "activations": "relu"}]
CRITIC = [{"name": "net", "input": "concatenate([OBSERVATIONS, ACTIONS])", "layers": [16], "activations": "relu"}]


@pytest.fixture(autouse=True)
def where_it_writes(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # checkpoints and TensorBoard's files, into runs/


def agent_for(env):
    space = {"observation_space": env.observation_space, "action_space": env.action_space, "device": "cpu"}
    names = ("critic_1", "critic_2", "target_critic_1", "target_critic_2")
    models = {name: deterministic_model(**space, network=CRITIC, output="ONE") for name in names}
    models["policy"] = gaussian_model(**space, network=NETWORK, output="ACTIONS")
    memory = RandomMemory(memory_size=100, num_envs=env.num_envs, device="cpu")
    return SAC(
        models=models, memory=memory, cfg={"batch_size": 8, "learning_starts": 10, "random_timesteps": 10}, **space
    )


def learn(env, timesteps=40):
    agent = agent_for(env)
    trainer = SequentialTrainer(
        env=env, agents=agent, cfg={"timesteps": timesteps, "headless": True, "disable_progressbar": True}
    )
    trainer.train()
    return agent


def test_it_learns(tmp_path):
    env = wrap_env(make(), wrapper="gymnasium")
    assert compute_space_size(env.observation_space) == 3
    agent = learn(env)
    agent.save(str(tmp_path / "agent.pt"))
    agent_for(env).load(str(tmp_path / "agent.pt"))


@pytest.mark.parametrize("how", ["sync", "async fork", "async spawn"])
def test_vectors(how):
    kind, _, context = how.partition(" ")
    envs = SyncVectorEnv([make] * 2) if kind == "sync" else AsyncVectorEnv([make] * 2, context=context)
    env = wrap_env(envs, wrapper="gymnasium")
    env.reset()
    for _ in range(25):
        _, rewards, *_, infos = env.step(torch.zeros(2, 1))
    assert torch.isfinite(rewards).all()
    assert np.isfinite(infos["capture_time"]).all()
    env.close()


def test_over_ros(drone_namespace):
    env = gymnasium.make("rtgym_ros/Drone-v0", namespace=drone_namespace, config={"time_step_timeout_factor": 1e6})
    learn(wrap_env(gymnasium.wrappers.FlattenObservation(env), wrapper="gymnasium"), timesteps=25)
