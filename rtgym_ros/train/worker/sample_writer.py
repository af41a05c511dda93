"""Puts samples together and writes them into the ring."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import isfinite
from time import time_ns
from typing import Any

import numpy as np
from gymnasium import spaces

from rtgym_ros.core.errors import ConfigError
from rtgym_ros.train.protocol.schema import COMMON, DELAY_FIELDS, SampleSchema, leaf_values, make_schema
from rtgym_ros.train.worker.sample_compressor import SampleCompressor
from rtgym_ros.train.worker.sample_ring import RingWriter


class SampleLayout:
    """What the samples of an environment are, and how its values become the values of a record.

    Args:
        observation_space: of the environment, after preprocessing.
        action_space: of the environment.
        compressor: what observations go through first; None for nothing.
        delays: whether its infos tell the delays of observation and action.
        info: keys of its infos that are recorded.
        extras: what the policy answers besides the action, with their shapes.
        executed_action: key of the info with the action that was really sent.
        intervention: key of the info that is true while somebody else than the policy acts.
    """

    def __init__(
        self,
        observation_space: spaces.Space[Any],
        action_space: spaces.Space[Any],
        compressor: SampleCompressor | None = None,
        delays: bool = False,
        info: tuple[str, ...] = (),
        extras: Mapping[str, tuple[int, ...]] | None = None,
        executed_action: str = "executed_action",
        intervention: str = "intervention",
    ) -> None:
        self._compress: Callable[[Any], Any] | None = None
        if compressor is not None:
            observation_space = compressor.observation_space(observation_space)
            self._compress = compressor.compress
        self._observation_space, self._action_space = observation_space, action_space
        self._delays = DELAY_FIELDS if delays else ()
        self._info = info
        self._extras = {name: np.full(shape, np.nan, np.float32) for name, shape in (extras or {}).items()}
        self._executed_action = executed_action
        self.intervention = intervention
        self.schema: SampleSchema = make_schema(observation_space, action_space, delays, info, extras)
        finite = set(self.schema.float_fields)
        self.names = [name for name, _, _ in self.schema.fields[len(COMMON) :]]
        """Of what :meth:`values` returns."""
        self._must_be_finite = [at for at, name in enumerate(self.names) if name in finite]

    def values(
        self, action: Any, observation: Any, info: Mapping[str, Any], extras: Mapping[str, Any], is_reset: bool = False
    ) -> tuple[Any, ...] | None:
        """Return what stands in a record behind the common fields; None where something is not finite.

        Delays need not be known yet when the environment was reset: they are NaN then.

        Raises:
            ConfigError: the environment does not measure the delays that the configuration asks for.
        """
        if self._compress is not None:
            observation = self._compress(observation)
        executed = info.get(self._executed_action)
        values = (
            *self._delays_of(info, is_reset),
            *(float(info.get(name, np.nan)) for name in self._info),
            *(extras.get(name, default) for name, default in self._extras.items()),
            *leaf_values(self._action_space, action),
            *leaf_values(self._action_space, action if executed is None else executed),
            *leaf_values(self._observation_space, observation),
        )
        if all(np.isfinite(values[at]).all() for at in self._must_be_finite):
            return values
        return None

    def _delays_of(self, info: Mapping[str, Any], is_reset: bool) -> list[float]:
        if is_reset:
            return [float(info.get(name, np.nan)) for name in self._delays]
        try:
            return [float(info[name]) for name in self._delays]
        except KeyError as error:
            raise ConfigError(
                f"environment.delays is set, and the environment's info has no {error}: it does not measure its delays"
            ) from error


class SampleWriter:
    """Numbers episodes and steps, sums up rewards, stamps samples and appends them to the ring.

    Args:
        layout: of the samples.
        ring: where they go.
        now_ns: reads the robot's wall clock (ns since the epoch).
        demonstration: whether the policy is an expert.
    """

    def __init__(
        self,
        layout: SampleLayout,
        ring: RingWriter,
        now_ns: Callable[[], int] = time_ns,
        demonstration: bool = False,
    ) -> None:
        self._layout = layout
        self._ring = ring
        self._now_ns = now_ns
        self._demonstration = demonstration
        self._episode = -1
        self._test = False
        self.step = 0
        """Time-steps of the episode so far."""
        self.episode_return = 0.0
        """Sum of its rewards so far."""

    def begin(self, test: bool, action: Any, observation: Any, info: Mapping[str, Any], policy_version: int) -> None:
        """Write the sample of ``reset()``; of a test episode only the last one is written."""
        self._episode += 1
        self._test, self.step, self.episode_return = test, -1, 0.0
        self.add(action, observation, 0.0, False, False, info, policy_version, 0, {})

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
        extras: Mapping[str, Any],
    ) -> None:
        """Write the sample of a time-step."""
        self.step += 1
        self.episode_return += reward
        if self._test and not (terminated or truncated):
            return
        values = self._layout.values(action, observation, info, extras, self.step == 0)
        # A sample that is not finite is a gap: no transition is made across it.
        if values is None or not isfinite(self.episode_return):
            self._ring.refuse()
            return
        self._ring.append(
            (
                self._episode,
                self.step,
                self._test,
                terminated,
                truncated,
                bool(info.get(self._layout.intervention, False)),
                self._demonstration,
                policy_version,
                self._now_ns(),
                timeouts,
                reward,
                self.episode_return,
                *values,
            )
        )
