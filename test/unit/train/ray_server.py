"""A real ``train_server`` with Ray on the loopback, and what belongs to it."""

import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from gymnasium import spaces

from rtgym_ros.train.config_file import make_config, to_yaml
from rtgym_ros.train.errors import LinkError, RefusedError
from rtgym_ros.train.protocol.messages import Push, Take
from rtgym_ros.train.protocol.schema import make_schema, to_columns

SCHEMA = make_schema(spaces.Box(-1, 1, (2,), np.float32), spaces.Box(-1, 1, (1,), np.float32))


def free_port(host="127.0.0.2"):
    with socket.socket() as probe:
        probe.bind((host, 0))
        return probe.getsockname()[1]


def write_config(folder, ray=None, zenoh=(), security=None, worker="unix:none", trainer="unix:none"):
    config = make_config(
        {
            "run": "r",
            "directory": str(folder / "runs"),
            "environment": {"id": "x"},
            "security": {"directory": None if security is None else str(security)},
            "server": {"ray": ray, "zenoh": list(zenoh)},
            "worker": {"server": worker},
            "trainer": {"server": trainer},
        }
    )
    path = folder / "run.yaml"
    path.write_text(to_yaml(config))
    return config, path


@contextmanager
def program(module, *arguments):
    """Run a program; at the end it must leave with code 0 after SIGTERM."""
    process = subprocess.Popen([sys.executable, "-m", module, *map(str, arguments)], stderr=subprocess.PIPE, text=True)
    try:
        yield process
        process.send_signal(signal.SIGTERM)
        _, said = process.communicate(timeout=40)
        assert process.returncode == 0, said
    finally:
        if process.poll() is None:
            process.kill()
            process.communicate()


def processes_with(text):
    """Return pid and command line of the processes that have ``text`` there; Ray's workers have their own titles."""
    found = {}
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        try:
            line = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            state = (entry / "stat").read_text().rpartition(")")[2].split()[0]
        except OSError:
            continue
        if text in line and state != "Z":
            found[int(entry.name)] = line
    return found


def descendants(pid):
    """Return every process below ``pid`` by pid, with its title."""
    parents, titles = {}, {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parents[int(entry.name)] = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
                titles[int(entry.name)] = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            except OSError:
                continue
    below, found = {pid}, {}
    while True:
        more = {child for child, parent in parents.items() if parent in below} - below
        if not more:
            return found
        below |= more
        found |= {child: titles[child] for child in more}


def wait_for(condition, timeout_s=40.0):
    """Return what ``condition`` returns, once it is true."""
    deadline = time.monotonic() + timeout_s
    while not (result := condition()):
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)
    return result


def until_answered(ask, timeout_s=60.0):
    """Return what ``ask`` returns, once the server can be reached."""

    def attempt():
        try:
            return (ask(),)
        except LinkError:
            return None
        except RefusedError as error:
            if not error.retry:
                raise
            return None

    return wait_for(attempt, timeout_s)[0]


def push_of(first_seq, count, worker="anna"):
    records = np.zeros(count, SCHEMA.dtype)
    return Push(worker=worker, boot="b", first_seq=first_seq, count=count, schema=SCHEMA, columns=to_columns(records))


def take_all(client):
    taken = client.take(Take(trainer="t", schema=SCHEMA, position=0))
    return [(batch.worker, batch.first_seq + i) for batch in taken.batches for i in range(batch.count)]
