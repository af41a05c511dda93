"""Recorded flights as transitions: a start for the replay memory, or a share of each batch."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from gymnasium.wrappers.utils import create_zero_array

from rtgym_ros.core.errors import ConfigError
from rtgym_ros.train.config import TrainConfig
from rtgym_ros.train.protocol.schema import SampleSchema
from rtgym_ros.train.trainer.transitions import TransitionAssembler, Transitions
from rtgym_ros.train.worker.sample_layout import SampleLayout

_WHERE = "trainer.demonstrations"


def read_demonstrations(config: TrainConfig, schema: SampleSchema) -> Iterator[Transitions]:
    """Yield the transitions of the recordings that ``trainer.demonstrations`` names, an episode each.

    The sample compressor of the configuration is applied as on a robot.

    Raises:
        ConfigError: a recording cannot be read, or is of an environment with other spaces.
    """
    if not config.trainer.demonstrations:
        return
    from rtgym_ros.record.errors import RecordError
    from rtgym_ros.record.exports.flown_episodes import Exported, actions, flown_episodes, numbers, observations
    from rtgym_ros.record.parts import from_parts

    paths = [Path(name).expanduser() for name in config.trainer.demonstrations]
    try:
        for number, episode in enumerate(flown_episodes(paths, Exported())):
            run, seen = episode.run, observations(episode)
            layout = SampleLayout(config.environment, run.observation_space, run.action_space)
            differing = layout.schema.differences(schema, "in the recordings", "in the run")
            if needed := [one for one in differing if not one.startswith("extra/")]:  # those are unknown: NaN
                raise ConfigError(f"{_WHERE}: {'; '.join(needed)}")
            records = np.zeros(len(seen), schema.dtype)
            for name, _ in schema.extras:
                records[f"extra/{name}"] = np.nan
            done = [create_zero_array(run.action_space), *actions(episode)]
            for at, (step, observation, action) in enumerate(zip(episode.steps, seen, done, strict=True)):
                executed = from_parts(run.action_space, step.executed_action) if step.executed_action else action
                info = {**numbers(step), config.environment.executed_action: executed}
                values = layout.values(action, observation, info, {}, is_reset=True)
                if values is None:
                    raise ConfigError(f"{_WHERE}: episode {episode.number} of run {run.id} has what is not finite")
                for name, value in zip(layout.names, values, strict=True):
                    records[name][at] = value
            _describe(records, episode.steps, number)
            yield TransitionAssembler().add("", "recorded", records)[0]
    except (RecordError, OSError) as error:
        raise ConfigError(f"{_WHERE}: {error}") from error


def _describe(records: np.ndarray, steps: list[Any], number: int) -> None:
    records["episode"], records["step"], records["demonstration"] = number, np.arange(len(steps)), True
    records["policy_version"] = -1
    for name in ("reward", "terminated", "truncated", "stamp_ns"):
        records[name] = [getattr(step, name) for step in steps]
    records["truncated"][-1] |= not records["terminated"][-1]  # a recording that was cut: nothing follows
    records["episode_return"] = records["reward"].cumsum()
