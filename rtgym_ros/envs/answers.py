"""What a method of the interface may return, and what the environment makes of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import isfinite
from typing import Any

import numpy as np

from rtgym_ros.core.config import RealTimeConfig
from rtgym_ros.core.errors import InterfaceError
from rtgym_ros.envs.interface_calls import CAPTURE
from rtgym_ros.envs.observations import ObservationGuard


class AnswerCheck:
    """Checks what the interface returned and hands it out: observations cast and copied, rewards as numbers.

    Where ``observation_check`` is not ``"raise"`` rewards and flags are handed out as they come, too, and None may
    stand for an info without entries.

    Args:
        observations: checks the observations.
        config: of the environment.
    """

    def __init__(self, observations: ObservationGuard, config: RealTimeConfig) -> None:
        self._observations = observations
        self._preprocess: Callable[[Any], Any] | None = config.obs_prepro_func
        self._is_strict = config.observation_check == "raise"

    def of_reset(self, answer: Any) -> tuple[Any, dict[str, Any]]:
        """Return observation and info.

        Raises:
            InterfaceError: there are not two values, or one of them is not what it is to be.
        """
        observation, info = self._unpack(answer, "reset", ("observation", "info"))
        return self._observation(observation, "reset"), info

    def of_capture(self, answer: Any) -> tuple[Any, float, bool, dict[str, Any]]:
        """Return observation, reward, terminated and info.

        Raises:
            InterfaceError: there are not four values, or one of them is not what it is to be.
        """
        observation, reward, terminated, info = self._unpack(
            answer, CAPTURE, ("observation", "reward", "terminated", "info")
        )
        if self._is_strict:
            if type(reward) is not float or not isfinite(reward):
                reward = _reward(reward)
            if terminated is not True and terminated is not False:
                terminated = _flag(terminated)
        return self._observation(observation, CAPTURE), reward, terminated, info

    def of_render(self, frame: Any, mode: str | None) -> Any:
        """Return a frame.

        Raises:
            InterfaceError: it is not one, where the mode is ``"rgb_array"``.
        """
        if mode == "rgb_array" and not is_frame(frame):
            shown = f"{frame.dtype} {frame.shape}" if isinstance(frame, np.ndarray) else repr(frame)
            raise InterfaceError(f"render() must return a uint8 array of shape (height, width, 3), got {shown}")
        return frame

    def _observation(self, observation: Any, method: str) -> Any:
        if self._preprocess is not None:
            observation = self._preprocess(observation)
        return self._observations.admit(observation, method)

    def _unpack(self, answer: Any, method: str, names: tuple[str, ...]) -> tuple[Any, ...]:
        if not self._is_strict and isinstance(answer, (tuple, list)) and len(answer) == len(names):
            *values, info = answer
            return (*values, {} if info is None else info)
        return unpack(answer, method, names)


def _reward(reward: Any) -> float:
    if is_finite_number(reward):
        return float(np.asarray(reward).item())
    raise InterfaceError(f"{CAPTURE}() must return a finite number as its reward, got {reward!r}")


def _flag(terminated: Any) -> bool:
    if is_flag(terminated):
        return bool(terminated)
    raise InterfaceError(f"{CAPTURE}() must return True or False as terminated, got {terminated!r}")


def unpack(answer: Any, method: str, names: tuple[str, ...]) -> tuple[Any, ...]:
    """Return the values that ``method`` returned, of which the last is an info.

    Raises:
        InterfaceError: there are not as many as ``names``, or the last is not a dictionary.
    """
    if not isinstance(answer, (tuple, list)) or len(answer) != len(names):
        raise InterfaceError(f"{method}() must return ({', '.join(names)}), got {answer!r}")
    info = answer[-1]
    if not isinstance(info, dict) and not isinstance(info, Mapping):  # the first is far cheaper to ask
        raise InterfaceError(f"{method}() must return a dictionary as its info, got {info!r}")
    return tuple(answer)


def is_finite_number(value: Any) -> bool:
    """Whether it can be a reward: a number of Python or NumPy, or an array of one element."""
    if type(value) is float:
        return isfinite(value)
    array = None if isinstance(value, (str, bytes)) else _array(value)
    return array is not None and array.size == 1 and array.dtype.kind in "biuf" and bool(np.isfinite(array).all())


def is_flag(value: Any) -> bool:
    """Whether it can be ``terminated``: anything with one truth value that is not a measurement."""
    if value is True or value is False:
        return True
    array = _array(value)
    return array is not None and array.size == 1 and array.dtype.kind in "biu"


def is_frame(value: Any) -> bool:
    """Whether it is an RGB picture: a uint8 array of shape (height, width, 3)."""
    return isinstance(value, np.ndarray) and value.dtype == np.uint8 and value.ndim == 3 and value.shape[2] == 3


def _array(value: Any) -> np.ndarray[Any, Any] | None:
    try:
        return np.asarray(value)
    except ValueError:  # a ragged list
        return None
