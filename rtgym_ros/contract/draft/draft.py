"""Writes a first contract, with comments on what a person has to decide."""

from __future__ import annotations

import math
from collections.abc import Sequence

from rtgym_ros.contract.draft.seen_topic import SeenTopic, number_paths, value_count
from rtgym_ros.contract.draft.urdf import Joint
from rtgym_ros.core.errors import ConfigError

_ODOMETRY = "nav_msgs/msg/Odometry"
_POSE = "geometry_msgs/msg/PoseStamped"
_TWISTS = {"geometry_msgs/msg/Twist": "", "geometry_msgs/msg/TwistStamped": "twist."}
_JOINTS = "sensor_msgs/msg/JointState"
_ARRAY = "std_msgs/msg/Float64MultiArray"
_TRAJECTORY = "trajectory_msgs/msg/JointTrajectory"
_SCAN = "sensor_msgs/msg/LaserScan"
_BOOL = "std_msgs/msg/Bool"
_CAUTIOUS = {"linear": 0.1, "angular": 0.5}
"""Bounds of a Twist until somebody knows better (m/s, rad/s)."""
_SEVERAL = ("  # DECIDE: all of these are commanded in each time-step. Keep one where several move the same joints.",)
_EXAMPLE = (("reset_odometry", "std_srvs/srv/Trigger"),)


def draft_contract(
    robot: str,
    topics: Sequence[SeenTopic],
    joints: Sequence[Joint],
    duration: float,
    services: Sequence[tuple[str, str]] = (),
) -> str:
    """Return the text of a contract that can be read as it is.

    Args:
        robot: its name.
        topics: what the robot publishes and subscribes to.
        joints: of its URDF; empty where there is none.
        duration: for how long the topics were watched (s).
        services: of the robot: relative name and type.

    Raises:
        ConfigError: nothing that was seen can be an observation, or an action.
    """
    states = [topic for topic in topics if topic.published and topic.type == _JOINTS and topic.joints]
    joints = joints or [Joint(name, -math.pi, math.pi, None) for topic in states[:1] for name in topic.joints]
    known = [joint for joint in joints if states and joint.name in states[0].joints]
    observations = [text for topic in topics if topic.published for text in _observation(topic, known, duration)]
    actions = [text for topic in topics if not topic.published for text in _action(topic, known)]
    if not observations:
        raise ConfigError("no topic was seen that could be an observation: is the robot up, in this namespace?")
    if not actions:
        raise ConfigError("nobody subscribes to a topic that could be an action: is the robot up, in this namespace?")
    gates = [text for topic in topics if topic.published for text in _gate(topic)]
    lines = [
        "# Written by contract_init from the running robot. Decide on each line that says DECIDE; delete what is not",
        "# needed; then: rtgym_ros check_contract --live FILE",
        "contract: 1",
        f"robot: {robot}",
        "# DECIDE: the time-step (s); the length of the action buffer (the delay from observation to effect, in",
        "# time-steps); the length of episodes (time-steps).",
        "time: {time_step_duration: 0.1, act_buf_len: 3, ep_max_length: 300}",
        "action:",
        *(_SEVERAL if len(actions) > 1 else ()),
        *(line for text in actions for line in text),
        "observation:",
        *(line for text in observations for line in text),
    ]
    if gates:
        lines += ["gates:", *(line for text in gates for line in text)]
    whose = "; its services" if services else ", for example"
    lines += [
        f"# DECIDE: steps that bring the robot up (start), back (reset) and down (stop){whose}:",
        "# reset:",
        *(f"#   - {{call: {name}, type: {type_name}}}" for name, type_name in services or _EXAMPLE),
        "# DECIDE: the task, for example:",
        '# task: {class: "rtgym_ros.contract.tasks:ReachPosition", args: {part: NAME, low: [0, 0], high: [1, 1]}}',
    ]
    return "\n".join(lines) + "\n"


