"""How old a 100 Hz pose is at capture, with and without ``time: {phase: pose}``: ``python -m benchmarks.phase``.

A process publishes stamped poses whose period is 50 ppm longer than 10 ms. An environment by contract captures them
every 50 ms, without and with the entry, turn and turn about; the transport delay (stamp to reception, as the
middleware tells it) is measured between the turns.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import sys
import tempfile
import time
import warnings
from pathlib import Path
from typing import Any

os.environ.setdefault("ROS_AUTOMATIC_DISCOVERY_RANGE", "LOCALHOST")

import gymnasium
import numpy as np
import rclpy
from geometry_msgs.msg import PoseStamped
from rclpy.executors import SingleThreadedExecutor
from rclpy.qos import qos_profile_sensor_data

import rtgym_ros  # noqa: F401
from rtgym_ros.core.errors import TimeStepTimeoutWarning
from rtgym_ros.core.time_source import NS_PER_S
from rtgym_ros.ros.stamps import to_time

_PERIOD_NS = 10_000_500
_DISCOVERY_S = 30.0  # and a Python process starts meanwhile
_NAMESPACE = "/phase_benchmark"
_CONTRACT = """\
contract: 1
robot: sensor
time: {{time_step_duration: 0.05, ep_max_length: 1000000{phase}}}
action:
  velocity:
    topic: cmd_vel
    type: geometry_msgs/msg/TwistStamped
    fields: [twist.linear.x]
    low: -1.0
    high: 1.0
    default: 0.0
    quantity: velocity
observation:
  pose:
    topic: pose
    type: geometry_msgs/msg/PoseStamped
    fields: [pose.position.x]
    low: -1.0
    high: 1.0
    qos: sensor
    when_stale: warn
"""


def publish_poses(ending: Any) -> None:
    """Publish until told to end; the stamp is the time of publishing."""
    rclpy.init()
    try:
        node = rclpy.create_node("sensor", namespace=_NAMESPACE)
        publisher = node.create_publisher(PoseStamped, "pose", qos_profile_sensor_data)
        message = PoseStamped()
        due = time.monotonic_ns()
        while not ending.is_set():
            message.header.stamp = to_time(time.time_ns())
            publisher.publish(message)
            due += _PERIOD_NS
            time.sleep(max(0, due - time.monotonic_ns()) / NS_PER_S)
    finally:
        rclpy.shutdown()


def transport_delays(seconds: float) -> list[float]:
    """Return stamp to reception of each pose (ms)."""
    delays: list[float] = []

    def received(pose: PoseStamped, info: dict[str, int]) -> None:
        stamp = pose.header.stamp
        delays.append((info["received_timestamp"] - stamp.sec * NS_PER_S - stamp.nanosec) / 1e6)

    context = rclpy.Context()
    rclpy.init(context=context)
    try:
        node = rclpy.create_node("transport", namespace=_NAMESPACE, context=context)
        node.create_subscription(PoseStamped, "pose", received, qos_profile_sensor_data)
        executor = SingleThreadedExecutor(context=context)
        executor.add_node(node)
        end = time.monotonic() + _DISCOVERY_S
        while not delays and time.monotonic() < end:
            executor.spin_once(timeout_sec=0.1)
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            executor.spin_once(timeout_sec=0.1)
    finally:
        rclpy.shutdown(context=context)
    return delays


def ages_at_capture(contract: Path, seconds: float) -> list[float]:
    """Return the age of the pose of each time-step (ms), but of the first fifth: the period is being learned."""
    env = gymnasium.make("rtgym_ros/Contract-v0", contract=contract, namespace=_NAMESPACE)
    ages = []
    with env:
        env.reset()
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            *_, info = env.step(env.action_space.sample())
            ages.append(1e3 * info["observation_delay"])
    return ages[len(ages) // 5 :]


def main() -> int:
    """Measure and print a table."""
    parser = argparse.ArgumentParser("benchmarks.phase", description=__doc__)
    parser.add_argument("--turns", type=int, default=3, help="without and with the entry each (default %(default)s)")
    parser.add_argument("--seconds", type=float, default=60.0, help="of a turn (default %(default)s)")
    options = parser.parse_args()
    warnings.simplefilter("ignore", TimeStepTimeoutWarning)
    found: dict[str, list[float]] = {"transport": [], "without phase": [], "with phase": []}
    spawning = multiprocessing.get_context("spawn")
    ending = spawning.Event()
    sensor = spawning.Process(target=publish_poses, args=(ending,), daemon=True)
    sensor.start()
    try:
        with tempfile.TemporaryDirectory() as folder:
            for _ in range(options.turns):
                found["transport"] += transport_delays(options.seconds / 5)
                for name, phase in (("without phase", ""), ("with phase", ", phase: pose")):
                    contract = Path(folder, "sensor.yaml")
                    contract.write_text(_CONTRACT.format(phase=phase))
                    found[name] += ages_at_capture(contract, options.seconds)
    finally:
        ending.set()
        sensor.join(10)
    for name, values in found.items():
        p10, p50, p90, p99 = np.percentile(values, (10, 50, 90, 99))
        sys.stdout.write(f"{name}: p10 {p10:.2f}, p50 {p50:.2f}, p90 {p90:.2f}, p99 {p99:.2f} ms ({len(values)})\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
