"""Puts samples together and writes them into the ring."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from time import time_ns
from typing import Any

from gymnasium import spaces

from rtgym_ros.train.protocol.schema import DELAY_FIELDS, SampleSchema, leaf_values, make_schema
from rtgym_ros.train.worker.sample_compressor import SampleCompressor
from rtgym_ros.train.worker.sample_ring import RingWriter


class SampleLayout:
    """What the samples of an environment look like, and how its values become the values of a record.

    Args:
        observation_space: of the environment, after preprocessing.
        action_space: of the environment.
        compressor: what observations go through first; None for nothing.
        delays: whether its infos tell the delays of observation and action.
    """

    def __init__(
        self,
        observation_space: spaces.Space[Any],
        action_space: spaces.Space[Any],
        compressor: SampleCompressor | None = None,
        delays: bool = False,
    ) -> None:
        self._compress: Callable[[Any], Any] | None = None
        if compressor is not None:
            observation_space = compressor.observation_space(observation_space)
            self._compress = compressor.compress
        self._observation_space, self._action_space = observation_space, action_space
        self._delays = DELAY_FIELDS if delays else ()
        self.schema: SampleSchema = make_schema(observation_space, action_space, delays)

    def leaves(self, action: Any, observation: Any, info: Mapping[str, Any]) -> tuple[Any, ...]:
        """Return what stands in a record behind the common fields."""
        if self._compress is not None:
            observation = self._compress(observation)
        return (
            *(float(info.get(name, 0.0)) for name in self._delays),
            *leaf_values(self._action_space, action),
            *leaf_values(self._observation_space, observation),
        )


class SampleWriter:
    """Numbers episodes and steps, sums up rewards, stamps samples and appends them to the ring.

    Args:
        layout: of the samples.
        ring: where they go.
        now_ns: reads the robot's wall clock (ns since the epoch).
    """

    def __init__(self, layout: SampleLayout, ring: RingWriter, now_ns: Callable[[], int] = time_ns) -> None:
        self._layout = layout
        self._append = ring.append
        self._now_ns = now_ns
        self._episode = -1
        self._test = False
        self.step = 0
        """Time-steps of the episode so far."""
        self.episode_return = 0.0
        """Sum of its rewards so far."""

    def begin(self, test: bool, action: Any, observation: Any, info: Mapping[str, Any], policy_version: int) -> None:
        """Write the sample of ``reset()``; of a test episode only the last one is written."""
        self._episode += 1
        self._test, self.step, self.episode_return = test, 0, 0.0
        if not test:
            self._write(False, False, policy_version, 0, 0.0, action, observation, info)

    def add(
        self,
        action: Any,
        observation: Any,
        reward: float,
        terminated: bool,
        truncated: bool,
        info: Mapping[str, Any],
        policy_version: int,
        timeouts: int,
    ) -> None:
        """Write the sample of a time-step."""
        self.step += 1
        self.episode_return += reward
        if not self._test or terminated or truncated:
            self._write(terminated, truncated, policy_version, timeouts, reward, action, observation, info)

    def _write(
        self,
        terminated: bool,
        truncated: bool,
        policy_version: int,
        timeouts: int,
        reward: float,
        action: Any,
        observation: Any,
        info: Mapping[str, Any],
    ) -> None:
        self._append(
            (
                self._episode,
                self.step,
                self._test,
                terminated,
                truncated,
                policy_version,
                self._now_ns(),
                timeouts,
                reward,
                self.episode_return,
                *self._layout.leaves(action, observation, info),
            )
        )
