"""Random messages of any type, and an encoder of our own that writes them in either byte order."""

import importlib
import struct

import numpy as np

from rtgym_ros.contract.messages.layout import ArrayType, Primitive, SequenceType, StructType, Text, layout_of

WORDS = ["", "a", "base_link", "ärm", "x" * 17, "left wheel"]


def message_class(name):
    """Return the class of ``package/Name``."""
    package, _, name = name.partition("/")
    return getattr(importlib.import_module(f"{package}.msg"), name)


def layout(name):
    return layout_of(message_class(name), message_class)


def deserializer(name):
    from rclpy.serialization import deserialize_message

    return lambda buffer: deserialize_message(buffer, message_class(name))


def serialize(message):
    from rclpy.serialization import serialize_message

    return serialize_message(message)


def random_message(rng, kind, wide=True):
    """Return a message of ``kind`` (a StructType) with random values everywhere."""
    message = kind.message_class()
    for name, field in kind.fields.items():
        setattr(message, name, _random(rng, field, getattr(message, name)))
    return message


def _random(rng, kind, like):
    match kind:
        case Primitive(name="boolean"):
            return bool(rng.integers(2))
        case Primitive(name="octet"):
            return bytes([int(rng.integers(256))])
        case Primitive(name="float"):
            return float(np.float32(rng.normal()))
        case Primitive(name="double"):
            return float(rng.normal())
        case Primitive(low=low, high=high):
            return int(rng.integers(low, high, endpoint=True, dtype=kind.dtype))
        case Text(wide=wide):
            return str(rng.choice(WORDS[:3] if not wide else ["", "a", "é€"]))
        case StructType():
            return random_message(rng, kind)
        case ArrayType(element=element, length=length):
            values = [_random(rng, element, None) for _ in range(length)]
        case SequenceType(element=element, bound=bound):
            values = [_random(rng, element, None) for _ in range(rng.integers(0, 6 if bound is None else bound + 1))]
    if isinstance(like, np.ndarray):
        return np.array(values, like.dtype)
    return values


def encode(message, kind, order):
    """Return ``message`` in plain CDR of byte order ``"<"`` or ``">"``."""
    body = bytearray()
    _encode(body, message, kind, order)
    return (b"\0\1\0\0" if order == "<" else b"\0\0\0\0") + bytes(body)


def _pad(body, size):
    body.extend(b"\xcd" * (-len(body) % size))  # anything may stand there


def _encode(body, value, kind, order):
    match kind:
        case Primitive(code=code, size=size):
            _pad(body, size)
            body.extend(struct.pack(order + code, value[0] if isinstance(value, bytes) else value))
        case Text(wide=True):
            _pad(body, 4)
            body.extend(struct.pack(f"{order}{1 + len(value)}I", len(value), *map(ord, value)))
        case Text():
            data = value.encode() + b"\0"
            _pad(body, 4)
            body.extend(struct.pack(f"{order}I", len(data)) + data)
        case ArrayType(element=element):
            for each in value:
                _encode(body, each, element, order)
        case SequenceType(element=element):
            _pad(body, 4)
            body.extend(struct.pack(f"{order}I", len(value)))
            for each in value:
                _encode(body, each, element, order)
        case StructType(fields=fields):
            for name, field in fields.items():
                _encode(body, getattr(value, name), field, order)
            if not fields:
                body.append(0)
