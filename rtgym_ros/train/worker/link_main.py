"""The link process: from the rings to the server and back. Whatever hangs or dies here, the robot does not notice."""

from __future__ import annotations

import argparse
import asyncio
import logging
import sys
from pathlib import Path

from rtgym_ros.core.errors import ConfigError
from rtgym_ros.core.stop_signal import StopSignal
from rtgym_ros.train.command_line import config_of, config_parser
from rtgym_ros.train.config import TrainConfig
from rtgym_ros.train.errors import CredentialsError, RefusedError
from rtgym_ros.train.files import locked
from rtgym_ros.train.stream.event_loop import stop_event
from rtgym_ros.train.supervision.heartbeat import beat
from rtgym_ros.train.worker.main import HEARTBEAT_FILE
from rtgym_ros.train.worker.uploader import Uploader


def main(arguments: list[str] | None = None) -> int:
    """Publish until a signal comes, then what is left; return 0, or 2 for what it is no use to try again."""
    options = _parse(arguments)
    logging.basicConfig(format=f"train_worker {options.name}: link: %(message)s", level=logging.WARNING)
    logging.getLogger("nats").setLevel(logging.CRITICAL)  # what matters of it comes as an exception
    try:
        config = config_of(options)
        options.folder.mkdir(parents=True, exist_ok=True)
        with locked(options.folder / "link.lock", f"another link process uses {options.folder}"), StopSignal() as stop:
            asyncio.run(_carry(config, options.name, options.folder, stop))
    except (ConfigError, CredentialsError, RefusedError) as error:
        logging.error("%s", error)
        return 2
    return 0


async def _carry(config: TrainConfig, name: str, folder: Path, stop: StopSignal) -> None:
    uploader = Uploader(config, name, folder, lambda: beat(folder / HEARTBEAT_FILE))
    try:
        await uploader.run(stop_event(stop))
    finally:
        uploader.close()


def _parse(arguments: list[str] | None) -> argparse.Namespace:
    parser = config_parser("link", __doc__)
    parser.add_argument("--name", required=True, help="of the worker")
    parser.add_argument("--folder", type=Path, required=True, help="of the worker")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
