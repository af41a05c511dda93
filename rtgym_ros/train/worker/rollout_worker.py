"""Steps an environment with a policy and writes down what happens: the control process's loop."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, NamedTuple

import gymnasium

from rtgym_ros.core.errors import ConfigError
from rtgym_ros.train.config import WorkerConfig
from rtgym_ros.train.policy.policy import Policy
from rtgym_ros.train.worker.default_action import default_action
from rtgym_ros.train.worker.sample_ring import RingWriter
from rtgym_ros.train.worker.sample_writer import SampleLayout, SampleWriter
from rtgym_ros.train.worker.step_budget import StepBudget
from rtgym_ros.train.worker.weights_inbox import WeightsInbox

_LOOK_S = 0.01
"""From one look for new weights to the next while waiting for them."""


class EpisodeResult(NamedTuple):
    """How an episode went.

    Attributes:
        steps: time-steps made.
        episode_return: sum of the rewards.
        terminated: as the environment said.
        truncated: by the environment, or at ``max_samples_per_episode``.
        timeouts: time-steps of it that timed out.
    """

    steps: int
    episode_return: float
    terminated: bool
    truncated: bool
    timeouts: int


class RolloutWorker:
    """Runs episodes. It never waits for anybody but the environment, unless the synchronous mode is asked for.

    Args:
        env: the environment, preprocessed.
        policy: who acts.
        ring: where samples go, and where news of weights come from.
        layout: of the samples.
        config: of the worker.
        expert: the policy is better than what is being learned: no weights are adopted, nothing is tested.
        should_stop: asked after every time-step.
        now_ns: reads the robot's wall clock (ns since the epoch).
        sleep: lets so many seconds pass; only the synchronous mode does.
    """

    def __init__(
        self,
        env: gymnasium.Env[Any, Any],
        policy: Policy,
        ring: RingWriter,
        layout: SampleLayout,
        config: WorkerConfig,
        expert: bool = False,
        should_stop: Callable[[], bool] = lambda: False,
        now_ns: Callable[[], int] = time.time_ns,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._env = env
        self._policy = policy
        self._ring = ring
        self._config = config
        self._should_stop = should_stop
        self._sleep = sleep
        self._writer = SampleWriter(layout, ring, now_ns, expert)
        inbox = WeightsInbox(policy, ring)
        self._look_for_weights: Callable[[], None] = _nothing if expert else inbox.look
        self._at_once = self._look_for_weights if config.adopt == "at_once" else _nothing
        self._test_interval = 0 if expert else config.test_interval
        self._end_episodes = config.end_episodes
        per_update = config.max_steps_per_update
        self._budget = None if per_update is None else StepBudget(per_update, config.initial_steps)
        self._max_steps = config.max_samples_per_episode
        self._observation: Any = None
        self._timeouts_before = 0

    def reset(self, test: bool = False) -> None:
        """Begin an episode: the environment sends its default action, the first sample is written."""
        self._timeouts_before = _timeouts(self._env)
        self._observation, info = self._env.reset()
        self._policy.reset()
        self._writer.begin(test, default_action(self._env), self._observation, info, self._policy.version)

    def step(self, test: bool = False) -> tuple[bool, bool]:
        """Make one time-step; return whether the episode was terminated, and truncated."""
        self._at_once()
        policy = self._policy
        action = policy.act(self._observation, test)
        observation, reward, terminated, truncated, info = self._env.step(action)
        self._observation, terminated = observation, bool(terminated)
        truncated = bool(truncated) or (self._writer.step + 1 == self._max_steps and not terminated)
        timeouts = _timeouts(self._env) - self._timeouts_before
        self._writer.add(
            action, observation, float(reward), terminated, truncated, info, policy.version, timeouts, policy.extras
        )
        return terminated, truncated

    def run_episode(self, test: bool = False) -> EpisodeResult:
        """Run one episode to its end, or until it is time to stop.

        Args:
            test: act deterministically, and write the last sample only.
        """
        self._look_for_weights()
        terminated = truncated = False
        self.reset(test)
        while not (terminated or truncated or self._should_stop()):
            if not self._end_episodes and not test and not self._may_go_on():
                break
            terminated, truncated = self.step(test)
        writer = self._writer
        timeouts = _timeouts(self._env) - self._timeouts_before
        if self._budget is not None and not test and self._end_episodes:
            self._budget.spend(writer.step)
        return EpisodeResult(writer.step, writer.episode_return, terminated, truncated, timeouts)

    def run(self, episodes: int | None = None) -> None:
        """Run training episodes, with test episodes between them, until it is time to stop.

        Args:
            episodes: how many, tests not counted; None for no end.
        """
        done = 0
        while not self._should_stop() and (episodes is None or done < episodes):
            if self._budget is not None and not self._wait_for_weights(self._budget):
                return
            self._look_for_weights()
            # A policy without weights acts at random: there is nothing to be tested.
            if self._test_interval and done % self._test_interval == 0 and self._policy.version >= 0:
                self.run_episode(test=True)
                if self._should_stop():
                    return
            self.run_episode()
            done += 1

    def _may_go_on(self) -> bool:
        """Wait within an episode, where the synchronous mode wants it; return False when it is time to stop."""
        if self._budget is None:
            return True
        if not self._wait_for_weights(self._budget):
            return False
        self._look_for_weights()
        self._budget.spend(1)
        return True

    def _wait_for_weights(self, budget: StepBudget) -> bool:
        """Wait until the synchronous mode allows more time-steps; return whether it does."""
        budget.note_version(self._ring.weights_version)
        if budget.is_spent and hasattr(self._env.unwrapped, "wait"):
            self._env.unwrapped.wait()
        while budget.is_spent:
            if self._should_stop():
                return False
            self._sleep(_LOOK_S)
            budget.note_version(self._ring.weights_version)
        return True


def run_env_benchmark(env: gymnasium.Env[Any, Any], policy: Policy, steps: int) -> dict[str, Any]:
    """Make so many time-steps and return how long things took in the environment (``benchmarks()``, s).

    Raises:
        ConfigError: the environment measures nothing.
        StateError: it does not measure unless its configuration says so.
    """
    inner: Any = env.unwrapped
    if not hasattr(inner, "benchmarks"):
        raise ConfigError(f"{type(inner).__name__} has no benchmarks(): use a RealTimeEnv")
    observation, _ = env.reset()
    policy.reset()
    for _ in range(steps):
        observation, _, terminated, truncated, _ = env.step(policy.act(observation, False))
        if terminated or truncated:
            observation, _ = env.reset()
            policy.reset()
    result: dict[str, Any] = inner.benchmarks()
    return result


def _timeouts(env: gymnasium.Env[Any, Any]) -> int:
    """Return how many time-steps timed out so far; 0 where the environment does not count."""
    return int(getattr(getattr(env.unwrapped, "clock", None), "timeouts", 0))


def _nothing() -> None:
    pass
