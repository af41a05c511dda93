"""A small world of samples: what a worker sends, without a worker."""

from __future__ import annotations

import asyncio
from zlib import crc32

import numpy as np
from gymnasium import spaces

from rtgym_ros.train.config import TrainConfig
from rtgym_ros.train.protocol.schema import SampleSchema, make_schema
from rtgym_ros.train.stream.connection import connected
from rtgym_ros.train.stream.key_value import KeyValue
from rtgym_ros.train.stream.provision import provision
from rtgym_ros.train.stream.sample_message import BatchHeader, SamplePublisher

OBSERVATION = spaces.Tuple((spaces.Box(-1.0, 1.0, (2,), np.float32), spaces.Box(-5.0, 5.0, (1,), np.float32)))
ACTION = spaces.Box(np.array([-1.0, -2.0], np.float32), np.array([1.0, 3.0], np.float32))


def schema_of(action: spaces.Space = ACTION) -> SampleSchema:
    return make_schema(OBSERVATION, action)


def make_records(lengths: list[int], test_every: int = 0, terminated: bool = True, seed: int = 0) -> np.ndarray:
    """Whole episodes of so many time-steps; every observation is unlike every other."""
    rng = np.random.default_rng(seed)
    count = sum(lengths) + len(lengths)
    records = np.zeros(count, schema_of().dtype)
    row = 0
    for episode, length in enumerate(lengths):
        part = records[row : row + length + 1]
        part["episode"] = episode
        part["step"] = np.arange(length + 1)
        part["test"] = test_every > 0 and episode % test_every == 0
        part["reward"][1:] = rng.normal(size=length)
        part["episode_return"] = np.cumsum(part["reward"])
        part["terminated" if terminated else "truncated"][-1] = True
        row += length + 1
    records["observation/0"] = rng.uniform(-1, 1, (count, 2))
    records["observation/1"] = np.arange(count)[:, None] / 1000
    records["action"] = records["executed"] = rng.uniform(ACTION.low, ACTION.high, (count, 2))
    records["stamp_ns"] = np.arange(count)
    return records


def transitions_in(memory) -> dict[str, np.ndarray]:
    """Return all that a replay memory holds, oldest first."""
    numbers = np.arange(memory._oldest(), memory._written)
    return memory.transitions(numbers[memory._before[numbers % memory.buffer_size] >= memory._oldest()])


def send(
    config: TrainConfig,
    records: np.ndarray,
    first_seq: int = 0,
    robot: str = "robot",
    boot: str = "boot1",
    batch: int = 50,
    schema: SampleSchema | None = None,
) -> None:
    """Publish records as a robot does, over a connection of a robot."""
    schema = schema or schema_of()

    async def call() -> None:
        async with connected(config, "trainer") as connection:
            await provision(connection, config)
        async with connected(config, "worker", robot) as connection:
            await KeyValue(connection, config.run).put(f"schema.{robot}", schema.to_bytes())
            publisher = SamplePublisher(connection, config.run, robot)
            await publisher.last()
            for begin in range(0, len(records), batch):
                part = records[begin : begin + batch]
                payload = part.tobytes()
                await publisher.publish(
                    BatchHeader(boot=boot, first_seq=first_seq + begin, count=len(part), crc=crc32(payload),
                                schema=schema.digest), payload,
                )  # fmt: skip

    asyncio.run(call())
