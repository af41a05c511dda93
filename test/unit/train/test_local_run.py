"""All roles on one machine: what a run leaves, what it shows, and that it goes on where it was."""

import json
import os
import signal
import subprocess
import sys
from time import monotonic, sleep

import psutil
import pytest
from gymnasium import spaces

from rtgym_ros.core.locate import shared_file
from rtgym_ros.policies.weights import PolicyWeights
from rtgym_ros.train.config_file import load_config
from rtgym_ros.train.local import main as local_main
from rtgym_ros.train.local.learning_curve import read_episodes, save_learning_curve
from rtgym_ros.train.protocol.schema import make_schema
from rtgym_ros.train.supervision.supervisor import Supervisor
from rtgym_ros.train.worker.ring_folder import RingFolder, discard_rings

BOX = spaces.Box(-1.0, 1.0, (2,))


def episode(**changes):
    values = {
        "worker": "w",
        "test": False,
        "return": -3.0,
        "length": 12,
        "terminated": True,
        "timeouts": 1,
        "samples": 100,
        "seconds": 5.0,
        "version": 4,  # and what else the trainer notes
    }
    return json.dumps({**values, **changes}) + "\n"


def test_a_line_that_is_being_written_is_left_out(tmp_path):
    assert read_episodes(tmp_path) == []
    (tmp_path / "episodes.jsonl").write_text(episode() + episode(worker="v") + '{"worker": "u"')
    assert [one["worker"] for one in read_episodes(tmp_path)] == ["w", "v"]


def test_the_table_fits_80_columns_and_tells_of_robots_stream_and_learner():
    pytest.importorskip("rich")
    from rich.console import Console

    from rtgym_ros.train.local.live_table import View
    from rtgym_ros.train.stream.sample_message import BatchHeader
    from rtgym_ros.train.stream.watch import RobotView, RunWatch

    watch = RunWatch(load_config(shared_file("config/train.yaml")))
    view, console = View(watch), Console(width=80)
    assert view.summary()[0] == "the server: waiting for the server"
    watch.problem, watch.messages, watch.stream_bytes = "", 1_234_567, 2_345_678_901
    assert view.summary()[0] == "waiting for the first samples"
    watch.progress = {
        "updates": 123_456, "transitions": 234_567, "samples": 345_678, "version": 1234, "refused": 1, "evicted": 0,
        "goal": {"updates": 1_000_000, "samples": None},
        "robots": [
            {"robot": "a-robot-with-a-long-name", "test": test, "episodes": 12_345, "return": -123.456,
             "success": 1.0, "length": 100.0, "timeouts": 12_345}
            for test in (False, True)
        ],
    }  # fmt: skip
    header = BatchHeader(boot="b", first_seq=0, count=50, crc=0, schema=0, unread=12_345, dropped=2, version=1234)
    watch.robots["a-robot-with-a-long-name"] = RobotView(header)
    with console.capture() as captured:
        console.print(view.render())
    shown = captured.get()
    assert max(map(len, shown.splitlines())) <= 80
    for told in (
        "12% done",
        "? left",
        "123,456",
        "refused 1",
        "12345",
        "-123.46",
        "100%",
        "samples that wait on the robot",
    ):
        assert told in shown
    assert "return -123.46" in view.line()


@pytest.mark.parametrize("count", [0, 1, 120])
def test_there_is_a_picture_whatever_was_flown(tmp_path, count):
    pytest.importorskip("matplotlib")
    records = [
        {"test": number % 10 == 0, "return": -20 + number / 10, "terminated": number > 50, "samples": 30 * number}
        for number in range(count)
    ]
    save_learning_curve(tmp_path / "curve.png", {"with": [records, records], "without": [[]]}, rate_hz=20.0)
    assert (tmp_path / "curve.png").read_bytes().startswith(b"\x89PNG")


