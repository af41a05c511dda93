"""What all the tests share: plain loggers, and one line where the loopback network, which many need, does not work."""

import contextlib
import importlib.util
import logging
import os
import signal
import socket
import sys
from pathlib import Path

import pytest

# Where a ROS 2 has launch, its pytest plugin has made loggers that pass nothing on, and caplog would see nothing.
logging.setLoggerClass(logging.Logger)

# A shell has what runs in the background ignore Ctrl-C, and tests of Ctrl-C would wait for ever.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# No test is about how fast a machine is. The part without ROS 2 is tested without hypothesis, too.
with contextlib.suppress(ImportError):
    from hypothesis import settings

    settings.register_profile("any machine", deadline=None)
    settings.load_profile("any machine")

# Several workers (pytest-xdist): the nodes of each are in a domain of its own, and meet none of the others.
_WORKER = os.environ.get("PYTEST_XDIST_WORKER", "")
if _WORKER:
    _domain = int(os.environ.get("ROS_DOMAIN_ID", os.getppid())) + 20 * int(_WORKER.removeprefix("gw"))
    os.environ["ROS_DOMAIN_ID"] = str(1 + _domain % 100)

# Each in an environment of its own: tools/library_tests.py.
collect_ignore = [] if any("libraries" in argument for argument in sys.argv) else ["libraries"]


# What rosdep has no key for: these folders and files are skipped, by name, where it is not installed.
_TRAINING = ("msgspec", "nats", "safetensors")
_RECORDING = ("mcap", "zstandard")
_NEEDED = {
    "unit/train": _TRAINING,
    "unit/policies/test_policy_weights.py": ("safetensors",),
    "unit/record": _RECORDING,
    "ros/test_calibrate_ways.py": _RECORDING,
    "ros/test_from_bag.py": _RECORDING,
    "ros/test_recorded_messages.py": _RECORDING,
}


class _Skipped(pytest.Module):
    """A file whose import would fail."""

    missing = ""

    def collect(self):
        pytest.skip(f"{self.missing} not installed", allow_module_level=True)


def pytest_pycollect_makemodule(module_path, parent):
    """Collect a file, or skip it for packages that are not there."""
    place = module_path.relative_to(Path(__file__).parent).as_posix()
    for start, modules in _NEEDED.items():
        missing = [module for module in modules if importlib.util.find_spec(module) is None]
        if place.startswith(start) and missing:
            skipped = _Skipped.from_parent(parent, path=module_path)
            skipped.missing = ", ".join(missing)
            return skipped
    return None


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


def pytest_terminal_summary(terminalreporter):
    """Say what was run of the documentation. Here, because no other conftest is read where workers run the tests."""
    reports = (report for group in terminalreporter.stats.values() for report in group)
    if any(getattr(report, "nodeid", "").startswith("test/docs/") for report in reports):
        sys.path.insert(0, str(Path(__file__).parent / "docs"))
        from docs_summary import write_summary

        write_summary(terminalreporter)
