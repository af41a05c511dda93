"""The supervisor with real processes; its pauses on injected time."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from rtgym_ros.train.supervision.heartbeat import FileWatch, HealthWatch, beat
from rtgym_ros.train.supervision.supervisor import next_pause

RUN = """
import sys
from pathlib import Path
from rtgym_ros.train.supervision.supervisor import Child, Supervisor
folder = Path(sys.argv[1])
sys.exit(Supervisor({children}, stop_timeout_s={stop_timeout_s}).run())
"""
# What children begin with: `note` appends the pid to a file, so that the test knows that it is running.
CHILD = """
import os, signal, sys, time
from pathlib import Path
folder, name = Path(sys.argv[1]), sys.argv[2]
def note():
    with (folder / name).open("a") as file:
        print(os.getpid(), file=file)
def end(code):
    with (folder / "ended").open("a") as file:
        print(name, file=file)
    os._exit(code)
"""
POLITE = """
signal.signal(signal.SIGTERM, lambda *_: end(0))
note()
while True: signal.pause()
"""
DEAF = POLITE.replace("lambda *_: end(0)", "signal.SIG_IGN")


def until(condition, timeout_s=20.0):
    """Wait for something that happens in another process; return what it is."""
    deadline_s = time.monotonic() + timeout_s
    while time.monotonic() < deadline_s:
        result = condition()
        if result:
            return result
        time.sleep(0.005)
    raise AssertionError("it has not happened")


def is_alive(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


class Run:
    """A supervisor in a process of its own; children are ``{name: code}``."""

    def __init__(self, folder, children, stop_timeout_s=20.0, more=None):
        self.folder = folder
        made = []
        for name, script in children.items():
            extra = (more or {}).get(name, "")
            command = [sys.executable, "-S", "-c", CHILD + script, str(folder), name]
            made.append(f"Child({name!r}, {command!r}, {extra})")
        code = RUN.format(children="[" + ", ".join(made) + "]", stop_timeout_s=stop_timeout_s)
        self.process = subprocess.Popen(
            [sys.executable, "-c", code, str(folder)], stderr=subprocess.PIPE, text=True, start_new_session=True
        )
        self.seen = set()

    def pids(self, name):
        path = self.folder / name
        found = [int(line) for line in path.read_text().split()] if path.exists() else []
        self.seen.update(found)
        return found

    def started(self, name, times=1):
        return until(lambda: len(self.pids(name)) >= times and self.pids(name))[-1]

    def end(self, timeout_s=20.0):
        _, self.errors = self.process.communicate(timeout=timeout_s)
        return self.process.returncode

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        return self.end()


@pytest.fixture
def supervise(tmp_path):
    runs = []

    def start(children, **kwargs):
        runs.append(Run(tmp_path, children, **kwargs))
        return runs[-1]

    yield start
    for run in runs:
        if run.process.poll() is None:
            run.process.kill()
            run.process.communicate()
        for pid in run.seen:
            until(lambda pid=pid: not is_alive(pid))


# --- pure ---


def test_the_pause_doubles_while_a_process_dies_young_and_is_short_again_after_a_long_life():
    def after(lives, longest_s):
        pauses = [0.0]
        for life_s in lives:
            pauses.append(next_pause(pauses[-1], life_s, longest_s))
        return pauses[1:]

    assert after([1.0] * 7 + [29.9, 30.0, 1.0], 10.0) == [0.5, 1, 2, 4, 8, 10, 10, 10, 0.5, 1]
    assert after([0.0] * 3, 1.0) == [0.5, 1, 1]


def test_silence_is_measured_from_the_last_change_that_was_seen(tmp_path):
    path = tmp_path / "beat"
    watch = HealthWatch(FileWatch(path).has_changed, 10.0)
    assert watch.silent_for(12.0) == 2.0
    beat(path)
    assert watch.silent_for(13.0) == 0.0
    assert watch.silent_for(15.0) == 2.0
    os.utime(path, (1, 1))  # the wall clock was set back: it is a touch all the same
    assert watch.silent_for(16.0) == 0.0


# --- processes ---


def test_a_killed_child_comes_back_and_the_others_go_on(supervise):
    run = supervise({"a": POLITE, "b": POLITE})
    a, b = run.started("a"), run.started("b")
    os.kill(a, signal.SIGKILL)
    assert run.started("a", 2) != a
    assert run.pids("b") == [b]
    assert is_alive(b)
    assert run.stop() == 0
    assert "a ended (signal SIGKILL): starts again in 0.5 s" in run.errors
    assert run.errors.count("\n") == 1


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_children_in_reverse_order(supervise, number):
    run = supervise(dict.fromkeys("abc", POLITE))
    pids = [run.started(name) for name in "abc"]
    run.process.send_signal(number)
    assert run.end() == 0
    assert (run.folder / "ended").read_text().split() == ["c", "b", "a"]
    assert not any(map(is_alive, pids))
    assert run.errors == ""


def test_a_deaf_child_is_killed_after_the_timeout(supervise):
    run = supervise({"a": POLITE, "deaf": DEAF}, stop_timeout_s=0.3)
    pids = [run.started("a"), run.started("deaf")]
    assert run.stop() == 0
    assert not any(map(is_alive, pids))
    assert (run.folder / "ended").read_text().split() == ["a"]
    assert "deaf has not ended for 0.3 s: killed" in run.errors


def test_code_2_ends_the_run(supervise):
    run = supervise({"a": POLITE, "refused": "while not (folder / 'a').exists(): time.sleep(0.01)\nos._exit(2)"})
    assert run.end() == 2
    assert not is_alive(run.started("a"))
    assert (run.folder / "ended").read_text().split() == ["a"]


def test_code_2_while_stopping_is_not_lost(supervise):
    run = supervise({"a": POLITE.replace("end(0)", "end(2)"), "b": POLITE})
    run.started("a")
    run.started("b")
    assert run.stop() == 2


def test_a_child_that_ends_the_run(supervise):
    script = "note(); again = folder / 'again'; code = 0 if again.exists() else 1; again.touch(); os._exit(code)"
    run = supervise({"a": POLITE, "b": script}, more={"b": "ends_run=True"})
    assert run.end() == 0
    assert len(run.pids("b")) == 2, "code 1 was no end, code 0 was"
    assert not is_alive(run.started("a"))
    assert "b ended (code 1)" in run.errors


def test_a_child_that_ends_with_0_is_started_again_otherwise(supervise):
    run = supervise({"a": "note()"})
    run.started("a", 2)
    assert run.stop() == 0


def test_a_silent_child_is_killed_and_comes_back(supervise):
    loop = "note()\nwhile True: {touch}; time.sleep(0.05)"
    more = {name: f"heartbeat=folder / 'beat-{name}', heartbeat_timeout_s=0.5" for name in ("alive", "silent")}
    alive, silent = loop.format(touch="(folder / f'beat-{name}').touch()"), loop.format(touch="0")
    run = supervise({"alive": alive, "silent": silent}, more=more)
    run.started("silent", 2)
    assert len(run.pids("alive")) == 1
    assert run.stop() == 0
    assert "silent is silent for 0.5 s: killed" in run.errors


def test_children_do_not_outlive_a_killed_supervisor(supervise):
    run = supervise({"a": DEAF, "b": POLITE}, more={"b": "death_signal=15"})
    pids = [run.started("a"), run.started("b")]
    run.process.kill()
    for pid in pids:
        until(lambda pid=pid: not is_alive(pid))
    # The system may ask again for each thread of the supervisor that dies (before Python 3.12 asyncio has some).
    assert set((run.folder / "ended").read_text().split()) == {"b"}, "it was asked, so it could stop its robot"


def test_a_command_that_does_not_exist_is_no_use_to_try_again(tmp_path):
    code = RUN.format(children="[Child('a', ['/does/not/exist'])]", stop_timeout_s=1)
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path)], stderr=subprocess.PIPE, text=True, timeout=20)
    assert done.returncode == 2
    assert "a cannot be started" in done.stderr


def test_waiting_costs_no_time(supervise):
    run = supervise({"a": POLITE})
    run.started("a")

    def ticks():
        return sum(map(int, Path(f"/proc/{run.process.pid}/stat").read_text().rsplit(")", 1)[1].split()[11:13]))

    before = ticks()
    time.sleep(1.0)
    assert ticks() - before <= 1, "10 ms of a second at most"
    assert run.stop() == 0
