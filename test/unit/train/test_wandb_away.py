"""Weights & Biases that is away: training goes on, and one line tells of it.

The package is large and wants an account, so a module of its name stands here for one whose server cannot be reached;
what is ours is what becomes of its exceptions.
"""

from __future__ import annotations

import json
import sys

import pytest

pytest.importorskip("tensorboard")
pytest.importorskip("torch")

from nats_server import config_of

from rtgym_ros.core.errors import ConfigError
from rtgym_ros.train.trainer.log import TrainerLog

AWAY_AT_FIRST = """
def init(**what):
    raise ConnectionError("no route to api.wandb.ai")
"""
AWAY_LATER = """
class Run:
    def log(self, figures):
        raise ConnectionError("no route to api.wandb.ai")
    def finish(self, exit_code):
        raise ConnectionError("no route to api.wandb.ai")
def init(**what):
    return Run()
"""
FIGURES = {"updates": 1, "loss": 0.5}


@pytest.fixture
def install(tmp_path, monkeypatch):
    def put(code: str) -> None:
        (tmp_path / "modules").mkdir()
        (tmp_path / "modules" / "wandb.py").write_text(code)
        monkeypatch.syspath_prepend(str(tmp_path / "modules"))
        monkeypatch.delitem(sys.modules, "wandb", raising=False)

    yield put
    sys.modules.pop("wandb", None)


def write_two_rounds(tmp_path) -> list[float]:
    with TrainerLog(tmp_path, config_of(tmp_path, trainer={"wandb": "project"}), {}) as log:
        log.round(0, 0, FIGURES)
        log.round(0, 1, FIGURES)
    return [json.loads(line)["loss"] for line in (tmp_path / "statistics.jsonl").read_text().splitlines()]


def test_training_begins_without_it(tmp_path, install, caplog):
    install(AWAY_AT_FIRST)
    assert write_two_rounds(tmp_path) == [0.5, 0.5]
    assert caplog.messages == ["training goes on without Weights & Biases: no route to api.wandb.ai"]


def test_training_goes_on_when_it_goes_away(tmp_path, install, caplog):
    install(AWAY_LATER)
    assert write_two_rounds(tmp_path) == [0.5, 0.5]
    told = "figures are lost, training goes on: Weights & Biases: no route to api.wandb.ai"
    assert [line for line in caplog.messages if "Weights & Biases" in line][:1] == [told]


def test_where_it_is_not_installed_one_line_says_so(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "wandb", None)
    with pytest.raises(ConfigError, match="pip install wandb"):
        write_two_rounds(tmp_path)
