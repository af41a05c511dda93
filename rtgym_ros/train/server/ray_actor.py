"""The server as a detached named actor of Ray."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from rtgym_ros.train.config import TrainConfig
from rtgym_ros.train.links.ray_link import ACTOR_NAME
from rtgym_ros.train.server.server import Server


class ServerActor:
    """Hosts a :class:`Server`. Its state is a folder: Ray may start it again as often as it likes.

    Args:
        config: of the run, with an absolute directory.
    """

    def __init__(self, config: TrainConfig) -> None:
        self._server = Server(server_folder(config), config.server, config.run)

    def handle(self, request: bytes) -> bytes:
        """Return the server's reply."""
        return self._server.handle(request)

    def ping(self) -> bool:
        """Say that it is there."""
        return True

    def close(self) -> None:
        """Write down everything."""
        self._server.close()


def server_folder(config: TrainConfig) -> Path:
    """Return where the server of a run keeps its files."""
    return config.folder.resolve() / "server"


def get_or_create_actor(config: TrainConfig) -> Any:
    """Return the handle of the run's actor, which is on this node; this process is attached to Ray."""
    import msgspec
    import ray
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    # Ray's workers have a working directory of their own.
    config = msgspec.structs.replace(config, directory=str(Path(config.directory).expanduser().resolve()))
    node = ray.get_runtime_context().get_node_id()
    return (
        ray.remote(ServerActor)
        .options(
            name=ACTOR_NAME,
            namespace=config.run,
            lifetime="detached",
            get_if_exists=True,
            max_restarts=-1,
            max_task_retries=0,  # who asked asks again; requests that nobody waits for must not pile up
            num_cpus=0,
            scheduling_strategy=NodeAffinitySchedulingStrategy(node, soft=False),
        )
        .remote(config)
    )
