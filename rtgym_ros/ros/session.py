"""A ROS context, one node and the executor that serves it: opened together, closed together."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from threading import Thread

import rclpy
from rclpy.context import Context
from rclpy.exceptions import InvalidNamespaceException, InvalidNodeNameException
from rclpy.executors import ExternalShutdownException, MultiThreadedExecutor
from rclpy.node import Node
from rclpy.signals import SignalHandlerOptions

from rtgym_ros.core.errors import ConfigError

_log = logging.getLogger(__name__)


class RosSession:
    """A node in a context of its own, so that it neither disturbs nor depends on what else the process does with ROS.

    A MultiThreadedExecutor in a background thread serves the node's services, parameters, timers and ``/clock``.

    Args:
        node_name: default name of the node; ``-r __node:=NAME`` changes it.
        namespace: its default namespace; ``-r __ns:=/NAME`` changes it.
        arguments: command line with ``--ros-args``; the program's own by default.

    Raises:
        ConfigError: the arguments, the parameter file or the name cannot be used.
    """

    def __init__(self, node_name: str, namespace: str = "", arguments: Sequence[str] | None = None) -> None:
        self.context = Context()
        try:
            rclpy.init(
                args=None if arguments is None else list(arguments),
                context=self.context,
                signal_handler_options=SignalHandlerOptions.NO,
            )
        except Exception as error:  # rclpy raises RCLError and others of its C++ side, all for bad arguments
            raise ConfigError(f"ROS arguments: {_first_line(error)}") from error
        try:
            self.node = Node(node_name, namespace=namespace or None, context=self.context)
        except (InvalidNodeNameException, InvalidNamespaceException, ValueError) as error:
            rclpy.try_shutdown(context=self.context)
            raise ConfigError(f"node {node_name!r} in namespace {namespace!r}: {_first_line(error)}") from error
        self._executor = MultiThreadedExecutor(num_threads=2, context=self.context)
        self._executor.add_node(self.node)
        self._thread = Thread(target=self._spin, name="rtgym_ros executor", daemon=True)
        self._thread.start()
        self._closed = False

    def close(self) -> None:
        """End the executor, its threads, the node and the context; a second call does nothing."""
        if self._closed:
            return
        self._closed = True
        self._executor.shutdown(timeout_sec=5.0)
        self._thread.join(5.0)
        self.node.destroy_node()
        rclpy.try_shutdown(context=self.context)
        self.context.destroy()

    def _spin(self) -> None:
        try:
            self._executor.spin()
        except ExternalShutdownException:
            pass
        except Exception:
            if not self._closed:
                _log.exception("the executor of %s failed", self.node.get_name())


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0]
