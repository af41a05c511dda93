"""The metadata block of a policy, from the environment that it was made for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from gymnasium import spaces

from rtgym_ros.core.errors import ConfigError, nearest
from rtgym_ros.policies.metadata import Numbers, PartEntry, PolicyMetadata, Range
from rtgym_ros.policies.parts import parts_of


def describe_policy(
    env: Any,
    order: Sequence[str] | None = None,
    *,
    range: Range = "space",
    mean: Numbers | np.ndarray[Any, Any] | None = None,
    std: Numbers | np.ndarray[Any, Any] | None = None,
    clip: float | None = None,
    inputs: Mapping[str, str] | None = None,
    chunk: int = 1,
    execute: int = 1,
    output: str | None = None,
    history: int = 1,
    history_begin: Any = "first",
) -> PolicyMetadata:
    """Return the block of a policy that was made for an environment; for programs that export policies.

    Args:
        env: the environment that the policy was made for. What is described is the one without wrappers, which is
            what ``fly`` flies: ``FlattenObservation`` is what ``order`` is by default.
        order: names of the parts, as they are joined; all of them in the order of the space by default, which is that
            of ``gymnasium.spaces.flatten`` (of a Dict by name, in alphabetical order).
        range: ``"space"``, or what the policy answers for the bounds of the action space: ``(-1, 1)``.
        mean: of the joined observation, subtracted first: a number, or one a value in the order of ``order``.
        std: the same, divided by then.
        clip: bound of the result.
        inputs: the model's input of each part, by its name; left out: all go to the only one.
        chunk: how many actions an answer has.
        execute: how many of them are executed before the next answer is computed.
        output: name of the model's output.
        history: how many observations are joined, oldest first.
        history_begin: what stands for those before the first: ``"first"`` (it, again) or ``"zero"``.

    Raises:
        ConfigError: an argument does not fit the environment.
    """
    parts = parts_of(env)
    names = list(parts.shapes if order is None else order)
    for name in names:
        if name not in parts.shapes:
            raise ConfigError(
                f"there is no part {name!r}{nearest(name, parts.shapes)}: the observation has {parts.describe()}"
            )
    sizes = [int(np.prod(parts.shapes[name])) for name in names]
    means, stds = _split("mean", mean, sizes, 0.0), _split("std", std, sizes, 1.0)
    entries = tuple(
        PartEntry(name, parts.shapes[name], means[i], stds[i], clip, (inputs or {}).get(name))
        for i, name in enumerate(names)
    )
    space = env.unwrapped.action_space
    _check_wrappers(env, (sum(sizes), sum(sizes) * history), range)
    is_box = isinstance(space, spaces.Box) and space.is_bounded()
    config = getattr(env.unwrapped, "config", None)
    return PolicyMetadata(
        observation=entries,
        size=spaces.flatdim(space),
        range=tuple(range) if not isinstance(range, str) else range,  # type: ignore[arg-type]
        low=_numbers(space.low) if is_box else None,
        high=_numbers(space.high) if is_box else None,
        chunk=chunk,
        execute=execute,
        output=output,
        history=history,
        history_begin=history_begin,
        time_step_duration=getattr(config, "time_step_duration", None),
    )


def _check_wrappers(env: Any, allowed: tuple[int, int], range: Range) -> None:
    """Refuse wrappers that the block cannot stand for.

    Raises:
        ConfigError: observation or action of the wrapped environment are not those of the block.
    """
    observed, base = env.observation_space, env.unwrapped
    is_flattened = isinstance(observed, spaces.Box) and len(observed.shape) == 1
    if observed is not base.observation_space and is_flattened and observed.shape[0] not in allowed:
        raise ConfigError(
            f"the wrapped environment observes {observed.shape[0]} values, and the block says {allowed[0]}"
        )
    if range == "space" and env.action_space != base.action_space:
        raise ConfigError(
            f"wrappers have made {env.action_space} of the action space {base.action_space}: range must say what the "
            "policy answers for its bounds, such as (-1, 1)"
        )


def _split(name: str, values: Any, sizes: list[int], default: float) -> list[Numbers]:
    """Return the values of each part of those of the joined observation."""
    array = np.asarray(default if values is None else values, np.float64)
    if array.ndim == 0:
        return [float(array)] * len(sizes)
    if array.size != sum(sizes):
        raise ConfigError(f"{name} has {array.size} values, and the joined observation {sum(sizes)}")
    ends = np.cumsum(sizes)[:-1]
    return [_numbers(part) for part in np.split(array.ravel(), ends)]


def _numbers(values: np.ndarray[Any, Any]) -> tuple[float, ...]:
    return tuple(float(value) for value in np.ravel(values))
