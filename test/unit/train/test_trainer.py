"""The trainer with a real server: in one process, and as a process that is killed."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from pathlib import Path

import msgspec
import numpy as np
import pytest

pytest.importorskip("stable_baselines3")
pytest.importorskip("torch")
pytest.importorskip("tensorboard")

from nats_server import NatsServer, running, with_connection
from nats_server import config_of as server_config
from trainer_helpers import make_records, schema_of, send

from rtgym_ros.policies.weights import PolicyWeights
from rtgym_ros.train.config import TrainConfig
from rtgym_ros.train.config_file import make_config, to_yaml
from rtgym_ros.train.errors import CheckpointError
from rtgym_ros.train.stream.key_value import KeyValue
from rtgym_ros.train.stream.learner_link import LearnerLink
from rtgym_ros.train.trainer.agent import Agent
from rtgym_ros.train.trainer.checkpoint import Info
from rtgym_ros.train.trainer.trainer import Trainer
from rtgym_ros.train.trainer.transitions import Transitions


class Counting(Agent):
    """Learns nothing; remembers what it was given."""

    def __init__(self, schema=None, config=None) -> None:
        super().__init__(schema, config)
        self.stamps: list[int] = []
        self.updates = 0

    @property
    def memory_length(self) -> int:
        return len(self.stamps)

    def add(self, transitions: Transitions) -> None:
        self.stamps += transitions.after["stamp_ns"].tolist()

    def train(self, updates: int) -> dict[str, float]:
        self.updates += updates
        return {"loss": 0.5}

    def export(self) -> PolicyWeights:
        return PolicyWeights("test", -1, {"updates": np.array([self.updates])}, {})

    def save(self, folder: Path) -> None:
        (folder / "state.json").write_text(json.dumps(self.updates))

    def load(self, folder: Path) -> None:
        self.updates = json.loads((folder / "state.json").read_text())


def config_of(server: NatsServer, **trainer) -> TrainConfig:
    entries = {"start_training": 10, "epochs": 100, "rounds": 2, "steps": 50, "publish_interval": 25, "device": "cpu"}
    values = msgspec.to_builtins(server.config)
    return make_config({**values, "trainer": {**entries, **trainer}})


def train(config: TrainConfig, **arguments) -> Counting:
    agents: list[Counting] = []

    def make(schema) -> Counting:
        agents.append(Counting(schema, config.trainer))
        return agents[-1]

    Trainer(config, make=make, **arguments).run()
    return agents[0]


def lines(config: TrainConfig, name: str) -> list[dict]:
    return [json.loads(line) for line in (config.folder / "trainer" / name).read_text().splitlines()]


@pytest.fixture
def server(tmp_path) -> Iterator[NatsServer]:
    with running(server_config(tmp_path)) as server:
        yield server


def published(server: NatsServer) -> PolicyWeights:
    async def get(connection):
        return PolicyWeights.from_bytes((await KeyValue(connection, "r").get_weights()).data)

    return with_connection(server.config, "trainer", get)


def test_it_trains_to_the_last_sample_and_ends(server):
    config = config_of(server, max_samples=202, max_updates_per_sample=0.5)
    records = make_records([100, 100])
    send(config, records)
    agent = train(config)
    assert agent.stamps == records["stamp_ns"][records["step"] > 0].tolist()
    assert agent.updates == 100
    assert published(server).arrays["updates"] == 100
    assert PolicyWeights.load(config.folder / "policy.safetensors").arrays["updates"] == 100
    rounds = lines(config, "statistics.jsonl")
    assert [(line["epoch"], line["round"], line["updates"]) for line in rounds] == [(0, 0, 50), (0, 1, 100)]
    assert rounds[-1]["updates_per_sample"] == 0.5
    assert rounds[0]["agent/loss"] == 0.5
    episodes = lines(config, "episodes.jsonl")
    assert [(line["worker"], line["length"], line["terminated"]) for line in episodes] == [("robot", 100, True)] * 2
    assert episodes[0]["return"] == pytest.approx(records["reward"][:101].sum())


def test_the_figures_are_in_tensorboard(server):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    config = config_of(server, max_samples=202, max_updates_per_sample=0.5)
    send(config, make_records([100, 100]))
    train(config)
    shown = EventAccumulator(str(config.folder / "trainer" / "tensorboard")).Reload()
    assert [(event.step, event.value) for event in shown.Scalars("agent/loss")] == [(50, 0.5), (100, 0.5)]
    returned = [line["train/return"] for line in lines(config, "statistics.jsonl") if line["train/episodes"]]
    assert [event.value for event in shown.Scalars("train/return")] == pytest.approx(returned)


def test_it_ends_after_its_epochs_and_has_nothing_to_do_when_it_is_started_again(server):
    config = config_of(server, epochs=2)
    send(config, make_records([500]))
    assert train(config).updates == 200
    assert train(config).updates == 200
    assert len(lines(config, "statistics.jsonl")) == 4
    assert train(config_of(server, epochs=3)).updates == 300


def test_stopped_and_resumed_it_counts_everything_once_and_its_memory_comes_from_the_stream(server):
    config, records = config_of(server, max_samples=404), make_records([100] * 4, test_every=4)
    send(config, records[:150])
    turns = iter(range(6))
    train(config, should_stop=lambda: next(turns, None) is None)
    send(config, records[150:], 150)
    agent = train(config)
    learned = records["stamp_ns"][(records["step"] > 0) & ~records["test"]]
    assert agent.stamps == learned.tolist()
    assert [line["episode"] for line in lines(config, "episodes.jsonl")] == [0, 1, 2, 3]
    assert [line["test"] for line in lines(config, "episodes.jsonl")] == [True, False, False, False]


def test_the_server_may_go_and_come_back_while_it_trains(server):
    class Interrupting(Counting):
        def train(self, updates: int) -> dict[str, float]:
            if 40 < self.updates < 60:
                server.kill()
                server.start()
            return super().train(updates)

    config = config_of(server, max_samples=303, retrieve_interval=15)
    send(config, make_records([100] * 3))
    agents = []
    Trainer(config, make=lambda schema: agents.append(Interrupting(schema, config.trainer)) or agents[0]).run()
    assert agents[0].updates == len(agents[0].stamps) == 300
    assert published(server).arrays["updates"] == 300


def test_what_may_not_change_is_refused_and_what_may_is_told(server, caplog):
    caplog.set_level("INFO")
    config = config_of(server, max_samples=101)
    send(config, make_records([100]))
    train(config)
    with pytest.raises(CheckpointError, match=r"trainer.agent is \"sac\" in the checkpoint, \"tqc\""):
        train(config_of(server, agent="tqc"))
    train(config_of(server, max_samples=101, agent_kwargs={"gamma": 0.9}))
    assert "trainer.agent_kwargs.gamma was not set, and is 0.9 from now on" in caplog.text


def test_training_that_is_reset_begins_anew_with_all_samples_of_the_stream(server):
    config = config_of(server, max_samples=101)
    send(config, make_records([100]))
    assert train(config).updates == 100
    Trainer(config).reset_training()
    again = train(config_of(server, max_samples=101, max_updates_per_sample=0.5))
    assert (again.updates, len(again.stamps)) == (50, 100)


def test_it_trains_where_an_event_loop_runs(server):
    """As in a cell of a notebook: test/libraries/notebook has one."""
    config = config_of(server, max_samples=101)
    send(config, make_records([100]))

    async def cell():
        return train(config)

    assert asyncio.run(cell()).updates == 100


def test_versions_grow_beyond_those_of_the_server(server):
    config = config_of(server, max_samples=101)
    send(config, make_records([100]))
    with closing(LearnerLink(config, version=40, schema=schema_of())) as link:
        link.publish(PolicyWeights("test", -1, {"updates": np.array([0])}, {}))
        assert link.flush(10)
    train(config)
    assert published(server).version > 41


def test_a_sample_that_is_not_finite_is_left_out_and_counted(server, caplog):
    config, records = config_of(server, max_samples=101), make_records([100])
    records["observation/0"][50, 1] = np.nan
    send(config, records)
    agent = train(config)
    assert agent.stamps == [stamp for stamp in range(1, 101) if stamp not in (50, 51)]
    assert lines(config, "statistics.jsonl")[-1]["refused"] == 1
    assert "1 samples of robot are not finite" in caplog.text


def test_what_is_not_finite_reaches_neither_network_nor_checkpoint(server):
    """With the agent that is used: one NaN in a batch would make NaN of every weight."""
    import torch

    records = make_records([100])
    records["observation/0"][50, 1], records["reward"][60], records["executed"][70, 0] = np.nan, np.inf, np.nan
    config = config_of(server, max_samples=101, batch_size=64, agent_kwargs={"policy_kwargs": {"net_arch": [8]}})
    send(config, records)
    Trainer(config).run()
    (newest,) = sorted((config.folder / "trainer" / "checkpoints").iterdir())[-1:]
    state = torch.load(newest / "agent" / "model.pt", weights_only=True)
    assert state["updates"] == 94, "of a hundred transitions the six that a refused sample ends or begins are missing"
    for tensors in (state["parameters"]["policy"].values(), state["variables"].values()):
        assert all(torch.isfinite(tensor).all() for tensor in tensors)
    assert all(np.isfinite(array).all() for array in published(server).arrays.values())
    assert lines(config, "statistics.jsonl")[-1]["refused"] == 3


def test_a_network_that_is_not_finite_gets_in_no_checkpoint(server):
    class Poisoned(Counting):
        def save(self, folder: Path) -> None:
            raise FloatingPointError("actor.mu.weight is not finite")

    config = config_of(server, max_samples=101)
    send(config, make_records([100]))
    with pytest.raises(FloatingPointError):
        Trainer(config, make=lambda schema: Poisoned(schema, config.trainer)).run()
    assert not list((config.folder / "trainer" / "checkpoints").iterdir())


def test_a_server_that_was_set_back_does_not_make_samples_come_twice_after_a_restart(server, tmp_path):
    config, records = config_of(server, max_samples=303), make_records([100] * 3)
    send(config, records[:101])
    server.stop()
    server.save(tmp_path / "copy")
    server.start()
    send(config, records[101:202], 101)
    train(config_of(server, max_samples=202))
    server.stop()
    server.restore(tmp_path / "copy")
    server.start()
    send(config, records[202:], 202)
    agent = train(config)
    # The memory has what the stream still has; what was read before is not counted again.
    assert agent.stamps == [*range(1, 101), *range(203, 303)]
    assert lines(config, "statistics.jsonl")[-1]["samples"] == 303


class Process:
    """A real trainer process."""

    def __init__(self, config: TrainConfig, folder: Path) -> None:
        file = folder / "config.yaml"
        file.write_text(to_yaml(config))
        self.errors = (folder / "stderr").open("ab")
        command = [sys.executable, "-m", "rtgym_ros.train.trainer.trainer", "--config", file]
        self.process = subprocess.Popen(command, stderr=self.errors, env={**os.environ, "PYTHONUNBUFFERED": "1"})

    def __enter__(self) -> subprocess.Popen:
        return self.process

    def __exit__(self, *error: object) -> None:
        self.process.kill()
        self.process.wait()
        self.errors.close()


def wait_for(condition: Callable[[], bool], process: subprocess.Popen, timeout_s: float = 200.0) -> None:
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert process.poll() is None, f"the trainer ended with {process.returncode}"
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.mark.timeout(900)
def test_a_killed_process_goes_on_and_counts_every_sample_once(server, tmp_path):
    config = config_of(
        server,
        agent_kwargs={"policy_kwargs": {"net_arch": [8]}},
        batch_size=8,
        memory_size=3000,
        checkpoint_interval=0.0,
        max_samples=2020,
        epochs=1000,
    )
    records = make_records([100] * 20, test_every=5)
    folder = config.folder / "trainer"
    checkpoints = folder / "checkpoints"

    def updates() -> int:
        for path in sorted(checkpoints.glob("0*/checkpoint.json"), reverse=True):
            with suppress(FileNotFoundError):  # a newer one has taken its place
                return json.loads(path.read_text())["progress"]["updates"]
        return 0

    send(config, records[:600])
    with Process(config, tmp_path) as process:
        wait_for(lambda: updates() > 100, process)
        send(config, records[600:1500], 600)
        wait_for(lambda: len(lines(config, "episodes.jsonl")) > 10, process)
        process.send_signal(signal.SIGKILL)
        process.wait()
    send(config, records[1500:], 1500)
    with Process(config, tmp_path) as process:
        wait_for(lambda: updates() > 400, process)
        process.send_signal(signal.SIGTERM)
        assert process.wait(100) == 0
    before = updates()
    with Process(config, tmp_path) as process:
        assert process.wait(200) == 0
    newest = sorted(checkpoints.iterdir())[-1]
    info = msgspec.json.decode((newest / "checkpoint.json").read_bytes(), type=Info)
    learned = records[(records["step"] > 0) & ~records["test"]]
    assert info.progress.samples == 2020
    assert info.progress.transitions == info.progress.updates == len(learned) >= before
    assert [line["episode"] for line in lines(config, "episodes.jsonl")] == list(range(20))
    assert [line["updates"] for line in lines(config, "statistics.jsonl")] == [*range(50, 1601, 50)]


@pytest.mark.timeout(300)
def test_it_is_refused_in_one_line(server, tmp_path):
    config = config_of(server, agent_kwargs={"learning_rat": 1})
    send(config, make_records([100]))
    with Process(config, tmp_path) as process:
        assert process.wait(200) == 2
    assert (tmp_path / "stderr").read_text().splitlines()[-1].startswith("trainer: trainer.agent_kwargs: unknown entry")


@pytest.mark.timeout(700)
def test_the_entry_point_trains_with_a_memory_that_comes_from_the_stream_again(server, tmp_path):
    config = config_of(server, max_samples=101, batch_size=8)
    send(config, make_records([100, 100]))
    (tmp_path / "run.yaml").write_text(to_yaml(config))
    command = [sys.executable, "-m", "rtgym_ros.train.trainer.main", "--config", tmp_path / "run.yaml"]
    for more in (("--set", "trainer.memory_size=200"), ("--set", "trainer.max_samples=202"), ("--reset-training",)):
        done = subprocess.run([*command, *more], timeout=200, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
    episodes = lines(config, "episodes.jsonl")
    assert [line["episode"] for line in episodes] == [0, 1][: len(episodes)]  # begun anew, not gone on
    assert lines(config, "statistics.jsonl")[0]["updates"] == 50
