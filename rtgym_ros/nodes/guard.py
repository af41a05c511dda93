"""``ros2 run rtgym_ros guard CONTRACT``: stands between the agents and the robot, and stops it whoever dies."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

from rtgym_ros.contract.grammar.reader import read_contract
from rtgym_ros.contract.shipped import find_contract
from rtgym_ros.core.errors import RtgymError
from rtgym_ros.core.one_line_parser import OneLineParser
from rtgym_ros.core.stop_signal import StopSignal
from rtgym_ros.core.unblocked_stderr import UnblockedStderr
from rtgym_ros.ros.guard.guard_node import GuardNode
from rtgym_ros.ros.session import RosSession

_NO_LOG_FILE = ("--ros-args", "--disable-external-lib-logs", "--")
"""A disk that is busy or full must not hold up the safe action: the log goes to ``/rosout`` and to standard error."""

_TRANSPORT = ("FASTDDS_BUILTIN_TRANSPORTS", "UDPv4")
"""Where Fast DDS sends through shared memory, every publisher of a process waits for up to 333 ms when a process that
came or went has its port checked (https://github.com/eProsima/Fast-DDS/issues/6535). Commands are small: UDP."""

_PATIENCE_S = 5.0
"""How long the end may take (s)."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the guard until SIGINT or SIGTERM; return 0, or 2 for a contract or arguments that cannot be used."""
    arguments = sys.argv if arguments is None else arguments
    with UnblockedStderr(), StopSignal(patience_s=_PATIENCE_S) as stop:
        try:
            options = _parse(arguments[1:])
            if options.until_eof:
                stop.set_at_end_of_input()
            contract = read_contract(find_contract(options.contract))
            os.environ.setdefault(*_TRANSPORT)  # what the user has set stays
            session = RosSession("guard", arguments=[*arguments[:1], *_NO_LOG_FILE, *arguments[1:]])
            try:
                guard = GuardNode(session, contract, allow_code_beside=options.allow_code_beside)
                guard.run(stop)
            finally:
                session.close()
        except RtgymError as error:
            print(f"guard: {error}", file=sys.stderr)
            return 2
    return 0


def _parse(arguments: Sequence[str]) -> argparse.Namespace:
    parser = OneLineParser("guard", description="Send the robot's commands on, within the limits of its contract.")
    parser.add_argument("contract", metavar="CONTRACT", help="file, or the name of one that comes with the package")
    parser.add_argument("--allow-code-beside", action="store_true", help="let the contract's code lie beside it")
    parser.add_argument("--until-eof", action="store_true", help="end when standard input closes, as with the parent")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
