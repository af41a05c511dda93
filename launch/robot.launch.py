"""A simulated robot with a contract, its guard by choice, and by choice what moves it: of drive and arm."""

from pathlib import Path

from ament_index_python.packages import get_package_share_directory
from launch import LaunchContext, LaunchDescription, LaunchDescriptionEntity
from launch.actions import DeclareLaunchArgument, OpaqueFunction
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import Node

CONTRACTS = {"drive": "diff_drive", "arm": "arm"}
# Defaults that depend on the robot are empty: launch hands what one include has set on to the next.
ARGUMENTS = [
    DeclareLaunchArgument("robot", choices=list(CONTRACTS), description="Which one."),
    DeclareLaunchArgument(
        "params_file",
        default_value="",
        description="YAML file with the parameters of the robot (delays, limits, seed); empty: that of the package.",
    ),
    DeclareLaunchArgument(
        "namespace", default_value="", description="Namespace of the nodes and all their topics: one for each robot."
    ),
    DeclareLaunchArgument(
        "guard", default_value="false", choices=["true", "false"], description="Start the guard of the robot, too."
    ),
    DeclareLaunchArgument(
        "e_stop",
        default_value="true",
        choices=["true", "false"],
        description="With the guard, start an emergency stop that holds its lock open; false: yours does.",
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
        default_value="",
        description="YAML file with the contract of guard, env_node and agent; empty: that of the package.",
    ),
    DeclareLaunchArgument(
        "use_sim_time",
        default_value="false",
        choices=["true", "false"],
        description="Run on the time of /clock, which something else must publish, instead of the system's.",
    ),
]


def generate_launch_description() -> LaunchDescription:
    """Return the nodes; they end with the launch."""
    return LaunchDescription([*ARGUMENTS, OpaqueFunction(function=_nodes)])


def _nodes(context: LaunchContext) -> list[LaunchDescriptionEntity]:
    def argument(name: str) -> str:
        return LaunchConfiguration(name).perform(context)

    robot, namespace, host = argument("robot"), argument("namespace"), argument("host")
    contract = argument("contract") or CONTRACTS[robot]
    is_guarded = argument("guard") == "true"

    def node(executable: str, *arguments: str, name: str | None = None, **parameters: object) -> Node:
        return Node(
            package="rtgym_ros",
            executable=executable,
            name=name,
            namespace=namespace,
            arguments=arguments,
            parameters=[*files.get(executable, []), {"use_sim_time": argument("use_sim_time") == "true", **parameters}],
            output="screen",
        )

    share = Path(get_package_share_directory("rtgym_ros"))
    files = {f"{robot}_node": [argument("params_file") or str(share / "config" / f"{robot}.yaml")]}
    nodes = [node(f"{robot}_node", name=robot)]
    if is_guarded:
        nodes.append(node("guard", contract))
        if argument("e_stop") == "true":
            nodes.append(node("e_stop", contract))
    demo = (robot, "--episodes", argument("episodes"), "--contract", contract)
    if host == "agent":
        where = ("--namespace", f"/{namespace.strip('/')}", *(["--guard"] if is_guarded else []))
        nodes.append(node("robot_demo", *demo, *where))
    elif host == "node":
        nodes.append(node("env_node", contract, name="env", **({"guard": "agent"} if is_guarded else {})))
        nodes.append(node("robot_demo", *demo, "--node", "env"))
    return nodes
