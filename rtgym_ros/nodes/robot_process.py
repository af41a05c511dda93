"""A simulated robot, guard or ``env_node`` in a process of its own, which does not outlive who started it."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Sequence
from types import TracebackType

_STOP_TIMEOUT_S = 5.0


class RobotProcess:
    """Runs a node while entered.

    Args:
        program: ``drone_node``, ``drive_node``, ``arm_node``, ``env_node``, ...
        namespace: of its node.
        parameters: ``NAME:=VALUE`` overrides.
        params_file: a parameter file, None for the defaults.
        arguments: of the program, before those of ROS.
    """

    def __init__(
        self,
        program: str,
        namespace: str,
        parameters: Sequence[str] = (),
        params_file: str | None = None,
        arguments: Sequence[str] = (),
    ) -> None:
        ros_args = ["--ros-args", "-r", f"__ns:={namespace}"]
        if params_file is not None:
            ros_args += ["--params-file", params_file]
        for parameter in parameters:
            ros_args += ["-p", parameter]
        self._command = [sys.executable, "-m", f"rtgym_ros.nodes.{program}", *arguments, "--until-eof", *ros_args]
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> RobotProcess:
        """Start it."""
        # In a session of its own: Ctrl-C is for us, who stop it first. Its standard input closes when we end, however.
        self._process = subprocess.Popen(self._command, stdin=subprocess.PIPE, start_new_session=True)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End it: politely, then by force."""
        process = self._process
        if process is None:
            return
        process.send_signal(signal.SIGINT)
        try:
            process.wait(_STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if process.stdin is not None:
            process.stdin.close()

    @property
    def exit_code(self) -> int | None:
        """Its exit code, None while it runs."""
        return None if self._process is None else self._process.poll()
