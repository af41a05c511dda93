"""One's own PyTorch loop on a run: Soft Actor-Critic (Haarnoja et al. 2018) in one file, in the manner of CleanRL.

`python own_loop.py RUN URL DIRECTORY UPDATES`. What makes it distant are the lines that name ``run``: the samples come
from robots elsewhere, whose policies are what it publishes.
"""

import sys

import numpy as np
import torch
from gymnasium.spaces.utils import flatdim
from torch import nn
from torch.nn.functional import mse_loss, relu

from rtgym_ros.train import Run
from rtgym_ros.train.policy.policy_file import PolicyWeights

GAMMA, TAU, LEARNING_RATE, BATCH, MEMORY, PUBLISH = 0.95, 0.01, 1e-3, 128, 100_000, 50


def flat(observations):
    """Join the parts of a Tuple observation, in the order of its space, as the policy on the robot does."""
    parts = observations if isinstance(observations, tuple) else (observations,)
    return np.concatenate(
        [np.asarray(part, np.float32).reshape(len(part), -1) for part in parts], axis=1
    )


def perceptron(inputs, outputs):
    return nn.Sequential(
        nn.Linear(inputs, 64),
        nn.ReLU(),
        nn.Linear(64, 64),
        nn.ReLU(),
        nn.Linear(64, outputs),
    )


class Actor(nn.Module):
    def __init__(self, observation, action):
        super().__init__()
        self.layers = nn.ModuleList([nn.Linear(observation, 64), nn.Linear(64, 64)])
        self.mean, self.log_std = nn.Linear(64, action), nn.Linear(64, action)

    def forward(self, x):
        for layer in self.layers:
            x = relu(layer(x))
        normal = torch.distributions.Normal(
            self.mean(x), self.log_std(x).clamp(-20, 2).exp()
        )
        drawn = normal.rsample()
        action = torch.tanh(drawn)
        log_prob = (normal.log_prob(drawn) - torch.log(1 - action**2 + 1e-6)).sum(
            1, keepdim=True
        )
        return action, log_prob

    def weights(self):
        """The arrays that the NumPy policy of the robots wants."""
        named = {f"layer.{i}": layer for i, layer in enumerate(self.layers)}
        named |= {"mean": self.mean, "log_std": self.log_std}
        arrays = {f"{name}.{part}": getattr(layer, part).detach().numpy().copy()
                  for name, layer in named.items() for part in ("weight", "bias")}  # fmt: skip
        return PolicyWeights(
            "squashed_gaussian_mlp", -1, arrays, {"activation": "relu"}
        )


def main(name, url, directory, wanted):
    torch.set_num_threads(1)
    with Run.connect(name, url, directory=directory) as run:
        space = run.action_space
        sizes = flatdim(run.observation_space), flatdim(space)
        actor, critics, targets = (
            Actor(*sizes),
            *(nn.ModuleList(perceptron(sum(sizes), 1) for _ in "12") for _ in "ab"),
        )
        targets.load_state_dict(critics.state_dict())
        log_alpha = torch.zeros(1, requires_grad=True)
        optimizers = [
            torch.optim.Adam(p, LEARNING_RATE)
            for p in (actor.parameters(), critics.parameters(), [log_alpha])
        ]
        memory, updates = [], 0
        for batch in run.transitions():
            scaled = 2 * (batch.executed - space.low) / (space.high - space.low) - 1
            ended = batch.terminated[:, None].astype(np.float32)
            columns = (
                flat(batch.observations),
                scaled,
                batch.rewards[:, None],
                flat(batch.next_observations),
                ended,
            )
            memory = (memory + list(zip(*columns, strict=True)))[-MEMORY:]
            for _ in range(len(batch)):
                rows = [memory[i] for i in np.random.randint(len(memory), size=BATCH)]
                o, a, r, o2, end = (
                    torch.as_tensor(np.stack(c), dtype=torch.float32)
                    for c in zip(*rows, strict=True)
                )
                with torch.no_grad():
                    a2, log_prob = actor(o2)
                    value = (
                        torch.min(*(q(torch.cat([o2, a2], 1)) for q in targets))
                        - log_alpha.exp() * log_prob
                    )
                    goal = r + GAMMA * (1 - end) * value
                losses = [sum(mse_loss(q(torch.cat([o, a], 1)), goal) for q in critics)]
                action, log_prob = actor(o)
                best = torch.min(*(q(torch.cat([o, action], 1)) for q in critics))
                losses.insert(0, (log_alpha.exp().detach() * log_prob - best).mean())
                losses.append(-(log_alpha * (log_prob.detach() - sizes[1])).mean())
                for optimizer, loss in zip(optimizers, losses, strict=True):
                    optimizer.zero_grad()
                    loss.backward(
                        inputs=[
                            p
                            for group in optimizer.param_groups
                            for p in group["params"]
                        ],
                        retain_graph=True,
                    )
                for optimizer in optimizers:
                    optimizer.step()
                with torch.no_grad():
                    for target, source in zip(
                        targets.parameters(), critics.parameters(), strict=True
                    ):
                        target.lerp_(source, TAU)
                updates += 1
                if updates % PUBLISH == 0:
                    run.publish(actor.weights())
                if updates >= wanted:
                    run.flush()
                    print(f"{updates} updates on {len(memory)} transitions", flush=True)
                    return


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4]))
