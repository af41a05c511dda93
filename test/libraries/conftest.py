"""What the tests of libraries share: a drone on ROS 2, and a recorded flight with what the agent saw and did in it."""

import importlib.util
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import gymnasium
import numpy as np
import pytest
from gymnasium import spaces

from rtgym_ros.wrappers import Record

sys.path.insert(0, str(Path(__file__).parents[1] / "unit" / "train"))
sys.path.insert(0, str(Path(__file__).parents[1] / "docs"))
from docs_pages import DOCS, Page

# Processes that a library starts by itself, as Ray does, find the robot of these tests.
os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [str(Path(__file__).parent), os.environ.get("PYTHONPATH")]))
os.environ.setdefault("OMP_NUM_THREADS", "1")  # networks of 16 units gain nothing from more
os.environ.setdefault("ROS_AUTOMATIC_DISCOVERY_RANGE", "LOCALHOST")


@pytest.fixture
def drone_namespace():
    """Run a drone_node and return its namespace."""
    if importlib.util.find_spec("rclpy") is None:
        pytest.skip("rclpy is not installed")
    from rtgym_ros.nodes.drone_process import DroneProcess

    namespace = f"/test_{os.getpid()}"
    with DroneProcess(namespace, ("seed:=7",)):
        yield namespace


@pytest.fixture
def run_as_documented(tmp_path):
    """Return a function that runs a program of docs/learning.md, and sees that it prints what the page shows."""
    page = Page(DOCS / "learning.md")

    def run(program):
        for name, text in page.files.items():
            (tmp_path / name).write_text(text)
        command = next(block for block in page.blocks if block.language == "bash" and program in block.code)
        shown = page.blocks[page.blocks.index(command) + 1]
        ended = subprocess.run([sys.executable, program], cwd=tmp_path, capture_output=True, text=True, check=False)
        assert ended.returncode == 0, ended.stderr
        assert shown.language == "text"
        assert ended.stdout.endswith(shown.code)  # after what the library logs

    return run


class Arm(gymnasium.Env):
    """A camera and two joints; episodes of 3, 4, 5, ... time-steps, by turns terminated and truncated."""

    observation_space = spaces.Dict(
        {
            "camera": spaces.Box(0, 255, (40, 48, 3), np.uint8),
            "joints": spaces.Box(-np.inf, np.inf, (2,), np.float32),
            "action_buffer": spaces.Box(-1.0, 1.0, (3, 2), np.float32),
        }
    )
    action_space = spaces.Box(-1.0, 1.0, (2,), np.float32)
    episode = -1

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.observation_space.seed(seed)
        self.episode += 1
        self.steps = 0
        return self.observation_space.sample(), {"capture_time": 10.0}

    def step(self, action):
        self.steps += 1
        over = self.steps == 3 + self.episode
        info = {"capture_time": 10.0 + 0.051 * self.steps, "kappa": 1.0, "ages": {"camera": 0.03}}
        is_even = self.episode % 2 == 0
        return self.observation_space.sample(), -0.25 * self.steps, over and is_even, over and not is_even, info


class Flat(Arm):
    """The joints alone."""

    observation_space = Arm.observation_space["joints"]


class Augmented(Arm):
    """As a real-time environment: a tuple with the actions under way."""

    observation_space = spaces.Tuple((Arm.observation_space["joints"], Arm.action_space, Arm.action_space))


@dataclass
class Flight:
    folder: object
    episodes: list  # of (observations, actions, rewards, terminated, truncated)


@pytest.fixture(params=[Arm, Flat, Augmented])
def flight(request, tmp_path):
    env = Record(request.param(), tmp_path / "flight")
    env.action_space.seed(1)
    episodes = []
    for seed in range(3):
        observation, _ = env.reset(seed=seed)
        seen, done, rewards, over = [observation], [], [], False
        while not over:
            done.append(env.action_space.sample())
            observation, reward, terminated, truncated, _ = env.step(done[-1])
            seen.append(observation)
            rewards.append(reward)
            over = terminated or truncated
        episodes.append((seen, done, rewards, terminated, truncated))
        env.label(success=seed == 0)
    env.reset()  # left before the first step(): in no data set
    env.close()
    return Flight(tmp_path / "flight", episodes)
