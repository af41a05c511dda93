"""What an environment says, through its node's logger and so on ``/rosout``: aggregated, one line a second at most."""

from __future__ import annotations

import inspect
import logging
from time import monotonic

from rclpy.impl import rcutils_logger

from rtgym_ros.ros.session import RosSession

_log = logging.getLogger(__name__)

_PERIOD_S = 1.0


class NodeLog:
    """Logs for a session's node; to Python's logging once ROS is shut down, where rclpy would fail.

    Args:
        session: whose node it is.
    """

    def __init__(self, session: RosSession) -> None:
        self._session = session
        self._counts: dict[str, int] = {}
        self._last_at: dict[str, float] = {}
        # rclpy's logger asks inspect where it is called from, and the first such question walks over all the modules
        # and reads sources: tens of milliseconds, of the clock thread where that logs. So it is asked here.
        inspect.getframeinfo(inspect.currentframe())  # type: ignore[arg-type]
        inspect.findsource(rcutils_logger)

    def info(self, text: str) -> None:
        """Log something that happened."""
        if self._session.context.ok():
            self._session.node.get_logger().info(text)
        else:
            _log.info("%s", text)

    def warning(self, text: str) -> None:
        """Log something that somebody should look at."""
        if self._session.context.ok():
            self._session.node.get_logger().warning(text)
        else:
            _log.warning("%s", text)

    def error(self, text: str) -> None:
        """Log something that has failed."""
        if self._session.context.ok():
            self._session.node.get_logger().error(text)
        else:
            _log.error("%s", text)

    def warning_at_most(self, kind: str, text: str) -> None:
        """Log a warning that may come with every time-step: the first at once, then one a second with the count.

        Args:
            kind: what is counted together.
            text: the line.
        """
        self._counts[kind] = self._counts.get(kind, 0) + 1
        now = monotonic()
        if now - self._last_at.get(kind, -_PERIOD_S) < _PERIOD_S:
            return
        count = self._counts.pop(kind)
        self._last_at[kind] = now
        self.warning(text if count == 1 else f"{text} (and {count - 1} more since)")
