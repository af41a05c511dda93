"""REDQ (Chen et al. 2021, arXiv 2101.05982) on Stable-Baselines3's SAC: many critics, a few of them for each target."""

from __future__ import annotations

from typing import Any

import torch
from stable_baselines3 import SAC
from stable_baselines3.common.utils import polyak_update
from torch.nn.functional import mse_loss

from rtgym_ros.core.errors import ConfigError


class Redq(SAC):
    """Soft Actor-Critic with ``policy_kwargs.n_critics`` critics (10), made for several updates a sample.

    Args:
        args: of SAC.
        subset: critics, drawn anew for each update, of whose targets the least one counts.
        policy_delay: updates of the critics to one of actor and entropy coefficient, which see the mean of all critics.
        kwargs: of SAC.

    Raises:
        ConfigError: there are fewer critics than ``subset``, or a number is below 1.
    """

    def __init__(self, *args: Any, subset: int = 2, policy_delay: int = 20, **kwargs: Any) -> None:
        policy_kwargs = {"n_critics": 10, **(kwargs.pop("policy_kwargs", None) or {})}
        if not 1 <= subset <= policy_kwargs["n_critics"] or policy_delay < 1:
            raise ConfigError(
                f"trainer.agent_kwargs: subset must be 1 to n_critics ({policy_kwargs['n_critics']}), got {subset}; "
                f"policy_delay at least 1, got {policy_delay}"
            )
        self._subset, self._policy_delay = subset, policy_delay
        super().__init__(*args, policy_kwargs=policy_kwargs, **kwargs)

    def train(self, gradient_steps: int, batch_size: int = 64) -> None:
        """Do so many updates of the critics, and every so many one of the actor."""
        self.policy.set_training_mode(True)
        entropy = [self.ent_coef_optimizer] if self.ent_coef_optimizer is not None else []
        self._update_learning_rate([self.actor.optimizer, self.critic.optimizer, *entropy])
        for step in range(gradient_steps):
            assert self.replay_buffer is not None
            batch = self.replay_buffer.sample(batch_size)
            self._update_critics(batch)
            if step % self.target_update_interval == 0:
                polyak_update(self.critic.parameters(), self.critic_target.parameters(), self.tau)
            self._n_updates += 1
            if self._n_updates % self._policy_delay == 0:
                self._update_actor(batch)
        self.logger.record("train/ent_coef", self._entropy_coefficient().item())

    def _entropy_coefficient(self) -> torch.Tensor:
        if self.log_ent_coef is not None:
            return torch.exp(self.log_ent_coef.detach())
        return self.ent_coef_tensor

    def _update_critics(self, batch: Any) -> None:
        with torch.no_grad():
            actions, log_prob = self.actor.action_log_prob(batch.next_observations)
            values = torch.cat(self.critic_target(batch.next_observations, actions), dim=1)
            drawn = torch.randperm(values.shape[1], device=values.device)[: self._subset]
            value = values[:, drawn].min(dim=1, keepdim=True).values
            value = value - self._entropy_coefficient() * log_prob.reshape(-1, 1)
            goal = batch.rewards + (1 - batch.dones) * self.gamma * value
        losses = [mse_loss(found, goal) for found in self.critic(batch.observations, batch.actions)]
        loss = 0.5 * torch.stack(losses).sum()
        self.critic.optimizer.zero_grad()
        loss.backward()
        self.critic.optimizer.step()
        self.logger.record("train/critic_loss", loss.item())

    def _update_actor(self, batch: Any) -> None:
        actions, log_prob = self.actor.action_log_prob(batch.observations)
        log_prob = log_prob.reshape(-1, 1)
        coefficient = self._entropy_coefficient()
        if self.ent_coef_optimizer is not None and self.log_ent_coef is not None:
            entropy_loss = -(self.log_ent_coef * (log_prob + float(self.target_entropy)).detach()).mean()
            self.ent_coef_optimizer.zero_grad()
            entropy_loss.backward()
            self.ent_coef_optimizer.step()
        value = torch.cat(self.critic(batch.observations, actions), dim=1).mean(dim=1, keepdim=True)
        loss = (coefficient * log_prob - value).mean()
        self.actor.optimizer.zero_grad()
        loss.backward()
        self.actor.optimizer.step()
        self.logger.record("train/actor_loss", loss.item())
