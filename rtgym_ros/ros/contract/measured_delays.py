"""The delays of each time-step, from the stamps of a contract's observations, commands and echoes."""

from __future__ import annotations

from collections.abc import Callable

from rtgym_ros.contract.messages.layout import StructType
from rtgym_ros.contract.messages.stamp_field import NANOSECONDS
from rtgym_ros.contract.messages.stamp_reader import StampReader
from rtgym_ros.contract.records.contract import Contract
from rtgym_ros.contract.resolution.located import located
from rtgym_ros.delays.alarm import BufferAlarm
from rtgym_ros.delays.ledger import DelayLedger
from rtgym_ros.ros.contract.contract_topic import ContractTopic, Stamped
from rtgym_ros.ros.contract.observed_part import ObservedPart
from rtgym_ros.ros.contract.topic_table import TopicTable, deserialize_of

ALARMS = "delay_alarms"
"""Key of ``info``: observations so far whose sample the robot left with an action that the buffer had lost."""

_ECHO_DEPTH = 32
"""Echoes that are kept between two captures: of a robot that samples at 500 Hz, those of 64 ms."""


class MeasuredDelays:
    """Feeds a :class:`~rtgym_ros.delays.ledger.DelayLedger`; belongs to one thread.

    The observation whose delays these are is the first part of the contract: other parts may be slower sensors.

    Args:
        contract: read before.
        topics: where the echo comes from.
        part: the first of the observation.
        act_buf_len: length of the action buffer.
        warn: called once, where the action buffer is too short.

    Raises:
        ContractError: the echo does not fit its message type.
    """

    def __init__(
        self,
        contract: Contract,
        topics: TopicTable,
        part: ObservedPart,
        act_buf_len: int,
        warn: Callable[[str], None],
    ) -> None:
        self._part = part
        self._alarm = BufferAlarm(act_buf_len, warn)
        self._echo: ContractTopic | None = None
        self._command: StampReader | None = None
        resolution = 1
        for name, action in contract.action.items():
            if action.echo is None:
                continue
            key = ("action", name, "echo")
            layout: StructType = topics.layout(key, action.echo.type, action.echo.topic)
            with located(contract.source, (*key, "stamp")):
                self._command = StampReader(layout, action.echo.stamp, deserialize_of(layout))
            self._echo = topics.open(key, layout, action.echo.topic, action.echo.qos, "sensor", None, _ECHO_DEPTH)
            self._echo.add_reader(self._read)
            if action.stamp is not None and action.stamp.unit is not None:
                resolution = NANOSECONDS[action.stamp.unit]
            break
        self._ledger = DelayLedger(self._to_ours, resolution)

    @property
    def topic(self) -> ContractTopic | None:
        """Where the echo comes from; None: the robot tells nothing."""
        return self._echo

    @property
    def alarms(self) -> int:
        """Observations so far whose sample the robot left with an action that the buffer had lost."""
        return self._alarm.count

    def sent(self, stamp_ns: int) -> None:
        """Note that the next action was sent (ROS time, ns)."""
        try:
            self._ledger.sent(stamp_ns)
        except ValueError:  # ROS time was set back
            self._ledger.restart()
            self._ledger.sent(stamp_ns)

    def observed(self, now_ns: int) -> dict[str, float]:
        """Return the entries of ``info`` for what is captured now (ROS time, ns); NaN where not known."""
        if self._echo is not None:
            self._echo.pull()
        self._ledger.to_ours = self._to_ours if self._part.topic.clock.own_clock else None
        delays = self._ledger.observed(self._part.stamp_ns, now_ns)
        self._alarm.check(delays)
        return {**delays.info(), ALARMS: float(self._alarm.count)}

    def _to_ours(self, stamp_ns: int, _now_ns: int) -> tuple[int, int]:
        """Return the ROS time of a stamp of the robot's clock."""
        return self._part.topic.clock.sampled_ns(stamp_ns), 0

    def _read(self, messages: list[Stamped], _restarts: int) -> None:
        assert self._command is not None
        for message in reversed(messages):
            command_ns = self._command.read_ns(message.data)
            if command_ns is not None:
                self._ledger.echo(message.stamp_ns, command_ns)
