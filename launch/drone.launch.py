"""The simulated drone and the program that flies it; by choice its guard, and a node that hosts the clock."""

from pathlib import Path

from ament_index_python.packages import get_package_share_directory
from launch import LaunchContext, LaunchDescription, LaunchDescriptionEntity
from launch.actions import DeclareLaunchArgument, EmitEvent, OpaqueFunction, RegisterEventHandler
from launch.event_handlers import OnProcessExit
from launch.events import matches_action
from launch.events.process import ShutdownProcess
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import Node

CONTRACT = "drone_tutorial"
ARGUMENTS = [
    DeclareLaunchArgument("episodes", default_value="5", description="Episodes to fly with each policy, 1 or more."),
    DeclareLaunchArgument(
        "policy",
        default_value="p_controller,predictor",
        description="Policies to fly, one after the other: p_controller, predictor, random, hover.",
    ),
    DeclareLaunchArgument("gain", default_value="20.0", description="Gain of the p_controller (1/s), 0 or more."),
    DeclareLaunchArgument(
        "seed", default_value="", description="Of the targets and of the drone's delays, 0 or more; empty: a new one."
    ),
    DeclareLaunchArgument(
        "plot", default_value="", description="PNG file for trajectories and histograms; empty: none."
    ),
    DeclareLaunchArgument(
        "host",
        default_value="agent",
        choices=["agent", "node"],
        description="Where the clock is: in the tutorial, or in env_node, which the tutorial flies through.",
    ),
    DeclareLaunchArgument(
        "guard",
        default_value="false",
        choices=["true", "false"],
        description="Start the guard of the drone, too, and fly through it.",
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
        "with_others",
        default_value="false",
        choices=["true", "false"],
        description="Fly even where others publish pose or obey cmd_vel: a recorder, or a robot that would move.",
    ),
    DeclareLaunchArgument(
        "use_sim_time",
        default_value="false",
        choices=["true", "false"],
        description="Fly on the time of /clock, which something else must publish, instead of the system's.",
    ),
]


def generate_launch_description() -> LaunchDescription:
    """Return the nodes."""
    return LaunchDescription([*ARGUMENTS, OpaqueFunction(function=_nodes)])


def _nodes(context: LaunchContext) -> list[LaunchDescriptionEntity]:
    def argument(name: str) -> str:
        return LaunchConfiguration(name).perform(context)

    common = {"use_sim_time": argument("use_sim_time") == "true"}
    seed = argument("seed")
    drone = Node(
        package="rtgym_ros",
        executable="drone_node",
        name="drone",
        namespace=argument("namespace"),
        parameters=[argument("params_file"), common, *([{"seed": int(seed)}] if seed else [])],
        output="screen",
    )
    guard = [
        Node(
            package="rtgym_ros",
            executable="guard",
            namespace=argument("namespace"),
            parameters=[common],
            arguments=[CONTRACT],
            output="screen",
        )
    ]
    if argument("guard") == "false":
        guard.clear()
    options = {f"--{name}": argument(name) for name in ("host", "episodes", "seed", "policy", "gain", "plot")}
    flags = ["--with-others"] if argument("with_others") == "true" else []
    hosts = []
    if argument("host") == "node":
        hosts = [
            Node(
                package="rtgym_ros",
                executable="env_node",
                name="env",
                namespace=argument("namespace"),
                parameters=[{**common, **({"guard": "agent"} if guard else {})}],
                arguments=[CONTRACT],
                output="screen",
            )
        ]
    elif guard:
        flags.append("--guard")
    agent = Node(
        package="rtgym_ros",
        executable="drone_tutorial",
        name="drone_tutorial",
        namespace=argument("namespace"),
        parameters=[common],
        arguments=["--attach", *flags, *(part for option in options.items() if option[1] for part in option)],
        output="screen",
    )
    nodes = [drone, *guard, *hosts, agent]
    # Not launch's Shutdown, which would end whatever else flies in the same launch.
    return [
        *nodes,
        *(
            RegisterEventHandler(
                OnProcessExit(
                    target_action=first,
                    on_exit=[
                        EmitEvent(event=ShutdownProcess(process_matcher=matches_action(other)))
                        for other in nodes
                        if other is not first
                    ],
                )
            )
            for first in nodes
        ),
    ]
