"""Nobody reads what a program writes to its standard error: it goes on, and says what is missing."""

import os
import re
import subprocess
import sys
import threading

LINES = 10_000
PROGRAM = f"""
import os, sys, time
from rtgym_ros.core.unblocked_stderr import UnblockedStderr

with UnblockedStderr():
    os.write(2, b"first\\n")
    sys.stdin.readline()
    for number in range({LINES}):
        while True:
            try:
                os.write(2, b"%099d\\n" % number)
                break
            except BlockingIOError:  # faster than its own thread
                time.sleep(0.001)
    print("not held up", flush=True)
    sys.stdin.readline()
    os.write(2, b"last\\n")
print("behind it", file=sys.stderr)
"""


def start(stderr):
    return subprocess.Popen(
        [sys.executable, "-c", PROGRAM], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=stderr, text=True
    )


def test_a_pipe_that_nobody_reads():
    read_fd, write_fd = os.pipe()
    process = start(write_fd)
    os.close(write_fd)
    process.stdin.write("\n")
    process.stdin.flush()
    assert process.stdout.readline() == "not held up\n"
    seen = []
    reader = threading.Thread(target=lambda: seen.extend(iter(lambda: os.read(read_fd, 65536), b"")))
    reader.start()
    process.communicate("\n", timeout=30)
    reader.join(30)
    os.close(read_fd)
    text = b"".join(seen).decode()
    assert text.startswith("first\n" + "0" * 99 + "\n" + "0" * 98 + "1\n"), "what came first is kept"
    (dropped,) = map(int, re.findall(r"\[(\d+) bytes were dropped here: nobody took them\]\n", text))
    assert text.count("0" * 90) == LINES - dropped // 100
    assert text.endswith("behind it\n")
    assert process.returncode == 0


def test_somebody_reads():
    process = start(subprocess.PIPE)
    _, text = process.communicate("\n\n", timeout=30)
    assert text == "first\n" + "".join(f"{number:099d}\n" for number in range(LINES)) + "last\nbehind it\n"
    assert process.returncode == 0


def test_the_reader_is_gone():
    read_fd, write_fd = os.pipe()
    os.close(read_fd)
    process = start(write_fd)
    os.close(write_fd)
    printed, _ = process.communicate("\n\n", timeout=30)
    assert printed == "not held up\n"
