"""Killed processes, full disks, slow disks, damaged files: what is in a recording then, and what is told."""

import gc
import multiprocessing
import os
import random
import signal
import struct
import subprocess
import sys
import threading
import time
import warnings
from pathlib import Path

import numpy as np
import psutil
import pytest
from mcap.exceptions import McapError
from mcap.reader import make_reader
from mcap_doctor import check_strictly

from rtgym_ros.core.time_source import MonotonicTimeSource
from rtgym_ros.record.editing import cut, merge, repair
from rtgym_ros.record.errors import RecordError, RecordingWarning
from rtgym_ros.record.messages import read_messages
from rtgym_ros.record.reading import read_episodes, recorded_files
from rtgym_ros.record.recorded_topic import RecordedTopic
from rtgym_ros.record.recorder import Recorder
from rtgym_ros.record.replay_env import ReplayEnv
from rtgym_ros.record.schema import HEADER_TEXT
from rtgym_ros.record.time_step import RecordedTimeStep

KILLS = int(os.environ.get("RTGYM_ROS_TEST_KILLS", "3"))
RUN = {"run": "0123456789", "format": "1"}


def some_step(index, size=8):
    """A time-step whose observation tells its index."""
    return RecordedTimeStep(index=index, episode_step=index, observation=(("", np.full(size, index, np.float32)),))


TOPIC = RecordedTopic("/scan", "std_msgs/msg/Header", HEADER_TEXT, "", (("subscription", "0"),))


def test_messages_that_find_no_room_are_counted_apart(tmp_path):
    recorder = Recorder(tmp_path, RUN, queue_bytes=1)
    recorder.write_message(TOPIC, 1, 2, 0, b"four")
    recorder.close()
    assert (recorder.state.dropped, recorder.state.messages_dropped, recorder.state.messages_written) == (0, 1, 0)
    assert list(tmp_path.glob("*.mcap")) == []


def test_messages_of_another_thread_come_whole_and_in_order(tmp_path):
    """The clock thread hands on messages while the agent's hands on time-steps."""
    recorder = Recorder(tmp_path, RUN, split=1 << 30)
    clock = threading.Thread(
        target=lambda: [recorder.write_message(TOPIC, i, i + 1, i, i.to_bytes(4, "little")) for i in range(2000)]
    )
    clock.start()
    for index in range(500):
        recorder.write(some_step(index))
    clock.join()
    recorder.close()
    state = recorder.state
    assert (state.written, state.messages_written, state.dropped, state.messages_dropped) == (500, 2000, 0, 0)
    assert state.queued_bytes == 0
    (file,) = recorded_files(tmp_path)
    messages = [message for message in read_messages(file) if message.topic == "/scan"]
    assert [message.sequence for message in messages] == list(range(2000))
    assert all(int.from_bytes(message.data, "little") == message.log_time_ns for message in messages)
    assert all(message.publish_time_ns == message.log_time_ns + 1 for message in messages)
    assert messages[0].type == "std_msgs/msg/Header"
    assert messages[0].facts["subscription"] == "0"
    assert [step.index for step in read(tmp_path)] == list(range(500))


def read(folder):
    return [step for episode in read_episodes(folder) for step in episode.steps]


def run_python(code, *arguments, **options):
    """Start a program that has the names of this file's head."""
    head = (
        "import sys, time, os, struct, signal, warnings, resource\n"
        f"sys.path[:0] = {[str(Path(__file__).parent), str(Path(__file__).parents[2])]!r}\n"
        "from test_recording_goes_wrong import *\n"
    )
    return subprocess.Popen([sys.executable, "-c", head + code, *map(str, arguments)], **options)


