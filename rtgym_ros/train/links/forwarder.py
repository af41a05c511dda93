"""Hands requests on, one at a time, and answers for a server that cannot be reached."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from rtgym_ros.train.errors import LinkError
from rtgym_ros.train.links.link import Link
from rtgym_ros.train.protocol.messages import Refused, encode


class Forwarder:
    """Makes of a link what many threads may call.

    Args:
        link: to the server; closed here.
        timeout_s: how long one reply may take, and how long one may wait for its turn (s).
        monotonic: a clock (s).
    """

    def __init__(self, link: Link, timeout_s: float, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._link = link
        self._timeout_s = timeout_s
        self._monotonic = monotonic
        self._turn = threading.Lock()
        self._since: float | None = None

    def handle(self, request: bytes) -> bytes:
        """Return the reply to ``request``, which is ``Refused(retry=True)`` where none came."""
        if not self._turn.acquire(timeout=self._timeout_s):
            return refused("too many requests wait for the server")
        self._since = self._monotonic()
        try:
            return self._link.call(request, self._timeout_s)
        except LinkError as error:
            return refused(str(error))
        finally:
            self._since = None
            self._turn.release()

    @property
    def is_stuck(self) -> bool:
        """Whether the link does not come back, as Ray's sometimes."""
        since = self._since
        return since is not None and self._monotonic() - since > 2 * self._timeout_s

    def close(self) -> None:
        """Close the link, unless it is stuck."""
        if self._turn.acquire(timeout=self._timeout_s):
            try:
                self._link.close()
            finally:
                self._turn.release()


def refused(reason: str) -> bytes:
    """Return the reply of one who could not do it now."""
    return encode(Refused(reason=reason, retry=True))
