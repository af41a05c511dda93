"""RLlib (its new API stack) as the learner of a run: an env runner that reads the stream in the place of environments.

```python
config = (
    SACConfig()
    .environment(env_config={"run": "runs/drone/config.yaml"})
    .env_runners(env_runner_cls=StreamEnvRunner, num_env_runners=0, rollout_fragment_length=20)
    .learners(num_learners=2)
)
```

Ray is what computes, on several GPUs or machines; robots, stream and weights are those of every other run.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import numpy as np
import ray
from gymnasium import spaces
from ray.rllib.core import COMPONENT_RL_MODULE, DEFAULT_AGENT_ID, DEFAULT_MODULE_ID
from ray.rllib.env import INPUT_ENV_SPACES
from ray.rllib.env.env_runner import EnvRunner
from ray.rllib.env.single_agent_episode import SingleAgentEpisode
from ray.rllib.utils import metrics as names
from ray.rllib.utils.checkpoints import Checkpointable

from rtgym_ros.core.errors import ConfigError
from rtgym_ros.policies.weights import PolicyWeights
from rtgym_ros.train.errors import LinkError
from rtgym_ros.train.export import export_gaussian
from rtgym_ros.train.run import Run, TransitionBatch

_FLUSH_S = 10.0
_WHERE = "StreamEnvRunner"


class StreamEnvRunner(EnvRunner, Checkpointable):
    """Gives RLlib the transitions of a run's robots as pieces of episodes, and publishes what it learns.

    Observations are the flat ones that the policy on the robot sees, actions are in [-1, 1]. One runner reads the
    stream, in the process of the algorithm (``num_env_runners=0``): what is to be spread are the learners. An algorithm
    that is restored reads the stream from its beginning again: that fills its replay memory.

    Entries of ``env_config`` are the arguments of :meth:`Run.connect`, and:

    - ``learn_from``: ``"executed"`` (default) or the ``"action"`` that the policy computed.
    - ``publish_interval``: a new policy for the robots at every so many synchronisations of the weights (1).

    Args:
        config: of the algorithm.
        kwargs: what RLlib gives to every env runner.

    Raises:
        ConfigError: an entry is wrong, there is more than one runner, or the module cannot be exported.
        LinkError: the server cannot be reached, or no robot is there within ``sample_timeout_s``.
    """

    def __init__(self, *, config: Any, **kwargs: Any) -> None:
        super().__init__(config=config, **kwargs)
        if config.num_env_runners or config.in_evaluation:
            raise ConfigError(
                f"{_WHERE}: num_env_runners must be 0, and the robots fly the tests (worker.test_interval): "
                "two runners would read the same samples"
            )
        arguments = dict(config.env_config)
        self._learn_from = arguments.pop("learn_from", "executed")
        self._publish_interval = interval = arguments.pop("publish_interval", 1)
        if self._learn_from not in ("executed", "action"):
            raise ConfigError(f"{_WHERE}: learn_from is 'executed' or 'action', got {self._learn_from!r}")
        if not isinstance(interval, int) or interval < 1:
            raise ConfigError(f"{_WHERE}: publish_interval must be a whole number from 1, got {interval!r}")
        self._seq_no = self._synchronised = 0
        self._pieces: deque[Any] = deque()
        self._next: dict[str, tuple[str, int, int]] = {}  # of each robot: boot, episode, time-step that follows
        self._begun: dict[str, int] = {}  # of each robot: where the pieces begin that its next one is joined to
        self._run = Run.connect(**arguments)
        try:
            if not self._run.wait_for_robot(self.config.sample_timeout_s):
                raise LinkError(f"no robot was there within {self.config.sample_timeout_s:g} s (sample_timeout_s)")
            self._transitions = self._run.transitions(self.config.sample_timeout_s)
            self._spaces = self._run.flat_spaces
            self.module = self.config.get_rl_module_spec(spaces=self.get_spaces(), inference_only=True).build()
            self.export()  # a module that cannot be exported is an error now, not after the first updates
        except BaseException:
            self._run.close()
            raise

    def assert_healthy(self) -> None:
        """Do nothing: the connection is made anew whenever it is lost."""

    def get_spaces(self) -> dict[str, tuple[spaces.Box, spaces.Box]]:
        """Return the spaces of observations and actions, as of :attr:`Run.flat_spaces`."""
        return {INPUT_ENV_SPACES: self._spaces, DEFAULT_MODULE_ID: self._spaces}

    def sample(self, **_: Any) -> list[Any]:
        """Return the next ``rollout_fragment_length`` transitions, as pieces of episodes in the order of the stream.

        They are fewer where the next ones do not come within ``sample_timeout_s``, of RLlib's configuration.

        Raises:
            LinkError: none came in that time.
        """
        wanted: int = self.config.get_rollout_fragment_length()
        episodes: list[Any] = []
        while wanted and (self._pieces or self._take_in()):
            piece = self._pieces.popleft()
            if len(piece) > wanted:
                self._pieces.appendleft(piece[wanted:])
                piece = piece[:wanted]
            wanted -= len(piece)
            episodes.append(piece)
        if not episodes:
            seconds = self.config.sample_timeout_s
            raise LinkError(f"no robot has sent a transition for {seconds:g} s (sample_timeout_s)")
        self._count(sum(map(len, episodes)), sum(episode.is_done for episode in episodes))
        return episodes

    def get_metrics(self) -> Any:
        """Return the counts of RLlib, and returns and lengths of the episodes that have ended."""
        return self.metrics.reduce()

    def export(self) -> PolicyWeights:
        """Return the module as a policy for the robots; to be overridden for another one than SAC's own.

        Raises:
            ConfigError: it is another one.
        """
        try:
            layers = [*self.module.pi_encoder.net.mlp, *self.module.pi.net.mlp]
        except AttributeError as error:
            raise ConfigError(
                f"{_WHERE}: a {type(self.module).__name__} is not SAC's perceptron: override export()"
            ) from error
        return export_gaussian(layers)

    def get_state(self, components: Any = None, *, not_components: Any = None, **kwargs: Any) -> dict[str, Any]:
        """Return the weights and their number."""
        state: dict[str, Any] = {names.WEIGHTS_SEQ_NO: self._seq_no}
        if self._check_component(COMPONENT_RL_MODULE, components, not_components):
            state[COMPONENT_RL_MODULE] = self.module.get_state(**kwargs)
        return state

    def set_state(self, state: dict[str, Any]) -> None:
        """Take new weights from the learners, and publish them where that is due."""
        if COMPONENT_RL_MODULE not in state:
            return
        weights = state[COMPONENT_RL_MODULE]
        if isinstance(weights, ray.ObjectRef):
            weights = ray.get(weights)
        self.module.set_state(weights.get(DEFAULT_MODULE_ID, weights))
        self._seq_no = state.get(names.WEIGHTS_SEQ_NO, 0)
        if self._seq_no > 0:  # the first are those that nothing has been learned for
            if self._synchronised % self._publish_interval == 0:
                self._run.publish(self.export())
            self._synchronised += 1

    def get_ctor_args_and_kwargs(self) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """Return what makes such a runner."""
        return (), {"config": self.config}

    def get_checkpointable_components(self) -> list[tuple[str, Any]]:
        """Return the module."""
        return [(COMPONENT_RL_MODULE, self.module)]

    def stop(self) -> None:
        """Publish what is not published yet, and close the connection."""
        try:
            self._run.flush(_FLUSH_S)
        finally:
            self._run.close()

    def _take_in(self) -> bool:
        """Return whether more has come."""
        batch = next(self._transitions, None)
        if batch is None:
            self._transitions = self._run.transitions(self.config.sample_timeout_s)
            return False
        for episode in batch.ended:
            self._log(episode.test, episode.episode_return, episode.length)
        self._pieces += self._pieces_of(batch)
        return True

    def _pieces_of(self, batch: TransitionBatch) -> Iterator[Any]:
        """Cut a batch where its transitions are not neighbours: between episodes, and where samples are missing."""
        seen, led_to = self._run.flat(batch.observations), self._run.flat(batch.next_observations)
        actions = self._run.scaled(batch.executed if self._learn_from == "executed" else batch.actions)
        follows = (np.diff(batch.episodes) == 0) & (np.diff(batch.steps) == 1)
        for begin, end in pairwise([0, *(np.flatnonzero(~follows) + 1).tolist(), len(batch)]):
            episode, step = (batch.boot, int(batch.episodes[begin])), int(batch.steps[begin]) - 1
            if (*episode, step) != self._next.get(batch.robot):
                self._begun[batch.robot] = step
            terminated = bool(batch.terminated[end - 1])
            yield SingleAgentEpisode(
                # RLlib joins the pieces of one name: behind a gap begins another one.
                "/".join(map(str, (batch.robot, *episode, self._begun[batch.robot]))),
                observations=[*seen[begin:end], led_to[end - 1]],
                actions=list(actions[begin:end]),
                rewards=batch.rewards[begin:end].tolist(),
                terminated=terminated,
                truncated=bool(batch.truncated[end - 1]) and not terminated,
                t_started=step,
                len_lookback_buffer=0,
            ).to_numpy()
            self._next[batch.robot] = (*episode, step + end - begin)

    def _log(self, test: bool, episode_return: float, length: int) -> None:
        window = self.config.metrics_num_episodes_for_smoothing
        for name, value in ((names.EPISODE_RETURN_MEAN, episode_return), (names.EPISODE_LEN_MEAN, length)):
            self.metrics.log_value(f"test_{name}" if test else name, value, window=window)

    def _count(self, steps: int, episodes: int) -> None:
        for count, now, ever in (
            (steps, names.NUM_ENV_STEPS_SAMPLED, names.NUM_ENV_STEPS_SAMPLED_LIFETIME),
            (steps, (names.NUM_AGENT_STEPS_SAMPLED, DEFAULT_AGENT_ID),
             (names.NUM_AGENT_STEPS_SAMPLED_LIFETIME, DEFAULT_AGENT_ID)),
            (steps, (names.NUM_MODULE_STEPS_SAMPLED, DEFAULT_MODULE_ID),
             (names.NUM_MODULE_STEPS_SAMPLED_LIFETIME, DEFAULT_MODULE_ID)),
            (episodes, names.NUM_EPISODES, names.NUM_EPISODES_LIFETIME),
        ):  # fmt: skip
            self.metrics.log_value(now, count, reduce="sum")
            self.metrics.log_value(ever, count, reduce="lifetime_sum")
