"""The observation of a contract, made of recorded messages by what makes it in flight."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, cast

import numpy as np
from gymnasium import spaces

from rtgym_ros.contract.freshness.outcome import Outcome
from rtgym_ros.contract.grammar.source import Key
from rtgym_ros.contract.load_code import load_code
from rtgym_ros.contract.records.contract import Contract
from rtgym_ros.ros.contract.contract_topic import ContractTopic
from rtgym_ros.ros.contract.interface_types import import_type
from rtgym_ros.ros.contract.observations import Observations
from rtgym_ros.ros.contract.observed_part import Finding, gravity
from rtgym_ros.ros.contract.topic_table import Subscribe, TopicTable

Array = np.ndarray[Any, Any]


class RecordedObservations:
    """Converters, ages, stale rules and histories of a contract, without a node.

    Args:
        contract: read before.
        time_step_duration: (s).
        resolve: makes the full name of a topic.
        types: of the topics by full name, for those whose type the contract leaves out.
        allow_code_beside: whether code that the contract names may lie beside its file.

    Attributes:
        topics: that the observation is made of, in the order in which an environment subscribes to them.
        observations: all parts.

    Raises:
        ContractError: an entry does not fit a message type, or a type is not installed.
    """

    def __init__(
        self,
        contract: Contract,
        time_step_duration: float,
        resolve: Callable[[str], str],
        types: Mapping[str, str],
        allow_code_beside: bool = False,
    ) -> None:
        def load_for(name: str) -> Callable[[str], Any]:
            key = ("observation", name, "convert")
            return lambda code: load_code(contract, key, code, allow_beside=allow_code_beside)

        subscribe = cast(Subscribe, _Subscription)
        table = TopicTable(contract.source, RecordedTypes(contract, types), resolve, subscribe, lambda: 0)
        self.observations = Observations(contract, table, time_step_duration, load_for)
        self.topics: list[ContractTopic] = list(table)
        self._has_spaces = False

    @property
    def is_complete(self) -> bool:
        """Whether every part has a value."""
        return all(part.newest is not None for part in self.observations.parts.values())

    def make_spaces(self) -> dict[str, spaces.Box]:
        """Return the spaces of the parts, against which captures are held from now on; once every part has a value."""
        self._has_spaces = True
        return {name: part.make_space() for name, part in self.observations.parts.items()}

    def capture(self, now_ns: int, restart: bool) -> tuple[dict[str, Array], dict[str, float], Outcome, str]:
        """Return the parts as the agent sees them, their ages (s), and what is wrong: outcome and message.

        Args:
            now_ns: the moment (ROS time, ns).
            restart: whether an episode begins.
        """
        if not self._has_spaces:
            self.make_spaces()
        findings: list[Finding] = []
        parts = self.observations.parts.items()
        values = {name: part.capture(now_ns, restart, findings) for name, part in parts}
        outcome, message = max(findings, key=gravity, default=(Outcome.FINE, ""))
        return values, self.observations.ages, outcome, message


class RecordedTypes:
    """Message classes by the names that a recording has.

    Args:
        contract: for errors.
        known: types of the topics by full name.
    """

    def __init__(self, contract: Contract, known: Mapping[str, str]) -> None:
        self._source = contract.source
        self._known = known

    def message(self, key: Key, name: str | None, topic: str) -> Any:
        """Return the class of the messages on ``topic``.

        Raises:
            ContractError: it is not installed, or the recording has no such topic.
        """
        type_name = name or self._known.get(topic)
        if type_name is None:
            raise self._source.error(key, f"topic {topic} is not in the recording; give `type`")
        try:
            return import_type(type_name)
        except ImportError as error:
            raise self._source.error(
                (*key, "type"), f"{type_name} cannot be imported ({error}); allowed: a type of an installed package"
            ) from error


class _Subscription:
    """Stands where a subscription does: nothing ever arrives by itself."""

    def __init__(self, message_type: Any, topic: str, qos: Any) -> None:
        self.message_type, self.topic, self.qos = message_type, topic, qos
        self.publishers = 1

    def take_serialised(self) -> list[Any]:
        return []

    def close(self) -> None:
        pass
