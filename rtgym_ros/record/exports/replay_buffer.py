"""Recordings as a replay buffer of Stable-Baselines3: demonstrations, or a start for an off-policy learner."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from gymnasium import spaces
from stable_baselines3.common.buffers import DictReplayBuffer, ReplayBuffer
from stable_baselines3.common.save_util import save_to_pkl

from rtgym_ros.record.errors import RecordError
from rtgym_ros.record.exports.flown_episodes import Exported, Paths, actions, flown_episodes, observations


def to_replay_buffer(
    paths: Paths, exported: Exported, buffer_size: int | None = None, device: str = "cpu"
) -> ReplayBuffer:
    """Return a buffer with every recorded transition, in order.

    A tuple observation, as a real-time environment has it, is flattened as ``FlattenObservation`` does. Truncated
    episodes are not taken for terminated ones: the buffer knows them as time limits.

    Args:
        paths: files and folders.
        exported: counts what is in the buffer.
        buffer_size: transitions that it holds, None for as many as there are. With less the last ones are kept.
        device: of the tensors that it gives.

    Raises:
        RecordError: Stable-Baselines3 has no buffer for the spaces, or nothing to export.
    """
    episodes = list(flown_episodes(paths, exported))
    observation_space = episodes[0].run.observation_space
    flat = isinstance(observation_space, spaces.Tuple)
    shown = spaces.flatten_space(observation_space) if flat else observation_space
    kind = DictReplayBuffer if isinstance(shown, spaces.Dict) else ReplayBuffer
    try:
        buffer = kind(buffer_size or exported.steps, shown, episodes[0].run.action_space, device)
    except (NotImplementedError, AssertionError, TypeError) as error:
        raise RecordError(f"Stable-Baselines3 has no replay buffer for these spaces: {error}") from error
    for episode in episodes:
        seen = observations(episode)
        if flat:
            seen = [spaces.flatten(observation_space, observation) for observation in seen]
        for number, (action, step) in enumerate(zip(actions(episode), episode.steps[1:], strict=True)):
            is_limit = step.truncated and not step.terminated
            done = np.array([step.terminated or step.truncated])
            infos: list[dict[str, Any]] = [{"TimeLimit.truncated": is_limit}]
            buffer.add(seen[number], seen[number + 1], np.asarray(action), np.array([step.reward]), done, infos)
    return buffer


def export_replay_buffer(paths: Paths, output: str | Path) -> Exported:
    """Write the buffer as ``model.load_replay_buffer(output)`` reads it.

    Raises:
        RecordError: see :func:`to_replay_buffer`.
        OSError: ``output`` cannot be written.
    """
    exported = Exported()
    save_to_pkl(output, to_replay_buffer(paths, exported))
    return exported
