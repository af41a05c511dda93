"""Two robots and a trainer on three hosts, as docs/distant_robots.md has them: one robot is cut off, and healed.

RTGYM_ROS_CUT_S is how long it is cut off (s).
"""

import json
import os
import pickle
import shutil
import signal
import subprocess
import sys
import time
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import real_time_robot
from three_hosts import ADDRESSES, LATENCY_S, LOSS, ThreeHosts, what_is_missing

from rtgym_ros.train.config_file import load_config, make_config, to_yaml

CUT_S = float(os.environ.get("RTGYM_ROS_CUT_S", "8"))
START_S, REACH_S, STOP_S = 180.0, 60.0, 60.0
"""What starting, being heard of again, and ending may take on a busy machine."""
ROBOTS = ("robot1", "robot2")

pytestmark = [
    pytest.mark.timeout(START_S + CUT_S + REACH_S + 3 * STOP_S),
    pytest.mark.skipif(bool(what_is_missing()), reason=what_is_missing()),
]


@dataclass
class Story:
    """What happened.

    Attributes:
        arrived: worker, number and record of each sample, in the order in which the server took them in.
        cut_ns: when robot2 was cut off (ns since the epoch).
        heal_ns: when it was healed.
        reached_ns: when the trainer had heard of its new weights.
        boots: how many boots each worker had, and how many samples it gave up, by name.
        intruder: what the one with the foreign keys said.
        intruder_folder: its files.
    """

    arrived: list[tuple[str, int, np.void]]
    cut_ns: int
    heal_ns: int
    reached_ns: int
    boots: dict[str, tuple[int, int]]
    intruder: str
    intruder_folder: Path

    def of(self, worker):
        """Return the samples of a worker, in the order of their numbers."""
        return [record for name, _, record in sorted(self.arrived, key=lambda each: each[1]) if name == worker]

    def during_the_cut(self, worker):
        return [record for record in self.of(worker) if self.cut_ns <= record["stamp_ns"] < self.heal_ns]


@pytest.fixture(scope="module")
def story(tmp_path_factory):
    for needed in ("nats", "cryptography", "stable_baselines3"):
        pytest.importorskip(needed)
    folder = tmp_path_factory.mktemp("hosts")
    with ThreeHosts() as hosts, ExitStack() as stack:
        return tell(hosts, stack, folder)


def tell(hosts, stack, folder):
    path = prepare(folder)
    config = load_config(path)

    def on(host, module, *arguments):
        program = running(hosts, host, folder, module, "--config", path, *arguments)
        return stack.enter_context(program)

    def worker(name, host, keys, *arguments):
        own = ("--set", f"directory={folder / name}", "--set", f"security.directory={keys}")
        return on(host, "worker.main", "--name", name, *own, *arguments)

    def versions(name):
        """Return the versions of the weights with which the episodes that the trainer has heard of were flown."""
        file = config.folder / "trainer" / "episodes.jsonl"
        lines = file.read_text().splitlines(True) if file.exists() else []
        episodes = [json.loads(line) for line in lines if line.endswith("\n")]
        return [episode["version"] for episode in episodes if episode["worker"] == name]

    server, trainer = on("gpu", "server.main"), on("gpu", "trainer.main")
    robots = [worker(name, name, folder / name / "keys") for name in ROBOTS]
    wait_for(lambda: all(max(versions(name), default=-1) >= 0 for name in ROBOTS), START_S)
    hosts.cut("robot2")
    cut_ns = time.time_ns()
    once = ("--episodes", "1", "--set", "worker.drain_timeout=2")
    (folder / "intruder").mkdir()
    own = ("--set", f"directory={folder / 'intruder'}", "--set", f"security.directory={folder / 'foreign'}")
    intruder = on("robot1", "worker.main", *own, *once)
    time.sleep(CUT_S)
    newest = max(versions("robot1"))
    hosts.heal("robot2")
    heal_ns = time.time_ns()
    wait_for(lambda: max(versions("robot2")) >= newest, REACH_S)
    reached_ns = time.time_ns()
    for robot in robots:  # they hand over what they have
        end(robot)
    end(intruder, None)
    arrived, boots = stream_of(hosts, path, folder)
    end(trainer)
    end(server)
    return Story(arrived, cut_ns, heal_ns, reached_ns, boots, intruder.log.read_text(), folder / "intruder")


