"""One program that ends in one way, beside a robot: what the robot was told, when, and what was printed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import rtgym_ros

FOLDER = Path(__file__).parent
PACKAGE = Path(rtgym_ros.__file__).parent

WAYS = (
    "sigint",
    "sigterm",
    "close",
    "forgotten_close",
    "sys_exit",
    "exception",
    "rclpy_shutdown",
    "handed_in",
    "interface_fails",
    "silence",
)
INITS = ("before", "after", "never")
EXIT_CODES = {
    # 4: rclpy has handled the signal, and the program has caught ExternalShutdownException.
    "sigint": {130, 4},
    "sigterm": {143, 4},
    "sys_exit": {3},
    "exception": {1},
    "handed_in": {4},
    "silence": {130},  # interrupted once the robot was stopped
}
PATIENCE_S = 55.0
PARAMETERS = ("--ros-args", "-p", "observation_timeout:=50.0")
"""Discovery over a link that loses datagrams takes long."""


@dataclass(frozen=True)
class Trial:
    """What came of it.

    Attributes:
        last_command: the robot's, NaN if it received none.
        stopped_after: from the event that ends the program to the robot's first safe action (s), inf if none came.
        exit_code: of the program; None if it had to be killed.
        errors: what it printed on stderr.
    """

    last_command: float
    stopped_after: float
    exit_code: int | None
    errors: str

    def problems(self, way: str) -> list[str]:
        """Return what is not as it should be, but for the times."""
        found = []
        if self.last_command != 0.0:
            found.append(f"the robot's last command is {self.last_command}")
        expected = EXIT_CODES.get(way, {0})
        if way == "rclpy_shutdown":
            expected = {0, 4}
        if self.exit_code not in expected:
            found.append(f"exit code {self.exit_code}")
        if self.errors.count("Traceback") != (way == "exception") or f"{PACKAGE}/" in self.errors:
            found.append(f"a traceback of ours: {self.errors}")
        return found


def run_trial(
    way: str,
    init: str,
    namespace: str,
    folder: Path,
    *,
    robot_prefix: Sequence[str] = (),
    agent_prefix: Sequence[str] = (),
) -> Trial:
    """Run robot and program until both have ended.

    Args:
        way: one of WAYS.
        init: one of INITS.
        namespace: of the topics.
        folder: for the robot's notes.
        robot_prefix: command that the robot is started with, ``ip netns exec NAME`` for example.
        agent_prefix: the same of the program.
    """
    notes = folder / "commands"
    ending = folder / "ending"
    for file in (notes, ending):
        file.unlink(missing_ok=True)
    robot = subprocess.Popen(
        [*robot_prefix, sys.executable, str(FOLDER / "robot.py"), namespace, str(notes)],
        stdin=subprocess.PIPE,
        start_new_session=True,
    )
    agent = subprocess.Popen(
        [*agent_prefix, sys.executable, str(FOLDER / "agent.py"), way, init, namespace, str(ending), *PARAMETERS],
        stdin=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        env={**os.environ, "PYTHONFAULTHANDLER": "1"},
    )
    try:
        exit_code, errors, ending_at = _end(agent, way, notes)
        time.sleep(0.2)  # whatever is still on its way to the robot
    finally:
        if agent.poll() is None:
            agent.kill()
            agent.wait()
        assert robot.stdin is not None
        robot.stdin.close()
        try:
            robot.wait(10.0)
        except subprocess.TimeoutExpired:
            robot.kill()
            robot.wait()
    commands = [tuple(map(float, line.split())) for line in notes.read_text().splitlines()]
    if ending.exists():
        ending_at = float(ending.read_text())
    after = [at for at, command in commands if command == 0.0]
    return Trial(
        last_command=commands[-1][1] if commands else float("nan"),
        stopped_after=after[0] - ending_at if after else float("inf"),
        exit_code=exit_code,
        errors=errors,
    )


def _end(agent: subprocess.Popen[str], way: str, notes: Path) -> tuple[int | None, str, float]:
    """Let the program end; return its exit code and errors, and when it was told to, if it was."""
    assert agent.stdin is not None
    is_flying = _is_told(notes, 1.0, agent)
    ending_at = time.monotonic()
    if way in ("sigint", "sigterm") and is_flying:
        agent.send_signal(signal.SIGINT if way == "sigint" else signal.SIGTERM)
    else:
        agent.stdin.close()
        agent.stdin = None
    if way == "silence" and _is_told(notes, 0.0, agent):
        agent.send_signal(signal.SIGINT)
    try:
        _, errors = agent.communicate(timeout=PATIENCE_S)
    except subprocess.TimeoutExpired:
        agent.kill()
        _, errors = agent.communicate()
    return agent.returncode, errors, ending_at


def _is_told(notes: Path, command: float, agent: subprocess.Popen[str]) -> bool:
    """Wait until the robot has received ``command``; return whether it has before the program ended."""
    deadline = time.monotonic() + PATIENCE_S
    while not notes.exists() or f" {command}\n" not in notes.read_text():
        if time.monotonic() > deadline or agent.poll() is not None:
            return False
        time.sleep(0.01)
    return True
