"""Who commands the robot, and what is sent when nobody does."""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum

from rtgym_ros.contract.guard.command_input import CommandInput
from rtgym_ros.contract.guard.guarded_command import GuardedCommand, Sent
from rtgym_ros.contract.guard.lock import Lock


class GuardState(Enum):
    """What the guard does."""

    STANDS_BY = "stands by: nothing is sent, for no input has come yet"
    FORWARDS = "forwards commands"
    SAFE = "sends the safe action, for no input is live"
    LOCKED = "sends the safe action, for the lock is engaged"


class GuardLogic:
    """The guard without topics: commands in, commands out, on whatever time it is given.

    Of the inputs that are live the one with the highest priority commands the robot; of two equal ones the first. Every
    command is limited from the one before, whoever that was of, so that no hand-over makes a jump. With no live input,
    or with the lock engaged, the safe action is sent at the rate of the commands until an input is live again.

    Nothing is sent before the first command of an input, nor after :meth:`stand_by` until the next one.

    Args:
        inputs: in the order of the contract.
        commands: one a topic, by index.
        lock: the emergency stop; None where there is none.

    Attributes:
        inputs: of the contract.
        commands: of the contract.
        state: what it does.
        source: the input that commands the robot; None where none does.
        changes: how often the robot's commands came from somebody else than before.
    """

    def __init__(
        self, inputs: Sequence[CommandInput], commands: Sequence[GuardedCommand], lock: Lock | None = None
    ) -> None:
        self.inputs = inputs
        self.commands = commands
        self.lock = lock
        self.state = GuardState.STANDS_BY
        self.source: CommandInput | None = None
        self.changes = 0
        self._now_ns: int | None = None

    def advance(self, now_ns: int) -> list[Sent]:
        """Return what is to be sent at ``now_ns``; to be called again within a millisecond or so."""
        if self._now_ns is not None and now_ns < self._now_ns:
            self._restart()
        self._now_ns = now_ns
        live = [one for one in self.inputs if one.is_live(now_ns)]
        if self.state is GuardState.STANDS_BY and not live:
            return []
        locked = self.lock is not None and self.lock.is_engaged(now_ns)
        source = None if locked or not live else max(live, key=lambda one: one.priority)
        self.state = GuardState.LOCKED if locked else GuardState.SAFE if source is None else GuardState.FORWARDS
        self.changes += source is not self.source
        self.source = source
        return [sent for command in self.commands if (sent := command.step(source, now_ns)) is not None]

    def stand_by(self) -> None:
        """Send nothing until the next command of an input."""
        self._restart()
        self.state = GuardState.STANDS_BY
        self.source = None

    @property
    def is_at_rest(self) -> bool:
        """Whether the last commands of all topics are the safe action."""
        return all(command.is_at_rest or not command.is_ready for command in self.commands)

    def make_safe(self, now_ns: int) -> list[Sent]:
        """Return the safe action where it is due, whoever is live: the guard ends."""
        if self.state is GuardState.STANDS_BY:
            return []
        return [sent for command in self.commands if (sent := command.step(None, now_ns)) is not None]

    def _restart(self) -> None:
        for one in self.inputs:
            one.forget()
        if self.lock is not None:
            self.lock.forget()
        for command in self.commands:
            command.restart()
