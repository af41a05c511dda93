"""A run as a learner of one's own sees it: samples come out of it, policies go into it.

```python
with Run.connect("drone") as run:
    for batch in run.transitions():
        ...                                  # into a replay memory; then some updates
        run.publish(export_gaussian(layers, mean, log_std))
```
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from gymnasium import spaces
from typing_extensions import Self

from rtgym_ros.core.errors import ConfigError
from rtgym_ros.policies.space_leaves import leaf_values
from rtgym_ros.policies.vector_and_images import VECTOR, VectorAndImages
from rtgym_ros.policies.weights import PolicyWeights
from rtgym_ros.train.config import TrainConfig
from rtgym_ros.train.config_file import load_config, make_config
from rtgym_ros.train.errors import LinkError
from rtgym_ros.train.protocol.schema import ACTION, EXECUTED, OBSERVATION, SampleSchema, unflatten
from rtgym_ros.train.stream.learner_link import LearnerLink
from rtgym_ros.train.stream.sample_message import Bookmark, SampleBatch
from rtgym_ros.train.trainer.transitions import Actions, Episode, TransitionAssembler, Transitions, finite


@dataclass(frozen=True)
class TransitionBatch:
    """Transitions of one robot, in order; arrays of length n, observations and actions in the structure of their space.

    The arrays are this batch's own, and may be written to; those of ``records`` may not.

    Attributes:
        observations: from which the policy computed the action.
        actions: that it computed.
        executed: that were sent: limited, clipped, or of somebody who intervened.
        rewards: float64.
        next_observations: that came back.
        terminated: bool.
        truncated: bool.
        robot: whose they are.
        boot: of its control process; episodes are numbered anew in each.
        records: the samples that they end in, with every column of the schema: ``episode``, ``step``, ``alpha``.
        ended: episodes that have ended since the batch before, of any robot, those of tests among them.
    """

    observations: Any
    actions: Any
    executed: Any
    rewards: np.ndarray
    next_observations: Any
    terminated: np.ndarray
    truncated: np.ndarray
    robot: str
    boot: str
    records: np.ndarray
    ended: tuple[Episode, ...] = ()

    def __len__(self) -> int:
        """Return how many they are."""
        return len(self.rewards)

    @property
    def episodes(self) -> np.ndarray:
        """Return the number of the episode of each, in its :attr:`boot`."""
        return np.ascontiguousarray(self.records["episode"])

    @property
    def steps(self) -> np.ndarray:
        """Return the time-step of each in its episode, from 1: two that follow each other are neighbours there."""
        return np.ascontiguousarray(self.records["step"])

    @property
    def interventions(self) -> np.ndarray:
        """Return which actions somebody else than the policy has chosen."""
        return np.ascontiguousarray(self.records["intervention"])

    @property
    def demonstrations(self) -> np.ndarray:
        """Return which are an expert's."""
        return np.ascontiguousarray(self.records["demonstration"])

    @property
    def infos(self) -> dict[str, np.ndarray]:
        """Return the infos that the configuration names (``environment.info``), float64; NaN where one was missing."""
        return _columns(self.records, "info/")

    @property
    def extras(self) -> dict[str, np.ndarray]:
        """Return what the policy told besides the action, float32: log-probabilities, for example."""
        return _columns(self.records, "extra/")


