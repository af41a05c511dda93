"""The trainer with a real server: in one process, and as a process that is killed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import msgspec
import numpy as np
import pytest

pytest.importorskip("stable_baselines3")
pytest.importorskip("torch")
pytest.importorskip("tensorboard")

from safetensors.numpy import load_file
from trainer_helpers import make_records, push_of

from rtgym_ros.train.config import TrainConfig
from rtgym_ros.train.config_file import make_config, to_yaml
from rtgym_ros.train.errors import CheckpointError, LinkError, RefusedError
from rtgym_ros.train.links.link import Link
from rtgym_ros.train.links.server_client import ServerClient
from rtgym_ros.train.policy.policy_file import PolicyWeights
from rtgym_ros.train.protocol.messages import Publish, Refused, Take, decode_request, encode
from rtgym_ros.train.server.server import Server
from rtgym_ros.train.server.unix_server import UnixServer
from rtgym_ros.train.trainer.agent import Agent
from rtgym_ros.train.trainer.checkpoint import Info
from rtgym_ros.train.trainer.trainer import Trainer
from rtgym_ros.train.trainer.transitions import Transitions


class Direct(Link):
    """To a server in this process; ``trouble`` may raise, or answer, in its place."""

    def __init__(self, server: Server, trouble: Callable[[bytes], bytes | None] = lambda request: None) -> None:
        self.server, self.trouble = server, trouble

    def call(self, request: bytes, timeout_s: float) -> bytes:
        return self.trouble(request) or self.server.handle(request)

    def close(self) -> None:
        pass


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
        (folder / "state.json").write_text(json.dumps([self.stamps, self.updates]))

    def load(self, folder: Path) -> None:
        self.stamps, self.updates = json.loads((folder / "state.json").read_text())


def config_of(folder: Path, **trainer) -> TrainConfig:
    entries = {"start_training": 10, "epochs": 100, "rounds": 2, "steps": 50, "publish_interval": 25, "device": "cpu"}
    values = {"run": "r", "directory": str(folder), "environment": {"id": "e"}, "trainer": {**entries, **trainer}}
    return make_config(values)


def train(config: TrainConfig, link: Link, **arguments) -> Counting:
    (config.folder / "trainer").mkdir(parents=True, exist_ok=True)
    agents: list[Counting] = []

    def make(schema) -> Counting:
        agents.append(Counting(schema, config.trainer))
        return agents[-1]

    Trainer(config, ServerClient(link), make=make, **arguments).run()
    return agents[0]


def lines(config: TrainConfig, name: str) -> list[dict]:
    return [json.loads(line) for line in (config.folder / "trainer" / name).read_text().splitlines()]


@pytest.fixture
def server(tmp_path) -> Iterator[Server]:
    made = Server(tmp_path / "server", make_config({"run": "r", "environment": {"id": "e"}}).server, "r")
    yield made
    made.close()


def push(server: Server, records: np.ndarray, first_seq: int = 0, **names) -> None:
    ServerClient(Direct(server)).push(push_of(records, first_seq, **names))


def test_it_trains_to_the_last_sample_and_ends(server, tmp_path):
    config = config_of(tmp_path, max_samples=202, max_updates_per_sample=0.5)
    records = make_records([100, 100])
    push(server, records)
    agent = train(config, Direct(server))
    assert agent.stamps == records["stamp_ns"][records["step"] > 0].tolist()
    assert agent.updates == 100
    client = ServerClient(Direct(server))
    status = client.status()
    assert (status.queued, status.samples) == (0, 202)
    pushed = client.push(push_of(records[:0], 202))
    weights = PolicyWeights.from_bytes(pushed.weights)
    assert weights.version == pushed.version
    assert weights.arrays["updates"] == 100
    assert PolicyWeights.load(config.folder / "policy.safetensors").arrays["updates"] == 100
    rounds = lines(config, "statistics.jsonl")
    assert [(line["epoch"], line["round"], line["updates"]) for line in rounds] == [(0, 0, 50), (0, 1, 100)]
    assert rounds[-1]["updates_per_sample"] == 0.5
    assert rounds[0]["agent/loss"] == 0.5
    episodes = lines(config, "episodes.jsonl")
    assert [(line["worker"], line["length"], line["terminated"]) for line in episodes] == [("robot", 100, True)] * 2
    assert episodes[0]["return"] == pytest.approx(records["reward"][:101].sum())
    assert list((config.folder / "trainer" / "tensorboard").iterdir())


def test_it_ends_after_its_epochs_and_has_nothing_to_do_when_it_is_started_again(server, tmp_path):
    push(server, make_records([500]))
    config = config_of(tmp_path, epochs=2)
    assert train(config, Direct(server)).updates == 200
    assert train(config, Direct(server)).updates == 200
    assert len(lines(config, "statistics.jsonl")) == 4
    assert train(config_of(tmp_path, epochs=3), Direct(server)).updates == 300


def test_stopped_and_resumed_it_counts_everything_once(server, tmp_path):
    config, records = config_of(tmp_path, max_samples=404), make_records([100] * 4, test_every=4)
    push(server, records[:150])
    turns = iter(range(6))
    train(config, Direct(server), should_stop=lambda: next(turns, None) is None)
    push(server, records[150:], 150)
    agent = train(config, Direct(server))
    learned = records["stamp_ns"][(records["step"] > 0) & ~records["test"]]
    assert agent.stamps == learned.tolist()
    assert [line["episode"] for line in lines(config, "episodes.jsonl")] == [0, 1, 2, 3]
    assert [line["test"] for line in lines(config, "episodes.jsonl")] == [True, False, False, False]


def test_an_unreachable_server_is_waited_for(server, tmp_path):
    calls = 0

    def trouble(request: bytes) -> bytes | None:
        nonlocal calls
        calls += 1
        if calls in (1, 3, 4):
            raise LinkError("cut")
        if calls == 6:
            return encode(Refused(reason="not now", retry=True))
        if calls == 8:
            server.handle(request)  # it was done, and the answer is lost
            raise LinkError("cut")
        return None

    push(server, make_records([100]))
    agent = train(config_of(tmp_path, max_samples=101), Direct(server, trouble))
    assert agent.updates == len(agent.stamps) == 100
    assert calls > 8


def test_training_does_not_wait_for_the_exchange(server, tmp_path):
    held, took = threading.Event(), []

    def trouble(request: bytes) -> None:
        if isinstance(decode_request(request), Take):
            took.append(request)
        if len(took) > 1:
            held.wait(20)

    class Releasing(Counting):
        def train(self, updates: int) -> dict[str, float]:
            if self.updates > 60:
                held.set()  # only reached if updates go on while the server is silent
            return super().train(updates)

    push(server, make_records([100]))
    config = config_of(tmp_path, max_samples=101)
    (config.folder / "trainer").mkdir(parents=True)
    begin = time.monotonic()
    Trainer(config, ServerClient(Direct(server, trouble)), make=lambda schema: Releasing(schema, config.trainer)).run()
    assert held.is_set()
    assert time.monotonic() - begin < 15


def test_refused_for_good_it_ends_with_the_reason(server, tmp_path):
    with pytest.raises(RefusedError, match="never"):
        train(config_of(tmp_path), Direct(server, lambda request: encode(Refused(reason="never"))))


def test_a_checkpoint_of_another_configuration_is_refused(server, tmp_path):
    push(server, make_records([100]))
    train(config_of(tmp_path, max_samples=101), Direct(server))
    with pytest.raises(CheckpointError, match=r"trainer.batch_size is 256 in the checkpoint, 128"):
        train(config_of(tmp_path, batch_size=128), Direct(server))


def test_versions_grow_beyond_those_of_the_server(server, tmp_path):
    push(server, make_records([100]))
    newer = PolicyWeights("test", 41, {"updates": np.array([0])}, {})
    ServerClient(Direct(server)).publish(Publish(trainer="trainer", version=41, weights=newer.to_bytes()))
    train(config_of(tmp_path, max_samples=101), Direct(server))
    assert ServerClient(Direct(server)).status().version > 41


class Process:
    """A real trainer process."""

    def __init__(self, config: TrainConfig, folder: Path, socket: Path) -> None:
        file = folder / "config.yaml"
        file.write_text(to_yaml(config))
        self.errors = (folder / "stderr").open("ab")
        command = [sys.executable, "-m", "rtgym_ros.train.trainer.process", "--config", file, "--socket", socket]
        self.process = subprocess.Popen(command, stderr=self.errors, env={**os.environ, "PYTHONUNBUFFERED": "1"})

    def __enter__(self) -> subprocess.Popen:
        return self.process

    def __exit__(self, *error: object) -> None:
        self.process.kill()
        self.process.wait()
        self.errors.close()


def wait_for(condition: Callable[[], bool], process: subprocess.Popen, timeout_s: float = 60.0) -> None:
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert process.poll() is None, f"the trainer ended with {process.returncode}"
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.mark.timeout(200)
def test_a_killed_process_goes_on_and_counts_every_sample_once(server, tmp_path):
    config = config_of(
        tmp_path,
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

    with tempfile.TemporaryDirectory(prefix="t") as sockets, UnixServer(Path(sockets) / "s", server.handle):
        push(server, records[:600])
        with Process(config, tmp_path, Path(sockets) / "s") as process:
            wait_for(lambda: updates() > 100, process)
            push(server, records[600:1500], 600)
            wait_for(lambda: len(lines(config, "episodes.jsonl")) > 10, process)
            process.send_signal(signal.SIGKILL)
            process.wait()
        push(server, records[1500:], 1500)
        with Process(config, tmp_path, Path(sockets) / "s") as process:
            wait_for(lambda: updates() > 400, process)
            process.send_signal(signal.SIGTERM)
            assert process.wait(60) == 0
        before = updates()
        with Process(config, tmp_path, Path(sockets) / "s") as process:
            assert process.wait(90) == 0
    newest = sorted(checkpoints.iterdir())[-1]
    info = msgspec.json.decode((newest / "checkpoint.json").read_bytes(), type=Info)
    learned = records[(records["step"] > 0) & ~records["test"]]
    assert (info.progress.samples, info.progress.position) == (2020, 2020)
    assert info.progress.transitions == info.progress.updates == len(learned) >= before
    memory = load_file(newest / "agent" / "memory.safetensors")
    assert memory["rewards"][:, 0] == pytest.approx(learned["reward"].astype(np.float32))
    assert [line["episode"] for line in lines(config, "episodes.jsonl")] == list(range(20))
    assert [line["updates"] for line in lines(config, "statistics.jsonl")] == [*range(50, 1601, 50)]


def test_it_is_refused_in_one_line(server, tmp_path):
    config = config_of(tmp_path, agent_kwargs={"learning_rat": 1})
    push(server, make_records([100]))
    with (
        tempfile.TemporaryDirectory(prefix="t") as sockets,
        UnixServer(Path(sockets) / "s", server.handle),
        Process(config, tmp_path, Path(sockets) / "s") as process,
    ):
        assert process.wait(60) == 2
    assert (tmp_path / "stderr").read_text().splitlines()[-1].startswith("trainer: trainer.agent_kwargs: unknown entry")


def test_the_entry_point_trains_over_a_unix_socket(server, tmp_path):
    push(server, make_records([100]))
    with tempfile.TemporaryDirectory(prefix="t") as sockets, UnixServer(Path(sockets) / "s", server.handle):
        config = config_of(tmp_path, server=f"unix:{sockets}/s", max_samples=101, batch_size=8)
        (tmp_path / "run.yaml").write_text(to_yaml(config))
        command = [sys.executable, "-m", "rtgym_ros.train.trainer.main", "--config", tmp_path / "run.yaml"]
        done = subprocess.run(
            [*command, "--set", "trainer.memory_size=200"], timeout=90, capture_output=True, text=True
        )
    assert done.returncode == 0, done.stderr
    assert len(lines(config, "episodes.jsonl")) == 1
