"""Stage *live*: a contract held against the robot that is up, one line for each thing that was looked at."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from time import monotonic, sleep, time_ns
from typing import Any, NamedTuple

import numpy as np
from rclpy.qos import QoSProfile

from rtgym_ros.contract.grammar.source import ContractError, Key
from rtgym_ros.contract.load_code import load_code
from rtgym_ros.contract.messages.layout import StructType
from rtgym_ros.contract.records.contract import Contract
from rtgym_ros.contract.records.conversion import Function
from rtgym_ros.contract.records.step import CallStep, GoalStep, PublishStep
from rtgym_ros.contract.resolution.commands import resolve_command
from rtgym_ros.contract.resolution.messages import resolve_constants
from rtgym_ros.contract.resolution.observations import resolve_observation
from rtgym_ros.contract.sequences.conditions import why_not
from rtgym_ros.ros.contract.conditions import Conditions
from rtgym_ros.ros.contract.contract_topic import ContractTopic
from rtgym_ros.ros.contract.interface_types import InterfaceTypes, message_layout
from rtgym_ros.ros.contract.observed_part import Finding, ObservedPart
from rtgym_ros.ros.contract.quality_of_service import to_qos_profile
from rtgym_ros.ros.contract.resolved_steps import SEQUENCES
from rtgym_ros.ros.contract.topic_table import NAMED_DEPTH, TopicTable, deserialize_of
from rtgym_ros.ros.discovery import DISCOVERY_S
from rtgym_ros.ros.pulled_subscription import PulledSubscription
from rtgym_ros.ros.session import RosSession
from rtgym_ros.ros.topic_checks import TopicChecks, mismatch_of, type_name

_PATIENCE_S = 8.0
"""How long nodes may take to be discovered (s) where a topic of an observation has no publisher yet."""
_POLL_S = 0.005


class Line(NamedTuple):
    """What was found: whether it is well, and one line."""

    is_well: bool
    text: str


class LiveCheck:
    """Looks at everything that a contract names; sends nothing and calls nothing.

    Args:
        contract: read before.
        session: the node that looks.
        duration: for how long messages are counted (s).
        with_code: whether code that the contract names is imported.
        allow_beside: whether it may lie beside the file.
    """

    def __init__(
        self,
        contract: Contract,
        session: RosSession,
        *,
        duration: float = 3.0,
        with_code: bool = False,
        allow_beside: bool = False,
    ) -> None:
        self._contract = contract
        self._node = session.node
        self._duration = duration
        self._with_code = with_code or allow_beside
        self._allow_beside = allow_beside
        self._checks = TopicChecks(self._node, lambda _: None)
        self._types = InterfaceTypes(self._node, contract.source, DISCOVERY_S)
        self._topics = TopicTable(contract.source, self._types, self._resolve, self._subscribe, time_ns)
        self._arrived: dict[int, int] = {}

    def run(self) -> Iterator[Line]:
        """Yield a line for each thing that is looked at."""
        self._discover()
        try:
            parts, lines = self._make_parts()
            yield from lines
            conditions = Conditions(self._contract.source, self._topics, time_ns)
            gates = []
            for name, gate in self._contract.gates.items():
                try:
                    gates.append((name, conditions.add(("gates", name), gate)))
                except ContractError as error:
                    yield Line(False, str(error))
            ages = self._watch(parts)
            for name, part in parts.items():
                yield from self._part_lines(name, part, ages[name])
            for name, condition in gates:
                reason = why_not(condition, conditions.read(condition))
                # `start` is there to make gates hold.
                note = " (before `start`)" if reason is not None and self._contract.start else ""
                yield self._line(("gates", name), reason is None or bool(note), (reason or "holds") + note)
            yield from self._step_lines()
            yield from self._command_lines()
        finally:
            self._topics.close()

    def _discover(self) -> None:
        least, most = (monotonic() + seconds for seconds in (DISCOVERY_S, _PATIENCE_S))
        names = {self._resolve(part.topic) for part in self._contract.observation.values()}
        while monotonic() < least or (
            monotonic() < most and not all(self._node.count_publishers(name) for name in names)
        ):
            sleep(_POLL_S)

    # --- observations ---

    def _make_parts(self) -> tuple[dict[str, ObservedPart], list[Line]]:
        parts: dict[str, ObservedPart] = {}
        lines: list[Line] = []
        for name, part in self._contract.observation.items():
            key: Key = ("observation", name)
            if not self._with_code and any(isinstance(convert, Function) for convert in part.convert):
                lines.append(self._line(key, True, "has a function: its values are looked at with --with-code"))
                continue
            try:
                layout = self._topics.layout(key, part.type, part.topic)
                reader = resolve_observation(
                    self._contract, name, layout, self._load(key), deserialize_of(layout)
                ).reader
                topic = self._topics.open(key, layout, part.topic, part.qos, "sensor", part.stamp, NAMED_DEPTH)
                duration = self._contract.time.get("time_step_duration", 0.05)
                parts[name] = ObservedPart(part, reader, topic, duration)
            except ContractError as error:
                lines.append(Line(False, str(error)))
        return parts, lines

    def _watch(self, parts: dict[str, ObservedPart]) -> dict[str, list[float]]:
        """Count messages for a while; return the age (s) of each part when it was renewed."""
        ages: dict[str, list[float]] = {name: [] for name in parts}
        topics: list[ContractTopic] = list(self._topics)
        end = monotonic() + self._duration
        for topic in topics:
            topic.pull()
        self._arrived = {id(topic): topic.arrived for topic in topics}
        while monotonic() < end:
            before = {name: part.accepted for name, part in parts.items()}
            for topic in topics:
                topic.pull()
            for name, part in parts.items():
                if part.accepted > before[name]:
                    ages[name].append(part.age_at(time_ns()))
            sleep(_POLL_S)
        return ages

    def _part_lines(self, name: str, part: ObservedPart, ages: list[float]) -> Iterator[Line]:
        key: Key = ("observation", name)
        subscription = part.topic.subscription
        where = f"{subscription.topic} ({type_name(subscription.message_type)})"
        problems = self._checks.problems_of_observation(subscription)
        if not part.part.names:
            problems += self._checks.problems_of_sharing(subscription)
        publishers = subscription.publishers
        yield self._line(key, publishers > 0, f"{where} has {_count(publishers, 'publisher')}")
        for problem in problems:
            yield self._line(key, False, problem)
        if part.newest is None or not ages:
            skipped = f"; {part.skipped}" if part.skipped else ""
            yield self._line(key, False, f"no message on {where} for {self._duration:g} s{skipped}")
            return
        arrived = part.topic.arrived - self._arrived[id(part.topic)]
        yield self._line(
            key,
            max(ages) <= part.max_age,
            f"{arrived / self._duration:.3g} Hz, age {1e3 * float(np.mean(ages)):.3g} ms, {1e3 * max(ages):.3g} ms at "
            f"most; max_age {part.max_age:g} s",
        )
        try:
            part.make_space()
            findings: list[Finding] = []
            part.capture(time_ns(), True, findings)
        except ContractError as error:
            yield Line(False, str(error))
            return
        bounds = [finding.message for finding in findings if "allowed: " in finding.message and "[" in finding.message]
        values = ", ".join(f"{value:.4g}" for value in np.ravel(part.newest)[:6])
        more = ", ..." if part.newest.size > 6 else ""
        yield self._line(key, not bounds, "; ".join(bounds) or f"within its bounds: {values}{more}")

    # --- steps ---

    def _step_lines(self) -> Iterator[Line]:
        for sequence in SEQUENCES:
            for index, step in enumerate(getattr(self._contract, sequence)):
                if isinstance(step, CallStep | GoalStep | PublishStep):
                    yield self._step_line((sequence, index), step)

    def _step_line(self, key: Key, step: CallStep | GoalStep | PublishStep) -> Line:
        try:
            if isinstance(step, CallStep):
                name = self._resolve(step.call)
                message_class = self._types.service(key, step.type, name)
                there = dict(self._node.get_service_names_and_types()).get(name, [])
                layout = message_layout(message_class.Request)
                text = f"service {name} ({type_name(message_class)})"
            elif isinstance(step, GoalStep):
                from rclpy.action import get_action_names_and_types

                name = self._resolve(step.goal)
                message_class = self._types.action(key, step.type, name)
                there = dict(get_action_names_and_types(self._node)).get(name, [])
                layout = message_layout(message_class.Goal)
                text = f"action {name} ({type_name(message_class)})"
            else:
                layout = self._topics.layout(key, step.type, step.publish)
                resolve_constants(self._contract.source, key, layout, step.fill, step.stamp)
                count = self._node.count_subscribers(self._resolve(step.publish))
                heard = _count(count, "subscriber")
                return self._line(key, count > 0, f"topic {self._resolve(step.publish)} has {heard}")
            resolve_constants(self._contract.source, key, layout, step.fill)
        except ContractError as error:
            return Line(False, str(error))
        if not there:
            return self._line(key, False, f"{text} has no server")
        if there != [type_name(message_class)]:
            return self._line(key, False, f"{text} is a {', '.join(there)}")
        return self._line(key, True, f"{text} has a server")

    # --- commands ---

    def _command_lines(self) -> Iterator[Line]:
        groups: dict[tuple[Any, ...], list[str]] = {}
        for name, part in self._contract.action.items():
            groups.setdefault((part.topic, part.goal, part.qos), []).append(name)
        for (topic, goal, qos), names in groups.items():
            key: Key = ("action", names[0])
            type_of = next(
                (self._contract.action[name].type for name in names if self._contract.action[name].type), None
            )
            try:
                if goal is not None:
                    action_type = self._types.action(key, type_of, self._resolve(goal))
                    layout = message_layout(action_type.Goal)
                else:
                    layout = self._topics.layout(key, type_of, topic)
                resolve_command(
                    self._contract, names, layout, self._contract.time.get("time_step_duration", 0.05), self._load(key)
                )
            except ContractError as error:
                yield Line(False, str(error))
                continue
            if goal is not None:
                from rclpy.action import get_action_names_and_types

                there = self._resolve(goal) in dict(get_action_names_and_types(self._node))
                yield self._line(key, there, f"action {self._resolve(goal)} has {'a' if there else 'no'} server")
            else:
                yield from self._heard(key, topic, layout, to_qos_profile(qos, "command"))

    def _heard(self, key: Key, topic: str, layout: StructType, offered: QoSProfile) -> Iterator[Line]:
        name = self._resolve(topic)
        listeners = self._node.get_subscriptions_info_by_topic(name)
        wanted = type_name(layout.message_class)
        yield self._line(key, bool(listeners), f"{name} ({wanted}) has {_count(len(listeners), 'subscriber')}")
        for info in listeners:
            who = f"{info.node_namespace.rstrip('/')}/{info.node_name}"
            if info.topic_type != wanted:
                yield self._line(key, False, f"{who} has {info.topic_type} on {name}, not {wanted}")
                continue
            reason = mismatch_of(offered, info.qos_profile)
            if reason is not None:
                yield self._line(key, False, f"the QoS of {who} on {name} does not match: {reason}")
        others = self._node.get_publishers_info_by_topic(name)
        for info in others:
            who = f"{info.node_namespace.rstrip('/')}/{info.node_name}"
            yield self._line(key, self._contract.guard is not None, f"{who} publishes on {name} already")

    # --- inside ---

    def _resolve(self, name: str) -> str:
        return name if name.startswith("/") else f"{self._node.get_namespace().rstrip('/')}/{name}"

    def _subscribe(self, message_class: Any, name: str, qos: Any) -> PulledSubscription[Any]:
        return PulledSubscription(self._node, message_class, name, qos)

    def _load(self, key: Key) -> Callable[[str], Any] | None:
        if not self._with_code:
            return None
        return lambda code: load_code(self._contract, (*key, "convert"), code, allow_beside=self._allow_beside)

    def _line(self, key: Key, is_well: bool, text: str) -> Line:
        return Line(is_well, self._contract.source.problem(key, text))


def _count(number: int, what: str) -> str:
    return f"{number or 'no'} {what}{'' if number == 1 else 's'}"
