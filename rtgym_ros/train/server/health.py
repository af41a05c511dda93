"""Whether a nats-server still serves: one whose disk was full has switched its streams off, and needs a new start."""

from __future__ import annotations

import http.client


def is_healthy(port: int, timeout_s: float = 1.0) -> bool:
    """Return whether the server's own health check is content; False, too, where it does not answer.

    Args:
        port: of its monitoring page, on 127.0.0.1.
        timeout_s: for the answer (s).
    """
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout_s)
    try:
        connection.request("GET", "/healthz?js-enabled-only=true")
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