def prepare(folder):
    """Make keys and configuration; each robot gets the files that it needs, and no more."""
    from rtgym_ros.train.security.keys import make_keys

    gpu = ADDRESSES["gpu"]
    make_keys(folder / "keys", ROBOTS, [gpu])
    make_keys(folder / "foreign", ["robot1"], [gpu])
    for robot in ROBOTS:
        (folder / robot / "keys").mkdir(parents=True)
        for name in ("ca.crt", f"worker-{robot}.crt", f"worker-{robot}.key"):
            shutil.copy(folder / "keys" / name, folder / robot / "keys")
    config = make_config(
        {
            "run": "hosts",
            "directory": str(folder / "runs"),
            "environment": {"id": real_time_robot.ID, "modules": ["real_time_robot"]},
            "security": {"directory": str(folder / "keys")},
            "server": {"listen": "0.0.0.0:7447", "url": [f"nats://{gpu}:7447"]},
            "worker": {"push_interval": 0.2},
            "trainer": {
                "agent_kwargs": {"policy_kwargs": {"net_arch": [16]}},
                "batch_size": 16,
                "max_updates_per_sample": 0.2,
                "publish_interval": 10,
                "epochs": 1000,
            },
        }
    )
    path = folder / "robots.yaml"
    path.write_text(to_yaml(config))
    return path


class Program:
    """A program on a host, and what it says."""

    def __init__(self, command, log):
        self.log = log
        with log.open("w") as file:
            self.process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=subprocess.STDOUT,
                env={**os.environ, "PYTHONPATH": os.pathsep.join((str(Path(__file__).parent), *sys.path))},
            )


@contextmanager
def running(hosts, host, folder, module, *arguments):
    log = folder / f"{len(list(folder.glob('*.log')))}-{module}.log"
    program = Program(hosts.command(host, sys.executable, "-m", f"rtgym_ros.train.{module}", *arguments), log)
    try:
        yield program
    finally:
        if program.process.poll() is None:
            program.process.terminate()
            try:
                program.process.wait(STOP_S / 2)
            except subprocess.TimeoutExpired:
                program.process.kill()  # its children end with it
                program.process.wait()


def end(program, number=signal.SIGTERM):
    """Wait for a program to end well, after a signal or by itself."""
    if number is not None:
        program.process.send_signal(number)
    code = program.process.wait(STOP_S)
    assert code == 0, f"{program.log}: {program.log.read_text()}"


def wait_for(condition, timeout_s):
    deadline_s = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline_s, "it did not happen in time"
        time.sleep(0.05)


DUMP = """
import pickle, sys
from rtgym_ros.train import Run
with Run.connect(sys.argv[1]) as run, open(sys.argv[2], "wb") as file:
    batches = [(b.robot, b.boot, b.header.first_seq, b.header.dropped, b.records.copy()) for b in run.samples(3.0)]
    pickle.dump(batches, file)
"""
"""Writes down the whole stream; on a host, for a test in another network."""


def stream_of(hosts, path, folder):
    """Return worker, number and record of all samples, in their order; boots and given up by worker."""
    command = hosts.command("gpu", sys.executable, "-c", DUMP, path, folder / "stream")
    subprocess.run(command, check=True, timeout=REACH_S, env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)})
    batches = pickle.loads((folder / "stream").read_bytes())
    samples = [
        (robot, first + number, record)
        for robot, _, first, _, records in batches
        for number, record in enumerate(records)
    ]
    boots = {
        robot: (len({b[1] for b in batches if b[0] == robot}), max(b[3] for b in batches if b[0] == robot))
        for robot in {b[0] for b in batches}
    }
    return samples, boots


@pytest.mark.parametrize("robot", ROBOTS)
def test_every_sample_is_there_once(story, robot):
    numbers = sorted(number for name, number, _ in story.arrived if name == robot)
    assert numbers == list(range(len(numbers)))
    assert story.boots[robot] == (1, 0)


