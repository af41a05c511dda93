"""The C program beside us, compiled when it is needed."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.peers import C_SLEEP, C_SPIN
from benchmarks.run import Run

_SOURCE = Path(__file__).with_name("clock_loop.c")
_COMPILERS = ("cc", "gcc", "clang")
_MODES = {C_SLEEP: "sleep", C_SPIN: "spin"}
_COMPILE_TIMEOUT_S = 60.0
_SLACK_S = 30.0

_folder = TemporaryDirectory(prefix="rtgym_ros_bench_")  # it goes when the process does


class CompileError(Exception):
    """The C program cannot be had here; the message is one line."""


@lru_cache(maxsize=1)
def executable() -> Path:
    """Compile it and return where it is.

    Raises:
        CompileError: there is no compiler, or it refuses.
    """
    compiler = _compiler()
    target = Path(_folder.name, _SOURCE.stem)
    command = [*compiler, "-O2", "-std=gnu11", "-Wall", "-Wextra", "-o", str(target), str(_SOURCE)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_COMPILE_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        raise CompileError(f"{compiler[0]} did not end within {_COMPILE_TIMEOUT_S:g} s") from None
    if done.returncode:
        raise CompileError(next(iter(done.stderr.splitlines()), f"{compiler[0]} failed"))
    return target


def _compiler() -> list[str]:
    """Return the command of a C compiler; CC may be two words, as in ``ccache gcc``."""
    wanted = shlex.split(os.environ.get("CC", ""))
    candidates = [wanted] if wanted else [[name] for name in _COMPILERS]
    found = next((command for command in candidates if shutil.which(command[0])), None)
    if found is None:
        raise CompileError(f"there is no C compiler ({', '.join(command[0] for command in candidates)})")
    return found


def clock_loop(case: str, peer: str, period_ns: int, seconds: float, warm_up_s: float) -> Run:
    """Return a run of it on a grid of ``period_ns``; ``peer`` says whether it spins.

    Raises:
        CompileError: it cannot be had here.
    """
    warm_up, ticks = (max(round(1e9 * span / period_ns), 1) for span in (warm_up_s, seconds))
    command = (str(executable()), str(period_ns), str(warm_up), str(ticks), _MODES[peer])
    return Run(case, peer, command, seconds + warm_up_s + _SLACK_S)
