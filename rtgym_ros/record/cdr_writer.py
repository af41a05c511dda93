"""A recorded time-step as the bytes that ROS 2 sends: CDR, little endian.

Written here because a recording must not need ROS 2, and because the general encoders in Python take far longer than a
time-step of 1 ms leaves. rclpy and every MCAP tool read the result.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from typing import TypeAlias

import numpy as np

from rtgym_ros.record.errors import RecordError
from rtgym_ros.record.time_step import Parts, RecordedTimeStep

Buffer: TypeAlias = bytes | bytearray | memoryview

_HEADER = b"\x00\x01\x00\x00"  # CDR, little endian, no options
_NS = 1_000_000_000
_TYPED = {"<f4": (0, 4), "<f8": (1, 8), "<i8": (2, 8)}  # which sequence holds it, and its alignment
_BYTES = (3, 1)
_LARGE = 4096  # bytes; a smaller array is copied sooner than it is kept apart
_KINDS = "biufc"  # what has a fixed size and no Python objects in it


def encode(step: RecordedTimeStep) -> bytes:
    """Return the serialised message.

    Raises:
        RecordError: a part is no array of numbers.
    """
    return b"".join(serialise(step))


def serialise(step: RecordedTimeStep) -> list[Buffer]:
    """Return the serialised message in pieces; large ones are the arrays of ``step`` themselves, not copies.

    Raises:
        RecordError: a part is no array of numbers.
    """
    out = _Out(_HEADER)
    _time(out, step.stamp_ns)
    _text(out, "")
    _align(out, 8)
    out += struct.pack("<QQQ", step.index, step.episode, step.episode_step)
    for parts in step.observation, step.action_buffer, step.action, step.executed_action:
        _parts(out, parts)
    _align(out, 8)
    out += struct.pack("<d??", step.reward, step.terminated, step.truncated)
    _time(out, step.start_ns)
    _time(out, step.lateness_ns)
    out += struct.pack("<??", step.overrun, step.timed_out)
    for values in step.ages, step.delays, step.info:
        _values(out, values)
    return [*out.pieces, out]


def encode_answer(stamp_ns: int, index: int, time_step_stamp_ns: int, action: Parts) -> bytes:
    """Return the bytes of an ``rtgym_ros/msg/AgentAction``.

    Args:
        stamp_ns: when it is sent (ns).
        index: of the time-step that it answers.
        time_step_stamp_ns: stamp of that one (ns).
        action: its parts.

    Raises:
        RecordError: a part is no array of numbers.
    """
    out = _Out(_HEADER)
    _time(out, stamp_ns)
    _text(out, "")
    _align(out, 8)
    out += struct.pack("<Q", index)
    _time(out, time_step_stamp_ns)
    _parts(out, action)
    return b"".join([*out.pieces, out])


class _Out(bytearray):
    """What was serialised since the last large piece, and the pieces before."""

    def __init__(self, data: bytes) -> None:
        super().__init__(data)
        self.pieces: list[Buffer] = []
        self.before: int = 0
        """Bytes of the pieces."""

    def add_array(self, data: memoryview) -> None:
        if len(data) < _LARGE:
            self += data
            return
        self.before += len(self) + len(data)
        self.pieces += [bytes(self), data]
        self.clear()


def _align(out: _Out, size: int) -> None:
    out += bytes((len(_HEADER) - out.before - len(out)) % size)  # it counts from after the header


def _time(out: _Out, ns: int) -> None:
    _align(out, 4)
    seconds, nanoseconds = divmod(ns, _NS)  # the rest is never negative, as in ROS
    out += struct.pack("<iI", seconds, nanoseconds)


def _text(out: _Out, text: str) -> None:
    data = text.encode()
    _align(out, 4)
    out += struct.pack("<I", len(data) + 1) + data + b"\0"


def _parts(out: _Out, parts: Parts) -> None:
    _align(out, 4)
    out += struct.pack("<I", len(parts))
    for name, value in parts:
        array = np.asarray(value)
        if array.dtype.kind not in _KINDS:
            raise RecordError(f"part {name!r} is of dtype {array.dtype}: only numbers can be recorded")
        dtype = array.dtype.newbyteorder("<") if array.dtype.str[0] == ">" else array.dtype
        _text(out, name)
        _text(out, dtype.str)
        _align(out, 4)
        out += struct.pack(f"<I{array.ndim}I", array.ndim, *array.shape)
        holder, alignment = _TYPED.get(dtype.str, _BYTES)
        for sequence in range(4):
            _align(out, 4)
            if sequence != holder or array.size == 0:
                out += b"\0\0\0\0"
                continue
            out += struct.pack("<I", array.nbytes if holder == 3 else array.size)
            _align(out, alignment)
            out.add_array(np.ascontiguousarray(array, dtype).reshape(-1).view(np.uint8).data)


def _values(out: _Out, values: Mapping[str, float]) -> None:
    _align(out, 4)
    out += struct.pack("<I", len(values))
    for name, value in values.items():
        _text(out, name)
        _align(out, 8)
        out += struct.pack("<d", value)
