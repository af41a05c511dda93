"""Checkpoints: whole or not there."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from trainer_helpers import schema_of

from rtgym_ros.train.config import TrainConfig
from rtgym_ros.train.config_file import make_config
from rtgym_ros.train.errors import CheckpointError
from rtgym_ros.train.stream.sample_message import Bookmark
from rtgym_ros.train.trainer.checkpoint import Checkpoints, Info, Progress, check_same, settings_of


def config_of(environment: dict | None = None, **trainer) -> TrainConfig:
    return make_config({"run": "r", "environment": {"id": "e", **(environment or {})}, "trainer": trainer})


def info_of(position: int = 0, config: TrainConfig | None = None) -> Info:
    return Info(
        settings=settings_of(config or config_of()),
        schema=schema_of().to_bytes(),
        progress=Progress(samples=position),
        bookmark=Bookmark(position=position),
    )


def write_files(folder: Path) -> None:
    (folder / "agent").mkdir()
    (folder / "agent" / "data").write_bytes(b"x" * 1000)


def write(checkpoints: Checkpoints, *positions: int) -> None:
    for position in positions:
        checkpoints.write(info_of(position), write_files)


def position_of(checkpoints: Checkpoints) -> int | None:
    found = checkpoints.newest()
    return None if found is None else found[1].bookmark.position


def test_the_newest_is_found_and_two_are_kept(tmp_path):
    checkpoints = Checkpoints(tmp_path)
    assert position_of(checkpoints) is None
    write(checkpoints, 10, 20, 30)
    again = Checkpoints(tmp_path)
    assert position_of(again) == 30
    assert len(list(tmp_path.iterdir())) == 2
    write(again, 40)
    assert len(list(tmp_path.iterdir())) == 2


@pytest.mark.parametrize("damage", ["cut", "flip", "gone", "info", "no info"])
def test_a_damaged_one_is_skipped(tmp_path, damage: str):
    checkpoints = Checkpoints(tmp_path)
    write(checkpoints, 10, 20)
    newest = checkpoints.newest()[0]
    data, info = newest / "agent" / "data", newest / "checkpoint.json"
    {
        "cut": lambda: data.write_bytes(b"x" * 999),
        "flip": lambda: data.write_bytes(b"x" * 500 + b"y" + b"x" * 499),
        "gone": data.unlink,
        "info": lambda: info.write_bytes(info.read_bytes()[:-20]),
        "no info": info.unlink,
    }[damage]()
    checkpoints = Checkpoints(tmp_path)
    assert position_of(checkpoints) == 10
    write(checkpoints, 30)
    assert position_of(checkpoints) == 30
    assert not newest.exists()


def test_what_a_killed_process_left_is_not_used_and_removed(tmp_path):
    checkpoints = Checkpoints(tmp_path)
    write(checkpoints, 10)

    def killed(folder: Path) -> None:
        write_files(folder)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        checkpoints.write(info_of(20), killed)
    checkpoints = Checkpoints(tmp_path)
    assert position_of(checkpoints) == 10
    assert len(list(tmp_path.iterdir())) == 1


def test_the_same_configuration_passes_whatever_else_has_changed():
    info = info_of(config=config_of(epochs=3, url=["nats://a:1"]))
    info = msgspec.json.decode(msgspec.json.encode(info), type=Info)
    assert (
        check_same(
            info,
            config_of(epochs=9, url=["nats://b:1"], batch_size=7, publish_interval=7, agent_kwargs={}),
        )
        == []
    )


def test_another_configuration_is_refused_and_each_difference_named():
    info = info_of(config=config_of({"kwargs": {"config": {"act_buf_len": 4}}}, learn_from="action"))
    other = config_of({"kwargs": {"config": {"act_buf_len": 2}}}, agent_kwargs={"policy_kwargs": {"net_arch": [9]}})
    with pytest.raises(CheckpointError) as error:
        check_same(info, other)
    for part in (
        "environment.kwargs.config.act_buf_len is 4 in the checkpoint, 2 in the configuration",
        'trainer.learn_from is "action" in the checkpoint, "executed" in the configuration',
        "trainer.agent_kwargs.policy_kwargs.net_arch is not set in the checkpoint, [9] in the configuration",
        "--reset-training, which keeps the samples",
    ):
        assert part in str(error.value)
