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

# Of an interrupt that comes while they are imported, NumPy makes an ImportError of its own, and Gymnasium's modules may
# swallow it (as any __del__ or weakref callback does) or add a note to it: both are imported first.
FLIGHT = """
import sys

import gymnasium
import numpy as np

print("begins", flush=True)
import rtgym_ros

env = gymnasium.make("rtgym_ros/Drone-v0", namespace=sys.argv[1])
env.reset()
print("flies", flush=True)
while True:
    *_, terminated, truncated, _ = env.step(np.ones(2, np.float32))
    if terminated or truncated:
        env.reset()
"""
PROGRAM = """
import gymnasium

print("begins", flush=True)
from rtgym_ros.cli.main import main

raise SystemExit(main())
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


def start(*arguments):
    """Start a program that does not ignore SIGINT, as those do that a shell has started in the background."""
    return subprocess.Popen(
        [sys.executable, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )


def interrupt(process, seconds):
    """Interrupt a process so many seconds after it has begun; return its exit code and what it had to say."""
    assert process.stdout.readline() == "begins\n"  # before that it is Python's own start, and NumPy's
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
    # Python's import looks for modules in its own exception handlers: those tracebacks are joined to one.
    joined = errors.count("During handling of the above exception")
    if errors.count("Traceback") - joined > 1 or "Exception ignored" in errors:
        found.append("more than one traceback")
    # The last line may be a note that a library has added.
    if "Traceback" in errors and not any(line.startswith("KeyboardInterrupt") for line in lines):
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
    process = start("-c", FLIGHT, namespace)
    assert process.stdout.readline() == "begins\n"
    began = time.monotonic()
    assert process.stdout.readline() == "flies\n"
    took = time.monotonic() - began
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=PATIENCE_S)
    moments = random.Random(9)
    for _ in range(MOMENTS):
        robot.speeds.clear()
        moment = moments.uniform(0.0, 1.2 * took)
        process = start("-c", FLIGHT, namespace)
        assert problems(*interrupt(process, moment), {-signal.SIGINT}) == [], f"{moment} of {took} s"
        assert robot.speeds[-1:] in ([], [0.0]), f"{moment} of {took} s"


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program[0])
def test_a_program_of_ours_that_is_interrupted_ends(program, namespace):
    moments = random.Random(program[0])
    for _ in range(6):
        arguments = ("--ros-args", "-r", f"__ns:={namespace}") if program[0].endswith(("_node", "guard")) else ()
        process = start("-c", PROGRAM, *program, *arguments)
        moment = moments.uniform(0.0, 1.5)
        assert problems(*interrupt(process, moment), {0, 1, 130, -signal.SIGINT}) == [], f"{moment} s"
