"""A script in the manner of CleanRL's ``sac_continuous_action.py``, whose environment is a run: robots fly elsewhere.

``python learn_cleanrl.py RUN URL DIRECTORY TIME_STEPS``. Arguments, networks, replay buffer and updates are as in such
a script. What takes the place of ``envs.step()`` are the lines that name ``run``.
"""

import sys
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812  # as in CleanRL
from torch import nn, optim

from rtgym_ros.train import Run
from rtgym_ros.train.export import export_gaussian

LOG_STD_MAX, LOG_STD_MIN = 2, -20


@dataclass
class Args:
    """The hyperparameters."""

    seed: int = 1
    total_timesteps: int = 24_000
    buffer_size: int = 100_000
    gamma: float = 0.95
    tau: float = 0.01
    batch_size: int = 128
    learning_starts: int = 300
    policy_lr: float = 1e-3
    q_lr: float = 1e-3
    policy_frequency: int = 2
    alpha: float = 0.02
    publish_frequency: int = 50


class SoftQNetwork(nn.Module):
    """A critic."""

    def __init__(self, observation: int, action: int) -> None:
        super().__init__()
        self.fc1, self.fc2, self.fc3 = nn.Linear(observation + action, 64), nn.Linear(64, 64), nn.Linear(64, 1)

    def forward(self, x: torch.Tensor, a: torch.Tensor) -> torch.Tensor:
        """Return the value of actions."""
        x = F.relu(self.fc1(torch.cat([x, a], 1)))
        return self.fc3(F.relu(self.fc2(x)))


class Actor(nn.Module):
    """The policy. Its actions are in [-1, 1]: the robots scale them."""

    def __init__(self, observation: int, action: int) -> None:
        super().__init__()
        self.network = nn.Sequential(nn.Linear(observation, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU())
        self.fc_mean, self.fc_logstd = nn.Linear(64, action), nn.Linear(64, action)

    def get_action(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Draw actions; return them with their log-probabilities."""
        x = self.network(x)
        std = self.fc_logstd(x).clamp(LOG_STD_MIN, LOG_STD_MAX).exp()
        normal = torch.distributions.Normal(self.fc_mean(x), std)
        x_t = normal.rsample()
        action = torch.tanh(x_t)
        return action, (normal.log_prob(x_t) - torch.log(1 - action.pow(2) + 1e-6)).sum(1, keepdim=True)


class ReplayBuffer:
    """Columns of transitions, the oldest of which are overwritten."""

    def __init__(self, size: int) -> None:
        self.size, self.count, self.columns = size, 0, []

    def add(self, *columns: np.ndarray) -> None:
        """Put in n transitions."""
        if not self.columns:
            self.columns = [np.zeros((self.size, column.shape[1]), np.float32) for column in columns]
        at = np.arange(self.count, self.count + len(columns[0])) % self.size
        for kept, column in zip(self.columns, columns, strict=True):
            kept[at] = column
        self.count += len(at)

    def sample(self, batch_size: int) -> list[torch.Tensor]:
        """Draw transitions."""
        at = np.random.randint(min(self.count, self.size), size=batch_size)
        return [torch.from_numpy(column[at]) for column in self.columns]


def train(run: Run, args: Args) -> str:
    """Do as ``__main__`` of such a script, and return the last of what it prints."""
    np.random.seed(args.seed)
    torch.manual_seed(args.seed)
    sizes = [space.shape[0] for space in run.flat_spaces]
    actor, qf1, qf2, qf1_target, qf2_target = Actor(*sizes), *(SoftQNetwork(*sizes) for _ in range(4))
    qf1_target.load_state_dict(qf1.state_dict())
    qf2_target.load_state_dict(qf2.state_dict())
    q_optimizer = optim.Adam([*qf1.parameters(), *qf2.parameters()], lr=args.q_lr)
    actor_optimizer = optim.Adam(actor.parameters(), lr=args.policy_lr)
    rb, global_step, updates, episodes = ReplayBuffer(args.buffer_size), 0, 0, 0
    for batch in run.transitions(timeout=120.0):
        for episode in batch.ended:
            episodes += 1
            kind = "test" if episode.test else "charts"
            print(f"global_step={global_step}, {kind}/episodic_return={episode.episode_return:.2f} of {episode.worker}")
        obs, next_obs = run.flat(batch.observations), run.flat(batch.next_observations)
        actions = run.scaled(batch.executed)
        rb.add(obs, actions, batch.rewards[:, None], next_obs, batch.terminated[:, None])
        global_step += len(batch)
        for _ in range(len(batch) if global_step > args.learning_starts else 0):
            o, a, r, next_o, done = rb.sample(args.batch_size)
            with torch.no_grad():
                next_a, next_log_pi = actor.get_action(next_o)
                target = torch.min(qf1_target(next_o, next_a), qf2_target(next_o, next_a)) - args.alpha * next_log_pi
                next_q_value = r + (1 - done) * args.gamma * target
            qf_loss = F.mse_loss(qf1(o, a), next_q_value) + F.mse_loss(qf2(o, a), next_q_value)
            q_optimizer.zero_grad()
            qf_loss.backward()
            q_optimizer.step()
            if updates % args.policy_frequency == 0:
                for _ in range(args.policy_frequency):
                    pi, log_pi = actor.get_action(o)
                    actor_loss = (args.alpha * log_pi - torch.min(qf1(o, pi), qf2(o, pi))).mean()
                    actor_optimizer.zero_grad()
                    actor_loss.backward()
                    actor_optimizer.step()
            for network, target_network in ((qf1, qf1_target), (qf2, qf2_target)):
                for param, target_param in zip(network.parameters(), target_network.parameters(), strict=True):
                    target_param.data.lerp_(param.data, args.tau)
            updates += 1
            if updates % args.publish_frequency == 0:
                run.publish(export_gaussian(actor.network, actor.fc_mean, actor.fc_logstd))
        if global_step >= args.total_timesteps:
            run.flush()
            return f"{updates} updates, {episodes} episodes"
    return f"no robot flies any more, after {updates} updates"


if __name__ == "__main__":
    name, url, directory, time_steps = sys.argv[1:]
    torch.set_num_threads(1)
    with Run.connect(name, url, directory=directory) as run:
        print(train(run, Args(total_timesteps=int(time_steps))), flush=True)
