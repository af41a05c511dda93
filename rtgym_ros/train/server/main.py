"""``train_server``: the queue between robots and trainer, and the ways to it."""

from __future__ import annotations

import argparse
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from rtgym_ros.core.errors import ConfigError
from rtgym_ros.core.stop_signal import StopSignal
from rtgym_ros.train.command_line import config_arguments, config_of, config_parser
from rtgym_ros.train.config import TrainConfig
from rtgym_ros.train.errors import CredentialsError, ProtocolError
from rtgym_ros.train.server.ray_head import head_address, head_folder
from rtgym_ros.train.supervision.supervisor import Child, Supervisor

_HEARTBEAT_TIMEOUT_S = 60.0  # Ray may take its time to start on a small machine


def main(argv: Sequence[str] | None = None) -> int:
    """Run ``train_server``; return its exit code."""
    parser = config_parser(
        "train_server",
        "Queue samples of workers for the trainer, and its weights for them, until SIGINT or SIGTERM. With neither "
        "server.ray nor server.zenoh it serves this machine only, on server.sock in the run's folder.",
    )
    arguments = parser.parse_args(argv)
    try:
        config = config_of(arguments)
        config.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if config.server.ray is None and not config.server.zenoh:
            return _serve_socket(config)
        supervisor = Supervisor(_children(config, arguments))
    except (ConfigError, CredentialsError, ProtocolError, OSError) as error:
        sys.stderr.write(f"train_server: {error}\n")
        return 2
    try:
        return supervisor.run()
    finally:
        if config.server.ray is not None and config.server.start_ray:
            shutil.rmtree(head_folder(head_address(config)), ignore_errors=True)


def _children(config: TrainConfig, arguments: argparse.Namespace) -> list[Child]:
    """Return the processes of the server; what is wrong with the configuration is told here, once."""
    from rtgym_ros.train.security.ray_environment import ray_environment

    def child(name: str, watched: bool = True) -> Child:
        heartbeat = config.folder.resolve() / f"{name}.heartbeat" if watched else None
        command = [sys.executable, "-m", f"rtgym_ros.train.server.{name}", *config_arguments(arguments)]
        if heartbeat is not None:
            command += ["--heartbeat", str(heartbeat)]
        return Child(name, command, heartbeat=heartbeat, heartbeat_timeout_s=_HEARTBEAT_TIMEOUT_S)

    children: list[Child] = []
    if config.server.ray is not None:
        ray_environment(head_address(config).host, config.security, "server")
        if config.server.start_ray:
            children.append(child("ray_head", watched=False))
        children.append(child("actor_keeper"))
    if config.server.zenoh:
        from rtgym_ros.train.server.gateway import gateway_config

        gateway_config(config)
        children.append(child("gateway"))
    return children


def _serve_socket(config: TrainConfig) -> int:
    from rtgym_ros.train.server.ray_actor import server_folder
    from rtgym_ros.train.server.server import Server
    from rtgym_ros.train.server.unix_server import UnixServer

    server = Server(server_folder(config), config.server, config.run)
    try:
        with StopSignal() as stop, UnixServer(socket_path(config), server.handle):
            while not stop.wait(3600.0):
                pass
    finally:
        server.close()
    return 0


def socket_path(config: TrainConfig) -> Path:
    """Return the socket of a server without Ray and zenoh."""
    return config.folder / "server.sock"


if __name__ == "__main__":
    sys.exit(main())
