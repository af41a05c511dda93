"""Weights & Biases beside a trainer: offline, and away."""

import json

import pytest

pytest.importorskip("wandb")
pytest.importorskip("stable_baselines3")

import msgspec
from nats_server import config_of, running
from trainer_helpers import make_records, send

from rtgym_ros.train.config_file import make_config
from rtgym_ros.train.trainer.trainer import Trainer


@pytest.fixture
def config(tmp_path):
    trainer = {"wandb": "rtgym", "max_samples": 101, "start_training": 10, "batch_size": 8, "epochs": 1, "rounds": 2,
               "steps": 25, "device": "cpu", "agent_kwargs": {"policy_kwargs": {"net_arch": [8]}}}  # fmt: skip
    with running(config_of(tmp_path)) as server:
        send(server.config, make_records([100]))
        yield make_config({**msgspec.to_builtins(server.config), "trainer": trainer})


def rounds_of(config):
    return [json.loads(line) for line in (config.folder / "trainer" / "statistics.jsonl").read_text().splitlines()]


@pytest.mark.timeout(300)
def test_offline_it_writes_its_figures_to_the_run_s_folder(config, monkeypatch, caplog):
    monkeypatch.setenv("WANDB_MODE", "offline")
    Trainer(config).run()
    assert len(rounds_of(config)) == 2
    (recorded,) = (config.folder / "trainer" / "wandb").glob("offline-run-*/*.wandb")
    assert b"updates_per_sample" in recorded.read_bytes()
    assert "figures are lost" not in caplog.text


@pytest.mark.timeout(300)
def test_where_it_is_away_the_run_goes_on(config, monkeypatch, caplog):
    monkeypatch.setenv("WANDB_MODE", "online")
    monkeypatch.setenv("WANDB_BASE_URL", "http://127.0.0.1:9")  # nobody listens there
    monkeypatch.setenv("WANDB_API_KEY", "0" * 40)
    monkeypatch.setenv("WANDB_INIT_TIMEOUT", "5")
    Trainer(config).run()
    assert [line["updates"] for line in rounds_of(config)] == [25, 50]
    assert "training goes on without Weights & Biases" in caplog.text
