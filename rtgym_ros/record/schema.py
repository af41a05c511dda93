"""The ROS 2 definition of ``rtgym_ros/msg/TimeStep`` as MCAP wants it: one text, with all that it is made of.

A recording of a plain Gymnasium environment needs no ROS 2, so the text stands here too. A test holds it to the files
of ``msg/``.
"""

from __future__ import annotations

from collections.abc import Mapping

SCHEMA_NAME = "rtgym_ros/msg/TimeStep"
SCHEMA_ENCODING = "ros2msg"

_TIME_STEP = """\
std_msgs/Header header
uint64 index
uint64 episode
uint64 episode_step
NamedArray[] observation
NamedArray[] action_buffer
NamedArray[] action
NamedArray[] executed_action
float64 reward
bool terminated
bool truncated
builtin_interfaces/Time start
builtin_interfaces/Duration lateness
bool overrun
bool timed_out
NamedValue[] ages
NamedValue[] delays
NamedValue[] info
"""

_DEPENDENCIES = {
    "rtgym_ros/NamedArray": """\
string name
string dtype
uint32[] shape
float32[] float32_values
float64[] float64_values
int64[] int64_values
uint8[] data
""",
    "rtgym_ros/NamedValue": """\
string name
float64 value
""",
    "std_msgs/Header": """\
builtin_interfaces/Time stamp
string frame_id
""",
    "builtin_interfaces/Time": """\
int32 sec
uint32 nanosec
""",
    "builtin_interfaces/Duration": """\
int32 sec
uint32 nanosec
""",
}

_SEPARATOR = "=" * 80 + "\n"


def join(definition: str, dependencies: Mapping[str, str]) -> str:
    """Return a definition, then those of the messages in it by ``package/Name``, in the form that rosbag2 writes."""
    return definition + "".join(f"{_SEPARATOR}MSG: {name}\n{text}" for name, text in dependencies.items())


SCHEMA_TEXT = join(_TIME_STEP, _DEPENDENCIES)

HEADER_NAME = "std_msgs/msg/Header"
HEADER_TEXT = join(
    _DEPENDENCIES["std_msgs/Header"], {name: _DEPENDENCIES[name] for name in ("builtin_interfaces/Time",)}
)
