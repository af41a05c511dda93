"""Ctrl-C at any moment of a program: it ends once, as Python does, and the robot has the safe action."""

import random
import signal
import subprocess
import sys
import time

import pytest
from geometry_msgs.msg import TwistStamped
from rclpy.qos import QoSProfile

from rtgym_ros.ros.session import RosSession

FLIGHT = """
import sys
import gymnasium
import numpy as np
import rtgym_ros

env = gymnasium.make("rtgym_ros/Drone-v0", namespace=sys.argv[1])
env.reset()
print("flies", flush=True)
while True:
    *_, terminated, truncated, _ = env.step(np.ones(2, np.float32))
    if terminated or truncated:
        env.reset()
"""
PROGRAMS = (
    ("drone_node",),
    ("topics", "list"),
    ("check_contract", "drone_tutorial"),
    ("guard", "drone_tutorial"),
    ("env_node", "drone_tutorial"),
    ("doctor",),
)
PATIENCE_S = 60.0
MOMENTS = 20


def start(*arguments, **options):
    """Start a program that does not ignore SIGINT, as those do that a shell has started in the background."""
    return subprocess.Popen(
        [sys.executable, *arguments],
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        **options,
    )


def interrupt(process, seconds):
    """Interrupt a process after so many seconds; return its exit code and what it had to say."""
    time.sleep(seconds)
    process.send_signal(signal.SIGINT)
    try:
        _, errors = process.communicate(timeout=PATIENCE_S)
    finally:
        process.kill()
    return process.returncode, errors


def problems(exit_code, errors, codes):
    """Return what is not as it should be."""
    found = [] if exit_code in codes else [f"exit code {exit_code}"]
    lines = errors.strip().splitlines()
    if errors.count("Traceback") > 1 or "Exception ignored" in errors:
        found.append("more than one traceback")
    if "Traceback" in errors and not lines[-1].startswith("KeyboardInterrupt"):
        found.append("not that of a KeyboardInterrupt")
    return [*found, errors] if found else []


class Robot:
    """Remembers the commands that it has received."""

    def __init__(self, namespace):
        self.session = RosSession("robot", namespace, arguments=["program"])
        self.speeds = []
        self.session.node.create_subscription(
            TwistStamped, "cmd_vel", lambda command: self.speeds.append(command.twist.linear.x), QoSProfile(depth=1000)
        )


@pytest.fixture
def robot(namespace):
    robot = Robot(namespace)
    yield robot
    robot.session.close()


def test_an_agent_that_is_interrupted_has_stopped_its_robot(drone, namespace, robot):
    began = time.monotonic()
    process = start("-c", FLIGHT, namespace, stdout=subprocess.PIPE)
    assert process.stdout.readline() == "flies\n"
    took = time.monotonic() - began
    assert problems(*interrupt(process, 0.1), {-signal.SIGINT}) == []
    moments = random.Random(9)
    for _ in range(MOMENTS):
        robot.speeds.clear()
        moment = moments.uniform(0.0, 1.2 * took)
        process = start("-c", FLIGHT, namespace, stdout=subprocess.DEVNULL)
        assert problems(*interrupt(process, moment), {-signal.SIGINT}) == [], f"{moment} of {took} s"
        assert robot.speeds[-1:] in ([], [0.0]), f"{moment} of {took} s"


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program[0])
def test_a_program_of_ours_that_is_interrupted_ends(program, namespace):
    moments = random.Random(program[0])
    for _ in range(3):
        arguments = ("--ros-args", "-r", f"__ns:={namespace}") if program[0].endswith(("_node", "guard")) else ()
        process = start("-m", "rtgym_ros.cli.main", *program, *arguments, stdout=subprocess.DEVNULL)
        moment = moments.uniform(0.0, 1.0)
        assert problems(*interrupt(process, moment), {0, 1, 130, -signal.SIGINT}) == [], f"{moment} s"
