"""What one can see of a run without learning from it: the headers of its batches, its stream, its learner's figures."""

from __future__ import annotations

import asyncio
import json
import logging
from collections import deque
from dataclasses import dataclass, field
from time import monotonic
from typing import Any

from nats.aio.msg import Msg
from nats.errors import Error as NatsError
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy
from nats.js.errors import Error as JetStreamError

from rtgym_ros.train.config import TrainConfig
from rtgym_ros.train.errors import LinkError, ProtocolError
from rtgym_ros.train.stream.connection import Connection, Outage, connected
from rtgym_ros.train.stream.key_value import KeyValue
from rtgym_ros.train.stream.names import PROGRESS, robot_of, sample_subject, stream_name
from rtgym_ros.train.stream.sample_message import BatchHeader, read_header

_RATE_S = 10.0  # over which rates are counted (s)


@dataclass
class RobotView:
    """One robot, as its batches tell of it.

    Attributes:
        header: of its newest batch.
        version_s: when its weights changed last (s, monotonic).
        arrivals: times and counts of the batches of the last seconds.
    """

    header: BatchHeader
    version_s: float = 0.0
    arrivals: deque[tuple[float, int]] = field(default_factory=deque)

    def rate(self, now_s: float) -> float:
        """Return samples a second."""
        while self.arrivals and self.arrivals[0][0] < now_s - _RATE_S:
            self.arrivals.popleft()
        return sum(count for _, count in self.arrivals) / _RATE_S


class RunWatch:
    """Watches a run until it is cancelled; nothing in it is changed.

    Attributes:
        robots: by name.
        progress: what the learner publishes of itself; empty before.
        messages: in the stream.
        stream_bytes: of the stream on the server's disk.
        problem: why the server cannot be reached; empty where it can.
    """

    def __init__(self, config: TrainConfig) -> None:
        self._config = config
        self.robots: dict[str, RobotView] = {}
        self.progress: dict[str, Any] = {}
        self.messages = 0
        self.stream_bytes = 0
        self.problem = "waiting for the server"

    async def run(self) -> None:
        """Keep the attributes up to date."""
        outage = Outage(logging.getLogger(__name__))
        while True:
            try:
                async with connected(self._config, "viewer") as connection:
                    await self._watch(connection)
            except (LinkError, NatsError, JetStreamError, asyncio.TimeoutError) as error:
                self.problem = str(error) or type(error).__name__
                await asyncio.sleep(outage.failed(self.problem))

    async def _watch(self, connection: Connection) -> None:
        context, run = connection.client.jetstream(), self._config.run
        keys = KeyValue(connection, run)
        await context.stream_info(stream_name(run))  # it may not be made yet
        headers = ConsumerConfig(
            headers_only=True, deliver_policy=DeliverPolicy.NEW, ack_policy=AckPolicy.NONE, mem_storage=True,
            inactive_threshold=30.0,
        )  # fmt: skip
        await context.subscribe(
            sample_subject(run, "*"), stream=stream_name(run), cb=self._on_batch, config=headers, manual_ack=True
        )
        while not connection.lost.is_set():
            state = (await context.stream_info(stream_name(run))).state
            self.messages, self.stream_bytes = state.messages, state.bytes
            found = await keys.get(PROGRESS)
            self.progress = json.loads(found[1]) if found else {}
            self.problem = ""
            await asyncio.sleep(1.0)
        raise LinkError(connection.said or "the connection was lost")

    async def _on_batch(self, message: Msg) -> None:
        try:
            header = read_header(message.headers)
        except ProtocolError:
            return
        now_s, robot = monotonic(), robot_of(message.subject)
        view = self.robots.setdefault(robot, RobotView(header, version_s=now_s))
        if header.version != view.header.version:
            view.version_s = now_s
        view.header = header
        view.arrivals.append((now_s, header.count))
