"""Messages on a stream socket: the length as four bytes, most significant first, then that many bytes."""

from __future__ import annotations

import socket
import struct
from collections.abc import Callable

from rtgym_ros.train.errors import ProtocolError

MAX_FRAME_BYTES = 256_000_000
"""A longer message is taken for something else than a message."""
_LENGTH = struct.Struct(">I")
_PIECE = 1 << 20  # what a wrong length makes one set aside at once


def send_frame(stream: socket.socket, data: bytes, wait: Callable[[], None] = lambda: None) -> None:
    """Send a message.

    Args:
        stream: a connected socket.
        data: the message.
        wait: called before each part, to set the socket's timeout; it may raise.

    Raises:
        ProtocolError: it is too long.
        OSError: the other side is gone, or a timeout.
    """
    if len(data) > MAX_FRAME_BYTES:
        raise ProtocolError(f"a message of {len(data)} bytes, and {MAX_FRAME_BYTES} is the limit")
    for part in (_LENGTH.pack(len(data)), data):
        wait()
        stream.sendall(part)


def receive_frame(stream: socket.socket, wait: Callable[[], None] = lambda: None) -> bytes | None:
    """Return the next message; None where the other side has ended properly, between two messages.

    Args:
        stream: a connected socket.
        wait: called before each part, to set the socket's timeout; it may raise.

    Raises:
        ProtocolError: a message that is too long is announced.
        OSError: the other side is gone in the middle of a message, or a timeout.
    """
    head = _receive(stream, _LENGTH.size, wait)
    if not head:
        return None
    (length,) = _LENGTH.unpack(head)
    if length > MAX_FRAME_BYTES:
        raise ProtocolError(f"a message of {length} bytes is announced, and {MAX_FRAME_BYTES} is the limit")
    data = _receive(stream, length, wait)
    if len(data) < length:
        raise ConnectionResetError("the connection ended in the middle of a message")
    return data


def _receive(stream: socket.socket, length: int, wait: Callable[[], None]) -> bytes:
    """Return ``length`` bytes, or none where the stream ends before the first."""
    data = bytearray()
    while len(data) < length:
        wait()
        piece = stream.recv(min(length - len(data), _PIECE))
        if not piece and data:
            raise ConnectionResetError("the connection ended in the middle of a message")
        if not piece:
            break
        data += piece
    return bytes(data)
