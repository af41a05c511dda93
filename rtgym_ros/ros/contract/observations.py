"""The observation of a contract: all parts and their topics."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from rtgym_ros.contract.conversions.chain import Load
from rtgym_ros.contract.records.contract import Contract
from rtgym_ros.contract.resolution.observations import resolve_observation
from rtgym_ros.ros.contract.observed_part import ObservedPart
from rtgym_ros.ros.contract.topic_table import NAMED_DEPTH, TopicTable, deserialize_of

Array = np.ndarray[Any, Any]

_PHASE_DEPTH = 64
"""Messages of the part in phase that are kept between two captures."""


class Observations:
    """The parts of the observation by name, in order.

    Args:
        contract: read before.
        topics: where they come from.
        time_step_duration: (s).
        load_for: returns what imports the functions of ``convert`` for the part of that name.
        phase: the part that the clock shall be in phase with: each of its arrivals counts.

    Raises:
        ContractError: an entry does not fit its message type.
    """

    def __init__(
        self,
        contract: Contract,
        topics: TopicTable,
        time_step_duration: float,
        load_for: Callable[[str], Load],
        phase: str | None = None,
    ) -> None:
        self.parts: dict[str, ObservedPart] = {}
        in_phase = None if phase is None else contract.observation[phase]
        shared = {(part.topic, part.qos) for part in contract.observation.values() if part.names}
        stamps = {(part.topic, part.qos): part.stamp for part in contract.observation.values() if part.stamp}
        for name, part in contract.observation.items():
            key = ("observation", name)
            layout = topics.layout(key, part.type, part.topic)
            resolved = resolve_observation(contract, name, layout, load_for(name), deserialize_of(layout))
            least = NAMED_DEPTH if (part.topic, part.qos) in shared else 1
            if in_phase is not None and (part.topic, part.qos) == (in_phase.topic, in_phase.qos):
                least = _PHASE_DEPTH
            stamp = stamps.get((part.topic, part.qos))
            topic = topics.open(key, layout, part.topic, part.qos, "sensor", stamp, least)
            self.parts[name] = ObservedPart(part, resolved.reader, topic, time_step_duration)
        self.topics = list({id(part.topic): part.topic for part in self.parts.values()}.values())

    def pull(self) -> None:
        """Take what has arrived."""
        for topic in self.topics:
            topic.pull()

    @property
    def newest(self) -> Mapping[str, Array]:
        """The newest values of each part, without history, for a task."""
        return {name: part.newest for name, part in self.parts.items() if part.newest is not None}

    @property
    def ages(self) -> dict[str, float]:
        """How old each part was at the last capture (s)."""
        return {name: part.age for name, part in self.parts.items()}
