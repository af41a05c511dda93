"""What all the tests share: plain loggers, and one line where the loopback network, which many need, does not work."""

import logging
import socket
import sys

import pytest

# Where a ROS 2 has launch, its pytest plugin has made loggers that pass nothing on, and caplog would see nothing.
logging.setLoggerClass(logging.Logger)

# Each in an environment of its own: tools/library_tests.py.
collect_ignore = [] if any("libraries" in argument for argument in sys.argv) else ["libraries"]


def pytest_sessionstart():
    """Send one datagram to this machine."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
        try:
            receiver.bind(("127.0.0.1", 0))
            receiver.settimeout(5.0)
            receiver.sendto(b"1", receiver.getsockname())
            receiver.recv(1)
        except OSError as error:
            pytest.exit(
                f"the loopback network does not work ({error}): `ip link set lo up`, as root, brings it", returncode=1
            )
