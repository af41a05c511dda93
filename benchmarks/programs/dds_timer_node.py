"""What one would write by hand: a node with a subscription, a timer and a publisher, in rclpy's own executor."""

from __future__ import annotations

import os
from time import perf_counter_ns, process_time_ns, time_ns
from typing import Any

import rclpy
from geometry_msgs.msg import PoseStamped, TwistStamped
from rclpy.node import Node
from rclpy.qos import qos_profile_sensor_data

from benchmarks.programs.entry import run
from benchmarks.programs.robot import COMMAND_TOPIC, OBSERVATION_TOPIC, RobotProcess, stamp_ns, wait_for_robot


class TimerNode(Node):
    """Keeps the latest pose, and sends a velocity at every tick of its timer."""

    def __init__(self, namespace: str, period_ns: int) -> None:
        super().__init__("bench", namespace=namespace)
        self.sends: list[int] = []
        self.stamps: list[int] = []
        self.ages: list[int] = []
        self._pose: PoseStamped | None = None
        self._publisher = self.create_publisher(TwistStamped, COMMAND_TOPIC, 10)
        self.create_subscription(PoseStamped, OBSERVATION_TOPIC, self._on_pose, qos_profile_sensor_data)
        self.create_timer(period_ns / 1e9, self._on_timer)

    def _on_pose(self, pose: PoseStamped) -> None:
        self._pose = pose

    def _on_timer(self) -> None:
        if self._pose is None:
            return
        self.ages.append(time_ns() - stamp_ns(self._pose))
        self.sends.append(perf_counter_ns())
        command = TwistStamped()
        command.header.stamp = self.get_clock().now().to_msg()
        self._publisher.publish(command)
        self.stamps.append(stamp_ns(command))


def dds_timer_node(period_ns: int, sampling_ns: int, seconds: float, warm_up_s: float) -> dict[str, Any]:
    """Return the same times as ``dds_environment``."""
    namespace = f"/bench_{os.getpid()}"
    with RobotProcess(namespace, sampling_ns) as robot:
        rclpy.init()
        node = TimerNode(namespace, period_ns)
        wait_for_robot(node)
        executor = rclpy.get_global_executor()
        executor.add_node(node)
        _spin_for(executor, warm_up_s)
        first = len(node.sends)
        began_ns, cpu_began_ns = perf_counter_ns(), process_time_ns()
        _spin_for(executor, seconds)
        cpu_ns, wall_ns = process_time_ns() - cpu_began_ns, perf_counter_ns() - began_ns
        recorded = {name: getattr(node, name)[first:] for name in ("sends", "stamps", "ages")}
        rclpy.shutdown()
    return {**recorded, "commands": robot.commands, "cpu_ns": cpu_ns, "wall_ns": wall_ns}


def _spin_for(executor: Any, seconds: float) -> None:
    """Spin as ``rclpy.spin(node)`` does, for a while."""
    end_ns = perf_counter_ns() + round(1e9 * seconds)
    while perf_counter_ns() < end_ns:
        executor.spin_once()


if __name__ == "__main__":
    run(dds_timer_node)
