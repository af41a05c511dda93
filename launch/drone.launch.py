"""The simulated drone and the program that flies it, as two nodes; ends when the flight is over."""

from pathlib import Path

from ament_index_python.packages import get_package_share_directory
from launch import LaunchDescription
from launch.actions import DeclareLaunchArgument, Shutdown
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import Node, SetParameter

ARGUMENTS = [
    DeclareLaunchArgument("episodes", default_value="5", description="Episodes to fly with each policy, 1 or more."),
    DeclareLaunchArgument(
        "policy",
        default_value="p_controller,predictor",
        description="Policies to fly, one after the other: p_controller, predictor, random, hover.",
    ),
    DeclareLaunchArgument(
        "params_file",
        default_value=str(Path(get_package_share_directory("rtgym_ros")) / "config" / "drone.yaml"),
        description="YAML file with the parameters of the drone (delays, limits, seed).",
    ),
    DeclareLaunchArgument(
        "namespace", default_value="", description="Namespace of both nodes and all their topics: one for each robot."
    ),
    DeclareLaunchArgument(
        "use_sim_time",
        default_value="false",
        choices=["true", "false"],
        description="Fly on the time of /clock, which something else must publish, instead of the system's.",
    ),
]


def generate_launch_description() -> LaunchDescription:
    """Return the two nodes; when either ends, so does the other."""
    drone = Node(
        package="rtgym_ros",
        executable="drone_node",
        name="drone",
        namespace=LaunchConfiguration("namespace"),
        parameters=[LaunchConfiguration("params_file")],
        output="screen",
        on_exit=Shutdown(reason="the drone has ended"),
    )
    tutorial = Node(
        package="rtgym_ros",
        executable="drone_tutorial",
        name="drone_tutorial",
        namespace=LaunchConfiguration("namespace"),
        arguments=[
            "--attach",
            "--episodes",
            LaunchConfiguration("episodes"),
            "--policy",
            LaunchConfiguration("policy"),
        ],
        output="screen",
        on_exit=Shutdown(reason="the flight is over"),
    )
    return LaunchDescription(
        [*ARGUMENTS, SetParameter("use_sim_time", LaunchConfiguration("use_sim_time")), drone, tutorial]
    )
