"""An input of the guard: what it wants, and whether it is live."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]


class CommandInput:
    """Somebody who may command the robot.

    It is live while each of its streams (topics) has brought a command within the timeout: of an agent that commands a
    base and an arm, both have to come.

    Args:
        name: of the contract's input.
        priority: a larger number goes before a smaller one.
        timeout_ns: after this silence (ns) it does not count.
        streams: the parts of the action that each of its topics carries.

    Attributes:
        name: of the input.
        priority: of the input.
        parts: those that it carries.
        targets: its newest values of each part, in the units of the command's message.
        stamp_ns: of its newest message (ns, its clock); None where that has none.
        received: how many commands came.
        refused: how many of its messages could not be used.
    """

    def __init__(self, name: str, priority: int, timeout_ns: int, streams: Sequence[Iterable[str]]) -> None:
        self.name = name
        self.priority = priority
        self.parts = frozenset(part for stream in streams for part in stream)
        self.targets: dict[str, Array] = {}
        self.stamp_ns: int | None = None
        self.received = 0
        self.refused = 0
        self._timeout_ns = timeout_ns
        self._heard_ns: list[int | None] = [None] * len(streams)
        self._fresh: set[str] = set()

    def receive(self, stream: int, targets: Mapping[str, Array], now_ns: int, stamp_ns: int | None = None) -> bool:
        """Note a command; one with a value that is not finite is refused, as if it had not come.

        Args:
            stream: index of its topic.
            targets: the values of each part.
            now_ns: when it arrived (ns).
            stamp_ns: of the message.

        Returns:
            Whether it can be used.
        """
        if not all(np.isfinite(values).all() for values in targets.values()):
            self.refuse()
            return False
        self.received += 1
        self.targets.update(targets)
        self.stamp_ns = stamp_ns
        self._fresh.update(targets)
        self._heard_ns[stream] = now_ns
        return True

    def refuse(self) -> None:
        """Count a message that could not be used."""
        self.refused += 1

    def is_live(self, now_ns: int) -> bool:
        """Whether it counts at ``now_ns``."""
        return all(heard_ns is not None and now_ns - heard_ns < self._timeout_ns for heard_ns in self._heard_ns)

    def fresh(self, parts: Iterable[str]) -> list[str]:
        """Return which of ``parts`` have values that were not forwarded yet."""
        return [part for part in parts if part in self._fresh]

    def take(self, parts: Iterable[str]) -> None:
        """Note that the values of ``parts`` are being forwarded."""
        self._fresh.difference_update(parts)

    def renew(self, parts: Iterable[str]) -> None:
        """Have the newest values of ``parts`` forwarded, though they were not meant for now: this input takes over."""
        self._fresh.update(part for part in parts if part in self.targets)

    def forget(self) -> None:
        """Be silent until the next command of each stream: the clock was set back."""
        self._heard_ns = [None] * len(self._heard_ns)
        self._fresh.clear()
