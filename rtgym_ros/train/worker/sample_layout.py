"""What the samples of an environment are, and how its values become the values of a record."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from gymnasium import spaces

from rtgym_ros.core.errors import ConfigError
from rtgym_ros.core.locate import locate
from rtgym_ros.policies.space_leaves import leaf_values
from rtgym_ros.train.config import EnvironmentConfig
from rtgym_ros.train.protocol.schema import COMMON, DELAY_FIELDS, make_schema


class SampleLayout:
    """The schema of an environment's samples, and what stands in each.

    The spaces are those of the environment, after preprocessing; ``extras`` is :attr:`Policy.extra_shapes`.

    Attributes:
        schema: of the samples.
        names: of what :meth:`values` returns.

    Raises:
        ConfigError: there is no such compressor, or a space has no fixed shape.
    """

    def __init__(
        self,
        config: EnvironmentConfig,
        observation_space: spaces.Space[Any],
        action_space: spaces.Space[Any],
        extras: Mapping[str, tuple[int, ...]] | None = None,
    ) -> None:
        self._config = config
        self._compress: Callable[[Any], Any] | None = None
        if config.sample_compressor is not None:
            compressor = locate(config.sample_compressor, "environment.sample_compressor")()
            observation_space = compressor.observation_space(observation_space)
            self._compress = compressor.compress
        self._observation_space, self._action_space = observation_space, action_space
        self._delays = DELAY_FIELDS if config.delays else ()
        self._extras = {name: np.full(shape, np.nan, np.float32) for name, shape in (extras or {}).items()}
        self.schema = make_schema(observation_space, action_space, config.delays, config.info, extras)
        self.names = [name for name, _, _ in self.schema.fields[len(COMMON) :]]
        finite = set(self.schema.float_fields)
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
        executed = info.get(self._config.executed_action)
        for name in self._delays:
            if not is_reset and name not in info:
                raise ConfigError(
                    f"environment.delays is set, and the environment's info has no {name!r}: it does not measure its "
                    "delays"
                )
        values = (
            *(float(info.get(name, np.nan)) for name in (*self._delays, *self._config.info)),
            *(extras.get(name, default) for name, default in self._extras.items()),
            *leaf_values(self._action_space, action),
            *leaf_values(self._action_space, action if executed is None else executed),
            *leaf_values(self._observation_space, observation),
        )
        if all(np.isfinite(values[at]).all() for at in self._must_be_finite):
            return values
        return None

    def is_intervention(self, info: Mapping[str, Any]) -> bool:
        """Return whether somebody else than the policy acted."""
        return bool(info.get(self._config.intervention, False))
