"""One trial: a process that commands the robot through the guard, and how it dies."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from itertools import count, pairwise
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2] / "test" / "ros"))
from guard.agent import main as drive
from guard.cut_link import CutLink
from guard.scene import wait_until

from benchmarks.guard.behind_env_node import fly, host
from benchmarks.guard.truth_tail import TruthTail

TIMEOUT_S, RATE_HZ = 0.2, 20.0
"""Of the contract of the tests of the guard."""

ENV_NODE, CUT = "env_node", "cut"
WAYS = ("killed", "stopped", "loops", ENV_NODE)
SAFE = (0.0, 0.0)
COMMANDS, REPEATS = 10, 21
_ENDLESS_S = 10.0
"""How long the safe actions are waited for (s); that they do not come is a result."""

_PR_SET_PDEATHSIG = 1
"""Of linux/prctl.h."""


@dataclass
class Scene:
    """What the trials have in common.

    Attributes:
        namespace: of robot, guard and agents.
        contract: of all of them.
        log: what the robot writes down.
        link: between the agents and the rest; None: there is none.
        numbers: of the trials.
    """

    namespace: str
    contract: Path
    log: Path
    link: CutLink | None = None
    numbers: Iterator[int] = field(default_factory=count)


@dataclass(frozen=True)
class Trial:
    """What came of one agent.

    Attributes:
        silence: from its last command to the first safe action (s).
        gaps: between the safe actions that follow (s).
    """

    silence: float
    gaps: list[float]

    @property
    def rate(self) -> float:
        """Of the safe actions (Hz); 0 where they do not come."""
        return len(self.gaps) / sum(self.gaps)

    @property
    def longest_gap(self) -> float:
        """Between two safe actions (s)."""
        return max(self.gaps)


def run_trial(way: str, scene: Scene) -> Trial:
    """Have the robot commanded, end what commands it, and return what the robot received then."""
    tail = TruthTail(scene.log)
    with ExitStack() as stack:
        end = stack.enter_context(_env_node(scene) if way == ENV_NODE else _agent(way, scene))
        wait_until(lambda: sum(values != SAFE for _, values in tail.received()) >= COMMANDS)
        end()
        with suppress(AssertionError):
            wait_until(lambda: [values for _, values in tail.received()][-REPEATS:] == [SAFE] * REPEATS, _ENDLESS_S)
    commands = tail.received()
    last = max(index for index, (_, values) in enumerate(commands) if values != SAFE)
    times = [at / 1e9 for at, _ in commands[last : last + 1 + REPEATS]]
    if len(times) < 1 + REPEATS:
        return Trial(float("inf"), [float("inf")])
    return Trial(times[1] - times[0], [later - at for at, later in pairwise(times[1:])])


@contextmanager
def _agent(way: str, scene: Scene) -> Iterator[Callable[[], None]]:
    """Run an agent; yields what ends it."""
    read_end, write_end = os.pipe()

    def run() -> None:
        os.close(write_end)
        drive(scene.namespace, read_end)

    def end() -> None:
        if way == "loops":
            os.write(write_end, b"\0")
        elif way == CUT:
            assert scene.link is not None
            scene.link.cut()
        else:
            os.kill(pid, signal.SIGKILL if way == "killed" else signal.SIGSTOP)

    try:
        with _forked(run, scene.link, at_robot=False) as pid:
            yield end
    finally:
        os.close(read_end)
        os.close(write_end)
        if way == CUT and scene.link is not None:
            scene.link.mend()


@contextmanager
def _env_node(scene: Scene) -> Iterator[Callable[[], None]]:
    """Run env_node, beside the robot, and an agent that flies through it; yields what kills env_node."""
    node = f"env_{next(scene.numbers)}"  # a name that nobody had: the graph keeps the dead for some time
    with (
        _forked(lambda: host(scene.contract, scene.namespace, node), scene.link, at_robot=True) as pid,
        _forked(lambda: fly(scene.contract, scene.namespace, node), scene.link, at_robot=False),
    ):
        yield lambda: os.kill(pid, signal.SIGKILL)


@contextmanager
def _forked(run: Callable[[], Any], link: CutLink | None, *, at_robot: bool) -> Iterator[int]:
    """Run a function in a process of its own; yields its pid. Nothing of ROS runs in this one, so it may be forked."""
    pid = os.fork()
    if not pid:
        try:
            ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)  # it does not outlive the benchmark
            os.setsid()
            if link is not None:
                link.enter(at_robot)
            run()
        finally:
            os._exit(1)
    try:
        yield pid
    finally:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
