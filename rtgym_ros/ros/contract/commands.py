"""The action of a contract: all commands, sent together, those of a topic in one message."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from rtgym_ros.contract.actions.part_command import PartCommand
from rtgym_ros.contract.records.contract import Contract
from rtgym_ros.contract.resolution.commands import ResolvedCommand
from rtgym_ros.core.errors import ActionError
from rtgym_ros.core.time_source import to_s
from rtgym_ros.ros.contract.agent_actions import AgentActions
from rtgym_ros.ros.contract.command_sink import CommandSink
from rtgym_ros.ros.contract.observations import Observations

Array = np.ndarray[Any, Any]

_SHORTEST_S = 1e-3
"""Least time that is reckoned between two commands (s): less is the network's business, not the robot's."""


class TopicCommand:
    """Sends the commands of one topic; belongs to one thread.

    Limits count from the last command that was sent, at the rate at which commands are sent. A command that follows
    sooner than that (a time-step that makes up for a late one, a safe action in between) has the time that has really
    passed; one that follows later has no more than the rate gives it.

    Args:
        resolved: parts and writer.
        sink: where messages go.
        period: between two commands (s).
        repeats: whether commands are repeated between time-steps.
        now_ns: the ROS time (ns).

    Attributes:
        stamp_ns: of the last command (ROS time, ns); 0 before the first.
    """

    def __init__(
        self, resolved: ResolvedCommand, sink: CommandSink, period: float, repeats: bool, now_ns: Callable[[], int]
    ) -> None:
        self.parts = resolved.parts
        self.writer = resolved.writer
        self.safe_writer = resolved.safe_writer
        self.period = period
        self.repeats = repeats
        self.stamp_ns = 0
        self._sink = sink
        self._now_ns = now_ns

    def send(self, elapsed: float | None = None) -> None:
        """Send what the parts aim at.

        Args:
            elapsed: since the beginning of the time-step (s), of a command that is repeated in it; None: it begins now.
        """
        now_ns = self._now_ns()
        dt = self._dt(now_ns)
        if elapsed is None and self.repeats:
            elapsed = 0.0
        values = [part.next(dt, elapsed) for part in self.parts.values()]
        values_of_all = values[0] if len(values) == 1 else np.concatenate(values)
        self._sink.publish(self.writer.write(values_of_all, self._stamp(now_ns)))

    def send_safe(self) -> bool:
        """Send the safe action, limited as it always is.

        Returns:
            Whether that is the safe action itself: limits may make it take several commands.
        """
        now_ns = self._now_ns()
        dt = self._dt(now_ns)
        before = [part.command for part in self.parts.values()]
        values = [part.next_safe(dt) for part in self.parts.values()]
        self._sink.publish(self.safe_writer.write(np.concatenate(values), self._stamp(now_ns)))
        return all(np.array_equal(old, new) for old, new in zip(before, values, strict=True))

    def is_due(self, now_ns: int) -> bool:
        """Whether the next command of the rate is due."""
        return to_s(now_ns - self.stamp_ns) >= self.period

    def _dt(self, now_ns: int) -> float:
        passed = to_s(now_ns - self.stamp_ns) if self.stamp_ns else self.period
        return min(self.period, max(passed, _SHORTEST_S)) if passed > 0 else self.period

    def _stamp(self, now_ns: int) -> int:
        """Return the stamp of this command, which is newer than that of the one before."""
        self.stamp_ns = max(now_ns, self.stamp_ns + 1) if now_ns > self.stamp_ns - 1_000_000_000 else now_ns
        return self.stamp_ns


class Commands:
    """The commands of all parts, from what the agent wants to what is published; belongs to one thread.

    Args:
        contract: read before.
        topics: the commands by topic.
        observations: where ``first_from`` looks.

    Attributes:
        parts: the commands of each part, by name, in the order of the contract.
        topics: the commands by topic.
        agent: the same as the agent sees them.
    """

    def __init__(self, contract: Contract, topics: list[TopicCommand], observations: Observations) -> None:
        self._contract = contract
        self.topics = topics
        self._observations = observations
        found = {name: part for topic in topics for name, part in topic.parts.items()}
        self.parts: dict[str, PartCommand] = {name: found[name] for name in contract.action}
        self.agent = AgentActions(contract, self.parts)
        self._places = [
            (part, self.agent.form.places[name], self.agent.form.parts[name].dtype) for name, part in self.parts.items()
        ]
        self._is_by_part = contract.spaces.action != "flat"
        self._measurable = {n: part for n, part in self.parts.items() if contract.action[n].first_from is not None}
        self._executed: dict[str, Array] | None = None

    @property
    def stamp_ns(self) -> int:
        """Stamp of the last command of the first topic (ROS time, ns)."""
        return self.topics[0].stamp_ns

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
        """Begin a time-step with the agent's action.

        Raises:
            ActionError: it is none of the action space's shape.
        """
        try:
            if self._is_by_part and len(action) != len(self._places):
                raise LookupError("more or fewer elements than parts")
            for part, place, dtype in self._places:
                part.aim(np.asarray(action[place], dtype))
        except (LookupError, TypeError) as error:
            raise ActionError(f"an element of {self.agent.form.space} is needed, got {action!r}") from error
        self._send()

    def send_default(self) -> None:
        """Begin a time-step with the default action."""
        for part in self.parts.values():
            part.aim_default()
        self._send()

    def send_safe(self) -> bool:
        """Send the safe action; return whether it is that of the contract already, whatever the limits are."""
        self._executed = None
        arrived = [topic.send_safe() for topic in self.topics]
        return all(arrived)

    def repeat(self, now_ns: int, elapsed: float) -> None:
        """Send again what has a rate and is due, ``elapsed`` (s) after the beginning of the time-step."""
        for topic in self.topics:
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
        return self.agent.form.arrange(self.agent.inside(actions))

    def executed_action(self) -> Any:
        """Return the last commands as an element of the action space; arrays are read-only."""
        if self._executed is None:
            self._executed = self.agent.executed()
        return self.agent.form.arrange(self._executed)

    def executed_values(self) -> dict[str, Array]:
        """Return the last commands in the units of the messages, read-only."""
        return {name: part.command for name, part in self.parts.items()}

    def set_task_values(self, values: Mapping[str, Any]) -> None:
        """Fill the constants ``task.NAME`` of all commands."""
        for topic in self.topics:
            topic.writer.set_task_values(values)
            if topic.safe_writer is not topic.writer:
                topic.safe_writer.set_task_values(values)

    def _send(self) -> None:
        self._executed = None
        for topic in self.topics:
            topic.send()

    def _measured(self, name: str) -> Array | None:
        first_from = self._contract.action[name].first_from
        return None if first_from is None else self._observations.parts[first_from].measured()
