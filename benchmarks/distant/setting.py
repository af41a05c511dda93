"""The configurations that are measured."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.distant.drone import ENV_ID
from benchmarks.distant.processes import free_port
from rtgym_ros.train.config_file import make_config, to_yaml

RUN = "r"


@contextmanager
def scratch():
    """Yield a folder with a short name, on a disk, and one in RAM; both are removed."""
    with TemporaryDirectory(prefix="rg-") as disk, TemporaryDirectory(prefix="rg-", dir="/dev/shm") as memory:
        try:
            yield Path(disk), Path(memory)
        finally:
            for link in Path(disk).rglob("*.ring"):  # what a ring that nobody has read leaves in RAM
                link.resolve().unlink(missing_ok=True)


def write_config(folder: Path, environment=None, worker=None, trainer=None, server=None):
    """Write ``run.yaml`` into ``folder``; return the configuration and the path.

    Args:
        folder: of the run, too.
        environment: entries of that section, and so on.
        worker: the same.
        trainer: the same.
        server: the same.
    """
    address = f"127.0.0.1:{free_port('127.0.0.1')}"
    config = make_config(
        {
            "run": RUN,
            "directory": str(folder),
            "environment": {"id": ENV_ID, **drone(), **(environment or {})},
            "server": {"listen": address, "url": [f"nats://{address}"], **(server or {})},
            "worker": worker or {},
            "trainer": {"device": "cpu", **(trainer or {})},
        }
    )
    path = folder / "run.yaml"
    path.write_text(to_yaml(config))
    return config, path


def drone(**kwargs) -> dict:
    """Return the section of the traced drone."""
    return {
        "modules": ["benchmarks.distant.drone"],
        "observation_preprocessor": "benchmarks.distant.drone:Traced",
        "kwargs": kwargs,
    }


SMALL_SAC = {"policy_kwargs": {"net_arch": [32, 32]}}
