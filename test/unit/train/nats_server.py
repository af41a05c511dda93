"""A real nats-server for tests: started as train_server starts it, killed, started again on the same data."""

from __future__ import annotations

import asyncio
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from gymnasium import spaces

from rtgym_ros.train.config import TrainConfig
from rtgym_ros.train.config_file import make_config, to_yaml
from rtgym_ros.train.protocol.schema import SampleSchema, make_schema
from rtgym_ros.train.server.main import free_port, server_child, server_folder
from rtgym_ros.train.stream.connection import connected
from rtgym_ros.train.stream.provision import provision

SCHEMA = make_schema(spaces.Box(-1, 1, (3,)), spaces.Box(-1, 1, (2,)))


def config_of(folder: Path, **sections) -> TrainConfig:
    """Return the configuration of a run on a free port of this machine."""
    address = f"127.0.0.1:{free_port()}"
    server = {"listen": address, "url": [f"nats://{address}"], **sections.pop("server", {})}
    environment = {"id": "e", **sections.pop("environment", {})}
    return make_config({"run": "r", "directory": str(folder), "server": server, "environment": environment, **sections})


def write(config: TrainConfig) -> Path:
    path = Path(config.directory) / "run.yaml"
    path.write_text(to_yaml(config))
    return path


class NatsServer:
    def __init__(self, config: TrainConfig) -> None:
        self.config = config
        self.child = server_child(config)
        self.process: subprocess.Popen | None = None
        self.start()

    def start(self) -> None:
        self.process = subprocess.Popen(list(self.child.command), stderr=subprocess.PIPE)
        until = time.monotonic() + 20
        while not (self.child.is_healthy() and self._listens()):
            assert self.process.poll() is None, self.process.stderr.read().decode()
            assert time.monotonic() < until, "nats-server does not get healthy"
            time.sleep(0.02)

    def _listens(self) -> bool:
        host, _, port = self.config.server.listen.rpartition(":")
        with socket.socket() as peer:
            return peer.connect_ex((host, int(port))) == 0

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        self.process.stderr.close()

    def stop(self) -> None:
        if self.process.poll() is None:
            self.process.terminate()
            self.process.wait(20)
        self.process.stderr.close()

    @property
    def data(self) -> Path:
        return self.config.folder / "server" / "jetstream"

    def save(self, folder: Path) -> None:
        """Copy the data, as a backup or a disk that was late would have it; the server is down."""
        shutil.copytree(self.data, folder)

    def restore(self, folder: Path) -> None:
        shutil.rmtree(self.data)
        shutil.copytree(folder, self.data)


@contextmanager
def running(config: TrainConfig) -> Iterator[NatsServer]:
    with server_folder(config):
        server = NatsServer(config)
        try:
            yield server
        finally:
            server.stop()


def with_connection(config: TrainConfig, role: str, function, name: str = ""):
    """Run ``function(connection)``, a coroutine, over a connection of ``role``."""

    async def call():
        async with connected(config, role, name) as connection:
            return await function(connection)

    return asyncio.run(call())


def make_stream(config: TrainConfig, schema: SampleSchema | None = None) -> None:
    with_connection(config, "trainer", lambda connection: provision(connection, config, schema))


def fill(ring, count: int, schema: SampleSchema = SCHEMA) -> None:
    """Write samples that are numbered in their stamp; 100 time-steps an episode."""
    for number in range(ring.written, ring.written + count):
        episode, step = divmod(number, 100)
        head = (episode, step, False, step == 99, False, False, False, -1, number, 0, float(step), float(step))
        leaves = [np.full(shape, (number % 50) / 50, dtype) for _, dtype, shape in schema.fields[len(head) :]]
        ring.append((*head, *leaves))


def python(module: str, *arguments) -> list[str]:
    return [sys.executable, "-m", module, *map(str, arguments)]
