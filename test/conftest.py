"""What all the tests share: plain loggers, and one line where the loopback network, which many need, does not work."""

import contextlib
import logging
import socket
import sys

import pytest

# Where a ROS 2 has launch, its pytest plugin has made loggers that pass nothing on, and caplog would see nothing.
logging.setLoggerClass(logging.Logger)

# No test is about how fast a machine is. The part without ROS 2 is tested without hypothesis, too.
with contextlib.suppress(ImportError):
    from hypothesis import settings

    settings.register_profile("any machine", deadline=None)
    settings.load_profile("any machine")

# Each in an environment of its own: tools/library_tests.py.
collect_ignore = [] if any("libraries" in argument for argument in sys.argv) else ["libraries"]


@pytest.fixture(autouse=True)
def _recordings_are_proper(request):
    """After a test every recording in its folder is one in which `mcap doctor` would find nothing."""
    looked_at = "tmp_path" in request.fixturenames and "damaged_recordings" not in request.fixturenames
    folder = request.getfixturevalue("tmp_path") if looked_at else None
    yield
    if folder is None:
        return
    for file in folder.rglob("*.mcap"):
        from mcap_doctor import check_strictly

        check_strictly(file)


@pytest.fixture
def damaged_recordings():
    """For tests that leave recordings which are cut off, damaged or no recordings at all."""


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
