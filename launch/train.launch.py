"""Distant training on this machine, as `./dev train`: server, trainer and workers, with a simulated drone each."""

from launch import LaunchContext, LaunchDescription, LaunchDescriptionEntity
from launch.actions import DeclareLaunchArgument, OpaqueFunction
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import Node

VALUES = {
    "config": "YAML file of the run; empty: config/train.yaml of the package.",
    "samples": "End when so many are learned from; empty: as the file says.",
    "workers": "Robots, 1 or more; empty: 1.",
    "seed": "Of networks and sampling; empty: as the file says.",
    "record": "Folder for recordings of every time-step; empty: none.",
}
FLAGS = {
    "sim_time": "Learn on a simulated drone, as fast as the trainer does.",
    "fresh": "Throw away what a run of this name has left.",
}
ARGUMENTS = [
    *(DeclareLaunchArgument(name, default_value="", description=text) for name, text in VALUES.items()),
    *(
        DeclareLaunchArgument(name, default_value="false", choices=["true", "false"], description=text)
        for name, text in FLAGS.items()
    ),
    DeclareLaunchArgument("directory", default_value="runs", description="Where the folder of the run is made."),
]


def generate_launch_description() -> LaunchDescription:
    """Return the program that starts the others; the folder of the run is printed when it ends."""
    return LaunchDescription([*ARGUMENTS, OpaqueFunction(function=_training)])


def _training(context: LaunchContext) -> list[LaunchDescriptionEntity]:
    def argument(name: str) -> str:
        return LaunchConfiguration(name).perform(context)

    given = [part for name in VALUES if argument(name) for part in (f"--{name}", argument(name))]
    flags = [f"--{name.replace('_', '-')}" for name in FLAGS if argument(name) == "true"]
    return [
        Node(
            package="rtgym_ros",
            executable="train_local",
            arguments=[*given, *flags, "--set", f"directory={argument('directory')}"],
            output="screen",
            sigterm_timeout="90",  # the workers hand over what they have, the trainer writes a checkpoint
        )
    ]
