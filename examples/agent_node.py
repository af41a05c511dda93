"""An agent that is a ROS node: parameters, a service and a timer, and an environment on the same node.

Beside a drone (``ros2 run rtgym_ros drone_node``)::

    python examples/agent_node.py --ros-args -p gain:=2.0
    ros2 service call /agent/fly std_srvs/srv/SetBool "{data: true}"
    ros2 param set /agent gain 3.0

It hovers until it is told to fly, says once a second what it does, and stops the drone when it ends.
"""

import sys
from contextlib import suppress
from threading import Event, Thread

import gymnasium
import numpy as np
import rclpy
from rclpy.executors import ExternalShutdownException, SingleThreadedExecutor
from rclpy.node import Node
from std_srvs.srv import SetBool

import rtgym_ros  # noqa: F401  # registers the environments

HOVER = np.zeros(2, dtype=np.float32)


class Agent(Node):
    """Flies to the target, faster with a higher gain."""

    def __init__(self):
        super().__init__("agent")
        self.declare_parameter("gain", 2.0)
        self.flies = Event()
        self.time_steps = 0
        self.create_service(SetBool, "~/fly", self._on_fly)
        self.create_timer(1.0, self._on_timer)

    def act(self, observation):
        """Return a velocity towards the target (m/s)."""
        x, y, target_x, target_y = (float(value[0]) for value in observation[:4])
        if not self.flies.is_set():
            return HOVER
        gain = self.get_parameter("gain").value
        return np.clip([gain * (target_x - x), gain * (target_y - y)], -2.0, 2.0).astype(np.float32)

    def _on_fly(self, request, response):
        (self.flies.set if request.data else self.flies.clear)()
        response.success = True
        return response

    def _on_timer(self):
        doing = "flying" if self.flies.is_set() else "hovering"
        self.get_logger().info(f"{doing}, {self.time_steps} time-steps")


def fly(agent):
    """Fly one episode after the other, until ROS ends."""
    # A function, because Gymnasium copies what it is given and a node cannot be copied.
    with gymnasium.make("rtgym_ros/Drone-v0", node=lambda: agent) as env:
        observation, _ = env.reset()
        while True:
            observation, _, terminated, truncated, _ = env.step(agent.act(observation))
            agent.time_steps += 1
            if terminated or truncated:
                observation, _ = env.reset()


def main():
    """Spin the node in a thread and fly in this one; Ctrl-C ends both."""
    try:
        rclpy.init()
        agent = Agent()
        executor = SingleThreadedExecutor()
        executor.add_node(agent)
        Thread(target=spin, args=(executor,), daemon=True).start()
        fly(agent)
    except (KeyboardInterrupt, ExternalShutdownException):
        pass  # the drone was stopped when the environment was closed
    finally:
        rclpy.try_shutdown()
    return 0


def spin(executor):
    """Serve the node's callbacks until ROS ends."""
    with suppress(ExternalShutdownException):
        executor.spin()


if __name__ == "__main__":
    sys.exit(main())
