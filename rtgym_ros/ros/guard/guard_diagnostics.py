"""``/diagnostics`` of the guard."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue
from rclpy.node import Node

from rtgym_ros.contract.guard.guard_logic import GuardLogic, GuardState
from rtgym_ros.ros.guard.guard_lock import LockTopic
from rtgym_ros.ros.guard.input_topic import InputTopic

_LEVELS = {
    GuardState.STANDS_BY: DiagnosticStatus.OK,
    GuardState.FORWARDS: DiagnosticStatus.OK,
    GuardState.SAFE: DiagnosticStatus.WARN,
    GuardState.LOCKED: DiagnosticStatus.ERROR,
}


class GuardDiagnostics:
    """Tells how the guard stands: one status for it, one for each input, one for the lock.

    Args:
        node: of the guard.
        logic: the guard.
        inputs: its topics.
        lock: its topic; None where there is none.
        waits_for: the topics without which commands cannot be made, by index of the command.
    """

    def __init__(
        self,
        node: Node,
        logic: GuardLogic,
        inputs: Sequence[InputTopic],
        lock: LockTopic | None,
        waits_for: Sequence[Sequence[str]],
    ) -> None:
        self._node = node
        self._logic = logic
        self._inputs = inputs
        self._lock = lock
        self._waits_for = waits_for
        self._publisher = node.create_publisher(DiagnosticArray, "/diagnostics", 10)
        self._prefix = f"{node.get_fully_qualified_name().lstrip('/')}: "
        self._received: dict[str, int] = {}
        self._told_ns: int | None = None

    def publish(self, now_ns: int, problems: Sequence[str] = ()) -> None:
        """Publish all statuses.

        Args:
            now_ns: of the clock of the guard (ns).
            problems: of its topics, one line each.
        """
        array = DiagnosticArray()
        array.header.stamp = self._node.get_clock().now().to_msg()
        passed = None if self._told_ns is None else (now_ns - self._told_ns) / 1e9
        array.status = [self._guard(problems), *(self._input(name, now_ns, passed) for name in self._names())]
        if self._lock is not None:
            array.status.append(self._lock_status(self._lock, now_ns))
        self._told_ns = now_ns
        self._publisher.publish(array)

    def _names(self) -> list[str]:
        return [one.name for one in self._logic.inputs]

    def _guard(self, problems: Sequence[str]) -> DiagnosticStatus:
        logic = self._logic
        source = logic.source
        level, message = _LEVELS[logic.state], logic.state.value
        if source is not None:
            message = f"{message} of {source.name}"
        for command, topics in zip(logic.commands, self._waits_for, strict=True):
            if not command.is_ready:
                level, message = (
                    DiagnosticStatus.ERROR,
                    f"nothing has come on {', '.join(topics)}: no command can be made",
                )
        if problems:
            level, message = max(level, DiagnosticStatus.WARN), f"{message}; {problems[0]}"
        values = {
            "input": "" if source is None else source.name,
            "changes of the input": logic.changes,
            "commands forwarded": sum(command.forwarded for command in logic.commands),
            "commands limited": sum(command.limited for command in logic.commands),
            "safe actions": sum(command.safe for command in logic.commands),
            **{f"problem {number}": line for number, line in enumerate(problems, start=1)},
        }
        return self._status("commands", level, message, values)

    def _input(self, name: str, now_ns: int, passed: float | None) -> DiagnosticStatus:
        one = next(one for one in self._logic.inputs if one.name == name)
        is_live = one.is_live(now_ns)
        level, message = (DiagnosticStatus.OK, "live") if is_live else (DiagnosticStatus.STALE, "silent")
        rate = (one.received - self._received.get(name, 0)) / passed if passed else 0.0
        self._received[name] = one.received
        if one.refused:
            level = max(level, DiagnosticStatus.WARN)
        topics = [topic.subscription for topic in self._inputs if topic.input is one]
        values = {
            "priority": one.priority,
            "rate (Hz)": f"{rate:.1f}",
            "commands received": one.received,
            "messages refused": one.refused,
            **{f"publishers of {topic.topic}": topic.publishers for topic in topics},
        }
        return self._status(f"input {name}", level, message, values)

    def _lock_status(self, topic: LockTopic, now_ns: int) -> DiagnosticStatus:
        lock = topic.lock
        if not lock.is_engaged(now_ns):
            level, message = DiagnosticStatus.OK, "released"
        else:
            level, message = DiagnosticStatus.ERROR, "engaged: silent" if lock.is_silent(now_ns) else "engaged"
        name = topic.subscription.topic
        values = {f"publishers of {name}": topic.subscription.publishers, "messages refused": topic.refused}
        return self._status("lock", level, message, values)

    def _status(self, name: str, level: bytes, message: str, values: Mapping[str, object]) -> DiagnosticStatus:
        return DiagnosticStatus(
            level=level,
            name=self._prefix + name,
            message=message,
            hardware_id=self._node.get_namespace().strip("/"),
            values=[KeyValue(key=key, value=str(value)) for key, value in values.items()],
        )
