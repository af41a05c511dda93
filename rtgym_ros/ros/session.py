"""A ROS context, one node and the executor that serves it: opened together, closed together."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from threading import Lock
from typing import ClassVar
from weakref import WeakKeyDictionary, WeakSet

import rclpy
from rclpy.callback_groups import MutuallyExclusiveCallbackGroup
from rclpy.context import Context
from rclpy.exceptions import InvalidNamespaceException, InvalidNodeNameException
from rclpy.node import Node
from rclpy.signals import SignalHandlerOptions
from rclpy.utilities import get_default_context
from rclpy.validate_namespace import validate_namespace
from rclpy.validate_node_name import validate_node_name

from rtgym_ros.core.errors import ConfigError
from rtgym_ros.ros.after_fork import arguments_after_fork
from rtgym_ros.ros.arguments import one_line, take_renaming
from rtgym_ros.ros.node_executor import NodeExecutor

_renamed: WeakSet[RosSession] = WeakSet()
"""The sessions that have the name of the program's ``-r __node:=``: one at a time."""

_lock = Lock()


class RosSession:
    """A node, in a context of its own unless one is handed in, and the executor that serves it.

    A :class:`NodeExecutor` in background threads serves the node's services, parameters, timers and ``/clock``. A node
    that is handed in stays its owner's: whoever made it spins it, and destroys it.

    The domain is that of ``rclpy.init(domain_id=...)`` where the program has called it before, else ``ROS_DOMAIN_ID``.
    The program's command line (``arguments`` left out) is shared by all nodes of the process, so ``-r __ns:=/NAME``
    goes before the node's own namespace where that is relative, and ``-r __node:=NAME`` names the program's own node if
    it has called ``rclpy.init()``, else the first environment's. ``-r drone_env:__node:=NAME`` names one node.

    Args:
        node_name: name of the node.
        namespace: its namespace.
        arguments: a command line with ``--ros-args`` for this node alone; the program's by default.
        node: a node that exists, in place of all these.
        context: a context that exists, for the node.
        node_class: of the node that is made here.
        threads: of its executor.

    Raises:
        ConfigError: the arguments, the parameter file or the name cannot be used.
    """

    def __init__(
        self,
        node_name: str,
        namespace: str = "",
        arguments: Sequence[str] | None = None,
        *,
        node: Node | Callable[[], Node] | None = None,
        context: Context | None = None,
        node_class: type[Node] = Node,
        threads: int = 2,
    ) -> None:
        self._node_class, self._threads = node_class, threads
        self.arguments = list(sys.argv if arguments is None else arguments)
        self._is_closed = False
        self._executor: NodeExecutor | None = None
        self._owns_context = node is None and context is None
        self._program_context = get_default_context()
        self._program = _Ending.of(self._program_context)
        if node is not None:
            self.node = node if isinstance(node, Node) else node()
            self.context = self.node.context
            return
        if arguments is None:
            node_name, namespace = self._rename(node_name, namespace)
        _check_names(node_name, namespace)
        self.context = Context() if context is None else context
        try:
            self._open(node_name, namespace)
        except Exception as error:  # rclpy raises RCLError and others of its C++ side, all for bad arguments
            if self._owns_context:
                self.context.try_shutdown()
            raise ConfigError(one_line(error)) from error

    @property
    def owns_node(self) -> bool:
        """Whether the node was made here, and goes with the session."""
        return self._executor is not None

    @property
    def is_shut_down(self) -> bool:
        """Whether ROS has ended: this context was shut down, by a signal perhaps, or the program's own."""
        return self._program.has_ended or not self.context.ok()

    def open_callbacks_until(self, until_ns: int | None) -> None:
        """Keep the node's executor, if it is of this package, from beginning callbacks shortly before a time.

        Args:
            until_ns: that time (ns, of the monotonic clock); None: callbacks begin at any time.
        """
        executor = self.node.executor  # not self._executor: env_node hands in a node that its own session serves
        if isinstance(executor, NodeExecutor):
            executor.gate.open_until(until_ns)

    def close(self) -> None:
        """End the executor, its threads, the node and the context, as far as they were made here; once."""
        if self._is_closed:
            return
        self._is_closed = True
        _renamed.discard(self)
        # First the loop, then the callbacks, then what they work on: rclpy's own shutdown() goes the other way round.
        self.end_callbacks()
        if not self.owns_node:
            return
        self.node.destroy_node()
        if self._owns_context:
            self.context.try_shutdown()
            self.context.destroy()

    def end_callbacks(self) -> None:
        """End the executor after the callbacks that are running; nothing of a node that was handed in."""
        if self._executor is not None:
            self._executor.close()

    def _rename(self, node_name: str, namespace: str) -> tuple[str, str]:
        renaming = take_renaming(self.arguments)
        self.arguments = renaming.arguments
        if renaming.namespace is not None and not namespace.startswith("/"):
            namespace = "/".join(filter(None, (renaming.namespace.rstrip("/"), namespace))) or "/"
        with _lock:
            if renaming.name is not None and not _renamed and not self._program_context.ok():
                _renamed.add(self)
                node_name = renaming.name
        return node_name, namespace

    def _open(self, node_name: str, namespace: str) -> None:
        if self._owns_context:
            domain_id = self._program_context.get_domain_id() if self._program_context.ok() else None
            rclpy.init(
                args=arguments_after_fork(self.arguments),
                context=self.context,
                domain_id=domain_id,
                signal_handler_options=SignalHandlerOptions.NO,
            )
        self.node = self._node_class(
            node_name,
            namespace=namespace or None,
            context=self.context,
            use_global_arguments=self._owns_context,
            cli_args=None if self._owns_context else _ros_part(self.arguments),
        )
        _give_clock_its_own_group(self.node)
        self._executor = NodeExecutor(self.context, node_name, self._threads)
        self._executor.add_node(self.node)
        self._executor.start()


