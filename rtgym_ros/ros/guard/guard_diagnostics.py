"""``/diagnostics`` of the guard."""

from __future__ import annotations

from collections.abc import Sequence

from rclpy.node import Node

from rtgym_ros.contract.guard.guard_logic import GuardLogic, GuardState
from rtgym_ros.ros.diagnostics.diagnostics_publisher import DiagnosticsPublisher
from rtgym_ros.ros.diagnostics.status import Level, Rates, Status
from rtgym_ros.ros.guard.guard_lock import LockTopic
from rtgym_ros.ros.guard.input_topic import InputTopic

_LEVELS = {
    GuardState.STANDS_BY: Level.OK,
    GuardState.FORWARDS: Level.OK,
    GuardState.SAFE: Level.WARN,
    GuardState.LOCKED: Level.ERROR,
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
        self._logic = logic
        self._inputs = inputs
        self._lock = lock
        self._waits_for = waits_for
        self._publisher = DiagnosticsPublisher(node)
        self._rates = Rates()

    def publish(self, now_ns: int, problems: Sequence[str] = ()) -> None:
        """Publish all statuses.

        Args:
            now_ns: of the clock of the guard (ns).
            problems: of its topics, one line each.
        """
        self._rates.next(now_ns)
        statuses = [self._guard(problems), *(self._input(name, now_ns) for name in self._names())]
        if self._lock is not None:
            statuses.append(self._lock_status(self._lock, now_ns))
        self._publisher.publish(statuses)

    def _names(self) -> list[str]:
        return [one.name for one in self._logic.inputs]

    def _guard(self, problems: Sequence[str]) -> Status:
        logic = self._logic
        source = logic.source
        level, message = _LEVELS[logic.state], logic.state.value
        if source is not None:
            message = f"{message} of {source.name}"
        for command, topics in zip(logic.commands, self._waits_for, strict=True):
            if not command.is_ready:
                level, message = (
                    Level.ERROR,
                    f"nothing has come on {', '.join(topics)}: no command can be made",
                )
        if problems:
            level, message = max(level, Level.WARN), f"{message}; {problems[0]}"
        values = {
            "input": "" if source is None else source.name,
            "changes of the input": logic.changes,
            "commands forwarded": sum(command.forwarded for command in logic.commands),
            "commands limited": sum(command.limited for command in logic.commands),
            "safe actions": sum(command.safe for command in logic.commands),
            **{f"problem {number}": line for number, line in enumerate(problems, start=1)},
        }
        return Status("commands", level, message, values)

    def _input(self, name: str, now_ns: int) -> Status:
        one = next(one for one in self._logic.inputs if one.name == name)
        is_live = one.is_live(now_ns)
        level, message = (Level.OK, "live") if is_live else (Level.STALE, "silent")
        rate = self._rates.per_second(self._rates.since(name, one.received))
        if one.refused:
            level = max(level, Level.WARN)
        topics = [topic.subscription for topic in self._inputs if topic.input is one]
        values = {
            "priority": one.priority,
            "rate (Hz)": f"{rate:.1f}",
            "commands received": one.received,
            "messages refused": one.refused,
            **{f"publishers of {topic.topic}": topic.publishers for topic in topics},
        }
        return Status(f"input {name}", level, message, values)

    def _lock_status(self, topic: LockTopic, now_ns: int) -> Status:
        lock = topic.lock
        if not lock.is_engaged(now_ns):
            level, message = Level.OK, "released"
        else:
            level, message = Level.ERROR, "engaged: silent" if lock.is_silent(now_ns) else "engaged"
        name = topic.subscription.topic
        values = {f"publishers of {name}": topic.subscription.publishers, "messages refused": topic.refused}
        return Status("lock", level, message, values)
