"""ROS in a forked process: rcl's logging to files does not survive a fork, the rest of ROS does.

rcl's logging library (spdlog) has a thread that is not in the child, and ``rclpy.init()`` waits for it for ever there.
A forked process is a worker of :mod:`multiprocessing` with fork, as of ``gymnasium.make_vec(..., "async")``: it goes
without the log files under ``ROS_LOG_DIR``; its console and ``/rosout`` are as ever.
"""

from __future__ import annotations

import os
from collections.abc import Sequence

_is_forked = False


def arguments_after_fork(arguments: Sequence[str]) -> list[str]:
    """Return arguments for ``rclpy.init()``: without log files where this process was forked from one with rclpy."""
    return [*arguments, "--ros-args", "--disable-external-lib-logs", "--"] if _is_forked else list(arguments)


def _note_fork() -> None:
    global _is_forked
    _is_forked = True


os.register_at_fork(after_in_child=_note_fork)
