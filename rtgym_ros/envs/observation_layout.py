"""The observation of an environment: the interface's elements, the action buffer and the delays, in one space."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from copy import deepcopy
from typing import Any

import numpy as np
from gymnasium import spaces

from rtgym_ros.core.errors import InterfaceError
from rtgym_ros.envs.delays_part import DelaysPart

ACTION_BUFFER = "action_buffer"
"""The key of the action buffer in a Dict."""

DELAYS = "delays"
"""The key of the delays in a Dict."""

Actions = tuple[Any, ...]
Info = Mapping[str, Any]


class ObservationLayout:
    """Puts the action buffer, oldest action first, where it belongs in the observation.

    ========================  ================================================================================
    interface's space         space of the environment
    ========================  ================================================================================
    ``Tuple``                 its elements, then the actions (Real-Time Gym's)
    ``Dict``                  its entries and ``action_buffer``: a Box of shape (length, ...) where the action
                              space is a Box, otherwise a Tuple of actions
    ``Box`` of shape (n,)     a Box: its n values, then the values of the actions; the action space is a Box
    any, without actions      the same
    ========================  ================================================================================

    Delays that are observed come after all that: at the end of a Tuple or of a Box of floats, and under the key
    ``delays`` of a Dict.

    Args:
        space: the interface's observation space.
        action_space: the action space.
        length: how many actions are in the observation; 0 for none.
        delays: the part with the delays; None for none.

    Raises:
        InterfaceError: there is no such layout.

    Attributes:
        space: the observation space of the environment; it shares no space with the arguments.
        combine: takes the interface's observation, the actions and info, returns an observation.
    """

    space: spaces.Space[Any]
    combine: Callable[[Any, Actions, Info], Any]

    def __init__(
        self, space: Any, action_space: spaces.Space[Any], length: int, delays: DelaysPart | None = None
    ) -> None:
        copies = [deepcopy(action_space) for _ in range(length)]
        if isinstance(space, spaces.Tuple):
            self.space = spaces.Tuple((*deepcopy(space).spaces, *copies))
            self.combine = _extend_tuple
        elif isinstance(space, spaces.Dict):
            if ACTION_BUFFER in space.spaces and length:
                raise InterfaceError(f"get_observation_space() must not use the key {ACTION_BUFFER!r}: it is reserved")
            buffer = _stacked(action_space, length) if isinstance(action_space, spaces.Box) else spaces.Tuple(copies)
            self.space = spaces.Dict({**deepcopy(space).spaces, **({ACTION_BUFFER: buffer} if length else {})})
            self.combine = _extend_dict(buffer, length)
        elif isinstance(space, spaces.Space) and not length:
            self.space = deepcopy(space)
            self.combine = _as_it_is
        elif isinstance(space, spaces.Box) and len(space.shape) == 1 and isinstance(action_space, spaces.Box):
            low = np.concatenate([space.low, *(np.ravel(action_space.low) for _ in copies)])
            high = np.concatenate([space.high, *(np.ravel(action_space.high) for _ in copies)])
            dtype: Any = space.dtype
            self.space = spaces.Box(low.astype(dtype), high.astype(dtype), dtype=dtype)
            self.combine = _extend_array(space.dtype)
        else:
            raise InterfaceError(
                "get_observation_space() must return a Dict, a Box of one dimension (with a Box as the action space), "
                "any space (with config['act_in_obs'] = False) or a gymnasium.spaces.Tuple, "
                f"got {space!r}"
            )
        if delays is not None:
            self._append_delays(delays)

    def _append_delays(self, delays: DelaysPart) -> None:
        space, combine = self.space, self.combine
        if isinstance(space, spaces.Tuple):
            self.space = spaces.Tuple((*space.spaces, delays.space))
            self.combine = lambda observation, actions, info: (
                *combine(observation, actions, info),
                delays.value(info),
            )
        elif isinstance(space, spaces.Dict):
            if DELAYS in space.spaces:
                raise InterfaceError(f"get_observation_space() must not use the key {DELAYS!r}: it is reserved")
            self.space = spaces.Dict({**space.spaces, DELAYS: delays.space})
            self.combine = lambda observation, actions, info: {
                **combine(observation, actions, info),
                DELAYS: delays.value(info),
            }
        elif isinstance(space, spaces.Box) and len(space.shape) == 1 and space.dtype.kind == "f":
            dtype: Any = space.dtype
            low, high = (
                np.concatenate([getattr(box, end) for box in (space, delays.space)]) for end in ("low", "high")
            )
            self.space = spaces.Box(low.astype(dtype), high.astype(dtype), dtype=dtype)
            self.combine = lambda observation, actions, info: np.concatenate(
                (combine(observation, actions, info), delays.value(info))
            ).astype(dtype, copy=False)
        else:
            raise InterfaceError(
                "with config['delays'] = 'observed' get_observation_space() must return a Dict, a Tuple or a Box of "
                f"floats of one dimension, got {space!r}"
            )


def _stacked(action_space: spaces.Box, length: int) -> spaces.Box:
    low = np.broadcast_to(action_space.low, (length, *action_space.shape))
    high = np.broadcast_to(action_space.high, (length, *action_space.shape))
    return spaces.Box(low.copy(), high.copy(), dtype=action_space.dtype)


def _as_it_is(observation: Any, _actions: Actions, _info: Info) -> Any:
    return observation


def _extend_tuple(observation: Any, actions: Actions, _info: Info) -> Any:
    return (*observation, *actions)


def _extend_dict(buffer: spaces.Space[Any], length: int) -> Callable[[Any, Actions, Info], Any]:
    if not length:
        return lambda observation, _actions, _info: observation
    if isinstance(buffer, spaces.Tuple):
        return lambda observation, actions, _info: {**observation, ACTION_BUFFER: actions}
    dtype = buffer.dtype
    return lambda observation, actions, _info: {
        **observation,
        ACTION_BUFFER: np.stack(actions).astype(dtype, copy=False),
    }


def _extend_array(dtype: Any) -> Callable[[Any, Actions, Info], Any]:
    return lambda observation, actions, _info: np.concatenate((observation, *map(np.ravel, actions))).astype(
        dtype, copy=False
    )
