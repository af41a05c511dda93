"""The simulated six-joint arm, its guard by choice, and by choice what moves it."""

from pathlib import Path

from ament_index_python.packages import get_package_share_directory
from launch import LaunchContext, LaunchDescription, LaunchDescriptionEntity
from launch.actions import DeclareLaunchArgument, OpaqueFunction
from launch.conditions import IfCondition
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import Node, SetParameter

ARGUMENTS = [
    DeclareLaunchArgument(
        "params_file",
        default_value=str(Path(get_package_share_directory("rtgym_ros")) / "config" / "arm.yaml"),
        description="YAML file with the parameters of the robot (delays, servo lag, seed).",
    ),
    DeclareLaunchArgument(
        "namespace", default_value="", description="Namespace of the node and all its topics: one for each robot."
    ),
    DeclareLaunchArgument(
        "guard",
        default_value="false",
        choices=["true", "false"],
        description="Start the guard of the robot, too; it waits for the lock of the contract, e_stop.",
    ),
    DeclareLaunchArgument(
        "host",
        default_value="none",
        choices=["none", "agent", "node"],
        description="What moves the robot: nothing; an agent that has the clock; or one that goes through env_node.",
    ),
    DeclareLaunchArgument("episodes", default_value="3", description="Episodes that the agent moves it for."),
    DeclareLaunchArgument(
        "contract",
        default_value=str(Path(get_package_share_directory("rtgym_ros")) / "config" / "contracts" / "arm.yaml"),
        description="YAML file with the contract of guard, env_node and agent.",
    ),
    DeclareLaunchArgument(
        "use_sim_time",
        default_value="false",
        choices=["true", "false"],
        description="Run on the time of /clock, which something else must publish, instead of the system's.",
    ),
]


def generate_launch_description() -> LaunchDescription:
    """Return the robot and, by choice, its guard and what moves it; they end with the launch."""
    robot = Node(
        package="rtgym_ros",
        executable="arm_node",
        name="arm",
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
    return LaunchDescription([*ARGUMENTS, sim_time, robot, guard, OpaqueFunction(function=_agent)])


def _agent(context: LaunchContext) -> list[LaunchDescriptionEntity]:
    def argument(name: str) -> str:
        return LaunchConfiguration(name).perform(context)

    host, is_guarded = argument("host"), argument("guard") == "true"
    if host == "none":
        return []
    common = {"package": "rtgym_ros", "namespace": argument("namespace"), "output": "screen"}
    options = ["arm", "--episodes", argument("episodes"), "--contract", argument("contract")]
    if host == "agent":
        where = ["--namespace", f"/{argument('namespace').strip('/')}", *(["--guard"] if is_guarded else [])]
        return [Node(executable="robot_demo", arguments=[*options, *where], **common)]
    guard = [{"guard": "agent"}] if is_guarded else []
    return [
        Node(executable="env_node", name="env", arguments=[argument("contract")], parameters=guard, **common),
        Node(executable="robot_demo", arguments=[*options, "--node", "env"], **common),
    ]
