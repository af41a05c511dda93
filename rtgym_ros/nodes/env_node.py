"""``ros2 run rtgym_ros env_node CONTRACT``: hosts the environment of a robot, for an agent elsewhere."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Sequence

from rtgym_ros.contract.grammar.reader import read_contract
from rtgym_ros.contract.shipped import find_contract
from rtgym_ros.core.errors import RtgymError, TimeStepTimeoutWarning
from rtgym_ros.core.one_line_parser import OneLineParser
from rtgym_ros.core.stop_signal import StopSignal
from rtgym_ros.core.unblocked_stderr import UnblockedStderr
from rtgym_ros.ros.arguments import own_arguments
from rtgym_ros.ros.hosting.env_node import THREADS, EnvNode
from rtgym_ros.ros.hosting.managed_node import ManagedNode
from rtgym_ros.ros.session import RosSession

_PATIENCE_S = 30.0
"""How long the end may take (s): limits may keep the robot from stopping for 10."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Host until SIGINT or SIGTERM; return 0, or 2 for a contract, arguments or parameters that cannot be used."""
    arguments = sys.argv if arguments is None else arguments
    warnings.simplefilter("ignore", TimeStepTimeoutWarning)  # the node's log counts them
    with UnblockedStderr(), StopSignal(patience_s=_PATIENCE_S) as stop:
        try:
            parser = OneLineParser("env_node", description="Host the environment of the robot under a contract.")
            parser.add_argument("contract", metavar="CONTRACT", help="file, or the name of one of the package")
            parser.add_argument("--allow-code-beside", action="store_true", help="let its code lie beside it")
            parser.add_argument("--until-eof", action="store_true", help="end when standard input closes")
            options = parser.parse_args(own_arguments(arguments))
            if options.until_eof:
                stop.set_at_end_of_input()
            contract = read_contract(find_contract(options.contract))
            session = RosSession("env", arguments=arguments, node_class=ManagedNode, threads=THREADS)
            try:
                node = EnvNode(session, contract, allow_code_beside=options.allow_code_beside)
                try:
                    node.start_by_itself()
                    while not stop.wait(1.0):
                        pass
                finally:
                    node.close()
            finally:
                session.close()
        except RtgymError as error:
            print(f"env_node: {error}", file=sys.stderr)
            return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