class _Ending:
    """Whether a context was shut down, asked without its lock: by all the sessions of a program.

    What rclpy is given is no method: of those it holds a ``WeakMethod`` in the context, whose callback fails in CPython
    ("Exception ignored in ... _alive") where the interpreter ends with both.
    """

    _known: ClassVar[WeakKeyDictionary[Context, _Ending]] = WeakKeyDictionary()

    def __init__(self) -> None:
        self.has_ended = False

    @classmethod
    def of(cls, context: Context) -> _Ending:
        """Return that of ``context``."""
        with _lock:
            ending = cls._known.get(context)
            if ending is None:
                ending = cls._known[context] = cls()
                context.on_shutdown(lambda: setattr(ending, "has_ended", True))
            elif context.handle is not None and not context.ok():  # by a signal, which calls nobody
                ending.has_ended = True
            return ending


def _check_names(node_name: str, namespace: str) -> None:
    try:
        validate_node_name(node_name)
        validate_namespace(namespace if namespace.startswith("/") else f"/{namespace}")
    except (InvalidNodeNameException, InvalidNamespaceException) as error:
        raise ConfigError(f"node {node_name!r} in namespace {namespace!r}: {one_line(error)}") from error


def _ros_part(command_line: Sequence[str]) -> list[str]:
    """Return what a node takes as ``cli_args``: ROS's arguments."""
    _, flag, rest = "", "--ros-args", list(command_line)
    return rest[rest.index(flag) :] if flag in rest else []


def _give_clock_its_own_group(node: Node) -> None:
    """Keep a callback of the default group that blocks from stopping ``/clock``, which rclpy puts into that group."""
    for subscription in node.subscriptions:
        if subscription.topic_name == "/clock":
            subscription.callback_group = MutuallyExclusiveCallbackGroup()
            subscription.callback_group.add_entity(subscription)
