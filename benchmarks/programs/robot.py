"""The robot that is talked to over DDS: it samples at its own pace, and writes down when a command arrives."""

from __future__ import annotations

import json
import subprocess
import sys
from threading import Event, Thread
from time import perf_counter_ns, sleep, time_ns
from types import TracebackType
from typing import Any

import rclpy
from geometry_msgs.msg import PoseStamped, TwistStamped
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rclpy.qos import QoSProfile, ReliabilityPolicy

from benchmarks.programs.entry import run

COMMAND_TOPIC, OBSERVATION_TOPIC = "command", "observation"

_START_TIMEOUT_S = 20.0
_POLL_S = 0.01


class Robot(Node):
    """Publishes a stamped pose every ``sampling_ns`` and answers to nobody."""

    def __init__(self, namespace: str) -> None:
        super().__init__("robot", namespace=namespace)
        freshest = QoSProfile(depth=1, reliability=ReliabilityPolicy.BEST_EFFORT)
        newest = QoSProfile(depth=1, reliability=ReliabilityPolicy.RELIABLE)
        self.commands: list[tuple[int, int]] = []
        self._publisher = self.create_publisher(PoseStamped, OBSERVATION_TOPIC, freshest)
        self.create_subscription(TwistStamped, COMMAND_TOPIC, self._on_command, newest)

    def sample(self, sampling_ns: int, stop: Event) -> None:
        """Publish until ``stop`` is set, on a grid of its own."""
        message = PoseStamped()
        due_ns = perf_counter_ns()
        while not stop.is_set():
            due_ns += sampling_ns
            sleep(max(due_ns - perf_counter_ns(), 0) / 1e9)
            message.header.stamp.sec, message.header.stamp.nanosec = divmod(time_ns(), 1_000_000_000)
            self._publisher.publish(message)

    def _on_command(self, command: TwistStamped) -> None:
        now_ns = time_ns()
        self.commands.append((stamp_ns(command), now_ns))


class RobotProcess:
    """A robot in a process of its own; it ends with its standard input.

    Args:
        namespace: of its node.
        sampling_ns: between two observations.
    """

    def __init__(self, namespace: str, sampling_ns: int) -> None:
        arguments = json.dumps({"namespace": namespace, "sampling_ns": sampling_ns})
        self._command = [sys.executable, "-m", "benchmarks.programs.robot", arguments]
        self._process: subprocess.Popen[str] | None = None
        self.commands: list[tuple[int, int]] = []
        """Once it has ended: stamp and time of arrival (ns) of every command."""

    def __enter__(self) -> RobotProcess:
        """Start it."""
        self._process = subprocess.Popen(self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End it and take over what it has written down."""
        assert self._process is not None, "__enter__() comes first"
        output, _ = self._process.communicate()
        if error is None:
            self.commands = json.loads(output)["commands"]


def stamp_ns(message: Any) -> int:
    """Return the header stamp (ns)."""
    return int(message.header.stamp.sec) * 1_000_000_000 + int(message.header.stamp.nanosec)


def wait_for_robot(node: Node) -> None:
    """Wait until the robot hears our commands.

    Raises:
        TimeoutError: it does not.
    """
    deadline_ns = perf_counter_ns() + round(1e9 * _START_TIMEOUT_S)
    while not node.count_subscribers(COMMAND_TOPIC):
        if perf_counter_ns() > deadline_ns:
            raise TimeoutError(f"no robot within {_START_TIMEOUT_S:g} s")
        sleep(_POLL_S)


def be_robot(namespace: str, sampling_ns: int) -> dict[str, Any]:
    """Be the robot until standard input ends; return ``{"commands": [[stamp, arrival], ...]}``."""
    rclpy.init()
    robot = Robot(namespace)
    stop = Event()
    threads = [Thread(target=robot.sample, args=(sampling_ns, stop)), Thread(target=_wait_for_end, args=(stop,))]
    for thread in threads:
        thread.start()
    executor = SingleThreadedExecutor()
    executor.add_node(robot)
    while not stop.is_set():
        executor.spin_once(timeout_sec=0.1)
    for thread in threads:
        thread.join()
    rclpy.shutdown()
    return {"commands": robot.commands}


def _wait_for_end(stop: Event) -> None:
    sys.stdin.read()
    stop.set()


if __name__ == "__main__":
    run(be_robot)
