"""Steps an environment with a policy and writes down what happens: the control process's loop."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from math import isfinite
from typing import Any

import gymnasium

from rtgym_ros.policies.policy import Policy
from rtgym_ros.policies.weights import PolicyWeights, WeightsError
from rtgym_ros.train.config import WorkerConfig
from rtgym_ros.train.worker.make_env import default_action
from rtgym_ros.train.worker.sample_layout import SampleLayout
from rtgym_ros.train.worker.sample_ring import RingWriter

_LOOK_S = 0.01  # from one look for new weights to the next while waiting for them

_log = logging.getLogger(__name__)


class RolloutWorker:
    """Runs episodes. It never waits for anybody but the environment, unless the synchronous mode is asked for.

    Args:
        env: the environment, preprocessed.
        policy: who acts.
        ring: where samples go, and where new weights come from: never from a file.
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
        self._env, self._policy, self._ring, self._layout, self._config = env, policy, ring, layout, config
        self._expert, self._should_stop, self._now_ns, self._sleep = expert, should_stop, now_ns, sleep
        self._episode = -1
        self._seen = -1  # version of the weights that were looked at last
        # The synchronous mode: the first time-steps, and so many more with each new version of the weights.
        self._per_update = config.max_steps_per_update or 0.0
        self._steps_left = config.initial_steps if self._per_update else float("inf")
        self._counted: int | None = None  # version up to which they were counted

    def run(self, episodes: int | None = None) -> None:
        """Run training episodes, with test episodes between them, until it is time to stop.

        Args:
            episodes: how many, tests not counted; None for no end.
        """
        done, test_interval = 0, 0 if self._expert else self._config.test_interval
        while not self._should_stop() and (episodes is None or done < episodes):
            if not self._may_step():
                return
            self._look_for_weights()
            # A policy without weights acts at random: there is nothing to be tested.
            if test_interval and done % test_interval == 0 and self._policy.version >= 0:
                self.run_episode(test=True)
                if self._should_stop():
                    return
            self.run_episode()
            done += 1

    def run_episode(self, test: bool = False) -> None:
        """Run one episode to its end, or until it is time to stop.

        Args:
            test: act deterministically, and write the last sample only.
        """
        env, policy, layout, config = self._env, self._policy, self._layout, self._config
        self._look_for_weights()
        timeouts_before = _timeouts(env)
        observation, info = env.reset()
        policy.reset()
        self._episode += 1
        step = timeouts = 0
        reward = episode_return = 0.0
        terminated = truncated = False
        action: Any = default_action(env)
        extras: Mapping[str, Any] = {}
        while True:
            if not test or terminated or truncated:
                values = layout.values(action, observation, info, extras, step == 0)
                if values is None or not isfinite(episode_return):
                    self._ring.refuse()  # a gap: no transition is made across it
                else:
                    flags = (test, terminated, truncated, layout.is_intervention(info), self._expert)
                    figures = (policy.version, self._now_ns(), timeouts, reward, episode_return)
                    self._ring.append((self._episode, step, *flags, *figures, *values))
            if terminated or truncated or self._should_stop():
                return
            if not test and self._per_update:
                if not config.end_episodes:
                    if not self._may_step():
                        return
                    self._look_for_weights()
                self._steps_left -= 1
            if config.adopt == "at_once":
                self._look_for_weights()
            action = policy.act(observation, test)
            observation, given, terminated, truncated, info = env.step(action)
            step, reward, extras = step + 1, float(given), policy.extras
            timeouts, episode_return = _timeouts(env) - timeouts_before, episode_return + reward
            terminated = bool(terminated)
            truncated = bool(truncated) or (not terminated and step == config.max_samples_per_episode)

    def _look_for_weights(self) -> None:
        """Adopt what is new. Without anything new it costs the reading of a number."""
        version = self._ring.weights_version
        if self._expert or version == self._seen:
            return
        data = self._ring.read_weights()
        if data is None:
            return
        self._seen = version
        try:
            weights = PolicyWeights.from_bytes(data)
            if weights.version != self._policy.version:
                self._policy.adopt(weights)
        except WeightsError as error:
            _log.error("weights %d are not adopted, %d stay in use: %s", version, self._policy.version, error)

    def _may_step(self) -> bool:
        """Wait until the synchronous mode allows another time-step; return whether it does."""
        is_held = False
        while True:
            version, before = self._ring.weights_version, self._counted
            self._counted = version
            if before is not None:  # versions that were skipped count, too; a lower one is of a server that began anew
                self._steps_left += self._per_update * max(version - before, 0)
            if self._steps_left > 0:
                return True
            if self._should_stop():
                return False
            if not is_held and hasattr(self._env.unwrapped, "wait"):
                self._env.unwrapped.wait()
            is_held = True
            self._sleep(_LOOK_S)


def _timeouts(env: gymnasium.Env[Any, Any]) -> int:
    """Return how many time-steps timed out so far; 0 where the environment does not count."""
    return int(getattr(getattr(env.unwrapped, "clock", None), "timeouts", 0))
