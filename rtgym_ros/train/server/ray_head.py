"""The Ray head of a run: this process becomes ``ray start --head --block``.

All of Ray's processes end with it, however it ends: the system sees to that (``PR_SET_PDEATHSIG``, which Ray sets).
"""

from __future__ import annotations

import os
import shutil
import socket
import sys
from collections.abc import Sequence
from pathlib import Path

from rtgym_ros.core.errors import ConfigError
from rtgym_ros.train.command_line import config_of, config_parser
from rtgym_ros.train.config import TrainConfig
from rtgym_ros.train.errors import CredentialsError
from rtgym_ros.train.links.address import Address, parse_address
from rtgym_ros.train.links.open_link import check_security
from rtgym_ros.train.security.ray_environment import ray_environment

_OBJECT_STORE_BYTES = 200_000_000  # nothing stays there longer than a request


def head_address(config: TrainConfig) -> Address:
    """Return where the head listens.

    Raises:
        ConfigError: the configuration has none, or a wrong one, or one beyond this machine without credentials.
    """
    text = f"ray:{config.server.ray}"
    target = parse_address(text, "server.ray, after 'ray:',")
    if target.host in ("127.0.0.1", "localhost", "::1"):
        raise ConfigError(f"server.ray must not be {target.host}, which Ray replaces: 127.0.0.2 is this machine, too")
    check_security(target, f"server.ray {config.server.ray}", config.security)
    return target


def head_folder(target: Address) -> Path:
    """Return the folder around Ray's own, which Ray opens to everybody; a short path, as sockets need."""
    return Path("/tmp") / f"rtgym_ros-ray-{os.getuid()}-{target.host}-{target.port}"


def head_command(config: TrainConfig) -> list[str]:
    """Return how the head is started."""
    target = head_address(config)
    return [
        sys.executable, "-m", "ray.scripts.scripts", "start", "--head", "--block",
        f"--node-ip-address={target.host}",
        f"--port={target.port}",
        f"--temp-dir={head_folder(target) / 'r'}",
        f"--object-store-memory={_OBJECT_STORE_BYTES}",
        f"--ray-client-server-port={_client_port(config, target)}",
        "--num-cpus=1",
        "--include-dashboard=false",
        "--include-log-monitor=false",
        "--no-monitor",
        "--disable-usage-stats",
        # Any port: two heads on one machine would quarrel about Ray's usual ones.
        "--min-worker-port=0", "--max-worker-port=0", "--dashboard-agent-listen-port=0",
    ]  # fmt: skip


def _client_port(config: TrainConfig, target: Address) -> int:
    """Return where Ray Client is served: what the run's addresses say, else a port that nobody knows.

    ``ray start`` has no option to leave it out.
    """
    for text in (config.worker.server, config.trainer.server):
        address = parse_address(text)
        if address.kind == "ray_client":
            return address.port
    with socket.socket() as free:
        free.bind((target.host, 0))
        return int(free.getsockname()[1])


def _make_folder(folder: Path) -> None:
    """Make a folder that is nobody else's; what a killed head left there is removed."""
    if folder.is_symlink() or (folder.exists() and folder.stat().st_uid != os.getuid()):
        raise ConfigError(f"{folder} belongs to somebody else")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700)


def main(argv: Sequence[str] | None = None) -> int:  # noqa: RET503 (it becomes another program)
    """Become the head; return an exit code if that is not possible."""
    parser = config_parser("ray_head", "Start the Ray head of a run, in this process.")
    try:
        config = config_of(parser.parse_args(argv))
        target = head_address(config)
        command = head_command(config)
        environment = os.environ | ray_environment(target.host, config.security, "server")
        _make_folder(head_folder(target))
        config.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except (ConfigError, CredentialsError) as error:
        sys.stderr.write(f"ray_head: {error}\n")
        return 2
    environment["RAY_GRACEFUL_SHUTDOWN_DRAIN_TIMEOUT_S"] = "0"  # the detached actor would never leave by itself
    log = os.open(config.folder / "ray_head.log", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    for stream in (1, 2):
        os.dup2(log, stream)
    os.close(log)
    os.execve(command[0], command, environment)


if __name__ == "__main__":
    sys.exit(main())
