"""Disks that are full and free again: the server's, the trainer's, the robot's."""

from __future__ import annotations

import ctypes
import logging
import os
import subprocess
import time
from contextlib import closing, suppress
from pathlib import Path

import pytest
from nats_server import SCHEMA, config_of, fill, make_stream, python, running, write
from test_exactly_once import WEIGHTS, Carried, read_all, wait_for

from rtgym_ros.train.stream.learner_link import LearnerLink

_libc = ctypes.CDLL(None, use_errno=True)


@pytest.fixture
def disk(tmp_path):
    """A disk of 6 MB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    if _libc.mount(b"tmpfs", str(folder).encode(), b"tmpfs", 0, b"size=6m") != 0:
        pytest.skip(f"a file system cannot be mounted here: {os.strerror(ctypes.get_errno())}")
    yield folder
    _libc.umount2(str(folder).encode(), 2)


def fill_up(disk: Path) -> Path:
    ballast = disk / "ballast"
    with ballast.open("ab", buffering=0) as file, suppress(OSError):
        for size in (100_000, 1000, 10):
            with suppress(OSError):
                while True:
                    if file.write(bytes(size)) < size:
                        break
    return ballast


@pytest.mark.timeout(180)
def test_a_server_whose_disk_was_full_takes_samples_again(disk):
    """train_server notices that its nats-server has given up its streams, and starts it again once there is room."""
    config = config_of(disk, worker={"push_interval": 0.05}, server={"max_bytes": 2_000_000})
    path = write(config)
    program = subprocess.Popen(python("rtgym_ros.train.server.main", "--config", path), stderr=subprocess.DEVNULL)
    try:
        with closing(LearnerLink(config, schema=SCHEMA)) as link:
            assert link.wait_until_connected(60)
            folder = disk.parent / "robot"
            robot = Carried(config_elsewhere(config, folder))
            fill(robot.ring, 200)
            found = []
            wait_for(lambda: found.extend(link.collect(0.1)) or sum(len(b.records) for b in found) >= 200)
            ballast = fill_up(disk)
            for _ in range(30):
                fill(robot.ring, 300)
                time.sleep(0.1)
            ballast.unlink()
            written = robot.ring.written
            wait_for(lambda: found.extend(link.collect(0.1)) or sum(len(b.records) for b in found) >= written, 120)
            stamps = [stamp for batch in found for stamp in batch.records["stamp_ns"].tolist()]
            assert stamps == list(range(written))
            robot.end()
    finally:
        program.terminate()
        assert program.wait(30) == 0


def config_elsewhere(config, folder: Path):
    """Return the configuration of a robot whose files are on another disk, and the token with them."""
    import msgspec

    token = str(config.folder / "server" / "token")
    return msgspec.structs.replace(
        config, directory=str(folder), security=msgspec.structs.replace(config.security, token_file=token)
    )


def test_a_robot_whose_disk_is_full_flies_on_and_gets_new_weights(disk, tmp_path, caplog):
    config = config_of(tmp_path, worker={"push_interval": 0.05})
    with running(config):
        make_stream(config, SCHEMA)
        robot = Carried(config_elsewhere(config, disk))
        ballast = fill_up(disk)
        with closing(LearnerLink(config, schema=SCHEMA)) as link:
            link.publish(WEIGHTS)
            assert link.flush(10)
            wait_for(lambda: robot.ring.weights_version == 0)
            fill(robot.ring, 100)
            assert read_all(config, 100) == list(range(100))
            assert "weights 0 are not kept for the next start" in caplog.text
            ballast.unlink()
            link.publish(WEIGHTS)
            assert link.flush(10)
            wait_for(lambda: robot.ring.weights_version == 1)
            assert (robot.folder / "policy.safetensors").exists()
        robot.end()


def test_a_trainer_whose_disk_is_full_goes_on_and_writes_a_checkpoint_once_there_is_room(disk, tmp_path, caplog):
    pytest.importorskip("tensorboard")
    from trainer_helpers import make_records, send

    from rtgym_ros.policies.weights import PolicyWeights
    from rtgym_ros.train.config_file import make_config
    from rtgym_ros.train.trainer.agent import Agent
    from rtgym_ros.train.trainer.checkpoint import Checkpoints
    from rtgym_ros.train.trainer.trainer import Trainer

    class Learner(Agent):
        memory_length = 100
        updates = 0
        ballast: Path | None = None

        def add(self, transitions):
            pass

        def train(self, updates):
            self.updates += updates
            if self.ballast is None and self.updates > 30:
                self.ballast = fill_up(disk)
            elif self.ballast is not None and "no checkpoint could be written" in caplog.text:
                self.ballast.unlink(missing_ok=True)
            time.sleep(0.01)
            return {"loss": 0.0}

        def export(self):
            return WEIGHTS

        def save(self, folder):
            (folder / "state").write_bytes(bytes(200_000))

        def load(self, folder):
            pass

    import msgspec

    server = config_of(tmp_path)
    with running(server):
        values = msgspec.to_builtins(config_elsewhere(server, disk))
        trainer = {"max_samples": 101, "checkpoint_interval": 0.0, "epochs": 1000, "rounds": 1, "steps": 10,
                   "max_updates_per_sample": 20.0, "retrieve_interval": 5,
                   "start_training": 1}  # fmt: skip
        config = make_config({**values, "trainer": trainer})
        send(config, make_records([100]))
        Trainer(config, make=lambda schema: Learner(schema, config.trainer)).run()
    assert "no checkpoint could be written, training goes on" in caplog.text
    found = Checkpoints(config.folder / "trainer" / "checkpoints").newest()
    assert found is not None
    assert found[1].progress.updates == 2000
    assert PolicyWeights.load(config.folder / "policy.safetensors")


@pytest.fixture(autouse=True)
def quiet():
    logging.getLogger("nats").setLevel(logging.CRITICAL)
