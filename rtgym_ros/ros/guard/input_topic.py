"""A topic on which an input of the guard commands the robot."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from time import time_ns
from typing import Any

import numpy as np

from rtgym_ros.contract.guard.command_input import CommandInput
from rtgym_ros.contract.messages.stamp_reader import StampReader
from rtgym_ros.core.time_source import NS_PER_S
from rtgym_ros.ros.pulled_subscription import PulledSubscription

Array = np.ndarray[Any, Any]
Read = Callable[[bytes], "Array | None"]
"""Returns the values of a part in a serialised message; None where it has none."""


class InputTopic:
    """Hands what arrives to its input; whatever is no command is counted there, and does nothing else.

    Args:
        subscription: of the topic.
        command_input: that it is of.
        stream: its index among the topics of the input.
        readers: of each part that it carries.
        stamp: reads the stamps.
        report: called with what cannot be used: a kind, of which one a second is told, and the line.
    """

    def __init__(
        self,
        subscription: PulledSubscription[Any],
        command_input: CommandInput,
        stream: int,
        readers: Mapping[str, Read],
        stamp: StampReader,
        report: Callable[[str, str], None],
    ) -> None:
        self.subscription = subscription
        self.input = command_input
        self._stream = stream
        self._readers = readers
        self._stamp = stamp
        self._report = report
        self._kind = f"input {command_input.name}"

    def pull(self, now_ns: int) -> None:
        """Take what has arrived until ``now_ns`` (ns, the clock of the guard)."""
        wall_ns = time_ns()
        for raw in self.subscription.take_serialised():
            waited_ns = min(max(wall_ns - raw.received_ns, 0), NS_PER_S) if raw.received_ns else 0
            self._receive(raw.data, now_ns - waited_ns)

    def _receive(self, data: bytes, arrived_ns: int) -> None:
        try:
            targets = {part: read(data) for part, read in self._readers.items()}
            stamp_ns = self._stamp.read_ns(data)
        except Exception as error:  # bytes of anybody: nothing of them may end the guard
            self.input.refuse()
            self._report(self._kind, f"a message on {self.subscription.topic} cannot be read: {error}")
            return
        found = {part: values for part, values in targets.items() if values is not None}
        if len(found) < len(targets):
            self.input.refuse()
            self._report(
                self._kind, f"a message on {self.subscription.topic} is no command: too short, or not of its type"
            )
        elif not self.input.receive(self._stream, found, arrived_ns, stamp_ns):
            self._report(self._kind, f"a command on {self.subscription.topic} is refused: a value is not finite")