@pytest.mark.parametrize("killed", ["both", "agent"])
def test_killed_at_any_moment(tmp_path, killed):
    """All that the recorder called written is there after repair, and nothing in between is missing.

    Where the writer lives on nothing is lost, and nothing is to be repaired.
    """
    code = """
recorder = Recorder(sys.argv[1], RUN, split=200_000)
log = os.open(sys.argv[2], os.O_CREAT | os.O_WRONLY | os.O_APPEND)
print(recorder.writer_pid, flush=True)
index = 0
while True:
    recorder.write(some_step(index, 200))
    os.write(log, struct.pack("<QQQ", index, recorder.state.written, time.monotonic_ns()))
    index += 1
    time.sleep(0.001)
"""
    rng = random.Random(5)
    behind = []
    for number in range(KILLS):
        folder, log = tmp_path / str(number), tmp_path / f"{number}.log"
        process = run_python(code, folder, log, stdout=subprocess.PIPE)
        try:
            writer = psutil.Process(int(process.stdout.readline()))
            time.sleep(rng.uniform(0.0, 2.0))
            killed_ns = time.monotonic_ns()
            if killed == "both":
                writer.kill()
        finally:
            process.kill()
            process.communicate(timeout=10)
        writer.wait(20)
        entries = log.read_bytes()
        entries = list(struct.iter_unpack("<QQQ", entries[: len(entries) // 24 * 24]))
        files = sorted(folder.glob("*.mcap"))
        damaged = [file for file in files if not is_whole(file)]
        assert len(damaged) <= (killed == "both"), "only the file that was being written can be without its end"
        for file in damaged:
            assert repair(file).damage
            assert is_whole(file)
        found = [step.index for step in read(folder)] if files else []
        assert found == list(range(len(found)))
        if entries:
            assert len(found) >= (entries[-1][1] if killed == "both" else entries[-1][0] + 1)
        first_lost_ns = next((at_ns for index, _, at_ns in entries if index >= len(found)), killed_ns)
        behind.append((killed_ns - first_lost_ns) / 1e9)
    print(f"{KILLS} kills ({killed}): the oldest time-step lost was at most {max(behind):.3f} s old")


def is_whole(file):
    """Whether the strict reader finds nothing wrong."""
    try:
        check_strictly(file)
    except (McapError, AssertionError, ValueError, struct.error):
        return False
    return True


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_ended_by_a_signal_to_all_of_its_processes(tmp_path, number):
    """As Ctrl-C in a terminal, or the end of a service: the writer has the end of the flight to write."""
    process = run_python(
        "signal.signal(signal.SIGINT, signal.SIG_DFL)\nrecorder = Recorder(sys.argv[1], RUN)\n"
        "for index in range(500): recorder.write(some_step(index))\n"
        "print(recorder.writer_pid, flush=True)\ntime.sleep(60)",
        tmp_path,
        stdout=subprocess.PIPE,
        start_new_session=True,
    )
    writer = psutil.Process(int(process.stdout.readline()))
    writer.send_signal(number)  # what a service manager does
    os.killpg(process.pid, number)  # what a terminal does
    process.communicate(timeout=30)
    assert process.returncode == -number
    writer.wait(20)
    assert [step.index for step in read(tmp_path)] == list(range(500))


def test_nothing_is_left_behind(tmp_path):
    """No process, no descriptor, no file in memory, no memory."""
    process = psutil.Process()
    before = process.num_fds()
    for number in range(2):
        recorder = Recorder(tmp_path / str(number), RUN)
        recorder.write(some_step(0))
        recorder.close()
        assert not psutil.pid_exists(recorder.writer_pid)
        del recorder
    gc.collect()
    assert process.num_fds() == before
    assert not [name for name in os.listdir("/dev/shm") if "recorder" in name]
    assert "rtgym_ros recorder" not in Path("/proc/self/maps").read_text()


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_recorded_in_processes_of_multiprocessing(tmp_path, method):
    """Each with a recorder of its own; a child that was forked does not write with its parent's, nor closes it."""
    recorder = Recorder(tmp_path / "parent", RUN)
    recorder.write(some_step(0))
    child = multiprocessing.get_context(method).Process(
        target=fly_in_a_child, args=(tmp_path / "child", recorder if method == "fork" else None), daemon=True
    )
    child.start()
    child.join(60)
    assert child.exitcode == 0
    recorder.write(some_step(1))
    recorder.close()
    assert (recorder.state.written, recorder.state.dropped, recorder.state.error) == (2, 0, "")
    assert [step.index for step in read(tmp_path / "parent")] == [0, 1]
    assert [step.index for step in read(tmp_path / "child")] == list(range(100))


def fly_in_a_child(folder, parents):
    if parents is not None:
        parents.write(some_step(7))
        parents.close()
    recorder = Recorder(folder, RUN)
    for index in range(100):
        recorder.write(some_step(index))
    recorder.close()


def test_a_writer_that_cannot_be_started(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "path", [])
    with pytest.raises(OSError, match=r"nothing can be recorded: .*No module named 'rtgym_ros'"):
        Recorder(tmp_path, RUN)


@pytest.mark.parametrize("end", ["raise ValueError('crash')", "sys.exit(3)", "pass"])
def test_a_program_that_forgets_to_close(tmp_path, end):
    process = run_python(
        "recorder = Recorder(sys.argv[1], RUN)\nfor index in range(500): recorder.write(some_step(index))\n" + end,
        tmp_path / "flight",
        stderr=subprocess.PIPE,
    )
    process.communicate(timeout=30)
    assert [step.index for step in read(tmp_path / "flight")] == list(range(500))


def test_nothing_is_lost_at_1_khz(tmp_path):
    recorder = Recorder(tmp_path, RUN)
    clock = MonotonicTimeSource()
    start_ns = clock.now_ns()
    for index in range(1500):
        clock.sleep_until_ns(start_ns + index * 1_000_000)
        recorder.write(some_step(index, 100))
    recorder.close()
    assert (recorder.state.written, recorder.state.dropped) == (1500, 0)
    assert [step.index for step in read(tmp_path)] == list(range(1500))


def test_what_does_not_fit_into_the_queue_is_counted_and_told(tmp_path):
    recorder = Recorder(tmp_path, RUN, queue_bytes=5000)

    def fly():
        for index in range(3000):
            recorder.write(some_step(index))
        recorder.close()

    with pytest.warns(RecordingWarning, match="missing from the recording: the disk is slower"):
        fly()
    state = recorder.state
    assert state.dropped > 0
    assert state.written + state.dropped == 3000
    (episode,) = read_episodes(tmp_path)
    assert len(episode.steps) == state.written
    last = episode.steps[-1].episode_step
    assert episode.missing == last + 1 - state.written


@pytest.mark.usefixtures("damaged_recordings")
def test_a_full_disk_is_told_and_the_flight_goes_on(tmp_path):
    """The kernel refuses to let a file grow past a limit; later it allows it again."""
    code = """
warnings.simplefilter("error")
recorder = Recorder(sys.argv[1], RUN)
resource.prlimit(recorder.writer_pid, resource.RLIMIT_FSIZE, (60_000, resource.RLIM_INFINITY))
random = np.random.default_rng(1)
index = 0
def fly():
    global index
    noise = random.random(500).astype(np.float32)
    recorder.write(RecordedTimeStep(index=index, episode_step=index, observation=(("", noise),)))
    index += 1
    time.sleep(0.002)
while not recorder.state.error: fly()
print(recorder.state.error)
resource.prlimit(recorder.writer_pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
while recorder.state.error: fly()
before = recorder.state.written
while recorder.state.written <= before: fly()
recorder.close()
print(index, recorder.state.written, recorder.state.dropped)
"""
    process = run_python(code, tmp_path / "flight", stdout=subprocess.PIPE, text=True)
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    error, counts = output.splitlines()
    assert "File too large" in error
    assert ".mcap" in error
    total, written, dropped = map(int, counts.split())
    assert written + dropped == total
    assert dropped > 0
    first, *_ = files = recorded_files(tmp_path / "flight")
    with pytest.raises(RecordError, match=f"recording repair {first}"):
        list(read_episodes(first))
    for file in files[:-1]:
        repair(file)
    assert len(read(tmp_path / "flight")) >= written  # a part of a flush may have reached the disk before it was full


def test_a_writer_that_has_died_is_told_once(tmp_path):
    recorder = Recorder(tmp_path, RUN)
    recorder.write(some_step(0))
    while not recorder.state.written:
        time.sleep(0.01)
    os.kill(recorder.writer_pid, signal.SIGKILL)
    while not recorder.state.error:
        time.sleep(0.01)
    time.sleep(0.11)  # a time-step looks for it ten times a second

    def fly_on():
        for index in range(1, 4):
            recorder.write(some_step(index))
            recorder.begin_episode({"episode": "1"})
            recorder.write_message(TOPIC, 1, 2, 0, b"four")
            time.sleep(0.11)
        recorder.close()

    with pytest.warns(RecordingWarning, match="the writer was killed by signal 9") as told:
        fly_on()
    assert len(told) == 1
    state = recorder.state
    assert (state.written, state.dropped, state.queued_bytes, state.facts_dropped) == (1, 3, 0, 3)
    assert state.messages_dropped == 3
    assert repair(recorder.state.file).messages == 1


def test_a_warning_is_no_error_of_the_flight(tmp_path):
    recorder = Recorder(tmp_path, RUN, queue_bytes=1)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        recorder.write(some_step(0))
    assert recorder.state.dropped == 1
    recorder.close()


@pytest.fixture
def flight(tmp_path):
    """One file with several chunks."""
    recorder = Recorder(tmp_path / "flight", RUN)
    for index in range(60):
        recorder.write(RecordedTimeStep(index=index, episode=index // 20, episode_step=index % 20))
        if index % 20 == 19:
            written = index + 1
            while recorder.state.written < written:
                time.sleep(0.01)
    recorder.close()
    return recorder.state.file


@pytest.mark.usefixtures("damaged_recordings")
def test_a_damaged_part_is_left_out(flight):
    data = bytearray(flight.read_bytes())
    with flight.open("rb") as stream:
        chunks = make_reader(stream).get_summary().chunk_indexes
    assert len(chunks) == 3
    data[chunks[1].chunk_start_offset + chunks[1].chunk_length - 20] ^= 0xFF
    flight.write_bytes(data)
    with pytest.raises(RecordError, match="recording repair"):
        read(flight)
    with pytest.raises(RecordError, match="first"):
        merge([flight], flight.with_name("merged.mcap"))
    edited = repair(flight, flight.with_name("repaired.mcap"))
    assert [line.split("damaged")[0].split(" at ")[0] for line in edited.damage] == ["the record"]
    assert [step.index for step in read(flight.with_name("repaired.mcap"))] == [*range(20), *range(40, 60)]
    assert sorted(path.name for path in flight.parent.iterdir()) == [flight.name, "repaired.mcap"]


def test_every_length_of_a_file_is_repaired(flight):
    data = flight.read_bytes()
    counts = []
    for length in range(0, len(data), 97):
        short = flight.with_name("short.mcap")
        short.write_bytes(data[:length])
        counts.append(repair(short).messages)
        with short.open("rb") as stream:
            assert sum(1 for _ in make_reader(stream, validate_crcs=True).iter_messages()) == counts[-1]
    assert counts == sorted(counts)
    assert set(counts) == {0, 20, 40, 60}


def test_a_file_into_which_nothing_was_written(flight):
    """Its process was killed before; the other files of the folder are read."""
    empty = flight.with_name("z.mcap")
    empty.touch()
    with pytest.raises(RecordError, match="recording repair"):
        read(flight.parent)
    assert repair(empty).damage == ("nothing had been written into it yet",)
    assert len(read(flight.parent)) == 60
    assert read(empty) == []
    with pytest.raises(RecordError, match="no time-steps are in it"):
        ReplayEnv(empty)


@pytest.mark.usefixtures("damaged_recordings")
def test_what_is_no_recording_is_not_repaired(tmp_path):
    (tmp_path / "x.mcap").write_bytes(b"something else")
    with pytest.raises(RecordError, match="not an MCAP file"):
        repair(tmp_path / "x.mcap")
    assert (tmp_path / "x.mcap").read_bytes() == b"something else"
    assert len(list(tmp_path.iterdir())) == 1


def test_cut_and_merged(flight, tmp_path):
    cut(flight, tmp_path / "a.mcap", lambda _, episode: episode == 1)
    cut(flight, tmp_path / "b.mcap", lambda _, episode: episode != 1)
    assert [step.index for step in read(tmp_path / "a.mcap")] == list(range(20, 40))
    merge([tmp_path / "b.mcap", tmp_path / "a.mcap"], tmp_path / "c.mcap")
    assert sorted(step.index for step in read(tmp_path / "c.mcap")) == list(range(60))
    with pytest.raises(FileExistsError):
        merge([flight], tmp_path / "a.mcap")
    with pytest.raises(RecordError, match="nothing is left"):
        cut(flight, tmp_path / "d.mcap", lambda _, episode: episode == 7)
    assert not (tmp_path / "d.mcap").exists()


def test_stopped_by_ctrl_c_in_the_middle(tmp_path):
    process = run_python(
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "recorder = Recorder(sys.argv[1], RUN)\nprint('on', flush=True)\nindex = 0\n"
        "while True:\n    recorder.write(some_step(index)); index += 1; time.sleep(0.001)",
        tmp_path / "flight",
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    process.stdout.readline()
    time.sleep(0.2)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=30)
    assert read(tmp_path / "flight")[-1].index > 0
