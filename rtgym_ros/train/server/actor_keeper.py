"""The keeper: a process that makes the server's actor and looks after it; it ends with an error when Ray is gone."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from time import monotonic
from typing import Any

from rtgym_ros.core.errors import ConfigError
from rtgym_ros.train.command_line import config_of, config_parser
from rtgym_ros.train.config import TrainConfig
from rtgym_ros.train.errors import CredentialsError, LinkError
from rtgym_ros.train.links.ray_link import connect_ray
from rtgym_ros.train.links.stop_wait import StopWait
from rtgym_ros.train.security.ray_environment import ray_environment
from rtgym_ros.train.server.ray_actor import get_or_create_actor
from rtgym_ros.train.server.ray_head import head_address
from rtgym_ros.train.supervision.heartbeat import beat

_LOOK_INTERVAL_S = 1.0
_PING_TIMEOUT_S = 10.0
_PATIENCE_S = 10.0
_NEW_CLUSTER_AFTER_S = 20.0
"""Without an answer: an attachment can outlive its cluster, and then finds the old actor for ever."""


def keep(config: TrainConfig, arguments: argparse.Namespace) -> int:
    """Look after the actor until SIGTERM; return the exit code."""
    target = head_address(config)
    os.environ.update(ray_environment(target.host, config.security, "server"))  # Ray reads it when it is imported
    import ray
    from ray.exceptions import GetTimeoutError, RayActorError, RayError

    actor: Any = None
    with StopWait(_PATIENCE_S) as stop:
        while not ray.is_initialized():  # the head is starting at the same time
            try:
                connect_ray(target, config.run)
            except LinkError:
                if stop.wait(0.2):
                    return 0
            except (RayError, ConnectionError, RuntimeError) as error:
                _say(f"Ray does not let us in: {str(error).strip().splitlines()[-1]}")
                return 1
            _beat(arguments)
        answered_s = monotonic()
        while True:
            try:
                actor = get_or_create_actor(config) if actor is None else actor
                ray.get(actor.ping.remote(), timeout=_PING_TIMEOUT_S)
                answered_s = monotonic()
                _beat(arguments)
            except (RayActorError, GetTimeoutError) as error:
                _say(f"the server's actor: {str(error).strip().splitlines()[-1]}")
                actor = None  # Ray starts it again; one that is dead for good is made anew
                if monotonic() - answered_s > _NEW_CLUSTER_AFTER_S:
                    return 1
            except (RayError, ConnectionError, RuntimeError) as error:
                _say(f"Ray is gone: {str(error).strip().splitlines()[-1]}")
                return 1
            if stop.wait(_LOOK_INTERVAL_S):
                break
        if actor is not None:
            try:
                ray.get(actor.close.remote(), timeout=_PATIENCE_S / 2)
                ray.kill(actor)
            except RayError as error:
                _say(f"the server's actor did not end: {error}")
    return 0


def _beat(arguments: argparse.Namespace) -> None:
    if arguments.heartbeat is not None:
        beat(arguments.heartbeat)


def _say(line: str) -> None:
    sys.stderr.write(f"actor_keeper: {line}\n")
    sys.stderr.flush()


def main(argv: Sequence[str] | None = None) -> int:
    """Run the keeper; return its exit code."""
    parser = config_parser("actor_keeper", "Keep the server's actor in a Ray cluster.")
    arguments = parser.parse_args(argv)
    try:
        return keep(config_of(arguments), arguments)
    except (ConfigError, CredentialsError) as error:
        _say(str(error))
        return 2


if __name__ == "__main__":
    code = main()
    sys.stderr.flush()
    os._exit(code)  # Ray's own farewell may hang
