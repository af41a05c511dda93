"""`./dev drone --view`: in a terminal, in a window, and where there is neither."""

import contextlib
import fcntl
import os
import pty
import re
import shutil
import struct
import subprocess
import sys
import termios
import time

import numpy as np
import pytest

TUTORIAL = [sys.executable, "-m", "rtgym_ros.nodes.drone_tutorial", "--view", "--episodes", "1", "--seed", "3"]
TIMEOUT_S = 90
ROWS, COLUMNS = 24, 80
BLUE, RED = (40, 90, 220), (220, 50, 40)  # the drone, its target


def environment(**display):
    return {k: v for k, v in os.environ.items() if k not in ("DISPLAY", "WAYLAND_DISPLAY")} | display


def on_a_terminal(arguments, env):
    """Run a program on a terminal of 24 rows of 80 characters; return its exit code and what it wrote."""
    ours, its = pty.openpty()
    fcntl.ioctl(its, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
    with subprocess.Popen(arguments, stdin=its, stdout=its, stderr=its, env=env, start_new_session=True) as process:
        os.close(its)
        written = bytearray()
        with contextlib.suppress(OSError):  # EIO: nobody has the other end open any more
            while read := os.read(ours, 65536):
                written += read
        os.close(ours)
        return process.wait(TIMEOUT_S), written.decode()


def test_in_a_terminal(namespace):
    arguments = [*TUTORIAL, "--policy", "predictor", "--ros-args", "-r", f"__ns:={namespace}"]
    code, written = on_a_terminal(arguments, environment(TERM="xterm"))
    assert code == 0, written
    text = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", written).replace("\r", "")
    frames = re.findall(r"╭─+ predictor, episode 1 ─+╮\n(.*?)\n╰─+ O drone  X target ─+╯", text, flags=re.DOTALL)
    assert len(frames) > 3, text
    assert all(len(frame.splitlines()) < ROWS - 3 for frame in frames)
    drones = [frame.index("O") for frame in frames]
    assert len(set(drones)) > 2, "it moves"
    assert len({frame.index("X") for frame in frames[:-1] if "X" in frame}) == 1, "and its target does not"
    assert re.search(r"[\u2801-\u28ff]", frames[-1]), "where it has been"
    assert re.search(r"predictor +episode 1 +\d+ time-steps, +[\d.]+ cm from the target, reached\n", text)


def test_where_there_is_neither(namespace):
    arguments = [*TUTORIAL, "--ros-args", "-r", f"__ns:={namespace}"]
    done = subprocess.run(arguments, capture_output=True, text=True, timeout=TIMEOUT_S, env=environment())
    assert done.returncode == 2
    assert done.stderr == "drone_tutorial: --view needs a display (is DISPLAY set?) or a terminal\n"


@pytest.fixture
def display(tmp_path):
    """The name of an X display of its own, and the file that holds what it shows."""
    if shutil.which("Xvfb") is None:
        pytest.skip("Xvfb is not installed")
    read, write = os.pipe()
    arguments = ["Xvfb", "-displayfd", str(write), "-screen", "0", "640x480x24", "-fbdir", str(tmp_path)]
    with subprocess.Popen(arguments, pass_fds=[write], stderr=subprocess.DEVNULL) as server:
        os.close(write)
        with open(read) as number:
            name = f":{number.readline().strip()}"
        yield name, tmp_path / "Xvfb_screen0"
        server.terminate()


def screen(path):
    """Return what an XWD file shows, shape (height, width, 3), RGB."""
    data = path.read_bytes()
    header = struct.unpack(">25I", data[:100])
    size, width, height, bytes_per_line, colours = (header[i] for i in (0, 4, 5, 12, 19))
    pixels = np.frombuffer(data, np.uint8, count=bytes_per_line * height, offset=size + 12 * colours)
    return pixels.reshape(height, bytes_per_line // 4, 4)[:, :width, 2::-1]


def test_in_a_window(namespace, display):
    from rtgym_ros.robots.frame_window import can_open_windows  # asks the environment of this process

    name, file = display
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DISPLAY", name)
        if not can_open_windows():
            pytest.skip("OpenCV here has no windows (opencv-python-headless)")
    arguments = [*TUTORIAL, "--policy", "hover", "--ros-args", "-r", f"__ns:={namespace}"]
    seen = 0
    with subprocess.Popen(
        arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment(DISPLAY=name)
    ) as it:
        deadline = time.monotonic() + TIMEOUT_S
        while it.poll() is None and time.monotonic() < deadline:
            picture = screen(file)
            seen += all((picture == colour).all(axis=-1).any() for colour in (BLUE, RED))
            time.sleep(0.1)
        it.kill()
        errors = it.stderr.read().decode()
    assert (it.returncode, errors) == (0, "")
    assert seen > 3
    assert not (screen(file) == RED).all(axis=-1).any(), "the window is closed"