def _observation(topic: SeenTopic, joints: Sequence[Joint], duration: float) -> list[list[str]]:
    seen = f"# {topic.rate:.3g} Hz in {duration:g} s" if topic.rate else f"# no message came in {duration:g} s"
    head = [f"    topic: {topic.name}   {seen}", f"    type: {topic.type}"]
    tail = [] if topic.reliable else ["    qos: sensor"]
    if topic.type == _BOOL or topic.latched:
        return []
    if topic.type == _ODOMETRY:
        position = ["pose.pose.position.x", "pose.pose.position.y"]
        pose = _part(topic, f"{topic.part}_pose", head, [*position, "pose.pose.orientation"], tail, position)
        pose.insert(4, "    convert: [{quaternion: yaw, of: pose.pose.orientation}]")
        speed = ["twist.twist.linear.x", "twist.twist.angular.z"]
        return [pose, _part(topic, f"{topic.part}_speed", head, speed, tail, speed)]
    if topic.type == _POSE:
        position = [f"pose.position.{axis}" for axis in "xyz"]
        return [_part(topic, topic.part, head, position, tail, position)]
    if topic.type == _JOINTS:
        names = [joint.name for joint in joints] or list(topic.joints)
        if not names:
            return []
        parts = []
        for field in ("position", "velocity"):
            if topic.lengths.get(field):
                part = [f"  {topic.part}_{field}:", *head, f"    names: [{', '.join(names)}]", f"    fields: [{field}]"]
                if field == "position":
                    part += _bounds([joint.low for joint in joints], [joint.high for joint in joints], "URDF")
                parts.append([*part, *tail])
        return parts
    if topic.type == _SCAN:
        seen_far = topic.high.get("range_max") or [math.inf]
        far = f"{seen_far[0] if 0 < seen_far[0] < math.inf else 10.0:.4g}"
        ranges = f"{{inf: {far}, nan: 0, max: {far}, beams: 36, pick: min}}"
        convert = f"    convert: [{{ranges: {ranges}}}]   # DECIDE: range, beams"
        return [[f"  {topic.part}:", *head, convert, "    low: 0.0", f"    high: {far}", *tail]]
    if topic.type == _ARRAY and topic.lengths.get("data"):
        length = topic.lengths["data"]
        return [[f"  {topic.part}:", *head, f'    fields: ["data[0:{length}]"]', *tail]]
    paths = number_paths(topic.layout)
    return [_part(topic, topic.part, head, paths, tail, paths)] if paths else []


def _part(
    topic: SeenTopic, name: str, head: Sequence[str], paths: Sequence[str], tail: Sequence[str], ranged: Sequence[str]
) -> list[str]:
    part = [f"  {name}:", *head, f"    fields: [{', '.join(paths)}]"]
    low = [value for path in ranged for value in topic.low.get(path, ())]
    high = [value for path in ranged for value in topic.high.get(path, ())]
    if low:
        part.append(f"    # DECIDE: low and high. Seen: {_list(low)} to {_list(high)}")
    return [*part, *tail]


def _action(topic: SeenTopic, joints: Sequence[Joint]) -> list[list[str]]:
    head = [f"  {topic.part}:", f"    topic: {topic.name}", f"    type: {topic.type}"]
    if topic.type in _TWISTS:
        before = _TWISTS[topic.type]
        return [
            [
                *head,
                f"    fields: [{before}linear.x, {before}angular.z]",
                f"    low: [{-_CAUTIOUS['linear']}, {-_CAUTIOUS['angular']}]   # DECIDE: m/s, rad/s",
                f"    high: [{_CAUTIOUS['linear']}, {_CAUTIOUS['angular']}]",
                "    quantity: velocity",
                "    agent_range: [-1.0, 1.0]",
                "    default: 0.0   # and so is the safe action: DECIDE whether that stops the robot",
                "    # limits: {max_acceleration: [1.0, 2.0]}   # DECIDE",
            ]
        ]
    if topic.type in (_ARRAY, _TRAJECTORY) and joints:
        names = ", ".join(joint.name for joint in joints)
        fields = [f'    fields: ["data[0:{len(joints)}]"]   # DECIDE: the order is the controller\'s; here: {names}']
        if topic.type == _TRAJECTORY:
            fields = [f"    names: [{names}]", '    fields: ["points[0].positions"]']
        return [
            [
                *head,
                *fields,
                *_bounds([joint.low for joint in joints], [joint.high for joint in joints], "URDF"),
                "    quantity: position   # DECIDE: position, velocity or effort",
                "    relative: true       # the agent moves the last command by up to max_step",
                "    max_step: 0.02       # DECIDE: rad",
                "    agent_range: [-1.0, 1.0]",
                "    default: last",
                "    safe: last           # DECIDE: what the robot is to do when something fails",
            ]
        ]
    paths = number_paths(topic.layout)
    if not paths or topic.type == _BOOL:
        return []
    size = sum(value_count(topic.layout, path) for path in paths)
    return [
        [
            *head,
            f"    fields: [{', '.join(paths)}]   # DECIDE: which",
            "    low: 0.0    # DECIDE: low and high, for each of the values: nothing is known of them",
            "    high: 1.0",
            f"    quantity: velocity   # DECIDE: position, velocity, acceleration or effort ({size} values)",
            "    default: 0.0",
        ]
    ]


def _gate(topic: SeenTopic) -> list[list[str]]:
    if topic.type != _BOOL or topic.truth is None:
        return []
    qos = ", qos: latched" if topic.latched else ""
    value = str(topic.truth).lower()
    condition = f"{{topic: {topic.name}, type: {topic.type}, field: data, equals: {value}{qos}}}"
    return [[f"  {topic.part}: {condition}   # DECIDE: must it hold?"]]


def _bounds(low: Sequence[float], high: Sequence[float], source: str) -> list[str]:
    if not low:
        return []
    return [f"    low: {_list(low)}   # {source}: DECIDE", f"    high: {_list(high)}"]


def _list(values: Sequence[float]) -> str:
    return "[" + ", ".join(f"{value:.4g}" for value in values) + "]"
