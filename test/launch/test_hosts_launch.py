"""The launch files with what moves the robot: the clock in the agent or in env_node, a guard before the robot."""

import time
import unittest

import pytest

try:
    import launch_testing
    from launch import LaunchDescription
    from launch.actions import IncludeLaunchDescription
    from launch.substitutions import PathJoinSubstitution
    from launch_ros.substitutions import FindPackageShare
except ImportError as error:
    # Not a skip of the module: launch_testing's pytest plugin would take the whole folder with it.
    MISSING = f"{error.name} is not installed: it comes with a full ROS 2, not as a wheel"
else:
    MISSING = ""

CASES = [("drone", "agent"), ("drone", "node"), ("drive", "agent"), ("arm", "node")]
AGENTS = ("drone_tutorial", "robot_demo")

if MISSING:

    @pytest.mark.skip(reason=MISSING)
    def test_hosts_launch():
        """Stands for the launch test where it cannot run."""

else:

    @pytest.mark.launch_test
    @launch_testing.parametrize("robot, host", CASES)
    def generate_test_description(robot, host):
        """One flight through a guard."""
        file = PathJoinSubstitution([FindPackageShare("rtgym_ros"), "launch", f"{robot}.launch.py"])
        arguments = {"namespace": f"/hosted_{robot}_{host}", "host": host, "guard": "true", "episodes": "1"}
        included = IncludeLaunchDescription(file, launch_arguments=arguments.items())
        return LaunchDescription([included, launch_testing.actions.ReadyToTest()])

    class TestFlight(unittest.TestCase):
        """While it flies."""

        def test_the_agent_moves_the_robot_and_ends(self, proc_info, proc_output):
            end = time.monotonic() + 30.0
            while not (agents := [name for name in proc_info.process_names() if name.startswith(AGENTS)]):
                self.assertLess(time.monotonic(), end, "no agent")
                time.sleep(0.05)
            (agent,) = agents
            proc_info.assertWaitForShutdown(process=agent, timeout=120)
            launch_testing.asserts.assertInStdout(proc_output, "reached", process=agent)

    @launch_testing.post_shutdown_test()
    class TestAfterwards(unittest.TestCase):
        """When it has ended."""

        def test_it_went_through_the_guard_and_env_node(self, proc_info, proc_output, host):
            text = "".join(output.text.decode(errors="replace") for output in proc_output)
            self.assertIn("forwards commands of agent", text)
            self.assertNotIn("Traceback", text)
            hosts = [name for name in proc_info.process_names() if name.startswith("env_node")]
            self.assertEqual(len(hosts), int(host == "node"))

        def test_exit_codes_are_clean(self, proc_info):
            launch_testing.asserts.assertExitCodes(proc_info)
