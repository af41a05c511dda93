"""One measurement of one peer: a process of its own, which prints one JSON object and cannot outlive its time."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]

_SURROUNDINGS = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
"""A load is one thread; BLAS would make it one a core, and nothing could keep time beside them."""


class RunError(Exception):
    """A measurement has failed; the message is one line."""


@dataclass(frozen=True)
class Run:
    """What is to be run.

    Attributes:
        case: what the peer is measured in, as in ``"5 ms, idle"``.
        peer: who.
        command: the process.
        timeout_s: how long it may take (s).
    """

    case: str
    peer: str
    command: tuple[str, ...]
    timeout_s: float

    def measure(self) -> dict[str, Any]:
        """Run it to its end and return what it printed.

        Raises:
            RunError: it failed, lasted too long, or printed something else.
        """
        with subprocess.Popen(
            self.command,
            cwd=ROOT,
            env={**os.environ, **_SURROUNDINGS},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,  # so that what it starts itself can be ended with it
        ) as process:
            try:
                output, errors = process.communicate(timeout=self.timeout_s)
            except subprocess.TimeoutExpired:
                raise RunError(f"ended after {self.timeout_s:g} s") from None
            finally:
                if process.returncode != 0:
                    _end_session(process.pid)
        if process.returncode:
            raise RunError(_last_line(errors) or f"exit code {process.returncode}")
        try:
            answer: dict[str, Any] = json.loads(output)
        except ValueError:
            raise RunError(f"printed no JSON but {_last_line(output)!r}") from None
        return answer


def program(name: str, case: str, peer: str, timeout_s: float, arguments: Mapping[str, Any]) -> Run:
    """Return a run of ``benchmarks.programs.NAME`` with these arguments."""
    command = (sys.executable, "-m", f"benchmarks.programs.{name}", json.dumps(arguments))
    return Run(case, peer, command, timeout_s)


def _end_session(leader: int) -> None:
    """End a process and what it has started."""
    with suppress(ProcessLookupError):
        os.killpg(leader, signal.SIGKILL)


def _last_line(text: str) -> str:
    lines = text.strip().splitlines()
    return lines[-1].strip() if lines else ""
