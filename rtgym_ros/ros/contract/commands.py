"""The action of a contract: all commands, sent together."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from gymnasium import spaces

from rtgym_ros.contract.actions.part_command import PartCommand
from rtgym_ros.contract.forms import SpaceForm
from rtgym_ros.contract.records.contract import Contract
from rtgym_ros.ros.contract.command_sink import inside
from rtgym_ros.ros.contract.observations import Observations
from rtgym_ros.ros.contract.topic_command import TopicCommand

Array = np.ndarray[Any, Any]


class Commands:
    """The commands of all parts, from what the agent wants to what is published; belongs to one thread.

    Args:
        contract: read before.
        topics: the commands by topic.
        observations: where ``first_from`` looks.

    Attributes:
        form: the agent's action space, and values between it and the parts.
    """

    def __init__(self, contract: Contract, topics: list[TopicCommand], observations: Observations) -> None:
        self._contract = contract
        self._topics = topics
        self._observations = observations
        found = {name: part for topic in topics for name, part in topic.parts.items()}
        self.parts: dict[str, PartCommand] = {name: found[name] for name in contract.action}
        self.form = SpaceForm(
            contract.spaces.action,
            {name: action_part_space(part, contract.action[name].dtype) for name, part in self.parts.items()},
        )
        self._measurable = {n: part for n, part in self.parts.items() if contract.action[n].first_from is not None}
        self._executed: dict[str, Array] | None = None

    @property
    def topics(self) -> list[TopicCommand]:
        """The commands by topic."""
        return self._topics

    @property
    def stamp_ns(self) -> int:
        """Stamp of the last command of the first topic (ROS time, ns)."""
        return self._topics[0].stamp_ns

    def start(self) -> None:
        """Begin anew: the next commands are limited from what ``first_from`` shows, or from ``default``."""
        self._executed = None
        for name, part in self.parts.items():
            part.start(self._measured(name))

    def resume(self) -> None:
        """Go on after steps that may have moved the robot; what has no ``first_from`` goes on from its last command."""
        self._executed = None
        for name, part in self._measurable.items():
            measured = self._measured(name)
            if measured is not None:
                part.start(measured)

    def observe(self) -> None:
        """Note what ``first_from`` shows now."""
        for name, part in self._measurable.items():
            measured = self._measured(name)
            if measured is not None:
                part.observe(measured)

    def send_action(self, action: Any) -> None:
        """Begin a time-step with the agent's action."""
        for name, values in self.form.split(action).items():
            self.parts[name].aim(values)
        self._send()

    def send_default(self) -> None:
        """Begin a time-step with the default action."""
        for part in self.parts.values():
            part.aim_default()
        self._send()

    def send_safe(self) -> bool:
        """Send the safe action; return whether it is that of the contract already, whatever the limits are."""
        self._executed = None
        arrived = [topic.send_safe() for topic in self._topics]
        return all(arrived)

    def repeat(self, now_ns: int, elapsed: float) -> None:
        """Send again what has a rate and is due, ``elapsed`` (s) after the beginning of the time-step."""
        for topic in self._topics:
            if topic.repeats and topic.is_due(now_ns):
                self._executed = None
                topic.send(elapsed)

    def move(self, targets: Mapping[str, Any]) -> bool:
        """Send the next commands on the way to ``targets`` (units of the message); return whether they are there.

        Parts that are not named stay where they are.
        """
        for name, part in self.parts.items():
            target = targets.get(name)
            part.aim_at(part.command if target is None else np.broadcast_to(target, part.command.shape))
        self._send()
        return all(np.allclose(self.parts[name].command, target) for name, target in targets.items())

    def follow(self, executed: Mapping[str, Array]) -> Any:
        """Go on from the commands of somebody else, in the units of the messages, by part.

        Returns:
            They, as an element of the action space.
        """
        self._executed = None
        actions = {name: part.executed for name, part in self.parts.items()}
        for name, values in executed.items():
            if name in self.parts and values.shape == self.parts[name].command.shape:
                actions[name] = self.parts[name].action_map.to_agent(values, self.parts[name].command)
                self.parts[name].start(values)
        return self.form.arrange(self._inside(actions))

    def executed_action(self) -> Any:
        """Return the last commands as an element of the action space; arrays are read-only."""
        if self._executed is None:
            self._executed = self._inside({name: part.executed for name, part in self.parts.items()})
            for values in self._executed.values():
                values.flags.writeable = False
        return self.form.arrange(self._executed)

    def executed_values(self) -> dict[str, Array]:
        """Return the last commands in the units of the messages, read-only."""
        return {name: part.command for name, part in self.parts.items()}

    def nominal(self, values_of: Callable[[PartCommand], Any]) -> Any:
        """Return an action that stands for ``default`` or ``safe``, as far as numbers say what that is.

        Where the value is ``last`` or ``measured``, that of the relative action that adds nothing, or the middle.
        """
        return self.form.arrange({name: self._nominal(name, values_of(part)) for name, part in self.parts.items()})

    def set_task_values(self, values: Mapping[str, Any]) -> None:
        """Fill the constants ``task.NAME`` of all commands."""
        for topic in self._topics:
            topic.writer.set_task_values(values)
            if topic.safe_writer is not topic.writer:
                topic.safe_writer.set_task_values(values)

    def _inside(self, actions: Mapping[str, Array]) -> dict[str, Array]:
        boxes = self.form.parts
        return {name: inside(actions[name], box.low, box.high, box.dtype) for name, box in boxes.items()}

    def _send(self) -> None:
        self._executed = None
        for topic in self._topics:
            topic.send()

    def _nominal(self, name: str, command: Any) -> Array:
        part, box = self.parts[name], self.form.parts[name]
        here = part.command
        try:
            values = command.values(here, here if command.needs_measured else None)
            action = part.action_map.to_agent(values, here)
        except (ValueError, FloatingPointError):
            action = (box.low + box.high) / 2
        return np.asarray(inside(np.nan_to_num(action), box.low, box.high, box.dtype))

    def _measured(self, name: str) -> Array | None:
        first_from = self._contract.action[name].first_from
        return None if first_from is None else self._observations.parts[first_from].measured()


def action_part_space(part: PartCommand, dtype: str) -> spaces.Box:
    """Return the space of the agent's values of a part."""
    low, high = part.action_map.low, part.action_map.high
    kind = np.dtype(dtype)
    return spaces.Box(low.astype(kind), high.astype(kind), dtype=kind.type)
