"""What sequences need of the graph: implemented over ROS by the interface, and by tests on stepped time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from rtgym_ros.contract.records.gate import Condition
from rtgym_ros.contract.records.step import CallStep, GoalStep, PublishStep


@dataclass(frozen=True, slots=True)
class Reading:
    """The newest message of a condition's topic.

    Attributes:
        value: of the condition's field; None where no message has come.
        age: how long ago it arrived (s); None where no message has come.
        publishers: how many there are on the topic.
    """

    value: Any = None
    age: float | None = None
    publishers: int = 0


class Response(Protocol):
    """A service call that is under way."""

    def done(self) -> bool:
        """Return whether the response has come."""

    def field(self, path: str) -> Any:
        """Return a field of the response; raises LookupError where it has no such field."""

    def cancel(self) -> None:
        """Wait for it no longer."""


class Goal(Protocol):
    """A goal that was sent."""

    def accepted(self) -> bool | None:
        """Return whether it was accepted; None while that is not known."""

    def succeeded(self) -> bool | None:
        """Return whether it ended as a success; None while it goes on."""

    def status(self) -> str:
        """Return how it stands, in words, for errors."""

    def cancel(self) -> None:
        """Ask for its end."""


class Port(Protocol):
    """The graph, as a sequence sees it. No method blocks but ``wait``; called in one thread."""

    def now(self) -> float:
        """Return the wall time (s, monotonic)."""

    def time(self) -> float:
        """Return the time of the clock of the time-steps (s)."""

    def wait(self, seconds: float) -> None:
        """Return after so long (wall time), or sooner where something has arrived. May raise, to end the sequence."""

    def server_ready(self, step: CallStep | GoalStep) -> bool:
        """Return whether the service, or ROS action, has a server."""

    def call(self, step: CallStep) -> Response:
        """Call the service."""

    def send_goal(self, step: GoalStep) -> Goal:
        """Send the goal."""

    def publish(self, step: PublishStep) -> None:
        """Publish the message once, stamped now."""

    def read(self, condition: Condition) -> Reading:
        """Return the newest message of the condition's topic."""

    def move(self, targets: Mapping[str, float | tuple[float, ...]]) -> bool:
        """Send the next commands on the way to ``targets`` (units of the message), within the limits of the parts.

        Returns:
            Whether the commands that were sent are the targets.
        """

    def command_period(self) -> float:
        """Return after how long (s) ``move`` is called again: the period of the commands."""
