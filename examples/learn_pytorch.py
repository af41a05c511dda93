"""A PyTorch loop of one's own as the learner of a run: Soft Actor-Critic (Haarnoja et al. 2018), nothing but PyTorch.

``python learn_pytorch.py RUN URL DIRECTORY UPDATES``. The lines that name ``run`` are what makes it distant.
"""

import sys

import numpy as np
import torch
from torch import nn
from torch.nn.functional import mse_loss

from rtgym_ros.train import Run
from rtgym_ros.train.export import export_gaussian

GAMMA, TAU, LEARNING_RATE, BATCH, MEMORY, PUBLISH = 0.95, 0.01, 1e-3, 128, 100_000, 50


def perceptron(inputs: int, outputs: int) -> nn.Sequential:
    """Return a network with two hidden layers."""
    hidden = nn.Linear(inputs, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU()
    return nn.Sequential(*hidden, nn.Linear(64, outputs))


def act(actor: nn.Sequential, observations: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Draw actions in [-1, 1], and return them with their log-probabilities."""
    mean, log_std = actor(observations).chunk(2, dim=1)
    normal = torch.distributions.Normal(mean, log_std.clamp(-20, 2).exp())
    drawn = normal.rsample()
    action = torch.tanh(drawn)
    return action, (normal.log_prob(drawn) - torch.log(1 - action**2 + 1e-6)).sum(1, keepdim=True)


def learn(run: Run, wanted: int) -> str:
    """Learn from what the robots fly, a gradient step a transition, and return what there is to tell of it."""
    inputs, size = (space.shape[0] for space in run.flat_spaces)
    actor = perceptron(inputs, 2 * size)
    critics, targets = (nn.ModuleList(perceptron(inputs + size, 1) for _ in "12") for _ in "ab")
    targets.load_state_dict(critics.state_dict())
    log_alpha = torch.zeros(1, requires_grad=True)
    optimize_critics = torch.optim.Adam(critics.parameters(), LEARNING_RATE)
    optimize_actor = torch.optim.Adam([*actor.parameters(), log_alpha], LEARNING_RATE)
    memory: list[tuple[np.ndarray, ...]] = []
    updates = 0
    for batch in run.transitions(timeout=120.0):
        columns = (
            run.flat(batch.observations),
            run.scaled(batch.executed),
            batch.rewards[:, None],
            run.flat(batch.next_observations),
            batch.terminated[:, None],
        )
        memory = (memory + list(zip(*columns, strict=True)))[-MEMORY:]
        for _ in range(len(batch)):
            rows = [memory[i] for i in np.random.randint(len(memory), size=BATCH)]
            o, a, r, o2, end = (torch.as_tensor(np.stack(c), dtype=torch.float32) for c in zip(*rows, strict=True))
            with torch.no_grad():
                a2, log_prob = act(actor, o2)
                value = torch.min(*(q(torch.cat([o2, a2], 1)) for q in targets)) - log_alpha.exp() * log_prob
                goal = r + GAMMA * (1 - end) * value
            optimize_critics.zero_grad()
            sum(mse_loss(q(torch.cat([o, a], 1)), goal) for q in critics).backward()
            optimize_critics.step()
            action, log_prob = act(actor, o)
            best = torch.min(*(q(torch.cat([o, action], 1)) for q in critics))
            entropy = -(log_alpha * (log_prob.detach() - size)).mean()
            optimize_actor.zero_grad()
            ((log_alpha.exp().detach() * log_prob - best).mean() + entropy).backward()
            optimize_actor.step()
            with torch.no_grad():
                for target, source in zip(targets.parameters(), critics.parameters(), strict=True):
                    target.lerp_(source, TAU)
            updates += 1
            if updates % PUBLISH == 0:
                run.publish(export_gaussian(actor))
            if updates >= wanted:
                run.flush()
                return f"{updates} updates on {len(memory)} transitions"
    return f"no robot flies any more, after {updates} updates"


if __name__ == "__main__":
    name, url, directory, wanted = sys.argv[1:]
    torch.set_num_threads(1)
    with Run.connect(name, url, directory=directory) as run:
        print(learn(run, int(wanted)), flush=True)
