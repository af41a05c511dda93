"""Our environment on ROS 2 topics, with nothing in its interface but what a robot needs and the times."""

from __future__ import annotations

import os
from time import perf_counter_ns, process_time_ns, time_ns
from typing import Any

import gymnasium
import numpy as np
from geometry_msgs.msg import PoseStamped, TwistStamped
from gymnasium import spaces

import rtgym_ros  # noqa: F401  (registers the environments)
from benchmarks.peers import ENVIRONMENTS
from benchmarks.programs.entry import run
from benchmarks.programs.robot import COMMAND_TOPIC, OBSERVATION_TOPIC, RobotProcess, stamp_ns, wait_for_robot
from rtgym_ros.ros.ros_interface import RosInterface


class TimedInterface(RosInterface):
    """Observes a pose, sends a velocity, and writes down when."""

    def __init__(self, namespace: str) -> None:
        super().__init__("bench", namespace, arguments=[])
        self._pose = self.subscribe_latest(PoseStamped, OBSERVATION_TOPIC)
        self._velocity = self.advertise_command(TwistStamped, COMMAND_TOPIC)
        self.sends: list[int] = []
        self.stamps: list[int] = []
        self.ages: list[int] = []

    def get_observation_space(self) -> spaces.Tuple:
        return spaces.Tuple([spaces.Box(-np.inf, np.inf, (2,), np.float32)])

    def get_action_space(self) -> spaces.Box:
        return spaces.Box(-1.0, 1.0, (2,), np.float32)

    def get_default_action(self) -> np.ndarray:
        return np.zeros(2, np.float32)

    def reset(self, seed: int | None = None, options: Any = None) -> tuple[list[np.ndarray], dict[str, Any]]:
        wait_for_robot(self.node)
        self.wait_for_observations()
        return self._observe(), {}

    def get_obs_rew_terminated_info(self) -> tuple[list[np.ndarray], float, bool, dict[str, Any]]:
        observation = self._observe()
        self.ages.append(time_ns() - self._pose.stamp_ns)
        return observation, 0.0, False, {}

    def send_control(self, control: np.ndarray) -> None:
        self.sends.append(perf_counter_ns())
        command = TwistStamped()
        command.twist.linear.x, command.twist.linear.y = map(float, control)
        self._velocity.publish(command)
        self.stamps.append(stamp_ns(command))

    def _observe(self) -> list[np.ndarray]:
        self._pose.pull()
        position = self._pose.latest.pose.position
        return [np.array([position.x, position.y], np.float32)]


def dds_environment(peer: str, period_ns: int, sampling_ns: int, seconds: float, warm_up_s: float) -> dict[str, Any]:
    """Return when it sent, the stamps of its commands, the ages of its observations, and what the robot received."""
    namespace = f"/bench_{os.getpid()}"
    environment = ENVIRONMENTS[peer]
    config = {
        "interface": TimedInterface,
        "interface_args": (namespace,),
        "time_step_duration": period_ns / 1e9,
        **environment.config,
    }
    with RobotProcess(namespace, sampling_ns) as robot:
        env = gymnasium.make(environment.env_id, config=config)
        env.reset()
        _step_for(env, warm_up_s)
        interface, clock = env.unwrapped.interface, env.unwrapped.clock
        first, timeouts = len(interface.sends), clock.timeouts
        began_ns, cpu_began_ns = perf_counter_ns(), process_time_ns()
        _step_for(env, seconds)
        cpu_ns, wall_ns = process_time_ns() - cpu_began_ns, perf_counter_ns() - began_ns
        timeouts = clock.timeouts - timeouts
        recorded = {name: getattr(interface, name)[first:] for name in ("sends", "stamps", "ages")}
        env.unwrapped.stop()
        env.close()
    return {**recorded, "commands": robot.commands, "timeouts": timeouts, "cpu_ns": cpu_ns, "wall_ns": wall_ns}


def _step_for(env: gymnasium.Env, seconds: float) -> None:
    action = np.zeros(2, np.float32)
    end_ns = perf_counter_ns() + round(1e9 * seconds)
    while perf_counter_ns() < end_ns:
        env.step(action)


if __name__ == "__main__":
    run(dds_environment)
