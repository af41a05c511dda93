"""The server's requests as methods, over any link."""

from __future__ import annotations

from typing import TypeVar

from rtgym_ros.train.errors import ProtocolError, RefusedError
from rtgym_ros.train.links.link import Link
from rtgym_ros.train.protocol.messages import (
    AskStatus,
    Publish,
    Published,
    Push,
    Pushed,
    Refused,
    Release,
    Released,
    Reply,
    Request,
    Status,
    Take,
    Taken,
    decode_reply,
    encode,
)

_R = TypeVar("_R")


class ServerClient:
    """Asks the server over ``link``; every method may raise ``LinkError``, ``RefusedError`` and ``ProtocolError``.

    Args:
        link: the way there; the caller closes it.
        timeout_s: how long one reply may take (s).
    """

    def __init__(self, link: Link, timeout_s: float = 10.0) -> None:
        self._link = link
        self._timeout_s = timeout_s

    def push(self, push: Push) -> Pushed:
        """Hand over samples; the reply tells up to where they are safe, and brings newer weights."""
        return self._ask(push, Pushed)

    def take(self, take: Take) -> Taken:
        """Get samples from a position on."""
        return self._ask(take, Taken)

    def release(self, release: Release) -> None:
        """Let the server forget what is in a checkpoint."""
        self._ask(release, Released)

    def publish(self, publish: Publish) -> None:
        """Hand over new weights."""
        self._ask(publish, Published)

    def status(self) -> Status:
        """Ask how it is going."""
        return self._ask(AskStatus(), Status)

    def _ask(self, request: Request, kind: type[_R]) -> _R:
        reply: Reply = decode_reply(self._link.call(encode(request), self._timeout_s))
        if isinstance(reply, Refused):
            raise RefusedError(reply.reason, reply.retry)
        if not isinstance(reply, kind):
            raise ProtocolError(f"{type(request).__name__} was answered by {type(reply).__name__}")
        return reply
