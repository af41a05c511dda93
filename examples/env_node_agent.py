"""An agent of env_node in plain rclpy, by the protocol of docs/env_node.md: it needs the messages and nothing else.

python env_node_agent.py /robot/env [EPISODES]
"""

import array
import sys

import rclpy
from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, QoSProfile
from rtgym_ros.msg import AgentAction, NamedArray, TimeStep
from rtgym_ros.srv import Describe, Reset


class Agent(Node):
    """Answers each time-step with the default action, and counts."""

    def __init__(self, env: str, episodes: int) -> None:
        super().__init__("agent")
        latched = QoSProfile(depth=10, durability=DurabilityPolicy.TRANSIENT_LOCAL)
        self.create_subscription(TimeStep, f"{env}/time_step", self.on_time_step, latched)
        self.actions = self.create_publisher(AgentAction, f"{env}/action", 10)
        self.describe = self.create_client(Describe, f"{env}/describe")
        self.resets = self.create_client(Reset, f"{env}/reset")
        self.episode, self.newest, self.left, self.error = None, None, episodes, ""
        self.asking = self.create_timer(1.0, self.ask)

    def ask(self) -> None:
        """Ask what the node hosts, until it is there and active."""
        if self.describe.service_is_ready():
            self.describe.call_async(Describe.Request()).add_done_callback(self.on_description)

    def on_description(self, future: rclpy.task.Future) -> None:
        """Take the default action as the action, and begin."""
        if not future.result().success or self.asking.is_canceled():
            return
        self.asking.cancel()
        (default,) = future.result().default_action
        values = array.array("f", default.float32_values)
        self.action = [NamedArray(name=default.name, dtype="<f4", shape=default.shape, float32_values=values)]
        self.resets.call_async(Reset.Request(has_seed=True, seed=1)).add_done_callback(self.on_reset)

    def on_reset(self, future: rclpy.task.Future) -> None:
        """Follow the episode that has begun; its first time-step may be here already, or not yet."""
        self.error, self.episode = future.result().message, future.result().episode
        self.answer()

    def on_time_step(self, step: TimeStep) -> None:
        """Answer it: the newest one counts, and those of other episodes may be there from before."""
        self.newest = step
        self.answer()

    def answer(self) -> None:
        """Send the action, or begin the next episode."""
        step = self.newest
        if step is None or step.episode != self.episode:
            return
        if step.terminated or step.truncated:
            self.get_logger().info(f"episode {step.episode}: {step.episode_step} time-steps, reward {step.reward:g}")
            self.episode, self.left = None, self.left - 1
            self.resets.call_async(Reset.Request()).add_done_callback(self.on_reset)
            return
        message = AgentAction(index=step.index, time_step_stamp=step.header.stamp, action=self.action)
        message.header.stamp = self.get_clock().now().to_msg()
        self.actions.publish(message)


if __name__ == "__main__":
    rclpy.init()
    agent = Agent(sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 1)
    while rclpy.ok() and agent.left and not agent.error:
        rclpy.spin_once(agent)
    sys.exit(agent.error or 0)
