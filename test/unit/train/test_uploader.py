"""The uploader with a real server; then whole workers, whose processes are killed."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from gymnasium import spaces

from rtgym_ros.train.config import ServerConfig, WorkerConfig
from rtgym_ros.train.errors import LinkError, RefusedError
from rtgym_ros.train.links.link import Link
from rtgym_ros.train.links.server_client import ServerClient
from rtgym_ros.train.policy.policy_file import PolicyWeights
from rtgym_ros.train.protocol.messages import Publish, Push, Release, Take, decode_request
from rtgym_ros.train.protocol.schema import from_columns, make_schema
from rtgym_ros.train.server.server import Server
from rtgym_ros.train.server.unix_server import UnixServer
from rtgym_ros.train.worker.ring_folder import RingFolder
from rtgym_ros.train.worker.uploader import Uploader

SCHEMA = make_schema(spaces.Box(-1, 1, (3,)), spaces.Box(-1, 1, (2,)))
BIG = make_schema(spaces.Box(0, 255, (1500, 1000), np.uint8), spaces.Box(-1, 1, (2,)))


def weights(version):
    return PolicyWeights("any", version, {"a": np.full(3, version)}, {}).to_bytes()


class HostedServer:
    """A server in this process, and what happens on the way to it."""

    def __init__(self, folder, **config):
        self.server = Server(folder, ServerConfig(**config), "run")
        self.client = ServerClient(self)
        self.fault = None  # "lost request", "lost reply", or None
        self.pushes = []
        self.opened = 0

    def call(self, request, timeout_s):
        return self.server.handle(request)

    def open(self):
        self.opened += 1
        return Way(self)

    def take(self, schema=SCHEMA):
        """Return everything that was taken in: ``[(boot, seq)]`` in its order."""
        found, position = [], 0
        while True:
            taken = self.client.take(Take(trainer="t", schema=schema, position=position))
            for batch in taken.batches:
                records = from_columns(schema, batch.columns, batch.count)
                assert records["stamp_ns"].tolist() == list(range(batch.first_seq, batch.first_seq + batch.count))
                found += [(batch.boot, seq) for seq in records["stamp_ns"].tolist()]
                position = batch.position + batch.count
            if position == taken.end:
                return found

    def publish(self, version):
        self.client.publish(Publish(trainer="t", version=version, weights=weights(version)))


class Way(Link):
    def __init__(self, hosted):
        self.hosted = hosted
        self.closed = False

    def call(self, request, timeout_s):
        assert not self.closed
        if self.hosted.fault == "lost request":
            raise LinkError("cut off")
        message = decode_request(request)
        if isinstance(message, Push):
            self.hosted.pushes.append(message)
        reply = self.hosted.server.handle(request)
        if self.hosted.fault == "lost reply":
            raise LinkError("cut off")
        return reply

    def close(self):
        self.closed = True


class Worker:
    """A folder with rings, an uploader on a clock that the test moves, and control processes that come and go."""

    def __init__(self, folder, hosted, **config):
        self.folder, self.hosted = folder, hosted
        self.config = WorkerConfig(**config)
        self.rings = RingFolder(folder)
        self.now_s = 100.0
        self.writers, self.waits = [], []
        self.uploader = self.make()

    def make(self):
        return Uploader(
            self.hosted.open, "robot", self.folder, self.config, monotonic=lambda: self.now_s, sleep=self.wait
        )

    def killed_link(self):
        """Let a new link process begin where the one before was killed."""
        self.uploader.close()
        self.uploader = self.make()

    def boot(self, capacity=1000, schema=SCHEMA):
        self.writers.append(self.rings.create(schema, capacity))
        return self.writers[-1]

    def write(self, count, writer=None):
        writer = writer or self.writers[-1]
        for seq in range(writer.written, writer.written + count):
            writer.append((0, seq, False, False, False, -1, seq, 0, 0.0, 0.0, [0, 0], np.zeros(3)))

    def wait(self, duration_s):
        assert duration_s >= 0
        self.waits.append(duration_s)
        self.now_s += max(duration_s, 0.001)
        return False

    def work(self, duration_s):
        end_s = self.now_s + duration_s
        while self.now_s < end_s:
            self.wait(self.uploader.work())

    def drain(self):
        self.uploader.run(lambda duration_s: True)

    def close(self):
        self.uploader.close()
        for writer in self.writers:
            writer.close()
        for path in self.rings.paths():
            self.rings.remove(path)


@pytest.fixture
def hosted(tmp_path):
    servers = []

    def make(**config):
        servers.append(HostedServer(tmp_path / f"server-{len(servers)}", **config))
        return servers[-1]

    yield make
    for each in servers:
        each.server.close()


@pytest.fixture
def make_worker(tmp_path):
    workers = []

    def make(hosted, **config):
        workers.append(Worker(tmp_path / "worker", hosted, **config))
        return workers[-1]

    yield make
    for worker in workers:
        worker.close()


def sequence(writer, count, first=0):
    return [(writer.boot, seq) for seq in range(first, first + count)]


def test_everything_arrives_once_and_in_order(hosted, make_worker):
    server = hosted()
    worker = make_worker(server, push_samples=10)
    first = worker.boot()
    for _ in range(7):
        worker.write(13)
        worker.work(0.7)
    worker.drain()
    assert server.take() == sequence(first, 91)
    assert max(push.count for push in server.pushes) == 10
    assert len(worker.rings.paths()) == 1, "its writer is still there"
    first.close()
    worker.work(1)
    assert worker.rings.paths() == []


def test_an_empty_push_each_interval_and_a_full_batch_at_once(hosted, make_worker):
    server = hosted()
    worker = make_worker(server, push_interval=2.0, push_samples=10)
    worker.boot()
    worker.work(9.9)
    assert len(server.pushes) == 6, "one greets, then at 0, 2, 4, 6 and 8 s"
    assert max(worker.waits) <= 0.1
    worker.write(9)
    worker.work(0.0)
    worker.write(1)
    worker.work(0.2)
    assert server.pushes[-1].count == 10


def test_pushes_are_bounded_in_bytes(hosted, make_worker):
    server = hosted()
    worker = make_worker(server)
    writer = worker.boot(12, BIG)
    for seq in range(12):
        writer.append((0, seq, False, False, False, -1, seq, 0, 0.0, 0.0, [0, 0], np.zeros((1500, 1000), np.uint8)))
    worker.drain()
    assert [push.count for push in server.pushes if push.count] == [5, 5, 2]
    assert len(server.take(BIG)) == 12


@pytest.mark.parametrize("fault", ["lost request", "lost reply"])
def test_what_was_written_while_cut_off_arrives_when_it_is_healed(hosted, make_worker, fault):
    server = hosted()
    worker = make_worker(server, push_samples=10)
    writer = worker.boot()
    worker.write(25)
    worker.work(1)
    server.fault = fault
    for _ in range(60):
        worker.write(3)
        worker.work(1.0)
    assert 2 <= server.opened <= 8, "a link that does not come back is replaced now and then"
    server.fault = None
    worker.work(5.1)
    assert server.take() == sequence(writer, 205)
    assert server.client.status().workers[0].dropped == 0


def test_the_pause_grows_while_it_is_cut_off(hosted, make_worker):
    server = hosted()
    worker = make_worker(server)
    worker.boot()
    server.fault = "lost reply"
    worker.work(60)
    assert 12 <= len(server.pushes) <= 18


def test_what_a_full_ring_gives_up_is_counted(hosted, make_worker):
    server = hosted()
    worker = make_worker(server, push_samples=10)
    writer = worker.boot(50)
    worker.write(20)
    worker.work(1)
    server.fault = "lost request"
    worker.write(130)
    worker.work(30)
    server.fault = None
    worker.work(10)
    assert server.take() == sequence(writer, 20) + sequence(writer, 50, 100)
    assert server.client.status().workers[0].dropped == 80


def test_a_new_link_process_goes_on_where_the_last_one_was_killed(hosted, make_worker):
    server = hosted()
    worker = make_worker(server, push_samples=10)
    writer = worker.boot(50)
    for _ in range(5):
        worker.write(17)
        worker.work(0.01)
        server.fault = "lost reply"  # it is killed with a push under way
        worker.write(10)
        worker.work(1.0)
        server.fault = None
        worker.killed_link()
    worker.work(1)
    assert server.take() == sequence(writer, 135)
    status = server.client.status().workers[0]
    assert (status.dropped, status.samples) == (0, 135)


def test_what_the_server_has_is_not_counted_as_dropped(hosted, make_worker):
    server = hosted()
    worker = make_worker(server)
    worker.boot(10)
    worker.work(1)
    server.fault = "lost reply"
    worker.write(10)
    worker.work(1)
    worker.killed_link()
    worker.write(10)  # over those that arrived
    server.fault = None
    worker.work(1)
    assert len(server.take()) == 20
    assert server.client.status().workers[0].dropped == 0


def test_earlier_boots_come_first_and_their_rings_go(hosted, make_worker):
    server = hosted()
    worker = make_worker(server, push_samples=10)
    boots = []
    for _ in range(3):
        boots.append(worker.boot())
        worker.write(8)
    boots[0].close()  # it ended
    boots[1]._file.close()  # it was killed
    boots[1]._closed = True
    worker.work(1)
    assert server.take() == [sample for boot in boots for sample in sequence(boot, 8)]
    assert [path.stem for path in worker.rings.paths()] == [boots[2].boot]
    worker.write(1)
    worker.work(1)
    assert len(server.take()) == 25


def test_backpressure_loses_nothing(hosted, make_worker):
    server = hosted(max_queued_samples=20)
    worker = make_worker(server, push_samples=10)
    writer = worker.boot()
    worker.write(50)
    worker.work(10)
    assert len(server.take()) == 20
    server.client.release(Release(trainer="t", position=20))
    worker.work(10)
    assert server.client.status().samples == 40
    server.client.release(Release(trainer="t", position=40))
    worker.work(10)
    assert server.client.status().samples == writer.written


def test_another_schema_is_refused_for_good(hosted, make_worker):
    server = hosted()
    worker = make_worker(server)
    worker.boot()
    worker.work(1)
    worker.boot(10, make_schema(spaces.Box(-1, 1, (4,)), spaces.Box(-1, 1, (2,))))
    with pytest.raises(RefusedError, match="observation/0"):
        worker.work(1)


def test_an_earlier_boot_that_is_refused_is_set_aside(hosted, make_worker, caplog):
    server = hosted()
    worker = make_worker(server)
    worker.boot(10, make_schema(spaces.Box(-1, 1, (4,)), spaces.Box(-1, 1, (2,)))).close()
    other = worker.boot()
    server.client.take(Take(trainer="t", schema=SCHEMA, position=0))  # the trainer has come first
    worker.write(5)
    worker.work(3)
    assert server.take() == sequence(other, 5)
    assert len(worker.rings.paths()) == 2
    assert sum("are refused" in record.getMessage() for record in caplog.records) == 1


def test_weights_come_back(hosted, make_worker):
    server = hosted()
    worker = make_worker(server, history_interval=2)
    writer = worker.boot()
    worker.work(1)
    assert writer.weights_version == -1
    for version in (0, 1, 2):
        server.publish(version)
        worker.work(1)
        assert writer.weights_version == version
        assert PolicyWeights.load(worker.folder / "policy.safetensors").version == version
    assert sorted(path.name for path in worker.folder.glob("policy-*")) == [
        "policy-0.safetensors",
        "policy-2.safetensors",
    ]
    worker.killed_link()
    later = worker.boot()
    pushes = len(server.pushes)
    worker.work(0.01)
    assert later.weights_version == 2, "it is told at once"
    assert {push.have_version for push in server.pushes[pushes:]} == {2}


def test_a_server_that_began_anew_is_followed(hosted, make_worker):
    worker = make_worker(hosted())
    writer = worker.boot()
    worker.hosted.publish(9)
    worker.work(1)
    worker.hosted = hosted()
    worker.killed_link()
    worker.hosted.publish(3)
    worker.work(2)
    assert writer.weights_version == 3
    assert PolicyWeights.load(worker.folder / "policy.safetensors").version == 3


def test_draining_is_bounded(hosted, make_worker, caplog):
    server = hosted()
    worker = make_worker(server, drain_timeout=7.0)
    worker.boot()
    worker.write(5)
    server.fault = "lost request"
    began_s = worker.now_s
    worker.drain()
    assert 7.0 <= worker.now_s - began_s < 7.5
    assert "5 samples are left" in caplog.records[-1].getMessage()


# --- processes ---

MODULE = """
import gymnasium
import numpy as np
from gymnasium import spaces
from rtgym_ros import DummyRCDrone, RealTimeGymInterface

