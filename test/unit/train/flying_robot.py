"""A real worker that flies the simulated drone for a learner of one's own, and waits for its weights."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from nats_server import config_of, running, write

from rtgym_ros.policies.weights import PolicyWeights
from rtgym_ros.train.config import TrainConfig

EXAMPLES = Path(__file__).parents[3] / "examples"
INITIAL_STEPS = 600
"""Flown before weights are waited for; then 200 for each version of them."""


@contextmanager
def flying(folder: Path, **environment) -> Iterator[TrainConfig]:
    """Run a server and a worker; the worker has hung if it does not end, and then says why."""
    config = config_of(
        folder,
        environment={"id": "rtgym_ros/SimulatedDrone-v0", **environment},
        worker={"push_interval": 0.05, "max_steps_per_update": 200, "initial_steps": INITIAL_STEPS},
    )
    with running(config):
        command = [sys.executable, "-m", "rtgym_ros.train.worker.main", "--config", str(write(config)), "--name", "w1"]
        robot = subprocess.Popen([*command, "--episodes", "1000"], stderr=subprocess.PIPE, text=True)
        try:
            yield config
        finally:
            robot.terminate()
            said = robot.communicate(timeout=60)[1]
            print(said)  # pytest shows it where a test fails


def learn(config: TrainConfig, example: str, amount: int) -> str:
    """Run a script of examples/ as a learner, and return what it prints."""
    command = [sys.executable, EXAMPLES / example, config.run, config.server.url[0], config.directory, amount]
    learner = subprocess.run(list(map(str, command)), capture_output=True, text=True, timeout=500, check=False)
    assert learner.returncode == 0, learner.stderr
    return learner.stdout


def flown_policy(config: TrainConfig) -> PolicyWeights:
    """Return the policy that the robot has at the end."""
    return PolicyWeights.load(config.folder / "workers" / "w1" / "policy.safetensors")


def distant_lines(example: str) -> int:
    """Return how many lines of a script name the run: what makes it distant."""
    return sum("run" in line.split("#")[0] for line in (EXAMPLES / example).read_text().splitlines())
