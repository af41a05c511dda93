"""The smallest interface there is: it writes down when it is called, into arrays that are there already."""

from __future__ import annotations

from array import array
from time import perf_counter_ns
from typing import Any

import numpy as np
from gymnasium import spaces


class Stamps:
    """Times (ns) into a preallocated array, at a cost of tens of nanoseconds each.

    Args:
        capacity: how many fit.
    """

    def __init__(self, capacity: int) -> None:
        self._times = array("q", bytes(8 * capacity))
        self._index = 0

    def __len__(self) -> int:
        return self._index

    def stamp(self) -> None:
        """Write down that it is now."""
        self._times[self._index] = perf_counter_ns()
        self._index += 1

    def put(self, time_ns: int) -> None:
        """Write down ``time_ns``."""
        self._times[self._index] = time_ns
        self._index += 1

    def between(self, first: int, end: int) -> list[int]:
        """Return the times from the index ``first`` to before ``end``."""
        return self._times[first : min(end, self._index)].tolist()


class Diary:
    """What is written down of one environment.

    Attributes:
        sends: when ``send_control`` was called.
        captures: when the observation was captured.
        due: when it was to be, of a peer that tells.
        returns: when ``step`` returned.
    """

    def __init__(self, capacity: int) -> None:
        self.sends, self.captures, self.due, self.returns = (Stamps(capacity) for _ in range(4))


def stamping_interface(base: type) -> type:
    """Return the class of the interface, derived from the ``RealTimeGymInterface`` of either package."""

    class StampingInterface(base):  # type: ignore[misc]
        def __init__(self, diary: Diary) -> None:
            self._send, self._capture, self._due = diary.sends.stamp, diary.captures.stamp, diary.due.put
            self._observation = np.zeros(4, np.float32)

        def get_observation_space(self) -> spaces.Tuple:
            return spaces.Tuple([spaces.Box(-1.0, 1.0, (4,), np.float32)])

        def get_action_space(self) -> spaces.Box:
            return spaces.Box(-1.0, 1.0, (2,), np.float32)

        def get_default_action(self) -> np.ndarray:
            return np.zeros(2, np.float32)

        def reset(self, seed: int | None = None, options: Any = None) -> tuple[list[np.ndarray], dict[str, Any]]:
            return [self._observation], {}

        def send_control(self, control: np.ndarray) -> None:
            self._send()

        def get_obs_rew_terminated_info(self) -> tuple[list[np.ndarray], float, bool, dict[str, Any]]:
            self._capture()
            return [self._observation], 0.0, False, {}

        def on_time_step(self, time_step: Any) -> None:  # of rtgym_ros alone
            self._due(time_step.capture_ns)

    return StampingInterface
