"""What a hosted environment is doing, as it is published."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from rtgym_ros.msg import EnvState


@dataclass
class HostState:
    """The fields of ``rtgym_ros/EnvState``; belongs to the thread of the host.

    Attributes:
        state: one of the constants of the message.
        episode: the running one, or the last.
        index: of the newest time-step.
        error_type: name of the exception that has failed the environment.
        error: its text.
        truncation: why the last episode ended before its time.
        late_actions: time-steps whose action had not come within the elasticity.
        stale_actions: actions that answered another time-step than the latest.
        refused_actions: actions that are none.
        agent_timeouts: how often the robot was stopped because no agent answered.
    """

    state: int = EnvState.READY
    episode: int = 0
    index: int = 0
    error_type: str = ""
    error: str = ""
    truncation: str = ""
    late_actions: int = 0
    stale_actions: int = 0
    refused_actions: int = 0
    agent_timeouts: int = 0

    def message(self) -> Any:
        """Return it as a message without a stamp."""
        return EnvState(**vars(self))
