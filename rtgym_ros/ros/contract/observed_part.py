"""One part of the observation: from the messages of its topic to what the agent sees of it."""

from __future__ import annotations

from math import nan
from operator import attrgetter
from typing import Any, NamedTuple

import numpy as np
from gymnasium import spaces

from rtgym_ros.contract.forms import observation_part_space
from rtgym_ros.contract.freshness.bounds_check import BoundsCheck
from rtgym_ros.contract.freshness.history import History
from rtgym_ros.contract.freshness.outcome import Outcome
from rtgym_ros.contract.freshness.stale_check import StaleCheck
from rtgym_ros.contract.observations.part_reader import PartReader
from rtgym_ros.contract.records.conversion import Image, Ranges
from rtgym_ros.contract.records.observation_part import ObservationPart
from rtgym_ros.core.time_source import NS_PER_S, to_s
from rtgym_ros.ros.contract.contract_topic import ContractTopic, Stamped

Array = np.ndarray[Any, Any]


class Finding(NamedTuple):
    """What is wrong with a capture, and what it leads to."""

    outcome: Outcome
    message: str


gravity = attrgetter("outcome")
"""The key of findings in the order of what they lead to."""


class ObservedPart:
    """Keeps the newest values of a part; belongs to one thread.

    Args:
        part: of the contract.
        reader: of its values.
        topic: whose messages it reads.
        time_step_duration: (s).

    Attributes:
        newest: the newest values, shape (k,) or that of the image; None before the first.
        message: the message they come from; None before the first.
        stamp_ns: its stamp, in the robot's clock (ns).
        age: how long before the last capture (s) the robot sampled what that shows; NaN before the first.
        accepted: how many times they were renewed.
        max_age: the oldest that a capture may be (s); infinite where there is no bound.
    """

    def __init__(
        self,
        part: ObservationPart,
        reader: PartReader,
        topic: ContractTopic,
        time_step_duration: float,
    ) -> None:
        self.part = part
        self.topic = topic
        self.newest: Array | None = None
        self.message: Stamped | None = None
        self.stamp_ns = 0
        self.age = nan
        self.accepted = 0
        self._name = f"observation {part.name}"
        self._reader = reader
        self._stale = StaleCheck(part.max_age, part.when_stale, time_step_duration)
        self.max_age = self._stale.max_age
        self._restarts = 0
        self._bounds: BoundsCheck | None = None
        self._history: History | None = None
        topic.add_reader(self._read)

    @property
    def has_shape(self) -> bool:
        """Whether the shape of the values is known: that of some images and scans comes with the first message."""
        return self.newest is not None or not any(_is_open(convert) for convert in self.part.convert)

    @property
    def capture_space(self) -> spaces.Box:
        """The space of one capture, without history."""
        space = observation_part_space(self.part, self._shape)
        if self.part.history is None:
            return space
        return spaces.Box(space.low[0], space.high[0], dtype=space.dtype.type)

    def make_space(self) -> spaces.Box:
        """Return the space of what the agent sees, against which captures are held from now on."""
        space = self.capture_space
        self._bounds = BoundsCheck(space.low, space.high, self.part.out_of_bounds)
        if self.part.history is not None:
            self._history = History(self.part.history, space.shape, space.dtype)
        return observation_part_space(self.part, space.shape)

    @property
    def sampled_ns(self) -> int:
        """When the robot sampled the newest values (ROS time, ns)."""
        return self.topic.clock.sampled_ns(self.stamp_ns)

    def age_at(self, now_ns: int) -> float:
        """Return how long before ``now_ns`` (ROS time, ns) the robot sampled the newest values (s)."""
        return to_s(self.topic.clock.age_ns(self.stamp_ns, now_ns))

    def measured(self) -> Array | None:
        """Return the newest values before ``convert``, which ``first_from`` is about; None before the first."""
        if self.message is None or self._reader.raw is None:
            return None
        return self._reader.raw.read(self.message.data)

    def capture(self, now_ns: int, restart: bool, findings: list[Finding]) -> Array:
        """Return what the agent sees.

        Args:
            now_ns: the moment of the capture (ROS time, ns).
            restart: whether an episode begins, whose history is filled with this capture.
            findings: what is wrong with it is appended to them.
        """
        values, bounds = self.newest, self._bounds
        assert values is not None  # reset() has waited for it
        assert bounds is not None
        age = self.age = (now_ns - self.topic.clock.sampled_ns(self.stamp_ns)) / NS_PER_S
        if not age <= self.max_age:
            outcome = self._stale.check(age)
            findings.append(Finding(outcome, self._stale.message(self._name, self.topic.topic, age)))
        if not bounds.is_inside(values):
            values, outcome = bounds.check(values)
            if outcome:
                findings.append(Finding(outcome, bounds.message(self._name, values)))
        if self._history is None:
            return values.copy()
        return (self._history.reset if restart else self._history.append)(values)

    @property
    def skipped(self) -> str:
        """Why messages counted as not having come, in words; empty where none did."""
        return "; ".join(f"{count} messages skipped: {reason.value}" for reason, count in self._reader.skipped.items())

    @property
    def _shape(self) -> tuple[int, ...]:
        return self._reader.shape if self.newest is None else self.newest.shape

    def _read(self, messages: list[Stamped], restarts: int) -> None:
        """Take the newest message that can be read; one of another publisher on the topic is passed over."""
        if restarts != self._restarts:
            self._restarts, self.stamp_ns = restarts, 0
        for message in messages:
            if message.stamp_ns <= self.stamp_ns:
                return
            values = self._reader.read(message.data)
            if values is not None and (self.newest is None or values.shape == self.newest.shape):
                self.newest, self.stamp_ns, self.message = values, message.stamp_ns, message
                self.accepted += 1
                return


def _is_open(convert: Any) -> bool:
    if isinstance(convert, Image):
        return convert.image.width is None or convert.image.height is None
    return isinstance(convert, Ranges) and convert.ranges.beams is None
