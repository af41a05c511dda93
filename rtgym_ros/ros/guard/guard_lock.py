"""The emergency stop of the guard, from its topic."""

from __future__ import annotations

from time import time_ns
from typing import Any

from rtgym_ros.contract.guard.lock import Lock
from rtgym_ros.contract.messages.field_reader import FieldReader
from rtgym_ros.core.time_source import NS_PER_S
from rtgym_ros.ros.contract.interface_types import message_layout
from rtgym_ros.ros.pulled_subscription import PulledSubscription


class LockTopic:
    """Tells the lock what arrives; a message that is no ``std_msgs/Bool`` counts as not having come.

    Args:
        subscription: of the topic.
        lock: is told.

    Attributes:
        refused: how many messages could not be used.
    """

    def __init__(self, subscription: PulledSubscription[Any], lock: Lock) -> None:
        self.subscription = subscription
        self.lock = lock
        self.refused = 0
        self._reader = FieldReader(message_layout(subscription.message_type), ["data"])

    def pull(self, now_ns: int) -> None:
        """Take what has arrived until ``now_ns`` (ns, the clock of the guard)."""
        wall_ns = time_ns()
        for raw in self.subscription.take_serialised():
            values = self._reader.values(raw.data)
            if values is None:
                self.refused += 1
                continue
            waited_ns = min(max(wall_ns - raw.received_ns, 0), NS_PER_S) if raw.received_ns else 0
            self.lock.receive(bool(values[0]), now_ns - waited_ns)
