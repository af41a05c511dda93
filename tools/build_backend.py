"""How pip builds this package: setuptools, and the wheels of ROS 2 that the messages are generated with.

Where they cannot be generated (another platform, no compiler, ``ROS=none``) the pure part is built alone.
"""

import os
import platform
import shutil
import sys
import sysconfig
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import ros_wheels
from setuptools import build_meta
from setuptools.build_meta import *  # noqa: F403 (the hooks of PEP 517 and 660)


def get_requires_for_build_wheel(config_settings=None):
    return build_meta.get_requires_for_build_wheel(config_settings) + _ros_requirements()


def get_requires_for_build_editable(config_settings=None):
    return build_meta.get_requires_for_build_editable(config_settings) + _ros_requirements()


def _ros_requirements():
    ros = os.environ.get("ROS") or ros_wheels.DEFAULT
    if ros == "none":
        return []
    if ros not in ros_wheels.DISTRIBUTIONS:
        sys.exit(f"error: ROS must be one of {', '.join(ros_wheels.DISTRIBUTIONS)} or none, got {ros!r}")
    obstacle = _obstacle()
    if obstacle and "ROS" in os.environ:
        sys.exit(f"error: the messages cannot be generated for ROS={ros}: {obstacle}")
    return [] if obstacle else ros_wheels.build_requirements(ros)


def _obstacle():
    """Return why messages cannot be generated and compiled here, None where they can."""
    if (sys.platform, platform.machine()) != ("linux", "x86_64") or platform.libc_ver()[0] != "glibc":
        return "PyPI has ROS 2 for Linux on x86_64 with glibc alone"
    if sys.implementation.name != "cpython" or not (3, 10) <= sys.version_info < (3, 15):
        return "PyPI has ROS 2 for CPython 3.10 to 3.14 alone"
    if os.environ.get("ROS_DISTRO") and "ROS" not in os.environ:
        return f"ROS 2 {os.environ['ROS_DISTRO']} is sourced: colcon builds the messages for it"
    if not Path(sysconfig.get_path("include"), "Python.h").exists():
        return "Python has no headers (Debian: apt install python3-dev)"
    compilers = (os.environ.get("CC", "cc").split()[0], os.environ.get("CXX", "c++").split()[0])
    if not all(map(shutil.which, compilers)):
        return "there is no C and C++ compiler (Debian: apt install g++)"
    return None
