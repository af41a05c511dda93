"""The ``main()`` of the robots' nodes."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import Any

from rtgym_ros.core.errors import RtgymError
from rtgym_ros.core.one_line_parser import OneLineParser
from rtgym_ros.core.stop_signal import StopSignal
from rtgym_ros.nodes.robot_node import RobotNode
from rtgym_ros.ros.arguments import own_arguments
from rtgym_ros.ros.session import RosSession


def run_robot(
    program: str,
    description: str,
    node_name: str,
    make_node: Callable[[RosSession], RobotNode[Any]],
    arguments: Sequence[str] | None = None,
) -> int:
    """Run a robot's node until SIGINT, SIGTERM or, with ``--until-eof``, the end of standard input.

    Args:
        program: its name, for messages.
        description: for ``--help``.
        node_name: default name of the node.
        make_node: makes it.
        arguments: the command line; the program's own by default.

    Returns:
        The exit code: 0, or 2 for bad arguments or parameters, which one line on stderr names.
    """
    arguments = sys.argv if arguments is None else arguments
    with StopSignal() as stop:
        try:
            parser = OneLineParser(program, description=description)
            parser.add_argument(
                "--until-eof", action="store_true", help="end when standard input closes, as with the parent"
            )
            if parser.parse_args(own_arguments(arguments)).until_eof:
                stop.set_at_end_of_input()
            session = RosSession(node_name, arguments=arguments)
            try:
                make_node(session).run(stop)
            finally:
                session.close()
        except RtgymError as error:
            print(f"{program}: {error}", file=sys.stderr)
            return 2
    return 0
