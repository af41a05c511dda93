"""drone.launch.py as a user starts it: messages on every topic, it ends by itself, every exit code is 0."""

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

NAMESPACE = "/tested"
TOPICS = ("cmd_vel", "pose", "applied_action", "step_timing")

if MISSING:

    @pytest.mark.skip(reason=MISSING)
    def test_drone_launch():
        """Stands for the launch test where it cannot run."""

else:

    @pytest.mark.launch_test
    def generate_test_description():
        """Two flights, of which one ends before the other."""
        file = PathJoinSubstitution([FindPackageShare("rtgym_ros"), "launch", "drone.launch.py"])
        flights = [
            {"namespace": NAMESPACE, "episodes": "2", "policy": "predictor,random", "seed": "7", "with_others": "true"},
            {"namespace": "/short", "episodes": "1", "policy": "p_controller", "gain": "4.0", "seed": "8"},
        ]
        included = [IncludeLaunchDescription(file, launch_arguments=arguments.items()) for arguments in flights]
        return LaunchDescription([*included, launch_testing.actions.ReadyToTest()])

    class TestFlight(unittest.TestCase):
        """While it flies."""

        def test_messages_flow_on_every_topic(self):
            import rclpy
            from geometry_msgs.msg import PoseStamped, TwistStamped
            from rclpy.executors import SingleThreadedExecutor
            from rclpy.qos import qos_profile_sensor_data
            from rtgym_ros.msg import AppliedAction, StepTiming

            types = dict(zip(TOPICS, (TwistStamped, PoseStamped, AppliedAction, StepTiming), strict=True))
            context = rclpy.Context()
            rclpy.init(context=context)
            node = rclpy.create_node("listener", context=context)
            wanted = {f"{NAMESPACE}/{topic}": types[topic] for topic in TOPICS}
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

        def test_the_flights_end_by_themselves(self, proc_info):
            for process in ("drone_tutorial-2", "drone_tutorial-4"):
                proc_info.assertWaitForShutdown(process=process, timeout=60)

    @launch_testing.post_shutdown_test()
    class TestAfterwards(unittest.TestCase):
        """When it has ended."""

        def test_it_told_what_it_flew(self, proc_output):
            for seed in (7, 8):
                launch_testing.asserts.assertInStdout(proc_output, f"repeat with --seed {seed}", process=None)

        def test_exit_codes_are_clean(self, proc_info):
            launch_testing.asserts.assertExitCodes(proc_info)
