"""The simulated differential drive, as one node, and its guard by choice."""

from pathlib import Path

from ament_index_python.packages import get_package_share_directory
from launch import LaunchDescription
from launch.actions import DeclareLaunchArgument
from launch.conditions import IfCondition
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import Node, SetParameter

ARGUMENTS = [
    DeclareLaunchArgument(
        "params_file",
        default_value=str(Path(get_package_share_directory("rtgym_ros")) / "config" / "drive.yaml"),
        description="YAML file with the parameters of the robot (delays, limits, drift, seed).",
    ),
    DeclareLaunchArgument(
        "namespace", default_value="", description="Namespace of the node and all its topics: one for each robot."
    ),
    DeclareLaunchArgument(
        "guard", default_value="false", choices=["true", "false"], description="Start the guard of the robot, too."
    ),
    DeclareLaunchArgument(
        "contract",
        default_value=str(Path(get_package_share_directory("rtgym_ros")) / "config" / "contracts" / "diff_drive.yaml"),
        description="YAML file with the contract that the guard keeps.",
    ),
    DeclareLaunchArgument(
        "use_sim_time",
        default_value="false",
        choices=["true", "false"],
        description="Run on the time of /clock, which something else must publish, instead of the system's.",
    ),
]


def generate_launch_description() -> LaunchDescription:
    """Return the robot and, by choice, its guard; they end with the launch."""
    robot = Node(
        package="rtgym_ros",
        executable="drive_node",
        name="drive",
        namespace=LaunchConfiguration("namespace"),
        parameters=[LaunchConfiguration("params_file")],
        output="screen",
    )
    guard = Node(
        package="rtgym_ros",
        executable="guard",
        namespace=LaunchConfiguration("namespace"),
        arguments=[LaunchConfiguration("contract")],
        condition=IfCondition(LaunchConfiguration("guard")),
        output="screen",
    )
    sim_time = SetParameter("use_sim_time", LaunchConfiguration("use_sim_time"))
    return LaunchDescription([*ARGUMENTS, sim_time, robot, guard])
