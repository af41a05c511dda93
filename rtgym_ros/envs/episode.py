"""The actions of an environment, from one episode to the next: what the learner sees of them and what is sent."""

from __future__ import annotations

from typing import Any

from rtgym_ros.core.action_buffer import ActionBuffer
from rtgym_ros.core.config import RealTimeConfig


class Episode:
    """Counts the time-steps since ``reset`` and keeps the action buffer.

    Args:
        config: of the environment.
        default_action: what ``reset`` sends, unless it is to be the last action.

    Attributes:
        default_action: the same; it may be changed.
        time_steps: how many are over since ``reset``.
    """

    def __init__(self, config: RealTimeConfig, default_action: Any) -> None:
        self.default_action = self._last_action = default_action
        self.time_steps = 0
        self._refills = config.reset_act_buf
        self._repeats = config.last_act_on_reset and not config.reset_act_buf
        self._buffer = ActionBuffer(int(config.act_buf_len))
        self._buffer.fill(default_action)
        self._newest_was_sent = False
        self._appended = self._buffer if config.act_in_obs else ActionBuffer(0)

    @property
    def first_action(self) -> Any:
        """The action that ``reset`` sends."""
        return self._last_action if self._repeats else self.default_action

    @property
    def actions(self) -> tuple[Any, ...]:
        """A copy of the action buffer, oldest first, whether it is in the observation or not."""
        return self._buffer.snapshot()

    def begin(self, action: Any) -> None:
        """Begin an episode with ``action``, which has just been sent; the one before may not have ended."""
        if self._refills:
            self._buffer.fill(action)
            self._newest_was_sent = True
        else:
            self.send_between(action)
        self._last_action = action
        self.time_steps = 0

    def take(self, action: Any) -> None:
        """Count a time-step that is over, and the action that begins the next one."""
        self._buffer.append(action)
        self._last_action = action
        self._newest_was_sent = True
        self.time_steps += 1

    def end(self, action: Any) -> None:
        """Count the last time-step, and the action that is not sent after it."""
        self.take(action)
        self._newest_was_sent = False

    def send_between(self, action: Any) -> None:
        """Take an action into account that no time-step of the learner began with, as the safe action."""
        if self._newest_was_sent:
            self._buffer.append(action)
        else:  # the episode ended before the newest was sent: this one takes its place
            self._buffer.replace_newest(action)
        self._newest_was_sent = True

    def observed_actions(self) -> tuple[Any, ...]:
        """Return copies of the actions that are in the observation, oldest first."""
        return self._appended.snapshot()