@pytest.mark.parametrize("robot", ROBOTS)
def test_no_robot_waits_for_the_network(story, robot):
    steps, stamps = len(story.during_the_cut(robot)), [int(record["stamp_ns"]) for record in story.of(robot)]
    assert steps >= 0.8 * CUT_S / real_time_robot.TIME_STEP_S
    assert max(np.diff(stamps)) < 1e9 * real_time_robot.TIMEOUT_FACTOR * real_time_robot.TIME_STEP_S
    assert sum(int(record["timeouts"]) for record in story.of(robot)) == 0


def test_the_one_that_is_cut_off_keeps_its_weights_and_gets_new_ones_afterwards(story):
    # What was under way when the cable was cut may be one more.
    flown = {int(record["policy_version"]) for record in story.during_the_cut("robot2")}
    assert len(flown) <= 2
    assert story.of("robot2")[-1]["policy_version"] > max(flown) >= 0


def test_the_other_robot_and_the_trainer_go_on(story):
    versions = [int(record["policy_version"]) for record in story.during_the_cut("robot1")]
    assert versions == sorted(versions)
    assert len(set(versions)) >= CUT_S / 4
    # Its samples arrived while those of robot2 waited.
    waited = next(
        place
        for place, (name, _, record) in enumerate(story.arrived)
        if name == "robot2" and record["stamp_ns"] > story.cut_ns + 1e9
    )
    before = [record["stamp_ns"] for name, _, record in story.arrived[:waited] if name == "robot1"]
    assert max(before) > (story.cut_ns + story.heal_ns) / 2


def test_foreign_keys_get_nothing(story):
    assert set(story.boots) == set(ROBOTS)
    assert list(story.intruder_folder.rglob("*.ring"))  # its samples are where they were
    assert not list(story.intruder_folder.rglob("*.safetensors"))


ECHO = """
import socket
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as here:
    here.bind(("", 7447))
    print("ready", flush=True)
    while True:
        here.sendto(*here.recvfrom(100))
"""

ASK = """
import socket, sys, time
late_s = []
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as here:
    here.settimeout(0.5)
    for number in range(int(sys.argv[2])):
        asked_s = time.monotonic()
        here.sendto(b"%d" % number, (sys.argv[1], 7447))
        try:
            while here.recv(100) != b"%d" % number:
                pass
        except TimeoutError:
            continue
        late_s.append(time.monotonic() - asked_s)
print(len(late_s), min(late_s, default=0))
"""


def test_the_network_is_slow_and_lossy_and_can_be_cut():
    with ThreeHosts() as hosts:

        def ask(host, count):
            command = hosts.command(host, sys.executable, "-c", ASK, ADDRESSES["gpu"], count)
            answers, fastest_s = subprocess.check_output(command, text=True).split()
            return int(answers), float(fastest_s)

        echo = subprocess.Popen(hosts.command("gpu", sys.executable, "-c", ECHO), stdout=subprocess.PIPE, text=True)
        with echo:
            assert echo.stdout.readline() == "ready\n"
            answers, fastest_s = ask("robot1", 100)
            assert 100 * (1 - 10 * LOSS) <= answers < 100
            assert fastest_s > 1.5 * LATENCY_S
            hosts.cut("robot2")
            assert ask("robot2", 3)[0] == 0
            assert ask("robot1", 3)[0] > 0
            hosts.heal("robot2")
            assert ask("robot2", 3)[0] > 0
            echo.kill()


def test_nothing_is_left_of_the_hosts_even_of_a_test_that_was_killed():
    def left(text):
        return [line for line in subprocess.check_output(["ip", "netns"], text=True).splitlines() if text in line]

    with ThreeHosts() as hosts:
        name = hosts.command("gpu")[3]
        assert left(name)
        sleeper = subprocess.Popen(hosts.command("gpu", "sleep", "1000"))
    assert sleeper.wait(10) == -signal.SIGKILL
    assert not left(name)
    code = (
        "import os, signal, three_hosts\nhosts = three_hosts.ThreeHosts().__enter__()\n"
        "print(hosts.command('gpu')[3], flush=True)\nos.kill(os.getpid(), signal.SIGKILL)"
    )
    killed = subprocess.run(
        [sys.executable, "-c", code], cwd=Path(__file__).parent, capture_output=True, text=True, check=False
    )
    name = killed.stdout.strip()
    assert killed.returncode == -signal.SIGKILL
    wait_for(lambda: not left(name), 10.0)
