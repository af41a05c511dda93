"""What the tests over DDS share: a domain of their own, a drone in a process, the promise to leave nothing behind."""

import importlib.util
import itertools
import os
import threading
from pathlib import Path

import pytest

os.environ.setdefault("ROS_AUTOMATIC_DISCOVERY_RANGE", "LOCALHOST")
os.environ.setdefault("ROS_DOMAIN_ID", str(1 + os.getpid() % 100))

HAS_ROS = importlib.util.find_spec("rclpy") is not None
collect_ignore_glob = [] if HAS_ROS else ["test_*.py"]

SHARED_MEMORY = Path("/dev/shm")

_numbers = itertools.count()


def pytest_report_header():
    """Say it when the tests over ROS 2 are left out."""
    return [] if HAS_ROS else ["test/ros is skipped: rclpy is not installed"]


@pytest.fixture
def namespace():
    """A namespace that no other test uses."""
    return f"/test_{os.getpid()}_{next(_numbers)}"


@pytest.fixture
def robot(namespace):
    """A robot that somebody else has programmed, in this process."""
    from contract_robots.foreign_robot import ForeignRobot

    with ForeignRobot(namespace) as robot:
        yield robot


@pytest.fixture
def drone(namespace):
    """A drone_node in a process of its own, with a seed; it is up."""
    from contract_robots.waiting import wait_for

    from rtgym_ros.nodes.drone_process import DroneProcess

    with DroneProcess(namespace, ("seed:=7",)) as process:
        wait_for(namespace)
        yield process


@pytest.fixture
def kill_drone():
    """A function that ends a DroneProcess as a crash would; what only its own end would have freed is freed here."""
    orphaned = set()

    def kill(drone):
        orphaned.update(shared_memory_of(drone._process.pid))
        drone._process.kill()
        drone._process.wait()

    yield kill
    for name in orphaned - shared_memory_in_use():
        for file in (name, f"{name}_el", f"sem.{name}_mutex"):
            (SHARED_MEMORY / file).unlink(missing_ok=True)


@pytest.fixture
def env(drone, namespace):
    """The tutorial's environment on that drone."""
    import gymnasium

    import rtgym_ros  # noqa: F401

    with gymnasium.make("rtgym_ros/Drone-v0", namespace=namespace) as env:
        yield env


@pytest.fixture(autouse=True)
def nothing_left_behind():
    """No thread of ours outlives a test, and no shared memory of our domain that nobody else uses."""
    before = left_segments()
    yield
    assert [t.name for t in threading.enumerate() if t.name.startswith("rtgym_ros")] == []
    assert left_segments() <= before


def left_segments():
    """Return Fast DDS's shared-memory ports in our domain that no other living process has mapped."""
    first_port = 7400 + 250 * int(os.environ["ROS_DOMAIN_ID"])
    names = {f"fastdds_port{port}" for port in range(first_port, first_port + 250)}
    return (names & {file.name for file in SHARED_MEMORY.iterdir()}) - shared_memory_in_use()


def shared_memory_in_use():
    """Return the names of the segments that other living processes have mapped."""
    others = (int(process.name) for process in Path("/proc").glob("[0-9]*") if int(process.name) != os.getpid())
    return set().union(*map(shared_memory_of, others))


def shared_memory_of(pid):
    """Return the names of the shared-memory segments that a process has mapped."""
    try:
        lines = Path(f"/proc/{pid}/maps").read_text().splitlines()
    except OSError:  # a process that has just ended
        return set()
    return {line.rsplit("/", 1)[-1].split()[0] for line in lines if f" {SHARED_MEMORY}/fastdds" in line}
