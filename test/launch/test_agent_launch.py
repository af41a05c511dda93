"""The example of an agent node beside a drone, under launch: it answers, flies, and ends with exit code 0."""

import sys
import threading
import unittest
from pathlib import Path

import pytest

try:
    import launch_testing
    from launch import LaunchDescription
    from launch.actions import ExecuteProcess
    from launch_ros.actions import Node
    from std_srvs.srv import SetBool
except ImportError as error:
    # Not a skip of the module: launch_testing's pytest plugin would take the whole folder with it.
    MISSING = f"{error.name} is not installed: it comes with a full ROS 2, not as a wheel"
else:
    MISSING = ""

NAMESPACE = "/agent_tested"
EXAMPLE = Path(__file__).parents[2] / "examples" / "agent_node.py"

if MISSING:

    @pytest.mark.skip(reason=MISSING)
    def test_agent_launch():
        """Stands for the launch test where it cannot run."""

else:

    @pytest.mark.launch_test
    def generate_test_description():
        """A drone, and the agent in the same namespace."""
        drone = Node(package="rtgym_ros", executable="drone_node", namespace=NAMESPACE)
        agent = ExecuteProcess(
            cmd=[sys.executable, str(EXAMPLE), "--ros-args", "-r", f"__ns:={NAMESPACE}", "-p", "gain:=1.5"],
            name="agent",
        )
        return LaunchDescription([drone, agent, launch_testing.actions.ReadyToTest()])

    class TestAgent(unittest.TestCase):
        """While it runs."""

        def test_it_answers_and_flies(self):
            import rclpy
            from geometry_msgs.msg import TwistStamped
            from rclpy.executors import SingleThreadedExecutor

            context = rclpy.Context()
            rclpy.init(context=context)
            node = rclpy.create_node("operator", namespace=NAMESPACE, context=context)
            moves, answered = threading.Event(), threading.Event()
            node.create_subscription(
                TwistStamped, "cmd_vel", lambda message: message.twist.linear.x and moves.set(), 10
            )
            client = node.create_client(SetBool, "agent/fly")
            executor = SingleThreadedExecutor(context=context)
            executor.add_node(node)
            spinning = threading.Thread(target=executor.spin)
            spinning.start()
            try:
                self.assertTrue(client.wait_for_service(30.0))
                client.call_async(SetBool.Request(data=True)).add_done_callback(lambda _: answered.set())
                self.assertTrue(answered.wait(30.0))
                self.assertTrue(moves.wait(30.0))
            finally:
                executor.shutdown()
                spinning.join()
                node.destroy_node()
                rclpy.shutdown(context=context)

    @launch_testing.post_shutdown_test()
    class TestAfterwards(unittest.TestCase):
        """When launch has interrupted both."""

        def test_exit_codes_are_clean(self, proc_info):
            launch_testing.asserts.assertExitCodes(proc_info)

        def test_there_was_no_traceback(self, proc_output):
            for output in proc_output:
                self.assertNotIn("Traceback", output.text.decode(errors="replace"))
