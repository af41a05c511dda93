"""A link to the server's actor over Ray; for processes that may die of it: see :mod:`rtgym_ros.train.links.relay`."""

from __future__ import annotations

import logging
import os
import socket
from time import monotonic
from typing import Any

from rtgym_ros.train.config import SecurityConfig
from rtgym_ros.train.errors import LinkError
from rtgym_ros.train.links.address import Address
from rtgym_ros.train.links.link import Link
from rtgym_ros.train.security.ray_environment import ray_environment

ACTOR_NAME = "server"
_PROBE_TIMEOUT_S = 3.0
_NEW_CLUSTER_AFTER_S = 10.0
"""Of failures: an attachment can outlive its cluster, and then finds the old actor for ever, beside the new head."""


class RayLink(Link):
    """Asks the detached actor; nobody need be there yet. One in a process: Ray knows one cluster at a time.

    When the head or the node dies, Ray may end this process, or hang for minutes in the next call: whoever uses this
    is watched by a supervisor.

    Args:
        target: of the head, whose cluster has a node on this machine; or of a Ray Client server.
        run: name of the run.
        role: ``"worker"``, ``"trainer"`` or ``"server"``: whose certificate is shown.
        security: where credentials lie.

    Raises:
        CredentialsError: they are not fit for use.
    """

    def __init__(self, target: Address, run: str, role: str, security: SecurityConfig) -> None:
        self._target = target
        self._run = run
        os.environ.update(ray_environment(target.host, security, role))
        self._actor: Any = None
        self._failing_since_s: float | None = None
        self._closed = False

    def call(self, request: bytes, timeout_s: float) -> bytes:
        """Return the server's reply to ``request``; see :class:`Link`.

        To connect may take longer than ``timeout_s``.
        """
        if self._closed:
            raise LinkError(f"the link to {self._target.host_port} is closed")
        import ray
        from ray.exceptions import GetTimeoutError, RayActorError, RayError

        try:
            if self._actor is None:
                connect_ray(self._target, self._run)
                self._actor = ray.get_actor(ACTOR_NAME, namespace=self._run)
            reply: bytes = ray.get(self._actor.handle.remote(request), timeout=timeout_s)
            self._failing_since_s = None
        except (RayActorError, GetTimeoutError) as error:
            self._lose_actor()  # it will be there again, or another one in its place
            raise LinkError(f"the server's actor: {_first_line(error)}") from error
        except ValueError as error:  # of get_actor
            self._lose_actor()
            raise LinkError(f"the server's actor is not there: {_first_line(error)}") from error
        except LinkError:  # of connect_ray, which says it all
            self._hang_up()
            raise
        except (RayError, ConnectionError, RuntimeError, OSError) as error:
            self._hang_up()
            raise LinkError(f"Ray at {self._target.host_port}: {_first_line(error)}") from error
        except BaseException:  # interrupted
            self._actor = None
            raise
        return reply

    def close(self) -> None:
        """Leave the cluster; a second call does nothing."""
        if not self._closed:
            self._closed = True
            self._hang_up()

    def _lose_actor(self) -> None:
        self._actor = None
        now_s = monotonic()
        if self._failing_since_s is None:
            self._failing_since_s = now_s
        elif now_s - self._failing_since_s > _NEW_CLUSTER_AFTER_S:
            self._hang_up()

    def _hang_up(self) -> None:
        import ray

        self._actor = self._failing_since_s = None
        ray.shutdown()


def connect_ray(target: Address, run: str) -> None:
    """Attach this process to the cluster, in the namespace of ``run``, unless it is.

    Args:
        target: of the head or the Ray Client server.
        run: name of the run.

    Raises:
        LinkError: nobody listens there.
        ConnectionError: Ray is there and does not let us in; or other errors of Ray.
    """
    import ray

    if ray.is_initialized():
        return
    try:
        # Ray itself would try for minutes.
        socket.create_connection((target.host, target.port), _PROBE_TIMEOUT_S).close()
    except OSError as error:
        raise LinkError(f"Ray at {target.host_port}: {error.strerror or error}") from error
    prefix = "ray://" if target.kind == "ray_client" else ""
    ray.init(address=f"{prefix}{target.host_port}", namespace=run, log_to_driver=False, logging_level=logging.ERROR)


def _first_line(error: BaseException) -> str:
    return next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)
