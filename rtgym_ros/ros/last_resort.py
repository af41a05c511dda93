"""Publishing where rclpy refuses to: the safe action of a program whose ROS has just been shut down.

rclpy's handler of SIGINT and SIGTERM shuts every context of the process down, whoever made it (``shutdown_contexts`` in
its ``context.cpp``), and so does ``rclpy.shutdown()`` with the context of a node that was handed in. From then on
``rcl_publish`` answers "publisher's context is invalid" without asking the middleware. That answer is rcl's alone: the
DDS participant and its publisher live until the context is finalised, which the handle held here prevents. So the
message is given to the middleware below rcl's check, by public functions of rcl and rmw:

- ``rcl_publisher_get_rmw_handle`` (rcl/publisher.h), which does not look at the context,
- ``rmw_publish_serialized_message`` and ``rmw_publisher_wait_for_all_acked`` (rmw/rmw.h).

A middleware that closes its connection at shutdown (rmw_zenoh) refuses here too: then, and where the symbols are not
found, a publisher in a context of its own is made, which has to be discovered by the robot first.
"""

from __future__ import annotations

import ctypes
import os
from contextlib import suppress
from time import monotonic, sleep
from typing import Any

from rclpy.context import Context
from rclpy.duration import Duration
from rclpy.exceptions import InvalidHandle
from rclpy.node import Node
from rclpy.publisher import Publisher
from rclpy.qos import QoSProfile
from rclpy.serialization import serialize_message

_OK, _TIMEOUT = 0, 2
"""Of rmw/ret_types.h."""

_DISCOVERY_S = 0.4
"""How long a new publisher waits for the robot (s)."""


class _SerializedMessage(ctypes.Structure):
    """``rmw_serialized_message_t``, which is ``rcutils_uint8_array_t``; the allocator is not used for publishing."""

    _fields_ = (
        ("buffer", ctypes.c_char_p),
        ("buffer_length", ctypes.c_size_t),
        ("buffer_capacity", ctypes.c_size_t),
        ("allocator", ctypes.c_void_p * 5),
    )


class _RmwTime(ctypes.Structure):
    """``rmw_time_t``."""

    _fields_ = (("sec", ctypes.c_uint64), ("nsec", ctypes.c_uint64))


class BelowRcl:
    """The middleware's own publisher behind an rclpy publisher.

    Args:
        publisher: is kept from being destroyed until :meth:`close`.
        is_held: whether the caller does that, by having entered its handle.

    Raises:
        OSError: librcl or one of its symbols was not found, or the publisher is gone.
    """

    def __init__(self, publisher: Publisher[Any], is_held: bool) -> None:
        self._held = None if is_held else publisher.handle
        try:
            if self._held is not None:
                self._held.__enter__()
        except InvalidHandle as error:
            raise OSError(f"the publisher is gone: {error}") from error
        try:
            # RTLD_NOLOAD: the one that rclpy has loaded or none. Symbols are looked for in what it depends on as well,
            # and with that in the middleware.
            rcl = ctypes.CDLL("librcl.so", mode=os.RTLD_NOLOAD | os.RTLD_NOW)
            get_rmw_handle = rcl.rcl_publisher_get_rmw_handle
            self._publish = rcl.rmw_publish_serialized_message
            self._wait = rcl.rmw_publisher_wait_for_all_acked
        except AttributeError as error:
            raise OSError(str(error)) from error
        get_rmw_handle.argtypes, get_rmw_handle.restype = [ctypes.c_void_p], ctypes.c_void_p
        self._publish.argtypes = [ctypes.c_void_p, ctypes.POINTER(_SerializedMessage), ctypes.c_void_p]
        self._wait.argtypes = [ctypes.c_void_p, _RmwTime]
        self._handle = get_rmw_handle(publisher.handle.pointer)
        if not self._handle:
            raise OSError("the publisher has no handle of the middleware")

    def close(self) -> None:
        """Let the publisher be destroyed."""
        if self._held is not None:
            self._held.__exit__(None, None, None)

    def publish(self, message: Any) -> None:
        """Publish ``message``.

        Raises:
            OSError: the middleware refused it.
        """
        data = serialize_message(message)
        code = self._publish(self._handle, _SerializedMessage(data, len(data), len(data)), None)
        if code != _OK:
            raise OSError(f"rmw_publish_serialized_message returned {code}")

    def wait_for_all_acked(self) -> bool:
        """Return whether everything is acknowledged now, without waiting.

        Raises:
            OSError: the middleware cannot say.
        """
        code = self._wait(self._handle, _RmwTime(0, 0))
        if code not in (_OK, _TIMEOUT):
            raise OSError(f"rmw_publisher_wait_for_all_acked returned {code}")
        return bool(code == _OK)


class FreshPublisher:
    """A publisher of its own, in a context that nobody has shut down; made with a wait for the robot, 0.4 s at most.

    Args:
        message_type: of the topic.
        topic: its resolved name.
        qos: of the publisher.
        domain_id: where the robot is.
    """

    def __init__(self, message_type: Any, topic: str, qos: QoSProfile, domain_id: int) -> None:
        self._context = Context()
        self._context.init(args=["rtgym_ros"], domain_id=domain_id, initialize_logging=False)
        self._node = Node(
            "rtgym_safe_action", context=self._context, enable_rosout=False, start_parameter_services=False
        )
        self._publisher = self._node.create_publisher(message_type, topic, qos)
        deadline = monotonic() + _DISCOVERY_S
        while not self._publisher.get_subscription_count() and monotonic() < deadline:
            sleep(0.002)

    def publish(self, message: Any) -> None:
        """Publish ``message``."""
        self._publisher.publish(message)

    def wait_for_all_acked(self) -> bool:
        """Return whether everything is acknowledged now, without waiting."""
        return bool(self._publisher.wait_for_all_acked(Duration()))

    def close(self) -> None:
        """Destroy the node and its context."""
        with suppress(RuntimeError):
            self._node.destroy_node()
        self._context.try_shutdown()
        self._context.destroy()
