"""The simulated six-joint arm, its guard by choice, and by choice what moves it."""

from pathlib import Path

from launch import LaunchDescription
from launch.actions import IncludeLaunchDescription
from launch.launch_description_sources import PythonLaunchDescriptionSource


def generate_launch_description() -> LaunchDescription:
    """Return robot.launch.py of this robot, which has the arguments."""
    # A path and no substitution: --show-args lists its arguments.
    file = PythonLaunchDescriptionSource(str(Path(__file__).with_name("robot.launch.py")))
    return LaunchDescription([IncludeLaunchDescription(file, launch_arguments=[("robot", "arm")])])
