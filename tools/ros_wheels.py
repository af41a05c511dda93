"""The ROS 2 wheels of PyPI, and what differs between distributions: nothing else in the checkout tells them apart.

``python tools/ros_wheels.py build jazzy`` prints requirements, one a line, for ``pip install -r``; so do ``run`` and
``test`` in the place of ``build``.
"""

import sys
from pathlib import Path
from xml.etree import ElementTree

DEFAULT = "jazzy"

# What CMakeLists.txt and the generators of messages find. The wheels do not declare it.
_BUILD = (
    "ament-cmake",
    "ament-cmake-include-directories",
    "ament-package",
    "rosidl-core-generators",
    "rosidl-default-generators",
)
_ALSO_BUILD = {
    "jazzy": (  # ament-cmake-ros is one package here, and finds the test tools when it is found
        "ament-cmake-gmock",
        "ament-cmake-gtest",
        "ament-cmake-pytest",
        "ament-cmake-ros",
        "fastrtps-cmake-module",
        "gmock-vendor",
        "gtest-vendor",
        "python-cmake-module",
    ),
    "kilted": ("ament-cmake-ros-core",),
}
DISTRIBUTIONS = tuple(_ALSO_BUILD)

# The keys of package.xml that are no wheels of a distribution: Python packages are of setup.cfg, launch has no wheel.
_NO_WHEEL = ("ament_cmake_", "launch", "python3-", "ros2launch")
_PACKAGE = Path(__file__).resolve().parents[1] / "package.xml"


def build_requirements(distribution: str) -> list[str]:
    """Return what generates and compiles the messages."""
    tools = [f"ros-{distribution}-{name}" for name in (*_BUILD, *_ALSO_BUILD[distribution])]
    return ["catkin-pkg", "cmake>=3.24", "ninja", *tools, *_of_package(distribution, "depend")]


def run_requirements(distribution: str) -> list[str]:
    """Return what the ROS side of the package runs with."""
    return [*_of_package(distribution, "depend", "exec_depend"), f"ros-{distribution}-rmw-fastrtps-cpp"]


def test_requirements(distribution: str) -> list[str]:
    """Return what the tests need beside that."""
    return _of_package(distribution, "test_depend")


def _of_package(distribution: str, *tags: str) -> list[str]:
    keys = [element.text or "" for element in ElementTree.parse(_PACKAGE).getroot() if element.tag in tags]
    return [f"ros-{distribution}-{key.replace('_', '-')}" for key in keys if not key.startswith(_NO_WHEEL)]


def main() -> None:
    """Print the requirements of a distribution."""
    what, distribution = sys.argv[1:]
    if distribution not in DISTRIBUTIONS:
        sys.exit(f"ROS must be one of {', '.join(DISTRIBUTIONS)}, got {distribution!r}")
    listed = {"build": build_requirements, "run": run_requirements, "test": test_requirements}
    print(*listed[what](distribution), sep="\n")


if __name__ == "__main__":
    main()
