"""``ros2 run rtgym_ros e_stop CONTRACT``: an emergency stop in software, for simulated robots and for tests."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

from rclpy.qos import QoSProfile
from std_msgs.msg import Bool
from std_srvs.srv import SetBool

from rtgym_ros.contract.grammar.reader import read_contract
from rtgym_ros.contract.grammar.rules.guard import guard_timeout
from rtgym_ros.contract.records.contract import Contract
from rtgym_ros.contract.shipped import find_contract
from rtgym_ros.core.errors import ConfigError, RtgymError
from rtgym_ros.core.one_line_parser import OneLineParser
from rtgym_ros.core.stop_signal import StopSignal
from rtgym_ros.ros.arguments import own_arguments
from rtgym_ros.ros.session import RosSession

_LONGEST_PERIOD_S = 0.1
_MESSAGES_A_TIMEOUT = 5


class EStop:
    """Publishes the lock of a contract's guard, released, several times within the timeout of the lock.

    The service ``~/engage`` (``std_srvs/SetBool``) engages it and releases it again. When this ends, or is killed, the
    lock is silent, and so engaged. A robot's own emergency stop is a button that cuts its power, and no program.

    Args:
        session: whose node it is.
        contract: read before.

    Raises:
        ConfigError: the contract has no lock.
    """

    def __init__(self, session: RosSession, contract: Contract) -> None:
        lock = None if contract.guard is None else contract.guard.lock
        if lock is None:
            raise ConfigError(f"{contract.source.file}: the contract has no guard.lock, which this would publish")
        self._node = session.node
        self._is_engaged = False
        self._publisher = self._node.create_publisher(Bool, lock.topic, QoSProfile(depth=10))
        self._node.create_service(SetBool, "~/engage", self._engage)
        timeout = guard_timeout(contract) if lock.timeout is None else lock.timeout
        # A timer of the node: the guard's timeouts count in its clock, too.
        self._node.create_timer(min(timeout / _MESSAGES_A_TIMEOUT, _LONGEST_PERIOD_S), self._publish)

    def _engage(self, request: Any, response: Any) -> Any:
        self._is_engaged = bool(request.data)
        self._publish()
        response.success, response.message = True, f"the lock is {'engaged' if self._is_engaged else 'released'}"
        self._node.get_logger().warning(response.message)
        return response

    def _publish(self) -> None:
        self._publisher.publish(Bool(data=self._is_engaged))


def main(arguments: Sequence[str] | None = None) -> int:
    """Run until SIGINT or SIGTERM; return 0, or 2 for a contract or arguments that cannot be used."""
    arguments = sys.argv if arguments is None else arguments
    with StopSignal() as stop:
        try:
            parser = OneLineParser("e_stop", description="Hold the lock of a robot's guard open, until it is engaged.")
            parser.add_argument("contract", metavar="CONTRACT", help="file, or the name of one of the package")
            parser.add_argument("--until-eof", action="store_true", help="end when standard input closes")
            options = parser.parse_args(own_arguments(arguments))
            if options.until_eof:
                stop.set_at_end_of_input()
            contract = read_contract(find_contract(options.contract))
            session = RosSession("e_stop", arguments=arguments)
            try:
                EStop(session, contract)
                while not stop.wait(1.0):
                    pass
            finally:
                session.close()
        except RtgymError as error:
            print(f"e_stop: {error}", file=sys.stderr)
            return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
