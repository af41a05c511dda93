"""A contract's interface that keeps what it sends and what it captures, with their stamps."""

from __future__ import annotations

from dataclasses import dataclass, field
from time import monotonic, sleep
from typing import Any, NamedTuple

import numpy as np

from rtgym_ros.contract.records.contract import Contract
from rtgym_ros.core.errors import InterfaceTimeoutError
from rtgym_ros.core.time_source import NS_PER_S, to_ns
from rtgym_ros.ros.contract_interface import ContractInterface

Array = np.ndarray[Any, Any]

_MOST_VALUES = 64
"""Parts with more values (images, scans) are no response to a command."""

_POLL_S = 0.001


@dataclass
class PartLog:
    """What was captured of one part of the observation; times in ns of ROS time.

    Attributes:
        sampled_ns: when each sample was taken, increasing.
        values: of these samples.
        arrived_ns: when each message came.
        ages: of the newest sample at each capture (s).
    """

    sampled_ns: list[int] = field(default_factory=list)
    values: list[Array] = field(default_factory=list)
    arrived_ns: list[int] = field(default_factory=list)
    ages: list[float] = field(default_factory=list)


class Capture(NamedTuple):
    """One capture.

    Attributes:
        sent: how many commands had been sent.
        time_ns: when it was (ROS time, ns).
        values: the newest of the first part; None where it has too many.
        info: what the interface told.
    """

    sent: int
    time_ns: int
    values: Array | None
    info: dict[str, Any]


class LoggingInterface(ContractInterface):
    """Keeps commands and samples in memory.

    Attributes:
        sent_ns: stamp of each command (ROS time, ns).
        commands: the values of all parts of the action, in the units of the messages, shape (n,).
        captures: in their order.
        parts: what came of each part of the observation, by name.
        time_step_ns: duration of a time-step (ns).
    """

    def __init__(self, contract: Contract, *, time_step_duration: float, **others: Any) -> None:
        super().__init__(contract, time_step_duration=time_step_duration, **others)
        self.time_step_ns = to_ns(time_step_duration)
        self.sent_ns: list[int] = []
        self.commands: list[Array] = []
        self.captures: list[Capture] = []
        self.parts: dict[str, PartLog] = {}
        for name, part in self._parts.parts.items():
            log = self.parts[name] = PartLog()
            part.topic.add_arrival_reader(log.arrived_ns.append)

    @property
    def has_echo(self) -> bool:
        """Whether the robot tells which command it applies."""
        return self._delays.topic is not None

    def send_control(self, control: Any) -> None:
        """Send an action, and keep it."""
        super().send_control(control)
        if not self.sent_ns or self._sent.stamp_ns > self.sent_ns[-1]:
            self.sent_ns.append(self._sent.stamp_ns)
            self.commands.append(np.concatenate([v.copy() for v in self._sent.executed_values().values()]))

    def get_obs_rew_terminated_info(self) -> tuple[Any, float, bool, dict[str, Any]]:
        """Capture, and keep it."""
        time_ns = self.ros_time_ns()
        answer = super().get_obs_rew_terminated_info()
        self._keep(self._parts.ages)
        newest = next(iter(self._parts.parts.values())).newest
        values = None if newest is None or newest.size > _MOST_VALUES else np.ravel(newest).copy()
        self.captures.append(Capture(len(self.sent_ns), time_ns, values, answer[3]))
        return answer

    def watch(self, seconds: float, time_step_duration: float) -> None:
        """Capture once a time-step without sending anything; called in place of an environment's clock.

        Raises:
            InterfaceTimeoutError: a topic is silent.
            RosShutdownError: ROS was shut down.
        """
        self._awaited.wait_for_shapes(self._observation_timeout)
        deadline = monotonic() + self._observation_timeout
        while silent := [name for name, part in self._parts.parts.items() if not part.accepted]:
            if monotonic() > deadline:
                raise InterfaceTimeoutError(self._awaited.silence_of(silent, self._observation_timeout))
            self._raise_if_shut_down()
            sleep(_POLL_S)
            self._parts.pull()
        begin = monotonic()
        for number in range(max(round(seconds / time_step_duration), 1)):
            while (left := begin + (number + 1) * time_step_duration - monotonic()) > 0:
                sleep(left)
            self._raise_if_shut_down()
            self._parts.pull()
            now_ns = self.ros_time_ns()
            self._keep({name: part.age_at(now_ns) for name, part in self._parts.parts.items()})

    def _keep(self, ages: dict[str, float]) -> None:
        for name, part in self._parts.parts.items():
            log = self.parts[name]
            log.ages.append(ages[name])
            sampled_ns = part.sampled_ns
            if part.newest is None or part.newest.size > _MOST_VALUES:
                continue
            if not log.sampled_ns or sampled_ns > log.sampled_ns[-1]:
                log.sampled_ns.append(sampled_ns)
                log.values.append(np.ravel(part.newest).copy())


def seconds(stamps_ns: list[int], origin_ns: int) -> Array:
    """Return stamps as s after ``origin_ns``."""
    return (np.asarray(stamps_ns, dtype=np.int64) - origin_ns) / NS_PER_S