def test_simulated_time_keeps_the_configuration_of_the_environment(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    made = []
    monkeypatch.setattr(Supervisor, "run", lambda self: made.append(self) or 0)
    kwargs = "environment.kwargs={namespace: /left, config: {act_in_obs: false}}"
    assert local_main.main(["--sim-time", "--set", kwargs]) == 0
    environment = load_config(tmp_path / "runs/drone/config.yaml").environment
    assert (environment.id, environment.kwargs) == ("rtgym_ros/SimulatedDrone-v0", {"config": {"act_in_obs": False}})
    assert len(made) == 1


def test_what_is_thrown_away_is_gone_from_ram_too(tmp_path):
    ring = RingFolder(tmp_path / "workers" / "w").create(make_schema(BOX, BOX), 10)
    ring.close()
    (path,) = RingFolder(tmp_path / "workers" / "w").paths()
    memory = path.resolve()
    assert memory.exists()
    discard_rings(tmp_path)
    assert not memory.exists()


def children_of(pid):
    return [child.pid for child in psutil.Process(pid).children(recursive=True)]


def train(folder, samples, *more):
    settings = ("trainer.batch_size=16", "trainer.steps=100", "trainer.start_training=50")
    settings += ("trainer.agent_kwargs={policy_kwargs: {net_arch: [16]}}", "trainer.publish_interval=25")
    command = [sys.executable, "-m", "rtgym_ros.train.local.main", "--sim-time", "--seed", "1"]
    command += ["--samples", str(samples), *(part for setting in settings for part in ("--set", setting)), *more]
    return subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def samples_of(folder):
    path = folder / "runs/drone/trainer/statistics.jsonl"
    rounds = path.read_text().splitlines() if path.exists() else []
    return json.loads(rounds[-1])["samples"] if rounds else 0


@pytest.mark.timeout(900)
def test_a_run_leaves_a_policy_and_a_picture_and_goes_on(tmp_path):
    pytest.importorskip("stable_baselines3")
    first = train(tmp_path, 500)
    said, _ = first.communicate(timeout=400)
    assert first.returncode == 0, said
    run = tmp_path / "runs/drone"
    assert f"policy: {run.relative_to(tmp_path)}/policy.safetensors" in said
    assert (run / "learning_curve.png").exists()
    version = PolicyWeights.load(run / "policy.safetensors").version
    taken = samples_of(tmp_path)  # how many more than 500 is a matter of speed
    assert taken >= 500

    second = train(tmp_path, taken + 400)
    said, _ = second.communicate(timeout=400)
    assert second.returncode == 0, said
    assert samples_of(tmp_path) >= taken + 400
    assert PolicyWeights.load(run / "policy.safetensors").version > version


@pytest.mark.timeout(900)
def test_ctrl_c_ends_it_all(tmp_path):
    pytest.importorskip("stable_baselines3")
    process = train(tmp_path, 10**9)
    try:
        deadline = monotonic() + 400
        while not samples_of(tmp_path):
            assert monotonic() < deadline
            assert process.poll() is None
            sleep(0.2)
        started = children_of(process.pid)
        assert 5 <= len(started) <= 7  # server, trainer, link, control, table; a simulated robot
        process.send_signal(signal.SIGINT)
        said, _ = process.communicate(timeout=400)
    finally:
        process.kill()
    assert process.returncode == 0, said
    assert not [child for child in started if os.path.exists(f"/proc/{child}/stat")]


def test_bad_input_is_one_line(tmp_path):
    pytest.importorskip("rich")
    for arguments, said in (
        (["--set", "trainer.batch=3"], "unknown entry trainer.batch (did you mean 'batch_size'?)"),
        (["--config", "nothing.yaml"], "nothing.yaml: No such file or directory"),
        (["--workers", "many"], "argument --workers: invalid int value: 'many'"),
        (["--workers", "0"], "argument --workers: must be at least 1, got 0: without a worker nothing is learned"),
    ):
        command = [sys.executable, "-m", "rtgym_ros.train.local.main", *arguments]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
        assert done.returncode == 2
        assert done.stderr.count("\n") == 1
        assert said in done.stderr


def test_help_needs_nothing_that_may_be_missing():
    code = (
        "import sys; sys.argv = ['train_local', '--help']\n"
        "try:\n    from rtgym_ros.train.programs import local; local()\n"
        "except SystemExit: pass\n"
        "print([name for name in ('torch', 'nats', 'stable_baselines3', 'rich', 'yaml') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.splitlines()[-1] == "[]"


def test_two_in_one_folder_and_a_folder_that_is_not_ours_are_refused(tmp_path):
    from contextlib import ExitStack

    from rtgym_ros.core.errors import ConfigError

    folder = tmp_path / "run"
    with ExitStack() as first, ExitStack() as second:
        local_main._enter_folder(folder, False, first)
        with pytest.raises(ConfigError, match="another train_local is at work"):
            local_main._enter_folder(folder, False, second)
    (folder / "old").touch()
    with ExitStack() as stack:
        local_main._enter_folder(folder, True, stack)
        assert not (folder / "old").exists()
    precious = tmp_path / "precious"
    precious.mkdir()
    (precious / "thesis.tex").touch()
    with ExitStack() as stack, pytest.raises(ConfigError, match="did not make: move it away yourself"):
        local_main._enter_folder(precious, True, stack)
    assert (precious / "thesis.tex").exists()


def test_two_servers_on_one_address_or_with_one_folder_are_refused(tmp_path):
    pytest.importorskip("nats")
    from nats_server import config_of, python, write

    config = config_of(tmp_path)
    command = python("rtgym_ros.train.server.main", "--config", write(config))
    elsewhere, folder = config_of(tmp_path).server.listen, config.folder / "server"
    first = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    try:
        deadline = monotonic() + 30
        while not (folder / "nats-server.log").exists():
            assert monotonic() < deadline
            sleep(0.05)
        for more, said in (
            (("--set", f"directory={tmp_path / 'other'}"), "another program listens there: another run?"),
            (
                ("--set", f"server.listen={elsewhere}"),
                f"another server keeps its samples in {folder}",
            ),
        ):
            second = subprocess.run([*command, *more], capture_output=True, text=True, timeout=60)
            assert second.returncode == 2
            assert second.stderr.count("\n") == 1
            assert said in second.stderr
        assert first.poll() is None
    finally:
        first.terminate()
        assert first.wait(30) == 0
