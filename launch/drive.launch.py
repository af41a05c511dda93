"""The simulated differential drive, its guard by choice, and by choice what moves it."""

from launch import LaunchDescription
from launch.actions import IncludeLaunchDescription
from launch.substitutions import PathJoinSubstitution, ThisLaunchFileDir


def generate_launch_description() -> LaunchDescription:
    """Return robot.launch.py of this robot, which has the arguments."""
    file = PathJoinSubstitution([ThisLaunchFileDir(), "robot.launch.py"])
    return LaunchDescription([IncludeLaunchDescription(file, launch_arguments=[("robot", "drive")])])
