"""Who commands the robot behind its guard: this environment, somebody else, or the guard itself."""

from __future__ import annotations

from typing import Any

import numpy as np
from rclpy.node import Node
from rclpy.qos import QoSProfile

from rtgym_ros.msg import GuardedCommand
from rtgym_ros.ros.pulled_subscription import PulledSubscription

Array = np.ndarray[Any, Any]

_DEPTH = 100


class GuardWatch:
    """Reads what the guard has sent to the robot; belongs to one thread.

    Args:
        node: of the environment.
        topic: full name of the guard's ``~/sent``.
        own_input: name of the input that the environment publishes on.

    Attributes:
        intervention: who commands the robot in place of the environment: the name of an input, ``lock``, or ``guard``
            (the safe action, for no input was live); None: the environment does.
        executed: the last values of each part that somebody else has sent, in the units of the message.
    """

    def __init__(self, node: Node, topic: str, own_input: str) -> None:
        qos = QoSProfile(depth=_DEPTH)
        self.subscription: PulledSubscription[Any] = PulledSubscription(node, GuardedCommand, topic, qos)
        self.intervention: str | None = None
        self.executed: dict[str, Array] = {}
        self._own_input = own_input

    def pull(self) -> None:
        """Take what has arrived; the last command of each part counts.

        Raises:
            RosShutdownError: the subscription is gone with its node.
        """
        for message, _ in self.subscription.take():
            if message.source == self._own_input:
                self.intervention = None
                continue
            self.intervention = message.source or ("lock" if message.locked else "guard")
            for part in message.executed:
                self.executed[part.name] = np.array(part.float64_values)

    def close(self) -> None:
        """End the subscription."""
        self.subscription.close()
