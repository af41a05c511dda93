"""A ROS context, one node and the executor that serves it: opened together, closed together."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from threading import Barrier, BrokenBarrierError, Thread

import rclpy
from rclpy.context import Context
from rclpy.exceptions import InvalidNamespaceException, InvalidNodeNameException
from rclpy.executors import ExternalShutdownException, MultiThreadedExecutor, ShutdownException
from rclpy.node import Node
from rclpy.signals import SignalHandlerOptions
from rclpy.validate_namespace import validate_namespace
from rclpy.validate_node_name import validate_node_name

from rtgym_ros.core.errors import ConfigError
from rtgym_ros.ros.arguments import one_line

_log = logging.getLogger(__name__)

_THREADS = 2
_JOIN_TIMEOUT_S = 5.0
"""How long the end waits for a callback that is still running (s)."""


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
        try:
            validate_node_name(node_name)
            validate_namespace(namespace if namespace.startswith("/") else f"/{namespace}")
        except (InvalidNodeNameException, InvalidNamespaceException) as error:
            raise ConfigError(f"node {node_name!r} in namespace {namespace!r}: {one_line(error)}") from error
        self.context = Context()
        try:
            rclpy.init(
                args=None if arguments is None else list(arguments),
                context=self.context,
                signal_handler_options=SignalHandlerOptions.NO,
            )
            self.node = Node(node_name, namespace=namespace or None, context=self.context)
        except Exception as error:  # rclpy raises RCLError and others of its C++ side, all for bad arguments
            rclpy.try_shutdown(context=self.context)
            raise ConfigError(one_line(error)) from error
        self._executor = MultiThreadedExecutor(num_threads=_THREADS, context=self.context)
        self._executor.add_node(self.node)
        self._closed = False
        self._thread = Thread(target=self._spin, name="rtgym_ros executor", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """End the executor, its threads, the node and the context; a second call does nothing."""
        if self._closed:
            return
        self._closed = True
        # First the loop, then the callbacks, then what they work on: rclpy's own shutdown() goes the other way round.
        self._executor.create_task(_nothing)  # something to do is all that brings the loop back
        self._thread.join(_JOIN_TIMEOUT_S)
        if self._callbacks_end():
            self._executor.shutdown(_JOIN_TIMEOUT_S)
        else:
            _log.error("a callback of node %s has not ended for %g s", self.node.get_name(), _JOIN_TIMEOUT_S)
        self.node.destroy_node()
        rclpy.try_shutdown(context=self.context)
        self.context.destroy()

    def _callbacks_end(self) -> bool:
        """Wait until every thread of the executor is idle; return whether that came about."""
        meeting = Barrier(_THREADS + 1)
        for _ in range(_THREADS):
            self._executor._executor.submit(meeting.wait, _JOIN_TIMEOUT_S)
        try:
            meeting.wait(_JOIN_TIMEOUT_S)
        except BrokenBarrierError:
            return False
        return True

    def _spin(self) -> None:
        while not self._closed:
            try:
                self._executor.spin_once()
            except (ExternalShutdownException, ShutdownException):
                return
            except Exception:  # of a callback that the user added: the node's other callbacks go on
                _log.exception("a callback of node %s failed", self.node.get_name())


def _nothing() -> None:
    pass