class Drone(RealTimeGymInterface):
    def __init__(self):
        self.drone = DummyRCDrone()
    def get_observation_space(self):
        return spaces.Tuple((spaces.Box(-1, 1, (2,)),))
    def get_action_space(self):
        return spaces.Box(-2, 2, (2,))
    def get_default_action(self):
        return np.zeros(2, np.float32)
    def send_control(self, control):
        self.drone.send_control(*control)
    def reset(self, seed=None, options=None):
        return self._observe(), {}
    def get_obs_rew_terminated_info(self):
        return self._observe(), 1.0, False, {}
    def close(self):
        self.drone.close()
    def _observe(self):
        return [np.array(self.drone.get_observation(), np.float32)]

config = {"interface": Drone, "time_step_duration": 0.005, "ep_max_length": 40, "act_buf_len": 2}
gymnasium.register("TestDrone-v0", "rtgym_ros:RealTimeEnv", kwargs={"config": config})
"""
CONFIG = """
run: test
environment: {id: TestDrone-v0, modules: [drone_for_test]}
worker: {server: "unix:SOCKET", push_interval: 0.05, buffer_samples: 2000}
"""


class Program:
    """``train_worker`` in a process of its own."""

    def __init__(self, folder, *arguments):
        self.folder = folder
        (folder / "drone_for_test.py").write_text(MODULE)
        config = folder / "config.yaml"
        config.write_text(CONFIG.replace("SOCKET", str(folder / "s")))
        command = ["-m", "rtgym_ros.train.worker.main", "--config", str(config), "--folder", str(folder / "w")]
        path = os.pathsep.join((str(folder), os.environ.get("PYTHONPATH", "")))
        self.process = subprocess.Popen(
            [sys.executable, *command, "--name", "robot", *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": path},
        )

    def child(self, module):
        """Return the process that runs a module, None where there is none."""
        listed = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text()
        for pid in map(int, listed.split()):
            if f"rtgym_ros.train.worker.{module}" in Path(f"/proc/{pid}/cmdline").read_text():
                return pid
        return None

    def kill(self, module):
        pid = until(lambda: self.child(module))
        os.kill(pid, signal.SIGKILL)
        until(lambda: self.child(module) not in (pid, None))

    def end(self, timeout_s=40):
        self.out, self.errors = self.process.communicate(timeout=timeout_s)
        return self.process.returncode


def until(condition, timeout_s=30.0):
    deadline_s = time.monotonic() + timeout_s
    while time.monotonic() < deadline_s:
        result = condition()
        if result:
            return result
        time.sleep(0.01)
    raise AssertionError("it has not happened")


@pytest.fixture
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("w")
    programs = []

    def start(*arguments):
        programs.append(Program(folder, *arguments))
        return programs[-1]

    yield start
    for program in programs:
        if program.process.poll() is None:
            program.process.kill()
            program.process.communicate()
    for path in (folder / "w" / "rings").glob("*"):
        path.resolve().unlink(missing_ok=True)


def taken_by_boot(server):
    """Return the records of each boot, oldest first, checked to be complete."""
    schema = server.server._schema.schema
    boots, position = {}, 0
    while True:
        taken = server.client.take(Take(trainer="t", schema=schema, position=position))
        for batch in taken.batches:
            records = boots.setdefault(batch.boot, [])
            assert batch.first_seq == sum(map(len, records)), "nothing is missing, nothing came twice"
            records.append(from_columns(schema, batch.columns, batch.count))
            position = batch.position + batch.count
        if position == taken.end:
            return [np.concatenate(records) for records in boots.values()]


def test_a_worker_flies_its_episodes_and_everything_arrives(run, hosted):
    server = hosted()
    program = run("--episodes", "5")
    with UnixServer(program.folder / "s", server.server.handle):
        assert program.end() == 0, program.errors
    (records,) = taken_by_boot(server)
    assert records["episode"].tolist() == [number for number in range(5) for _ in range(41)]
    assert records["truncated"].sum() == 5
    assert not list((program.folder / "w" / "rings").iterdir())
    assert program.errors == ""


def test_link_and_control_are_killed_and_nothing_is_lost(run, hosted):
    server = hosted()
    program = run()
    with UnixServer(program.folder / "s", server.server.handle):
        for count in range(1, 4):
            until(lambda count=count: server.client.status().samples > 150 * count)
            program.kill("link_main")
        samples = server.client.status().samples
        until(lambda: server.client.status().samples > samples)
        program.kill("control")
        until(lambda: server.client.status().workers[0].boots == 2)
        samples = server.client.status().samples
        until(lambda: server.client.status().samples > samples + 100)
        program.process.send_signal(signal.SIGTERM)
        assert program.end() == 0, program.errors
    first, second = taken_by_boot(server)
    for records in (first, second):  # each is one flight without a gap
        steps = np.arange(len(records))
        assert (records["episode"] == steps // 41).all()
        assert (records["step"] == steps % 41).all()
    assert server.client.status().workers[0].dropped == 0
    assert program.errors.count("link ended (signal SIGKILL)") == 3
    assert program.errors.count("control ended (signal SIGKILL)") == 1
    assert not list((program.folder / "w" / "rings").iterdir())


def test_samples_of_a_worker_without_a_server_are_sent_by_the_next_one(run, hosted):
    server = hosted()
    program = run("--episodes", "2", "--set", "worker.drain_timeout=0.1")
    assert program.end() == 0
    assert "82 samples are left" in program.errors
    program = run("--episodes", "1")
    with UnixServer(program.folder / "s", server.server.handle):
        assert program.end() == 0, program.errors
    assert [len(records) for records in taken_by_boot(server)] == [82, 41]


def test_a_worker_that_is_refused_ends_with_2(run, hosted):
    server = hosted()
    server.client.take(Take(trainer="t", schema=SCHEMA, position=0))
    program = run()
    with UnixServer(program.folder / "s", server.server.handle):
        assert program.end() == 2
    assert "observation/0" in program.errors
    assert program.errors.count("\n") == 1


def test_a_wrong_configuration_ends_with_2(run):
    for override, message in (
        ("worker.polcy=x", "unknown entry worker.polcy"),
        ("environment.id=Nothing-v0", "environment.id 'Nothing-v0'"),
        ("environment.modules=[nothing]", "environment.modules: 'nothing'"),
        ("environment.sample_compressor=x", "environment.sample_compressor must be written"),
    ):
        program = run("--set", override)
        assert program.end() == 2
        assert message in program.errors
        assert program.errors.count("\n") == 1


def test_two_workers_of_one_name_are_one_too_many(run):
    first = run("--set", "worker.drain_timeout=0.1")
    until(lambda: first.child("control"))
    second = run()
    assert second.end() == 2
    assert "another worker uses" in second.errors
    first.process.send_signal(signal.SIGINT)
    assert first.end() == 0


def test_it_flies_alone(run, tmp_path):
    layers = {"mean.weight": np.zeros((2, 6), np.float32), "mean.bias": np.zeros(2, np.float32)}
    PolicyWeights("squashed_gaussian_mlp", 3, layers, {}).save(tmp_path / "p")
    program = run("--standalone", str(tmp_path / "p"), "--episodes", "2")
    assert program.end() == 0, program.errors
    assert program.out.splitlines() == [
        f"episode {number}: return 40.000, 40 time-steps, truncated" for number in (1, 2)
    ]
    program = run("--standalone", str(tmp_path / "missing"))
    assert program.end() == 2
    assert "No such file" in program.errors
