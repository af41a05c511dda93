"""Which role may send which request."""

from __future__ import annotations

import msgspec

from rtgym_ros.train.protocol.messages import Refused, encode

_REQUESTS = {
    "worker": frozenset({"Push", "AskStatus"}),
    "trainer": frozenset({"Take", "Release", "Publish", "AskStatus"}),
}


class _Head(msgspec.Struct):
    """What is read of a request here; the server looks at the rest."""

    type: str


_decoder = msgspec.msgpack.Decoder(_Head)


def refusal(role: str, request: bytes) -> bytes | None:
    """Return what to answer ``role`` instead of handing ``request`` on; None where it may ask that."""
    try:
        kind = _decoder.decode(request).type
    except (msgspec.DecodeError, msgspec.ValidationError):
        return encode(Refused(reason="not a request"))
    if kind in _REQUESTS[role]:
        return None
    return encode(Refused(reason=f"a {role} may not send {kind[:64]}"))
