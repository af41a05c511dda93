"""Runs the blocks of a page as a reader would: in their order, in one folder, the Python ones in one program."""

import json
import os
import re
import signal
import subprocess
import sys
from contextlib import ExitStack

from docs_pages import ROOT

TIMEOUT_S = 100

# What a reader runs in full is run here with less: block of a page -> what is run.
_BRIEFLY = (
    " --samples 300 --set trainer.start_training=200 --set trainer.batch_size=16 "
    "--set trainer.max_updates_per_sample=0.3"
)
SHORTER = {
    "./dev drone\n": "./dev drone --episodes 1 --policy predictor --seed 2",
    "./dev drone --policy runs/drone/policy.safetensors\n": "./dev drone --policy runs/drone/policy.safetensors "
    "--episodes 1",
    "./dev train --sim-time\n": f"./dev train --sim-time{_BRIEFLY}",
    "./dev drone --policy predictor --episodes 20 --record flights\n"
    "./dev train --sim-time --fresh --demonstrations flights\n": "./dev drone --policy predictor --episodes 3 "
    f"--record flights\n./dev train --sim-time --fresh --demonstrations flights{_BRIEFLY}",
    "./dev train --config config/train_delays.yaml --sim-time\n": "./dev train --config "
    f"{ROOT}/config/train_delays.yaml --sim-time{_BRIEFLY}",
    "rtgym_ros train_trainer --config robots.yaml\n": "rtgym_ros train_trainer --config robots.yaml "
    "--set trainer.batch_size=32 --set trainer.epochs=1 --set trainer.rounds=1 --set trainer.steps=100",
    "./dev test\n": "./dev test -q test/unit/test_action_buffer.py",
}

PYTHON = r"""
import contextlib, io, json, sys, traceback, warnings

warnings.filterwarnings("error", module="__main__")
warnings.filterwarnings("error", category=UserWarning)
warnings.filterwarnings("default", message="time-step \\d+ timed out")  # a busy machine
answers, names = sys.stdout, {"__name__": "__main__"}
for line in sys.stdin:
    block = json.loads(line)
    output, error = io.StringIO(), None
    with contextlib.redirect_stdout(output):
        try:
            exec(compile("\n" * (block["line"] - 1) + block["code"], block["page"], "exec"), names)
        except BaseException:
            error = traceback.format_exc()
    print(json.dumps([output.getvalue(), error]), file=answers, flush=True)
"""


def environment():
    """Return the variables of what is run: this Python first, and its ROS 2 to itself."""
    return {
        **os.environ,
        "MPLBACKEND": "Agg",
        "PATH": f"{os.path.dirname(sys.executable)}:{os.environ['PATH']}",
        "PYTHONPATH": f"{ROOT}:{os.environ.get('PYTHONPATH', '')}",
        "SHELL": "/bin/sh",  # the plainest that a reader may have
    }


class Reader:
    """Runs blocks in ``folder``, in which it finds ``./dev`` and the files of the pages."""

    def __init__(self, folder, files):
        self.folder = folder
        self._stack = ExitStack()
        self._python = None
        self._background = []
        (folder / "dev").symlink_to(ROOT / "dev")
        for name, text in files.items():
            (folder / name).write_text(text)

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        if kind is None:
            self._end_python()
            self._interrupt_background()
        self._stack.close()

    def python(self, block):
        """Run a block in the page's program and return what it prints."""
        if self._python is None:
            self._python = self._start([sys.executable, "-c", PYTHON], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        request = {"code": block.code, "page": str(block.page), "line": block.line}
        self._python.stdin.write(json.dumps(request) + "\n")
        self._python.stdin.flush()
        answer = self._python.stdout.readline()
        assert answer, f"{block} ended the program"
        output, error = json.loads(answer)
        assert error is None, f"{block}\n{output}{error}"
        return output

    def bash(self, block):
        """Run the commands of a block and return what they print."""
        if block.word == "background":
            self._background.append((block, self._start(["bash", "-c", f"exec {block.code}"], start_new_session=True)))
            return ""
        if block.word == "alone":
            self._interrupt_background()
        ended = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", SHORTER.get(block.code, block.code)],
            cwd=self.folder,
            env=environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=TIMEOUT_S,
            check=False,
        )
        assert ended.returncode == 0, f"{block}\n{ended.stdout}{ended.stderr}"
        return ended.stdout

    def _start(self, command, **options):
        process = subprocess.Popen(command, cwd=self.folder, env=environment(), text=True, **options)
        self._stack.callback(_kill, process)
        return process

    def _end_python(self):
        if self._python is not None:
            self._python.stdin.close()
            assert self._python.wait(TIMEOUT_S) == 0

    def _interrupt_background(self):
        """End what runs in the background with Ctrl-C, as a reader would."""
        while self._background:
            block, process = self._background.pop()
            assert process.poll() is None, f"{block} ended before the page did"
            os.killpg(process.pid, signal.SIGINT)
            code = process.wait(TIMEOUT_S)
            assert code == 0, f"{block} ended with {code} (a negative one is a signal)"


def _kill(process):
    if process.poll() is None:
        process.kill()
        process.wait()
    for stream in (process.stdin, process.stdout):
        if stream is not None:
            stream.close()


def same(output, expected, similar):
    """Whether an output is the one of the page; where it is only similar, numbers and spaces may differ."""
    return _without_numbers(output) == _without_numbers(expected) if similar else output == expected


def _without_numbers(text):
    return re.sub(r"-?(?<![a-zA-Z_])\d+(\.\d+)?(e-?\d+)?", "#", " ".join(text.split()))
