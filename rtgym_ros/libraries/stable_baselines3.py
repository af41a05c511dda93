"""Stable-Baselines3: a robot that is held while the policy is updated."""

from __future__ import annotations

from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.off_policy_algorithm import OffPolicyAlgorithm
from stable_baselines3.common.type_aliases import TrainFreq, TrainFrequencyUnit


class WaitWhileLearning(BaseCallback):
    """Calls the environments' ``wait()`` before each update that interrupts the flight.

    An update of PPO or A2C, and of an off-policy algorithm that learns after whole episodes, takes up to seconds.
    Without ``wait()`` the last action goes on meanwhile, until ``agent_timeout`` has passed and the safe action is
    sent. ``wait()`` has the interface hold the robot at once, and the clock excuses the time that passes. An off-policy
    algorithm that learns between time-steps (``train_freq`` in steps) is left alone: there the flight goes on.

    To be given to ``learn(callback=...)``; called in the learner's thread.
    """

    def _on_rollout_end(self) -> None:
        if self._interrupts():
            self.training_env.env_method("wait")

    def _on_step(self) -> bool:
        return True

    def _interrupts(self) -> bool:
        model = self.model
        if not isinstance(model, OffPolicyAlgorithm):
            return True
        train_freq = model.train_freq
        return isinstance(train_freq, TrainFreq) and train_freq.unit == TrainFrequencyUnit.EPISODE
