"""A program in CleanRL's style, one file with everything in it, learns on real-time environments."""

import gymnasium
import numpy as np
import pytest

pytest.importorskip("torch")

import torch
from gymnasium.utils.env_checker import check_env
from gymnasium.vector import AsyncVectorEnv, AutoresetMode, SyncVectorEnv
from line_robot import ENV_ID, TIME_KEYS, config, make
from torch import nn
from torch.distributions import Normal


def make_env():
    env = gymnasium.make(ENV_ID, config=config("tuple"))
    env = gymnasium.wrappers.FlattenObservation(env)
    env = gymnasium.wrappers.RecordEpisodeStatistics(env)
    env = gymnasium.wrappers.ClipAction(env)
    return gymnasium.wrappers.NormalizeReward(env, gamma=0.99)


class Agent(nn.Module):
    def __init__(self, envs):
        super().__init__()
        inputs = int(np.prod(envs.single_observation_space.shape))
        outputs = int(np.prod(envs.single_action_space.shape))
        self.critic = nn.Sequential(nn.Linear(inputs, 32), nn.Tanh(), nn.Linear(32, 1))
        self.actor_mean = nn.Sequential(nn.Linear(inputs, 32), nn.Tanh(), nn.Linear(32, outputs))
        self.actor_logstd = nn.Parameter(torch.zeros(1, outputs))

    def forward(self, observation, action=None):
        mean = self.actor_mean(observation)
        normal = Normal(mean, self.actor_logstd.expand_as(mean).exp())
        action = normal.sample() if action is None else action
        return action, normal.log_prob(action).sum(1), normal.entropy().sum(1), self.critic(observation).flatten()


def learn(envs, updates=2, num_steps=24):
    """Proximal policy optimisation, without minibatches."""
    agent = Agent(envs)
    optimizer = torch.optim.Adam(agent.parameters(), lr=3e-4)
    observation = torch.tensor(envs.reset(seed=1)[0], dtype=torch.float32)
    over = torch.zeros(envs.num_envs)
    recorded = []
    for _ in range(updates):
        flown = []
        for _ in range(num_steps):
            with torch.no_grad():
                action, log_prob, _, value = agent(observation)
            following, reward, terminated, truncated, infos = envs.step(action.numpy())
            flown.append((observation, action, log_prob, value, torch.tensor(reward, dtype=torch.float32), over))
            observation = torch.tensor(following, dtype=torch.float32)
            over = torch.tensor(terminated | truncated, dtype=torch.float32)
            recorded.append(infos)
        with torch.no_grad():
            value, advantage, advantages = agent(observation)[3], 0.0, []
            for _, _, _, earlier, reward, _ in reversed(flown):
                advantage = reward + 0.99 * value * (1 - over) - earlier + 0.95 * 0.99 * (1 - over) * advantage
                advantages.insert(0, advantage)
                value = earlier
        observations, actions, log_probs, values, *_ = (torch.cat(parts) for parts in zip(*flown, strict=True))
        targets = torch.cat(advantages)
        for _ in range(2):
            _, new_log_prob, entropy, new_value = agent(observations, actions)
            ratio = (new_log_prob - log_probs).exp()
            policy_loss = -torch.min(ratio * targets, ratio.clamp(0.8, 1.2) * targets).mean()
            loss = policy_loss + 0.5 * ((new_value - values - targets) ** 2).mean() - 0.01 * entropy.mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    return agent, recorded


def test_gymnasiums_checker_passes():
    with make("tuple") as env:
        check_env(env.unwrapped, skip_render_check=True)


@pytest.mark.parametrize("how", ["sync", "async fork", "async spawn"])
@pytest.mark.parametrize("autoreset", [AutoresetMode.NEXT_STEP, AutoresetMode.SAME_STEP])
def test_it_learns_on_vectors(how, autoreset, tmp_path):
    kind, _, context = how.partition(" ")
    if kind == "sync":
        envs = SyncVectorEnv([make_env] * 2, autoreset_mode=autoreset)
    else:
        envs = AsyncVectorEnv([make_env] * 2, context=context, autoreset_mode=autoreset)
    try:
        agent, infos = learn(envs)
        assert infos[-1].keys() >= TIME_KEYS
        assert all(np.isfinite(info["capture_time"]).all() for info in infos)
        assert any("episode" in info.get("final_info", info) for info in infos)
        torch.save(agent.state_dict(), tmp_path / "agent.pt")
        agent.load_state_dict(torch.load(tmp_path / "agent.pt"))
    finally:
        envs.close()


def test_over_ros(drone_namespace):
    def make_drone():
        env = gymnasium.make("rtgym_ros/Drone-v0", namespace=drone_namespace, config={"time_step_timeout_factor": 1e6})
        return gymnasium.wrappers.RecordEpisodeStatistics(gymnasium.wrappers.FlattenObservation(env))

    envs = SyncVectorEnv([make_drone])
    try:
        learn(envs, updates=1)
    finally:
        envs.close()
