"""The link process: from the rings to the server and back. Whatever hangs or dies here, the robot does not notice."""

from __future__ import annotations

import asyncio
import logging
import sys
from contextlib import closing
from pathlib import Path

from rtgym_ros.core.errors import ConfigError
from rtgym_ros.core.files import locked
from rtgym_ros.core.stop_signal import StopSignal
from rtgym_ros.train.config import TrainConfig
from rtgym_ros.train.config_file import load_config
from rtgym_ros.train.errors import CredentialsError, RefusedError
from rtgym_ros.train.stream.event_loop import stop_event
from rtgym_ros.train.supervision.heartbeat import beat
from rtgym_ros.train.worker.main import HEARTBEAT_FILE, worker_parser
from rtgym_ros.train.worker.uploader import Uploader


def main(arguments: list[str] | None = None) -> int:
    """Publish until a signal comes, then what is left; return 0, or 2 for what it is no use to try again."""
    options = worker_parser("link", __doc__, is_process=True).parse_args(arguments)
    folder: Path = options.folder
    logging.basicConfig(format=f"train_worker {options.name}: link: %(message)s", level=logging.WARNING)
    logging.getLogger("nats").setLevel(logging.CRITICAL)  # what matters of it comes as an exception
    try:
        config = load_config(options.config, options.set)
        with locked(folder / "link.lock", f"another link process uses {folder}"), StopSignal() as stop:
            asyncio.run(_carry(config, options.name, folder, stop))
    except (ConfigError, CredentialsError, RefusedError) as error:
        logging.error("%s", error)
        return 2
    return 0


async def _carry(config: TrainConfig, name: str, folder: Path, stop: StopSignal) -> None:
    with closing(Uploader(config, name, folder, lambda: beat(folder / HEARTBEAT_FILE))) as uploader:
        await uploader.run(stop_event(stop))


if __name__ == "__main__":
    sys.exit(main())
