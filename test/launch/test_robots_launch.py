"""drive.launch.py and arm.launch.py as a user starts them: robots sample themselves, guards tell, exit codes are 0."""

import threading
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

if MISSING:

    @pytest.mark.skip(reason=MISSING)
    def test_robots_launch():
        """Stands for the launch test where it cannot run."""

else:

    @pytest.mark.launch_test
    def generate_test_description():
        """Both robots, each in a namespace, with their guards."""
        robots = [
            IncludeLaunchDescription(
                PathJoinSubstitution([FindPackageShare("rtgym_ros"), "launch", f"{robot}.launch.py"]),
                launch_arguments={"namespace": f"/tested/{robot}", "guard": "true"}.items(),
            )
            for robot in ("drive", "arm")
        ]
        return LaunchDescription([*robots, launch_testing.actions.ReadyToTest()])

    class TestRobots(unittest.TestCase):
        """While they run."""

        def test_messages_flow_on_every_topic(self):
            import rclpy
            from nav_msgs.msg import Odometry
            from rclpy.executors import SingleThreadedExecutor
            from rclpy.qos import qos_profile_sensor_data
            from rtgym_ros.msg import AppliedAction
            from sensor_msgs.msg import JointState, LaserScan

            wanted = {
                "/tested/drive/odom": Odometry,
                "/tested/drive/scan": LaserScan,
                "/tested/drive/applied_command": AppliedAction,
                "/tested/arm/joint_states": JointState,
                "/tested/arm/applied_command": AppliedAction,
            }
            context = rclpy.Context()
            rclpy.init(context=context)
            node = rclpy.create_node("listener", context=context)
            heard = {name: threading.Event() for name in wanted}
            for name, message_type in wanted.items():
                node.create_subscription(
                    message_type, name, lambda _, event=heard[name]: event.set(), qos_profile_sensor_data
                )
            executor = SingleThreadedExecutor(context=context)
            executor.add_node(node)
            spinning = threading.Thread(target=executor.spin)
            spinning.start()
            try:
                silent = [name for name, event in heard.items() if not event.wait(20.0)]
            finally:
                executor.shutdown()
                spinning.join()
                node.destroy_node()
                rclpy.shutdown(context=context)
            self.assertEqual(silent, [])

        def test_both_guards_tell_how_they_stand(self):
            import rclpy
            from diagnostic_msgs.msg import DiagnosticArray
            from rclpy.executors import SingleThreadedExecutor

            context = rclpy.Context()
            rclpy.init(context=context)
            node = rclpy.create_node("listener_of_guards", context=context)
            wanted = {f"tested/{robot}/guard: commands" for robot in ("drive", "arm")}
            node.create_subscription(
                DiagnosticArray,
                "/diagnostics",
                lambda message: wanted.difference_update(status.name for status in message.status),
                10,
            )
            executor = SingleThreadedExecutor(context=context)
            executor.add_node(node)
            try:
                for _ in range(200):
                    if not wanted:
                        break
                    executor.spin_once(timeout_sec=0.1)
            finally:
                executor.shutdown()
                node.destroy_node()
                rclpy.shutdown(context=context)
            self.assertEqual(wanted, set())

    @launch_testing.post_shutdown_test()
    class TestAfterwards(unittest.TestCase):
        """When they have ended."""

        def test_exit_codes_are_clean(self, proc_info):
            launch_testing.asserts.assertExitCodes(proc_info)