class Run:
    """A run on a NATS server; :meth:`connect` makes one.

    Lost connections are made anew by themselves: nothing is lost and nothing comes twice. It is used from one thread.
    """

    def __init__(self, link: LearnerLink) -> None:
        self._link = link
        self._not_finite = 0
        self.bookmark = Bookmark()
        """Behind the last batch that was handed out: where another :meth:`connect` may go on."""

    @classmethod
    def connect(
        cls,
        run: str | Path | TrainConfig,
        url: str | None = None,
        *,
        directory: str | None = None,
        keys: str | None = None,
        memory_size: int | None = None,
        bookmark: Bookmark | None = None,
        timeout: float = 10.0,
    ) -> Run:
        """Connect to a run, and make its stream if this is the first learner.

        Args:
            run: its name, or its configuration or the path of that (a name that ends with ``.yaml``).
            url: ``nats://HOST:PORT``; None for that of the configuration, or for this machine.
            directory: of the run's files, where the token of a server on this machine is.
            keys: folder that ``train_keys`` made, for servers elsewhere.
            memory_size: samples that the stream keeps.
            bookmark: behind which to read; None for the beginning of the stream.
            timeout: for the first connection (s).

        Raises:
            LinkError: the server cannot be reached in time.
            ConfigError: an argument is wrong.
            CredentialsError: credentials are missing or not fit for use.
        """
        config = _configuration(run, url, directory, keys, memory_size)
        link = LearnerLink(config, bookmark)
        try:
            if not link.wait_until_connected(timeout):
                raise LinkError(f"no server at {', '.join(config.url('trainer'))} within {timeout:g} s")
        except BaseException:
            link.close()
            raise
        return cls(link)

    def wait_for_robot(self, timeout: float | None = None) -> bool:
        """Return whether a robot has said, within ``timeout`` (s; None: for ever), what its samples are."""
        return self._link.wait_for_schema(timeout) is not None

    @property
    def schema(self) -> SampleSchema:
        """Return what the samples are; waits for the first robot."""
        schema = self._link.wait_for_schema(None)
        assert schema is not None
        return schema

    @property
    def observation_space(self) -> spaces.Space[Any]:
        """Return the space of observations; waits for the first robot."""
        return self.schema.observation_space

    @property
    def action_space(self) -> spaces.Space[Any]:
        """Return the space of actions; waits for the first robot."""
        return self.schema.action_space

    @property
    def flat_spaces(self) -> tuple[spaces.Box, spaces.Box]:
        """Return the spaces of what :meth:`flat` and :meth:`scaled` return, errors as theirs; waits for a robot."""
        observation, action = self._vectors.space, self._scaling.space
        assert isinstance(observation, spaces.Box)
        return observation, spaces.Box(-1.0, 1.0, action.shape, np.float32)

    @property
    def counts(self) -> dict[str, int]:
        """Return what went wrong so far: as of :class:`SampleReader`, and ``not_finite`` samples, left out."""
        return {**self._link.counts, "not_finite": self._not_finite}

    def samples(self, timeout: float | None = None) -> Iterator[SampleBatch]:
        """Yield samples as they come, those of one robot in their order.

        Args:
            timeout: ends the iteration when nothing comes for so long (s); None never does.
        """
        while batches := self._link.collect(timeout):
            for batch in batches:
                self.bookmark = batch.bookmark
                yield batch

    def transitions(self, timeout: float | None = None) -> Iterator[TransitionBatch]:
        """Yield the transitions that :meth:`samples` make, but for those of test episodes and of what is not finite."""
        assembler = TransitionAssembler()
        ended: list[Episode] = []
        for batch in self.samples(timeout):
            records = finite(batch.records, self.schema.float_fields)
            self._not_finite += len(batch.records) - len(records)
            transitions, episodes = assembler.add(batch.robot, batch.boot, records)
            ended += episodes
            if len(transitions):
                yield self._structured(batch, transitions, tuple(ended))
                ended = []

    def flat(self, observations: Any) -> np.ndarray:
        """Return observations of a batch as vectors, as the policies on the robots see them.

        Args:
            observations: of n time-steps, in the structure of their space.

        Returns:
            Shape (n, size), float32: the leaves one behind the other, in the order of their space.

        Raises:
            ConfigError: there are images among them, or what is no Box.
        """
        return self._vectors.of(leaf_values(self.observation_space, observations))[VECTOR]

    def scaled(self, actions: np.ndarray) -> np.ndarray:
        """Return actions of a batch in [-1, 1], float32, shape (n, size): what the policies squash with tanh.

        Raises:
            ConfigError: the action space is no bounded Box.
        """
        return self._scaling.scaled(actions)

    def publish(self, policy: PolicyWeights) -> None:
        """Give every robot a new policy; its version is one more than the newest. Returns at once.

        Of policies that cannot be published in time only the newest is.
        """
        self._link.publish(policy)

    def flush(self, timeout: float = 10.0) -> bool:
        """Wait until the policy is published; return whether it is."""
        return self._link.flush(timeout)

    def close(self) -> None:
        """Close the connection; a second call does nothing."""
        self._link.close()

    def __enter__(self) -> Self:
        """Return the run; it is closed at the end of the block."""
        return self

    def __exit__(self, *error: object) -> None:
        """Close."""
        self.close()

    @cached_property
    def _vectors(self) -> VectorAndImages:
        parts = VectorAndImages(self.observation_space)
        if isinstance(parts.space, spaces.Dict):
            raise ConfigError("there are images among the observations: VectorAndImages takes them apart")
        return parts

    @cached_property
    def _scaling(self) -> Actions:
        return Actions(self.schema)

    def _structured(self, batch: SampleBatch, transitions: Transitions, ended: tuple[Episode, ...]) -> TransitionBatch:
        schema, before, after = self.schema, _columns(transitions.before), _columns(transitions.after)
        return TransitionBatch(
            observations=unflatten(OBSERVATION, schema.observation_space, before),
            actions=unflatten(ACTION, schema.action_space, after),
            executed=unflatten(EXECUTED, schema.action_space, after),
            rewards=after["reward"],
            next_observations=unflatten(OBSERVATION, schema.observation_space, after),
            terminated=after["terminated"],
            truncated=after["truncated"],
            robot=batch.robot,
            boot=batch.boot,
            records=transitions.after,
            ended=ended,
        )


def _columns(records: np.ndarray, prefix: str = "") -> dict[str, np.ndarray]:
    """Return columns as arrays of their own: PyTorch takes none that are a part of packed records."""
    names = [name for name in records.dtype.names or () if name.startswith(prefix)]
    return {name.removeprefix(prefix): np.ascontiguousarray(records[name]) for name in names}


def _configuration(
    run: str | Path | TrainConfig, url: str | None, directory: str | None, keys: str | None, memory_size: int | None
) -> TrainConfig:
    if not isinstance(run, (TrainConfig, str, Path)):
        raise ConfigError(f"run is a name, a path or a TrainConfig, got {type(run).__name__}")
    if isinstance(run, Path) or (isinstance(run, str) and run.endswith((".yaml", ".yml"))):
        run = load_config(Path(run))
    config = (
        make_config({"run": run, "environment": {"id": "elsewhere"}}, "Run.connect") if isinstance(run, str) else run
    )
    values = msgspec.to_builtins(config)
    for section, entry, value in (
        (values, "directory", directory),
        (values["security"], "directory", keys),
        (values["trainer"], "url", None if url is None else [url]),
        (values["trainer"], "memory_size", memory_size),
    ):
        if value is not None:
            section[entry] = value
    return make_config(values, "Run.connect")
