"""The relay: a process with a Unix socket in front of any link, because Ray may end the process that it is attached to.

``python -m rtgym_ros.train.links.relay --config FILE --role trainer --socket PATH``
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path

from rtgym_ros.core.errors import ConfigError
from rtgym_ros.train.command_line import config_of, config_parser
from rtgym_ros.train.errors import CredentialsError
from rtgym_ros.train.links.forwarder import Forwarder
from rtgym_ros.train.links.open_link import open_link
from rtgym_ros.train.links.stop_wait import StopWait
from rtgym_ros.train.server.unix_server import UnixServer
from rtgym_ros.train.supervision.heartbeat import beat

_BEAT_INTERVAL_S = 1.0
_PATIENCE_S = 15.0


def main(argv: Sequence[str] | None = None) -> int:
    """Relay until SIGTERM; return the exit code."""
    parser = config_parser("relay", "Forward a Unix socket to the server, over its link.")
    parser.add_argument("--role", choices=("worker", "trainer"), required=True, help="as whom to speak")
    parser.add_argument("--socket", type=Path, required=True, help="to serve")
    parser.add_argument("--timeout", type=float, default=8.0, help="of the server's reply (s, default: 8)")
    arguments = parser.parse_args(argv)
    with StopWait(_PATIENCE_S) as stop:
        try:
            config = config_of(arguments)
            address = config.trainer.server if arguments.role == "trainer" else config.worker.server
            forwarder = Forwarder(open_link(address, config.run, arguments.role, config.security), arguments.timeout)
            server = UnixServer(arguments.socket, forwarder.handle)
        except (ConfigError, CredentialsError) as error:
            sys.stderr.write(f"relay: {error}\n")
            return 2
        while not stop.wait(_BEAT_INTERVAL_S):
            if arguments.heartbeat is not None and not forwarder.is_stuck:
                beat(arguments.heartbeat)
        server.close()
        forwarder.close()
    return 0


if __name__ == "__main__":
    code = main()
    sys.stderr.flush()
    os._exit(code)  # a thread may hang in Ray, and nothing is left to be done
