"""``rtgym_ros topics``: list topics, show messages, count their rate; the wheels of ROS 2 have no ``ros2 topic``."""

from __future__ import annotations

import argparse
import queue
import sys
from collections.abc import Iterator, Sequence
from importlib import import_module
from itertools import islice
from time import monotonic
from typing import Any

from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy

from rtgym_ros.core.errors import ConfigError, InterfaceTimeoutError, RtgymError, nearest
from rtgym_ros.core.one_line_parser import OneLineParser
from rtgym_ros.core.stop_signal import StopSignal
from rtgym_ros.ros.arguments import own_arguments
from rtgym_ros.ros.discovery import DISCOVERY_S
from rtgym_ros.ros.session import RosSession

_PUBLISHER_S = 10.0
"""How long a publisher is waited for (s)."""

_SHOWN = 32
"""Elements of an array."""

_POLL_S = 0.05
_DEPTH = 1000


def main(arguments: Sequence[str] | None = None) -> int:
    """Run until it is done, or SIGINT or SIGTERM; return 0, or 2 with one line for what cannot be done."""
    arguments = sys.argv if arguments is None else arguments
    with StopSignal() as stop:
        try:
            options = _parse(own_arguments(arguments))
            session = RosSession("topics", arguments=arguments)
            try:
                for line in options.run(session.node, options, stop):
                    print(line, flush=True)
            finally:
                session.close()
        except BrokenPipeError:  # `rtgym_ros topics echo pose | head`
            sys.stderr.close()
        except RtgymError as error:
            print(f"topics: {error}", file=sys.stderr)
            return 2
    return 0


def _parse(arguments: Sequence[str]) -> argparse.Namespace:
    parser = OneLineParser("topics", description="List topics, show messages, count their rate.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    listed = commands.add_parser("list", help="every topic: type, publishers, subscribers")
    listed.add_argument(
        "--wait",
        type=_count,
        default=DISCOVERY_S,
        metavar="S",
        help="for topics to be discovered (default: %(default)g)",
    )
    listed.set_defaults(run=_list)
    echo = commands.add_parser("echo", help="show messages")
    echo.add_argument("topic")
    echo.add_argument("-n", "--number", type=_count, metavar="N", help="end after N messages")
    echo.set_defaults(run=_echo)
    rate = commands.add_parser("hz", help="count the messages of each second")
    rate.add_argument("topic")
    rate.add_argument("-n", "--number", type=_count, metavar="N", help="end after N seconds")
    rate.set_defaults(run=_hz)
    return parser.parse_args(arguments)


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"must be a whole number >= 1, got {text!r}")
    return int(text)


def _list(node: Node, options: argparse.Namespace, stop: StopSignal) -> Iterator[str]:
    stop.wait(options.wait)
    for name, types in sorted(node.get_topic_names_and_types()):
        publishers, subscribers = node.count_publishers(name), node.count_subscribers(name)
        yield f"{name}  {', '.join(types)}  {publishers} publishers, {subscribers} subscribers"


def _echo(node: Node, options: argparse.Namespace, stop: StopSignal) -> Iterator[str]:
    for message in islice(_messages(node, options.topic, stop), options.number):
        yield "\n".join([*_told(message, ""), "---"])


def _hz(node: Node, options: argparse.Namespace, stop: StopSignal) -> Iterator[str]:
    messages = _messages(node, options.topic, stop, every=_POLL_S)
    seconds = 0
    begin, number = monotonic(), 0
    for message in messages:
        number += message is not None
        passed = monotonic() - begin
        if passed >= 1.0:
            yield f"{number / passed:.1f} Hz, {number} messages in {passed:.2f} s"
            begin, number, seconds = monotonic(), 0, seconds + 1
            if seconds == options.number:
                return


def _messages(node: Node, topic: str, stop: StopSignal, every: float | None = None) -> Iterator[Any]:
    """Yield messages as they come, and None where none has come for ``every`` seconds."""
    name = node.resolve_topic_name(topic)
    message_type, qos = _find(node, name, stop)
    came: queue.Queue[Any] = queue.Queue()
    node.create_subscription(message_type, name, came.put, qos)
    while not stop.wait(0.0):
        try:
            yield came.get(timeout=every or _POLL_S)
        except queue.Empty:
            if every is not None:
                yield None


def _find(node: Node, name: str, stop: StopSignal) -> tuple[Any, QoSProfile]:
    """Return type and QoS of a topic, those of its publishers."""
    deadline = monotonic() + _PUBLISHER_S
    while not (publishers := node.get_publishers_info_by_topic(name)) and monotonic() < deadline:
        if stop.wait(_POLL_S):
            break
    if not publishers:
        names = [known for known, _ in node.get_topic_names_and_types()]
        raise InterfaceTimeoutError(f"nobody publishes {name}{nearest(name, names)}")
    types = {info.topic_type for info in publishers}
    if len(types) > 1:
        raise ConfigError(f"{name} is published with {len(types)} types: {', '.join(sorted(types))}")
    reliable = all(info.qos_profile.reliability == ReliabilityPolicy.RELIABLE for info in publishers)
    latched = all(info.qos_profile.durability == DurabilityPolicy.TRANSIENT_LOCAL for info in publishers)
    qos = QoSProfile(
        depth=_DEPTH,
        reliability=ReliabilityPolicy.RELIABLE if reliable else ReliabilityPolicy.BEST_EFFORT,
        durability=DurabilityPolicy.TRANSIENT_LOCAL if latched else DurabilityPolicy.VOLATILE,
    )
    return _message_type(types.pop()), qos


def _message_type(name: str) -> Any:
    package, kind, message = name.split("/")
    try:
        return getattr(import_module(f"{package}.{kind}"), message)
    except (ImportError, AttributeError) as error:
        raise ConfigError(f"{name} is not installed here: {error}") from error


def _told(value: Any, indent: str) -> Iterator[str]:
    """Yield the lines of a message, as YAML."""
    for name in value.get_fields_and_field_types():
        field = getattr(value, name)
        if hasattr(field, "get_fields_and_field_types"):
            yield f"{indent}{name}:"
            yield from _told(field, indent + "  ")
        elif isinstance(field, (str, bytes, bool, int, float)):
            yield f"{indent}{name}: {field!r}" if isinstance(field, (str, bytes)) else f"{indent}{name}: {field}"
        elif len(field) and hasattr(field[0], "get_fields_and_field_types"):
            yield f"{indent}{name}:"
            for element in islice(field, _SHOWN):
                first, *rest = _told(element, indent + "  ")
                yield from (f"{indent}- {first.strip()}", *rest)
        else:
            more = "" if len(field) <= _SHOWN else f"  # and {len(field) - _SHOWN} more"
            yield f"{indent}{name}: [{', '.join(map(str, islice(field, _SHOWN)))}]{more}"


if __name__ == "__main__":
    sys.exit(main())
