"""Whether a nats-server still serves: one whose disk was full has switched its streams off, and needs a new start."""

from __future__ import annotations

import http.client

_FATAL = ("write error", "jetstream is disabled", "not enabled")
"""What does not become good by itself; a server that is still catching up with its cluster only needs time."""


def is_healthy(port: int, timeout_s: float = 1.0) -> bool:
    """Return whether the server can keep samples; False, too, where it does not answer.

    Args:
        port: of its monitoring page, on 127.0.0.1.
        timeout_s: for the answer (s).
    """
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout_s)
    try:
        connection.request("GET", "/healthz")
        reply = connection.getresponse()
        said = reply.read().decode(errors="replace").lower()
        return reply.status == 200 or not any(problem in said for problem in _FATAL)
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
