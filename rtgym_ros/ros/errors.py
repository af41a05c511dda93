"""The error of a program whose ROS has ended, which ROS programs already know how to catch."""

from __future__ import annotations

from rclpy.executors import ExternalShutdownException

from rtgym_ros.core.errors import RtgymError


class RosShutdownError(RtgymError, ExternalShutdownException):
    """ROS was shut down under an environment: ``rclpy.shutdown()``, or a signal that rclpy has handled.

    It is an ``ExternalShutdownException``, as ``rclpy.spin()`` raises it: ``except (KeyboardInterrupt,
    ExternalShutdownException)`` around a program covers it.
    """
