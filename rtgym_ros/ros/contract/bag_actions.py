"""The actions of a contract, read back from the commands that were sent."""

from __future__ import annotations

from typing import Any

import numpy as np

from rtgym_ros.contract.actions.part_command import PartCommand
from rtgym_ros.contract.load_code import load_code
from rtgym_ros.contract.messages.field_reader import FieldReader
from rtgym_ros.contract.records.contract import Contract
from rtgym_ros.contract.resolution.commands import resolve_command
from rtgym_ros.ros.contract.agent_actions import AgentActions
from rtgym_ros.ros.contract.interface_types import message_layout
from rtgym_ros.ros.contract.topic_table import MessageTypes, deserialize_of

Array = np.ndarray[Any, Any]


class SentActions:
    """Keeps the last command of each part, and says which action of the agent it stands for.

    Args:
        contract: read before.
        types: finds message classes.
        names: full names of the command topics by their names in the contract.
        time_step_duration: (s).
        allow_code_beside: whether code that the contract names may lie beside its file.

    Attributes:
        form: the agent's action space, and values between it and the parts.

    Raises:
        ContractError: a part does not fit its message type, or is a goal: those are no messages of a topic.
    """

    def __init__(
        self,
        contract: Contract,
        types: MessageTypes,
        names: dict[str, str],
        time_step_duration: float,
        allow_code_beside: bool = False,
    ) -> None:
        self._readers: dict[str, list[tuple[str, FieldReader]]] = {}
        self._parts: dict[str, PartCommand] = {}
        for name, part in contract.action.items():
            key = ("action", name)
            if part.topic is None:
                raise contract.source.error((*key, "goal"), "goals are not in a bag; allowed: parts with a topic")

            def load(code: str, key: Any = key) -> Any:
                return load_code(contract, (*key, "convert"), code, allow_beside=allow_code_beside)

            topic = names[part.topic]
            layout = message_layout(types.message(key, part.type, topic))
            self._parts[name] = resolve_command(contract, [name], layout, time_step_duration, load).parts[name]
            reader = FieldReader(layout, part.fields, part.names, part.prefix, deserialize_of(layout))
            self._readers.setdefault(topic, []).append((name, reader))
        self._agent = AgentActions(contract, self._parts)
        self.form = self._agent.form
        self._commands: dict[str, Array] = {}
        self._before: dict[str, Array] = {}

    @property
    def topics(self) -> set[str]:
        """Full names of the topics of commands."""
        return set(self._readers)

    @property
    def is_complete(self) -> bool:
        """Whether a command of every part was seen."""
        return len(self._commands) == len(self._parts)

    @property
    def values(self) -> dict[str, Array]:
        """The last commands in the units of the messages."""
        return dict(self._commands)

    def receive(self, topic: str, data: bytes) -> None:
        """Take a command."""
        for name, reader in self._readers[topic]:
            values = reader.read(data)
            if values is not None:
                self._commands[name] = np.asarray(values, np.float64).copy()

    def action(self) -> Any:
        """Return the action that the last commands stand for, and begin a time-step.

        A relative one is what leads there from the last commands of the time-step before.
        """
        before = {**self._commands, **self._before}
        actions = {
            name: np.nan_to_num(part.action_map.to_agent(self._commands[name], before[name]))
            for name, part in self._parts.items()
        }
        self._before = dict(self._commands)
        return self.form.arrange(self._agent.inside(actions))
