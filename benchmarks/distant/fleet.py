"""A fleet on one server: many simulated robots at 50 Hz, two with frames of 2 MB, and weights for a hundred of them."""

from __future__ import annotations

import asyncio
import os
import threading
from contextlib import closing
from time import monotonic, sleep

import numpy as np
from gymnasium import spaces

from benchmarks.distant.filler import SCHEMA, append
from benchmarks.distant.processes import Roles, wait_for
from benchmarks.distant.report import Report
from benchmarks.distant.setting import scratch, write_config
from benchmarks.distant.stub import Drain
from rtgym_ros.train.policy.policy_file import PolicyWeights
from rtgym_ros.train.protocol.schema import make_schema
from rtgym_ros.train.stream.connection import connected
from rtgym_ros.train.stream.key_value import weights_of
from rtgym_ros.train.stream.learner_link import LearnerLink
from rtgym_ros.train.stream.names import WEIGHTS, key_subject
from rtgym_ros.train.worker.ring_folder import RingFolder
from rtgym_ros.train.worker.uploader import Uploader

_WEIGHTS_BYTES = 300_000


def run(
    report: Report, robots: float = 100, rate_hz: float = 50, seconds: float = 30, image_bytes: float = 2e6
) -> None:
    """Measure; everything told goes to the report."""
    row = _fleet(report, int(robots), rate_hz, seconds)
    report.table("robots", [row])
    report.verdict("nothing lost and none twice", row["written"] == row["taken"] and not row["wrong"], str(row))
    images = _images(report, int(image_bytes), seconds / 2)
    report.table("frames", [images])
    report.verdict("no frame lost", images["written"] == images["taken"] and not images["wrong"], str(images))
    arrived = _weights(report, int(robots))
    report.verdict("weights reach all of them in under 2 s", arrived < 2.0, f"{arrived:.2f} s")


def _fleet(report: Report, robots: int, rate_hz: float, seconds: float) -> dict:
    with scratch() as (disk, _), Roles(report.folder) as roles:
        config, path = write_config(disk, worker={"buffer_samples": 10_000})
        roles.start("server", "rtgym_ros.train.server.main", "--config", path)
        with Drain(config) as drain:
            carriers = _Carriers(config, robots, SCHEMA, append, 10_000)
            began = monotonic()
            while monotonic() < began + seconds:
                carriers.write(int((monotonic() - began) * rate_hz))
                sleep(0.02)
            written = carriers.end()
            wait_for(lambda: drain.taken >= written or drain.wrong, 120, "the learner has everything")
            passed = monotonic() - began
        return {"robots": robots, "rate (Hz)": rate_hz, "written": written, "taken": drain.taken,
                "given up": drain.dropped, "wrong": len(drain.wrong), "samples/s": round(written / passed)}  # fmt: skip


def _images(report: Report, image_bytes: int, seconds: float, rate_hz: float = 20.0) -> dict:
    schema = make_schema(spaces.Box(0, 255, (image_bytes,), np.uint8), spaces.Box(-2, 2, (2,), np.float32))
    image, action = np.full(image_bytes, 7, np.uint8), np.zeros(2, np.float32)

    def add(ring) -> None:
        head = (0, ring.written, False, False, False, False, False, -1, ring.written, 0, 0.0, 0.0)
        ring.append((*head, action, action, image))

    with scratch() as (disk, _), Roles(report.folder) as roles:
        config, path = write_config(disk, worker={"push_interval": 0.05}, server={"sync_interval": "10s"})
        roles.start("server", "rtgym_ros.train.server.main", "--config", path)
        with Drain(config) as drain:
            carriers = _Carriers(config, 2, schema, add, 200)
            began = monotonic()
            while monotonic() < began + seconds:
                carriers.write(int((monotonic() - began) * rate_hz))
                sleep(0.005)
            written = carriers.end()
            wait_for(lambda: drain.taken + drain.dropped >= written or drain.wrong, 120, "all frames are there")
            passed = monotonic() - began
        return {"written": written, "taken": drain.taken, "given up": drain.dropped, "wrong": len(drain.wrong),
                "MB/s": round(written * image_bytes / 1e6 / passed)}  # fmt: skip


class _Carriers:
    """The link processes' work of many robots, in one event loop; each has its ring and its connection."""

    def __init__(self, config, robots: int, schema, add, capacity: int) -> None:
        self._add = add
        self._rings, self._uploaders = [], []
        for number in range(robots):
            folder = config.folder / "workers" / f"robot{number}"
            self._rings.append(RingFolder(folder).create(schema, capacity))
            self._uploaders.append(Uploader(config, f"robot{number}", folder))
        self._stop: asyncio.Event | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._ready = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()))
        self._thread.start()
        self._ready.wait()

    def write(self, count: int) -> None:
        for ring in self._rings:
            while ring.written < count:
                self._add(ring)

    def end(self) -> int:
        written = sum(ring.written for ring in self._rings)
        for ring in self._rings:
            ring.close()
        assert self._loop is not None
        assert self._stop is not None
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()
        for uploader in self._uploaders:
            uploader.close()
        return written

    async def _run(self) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        self._ready.set()
        await asyncio.gather(*(uploader.run(self._stop) for uploader in self._uploaders))


def _weights(report: Report, subscribers: int) -> float:
    """Return how long it takes until weights have come to every subscriber (s)."""
    with scratch() as (disk, _), Roles(report.folder) as roles:
        config, path = write_config(disk)
        roles.start("server", "rtgym_ros.train.server.main", "--config", path)
        with closing(LearnerLink(config, schema=SCHEMA)) as link:
            assert link.wait_until_connected(60)
            policy = PolicyWeights("any", -1, {"any": np.frombuffer(os.urandom(_WEIGHTS_BYTES), np.uint8)}, {})
            return asyncio.run(_spread(config, link, policy, subscribers))


async def _spread(config, link: LearnerLink, policy: PolicyWeights, subscribers: int) -> float:
    came, everybody = [], asyncio.Event()

    async def subscriber(number: int) -> None:
        async with connected(config.server.url, config, "worker", f"robot{number}") as connection:

            async def on_weights(message) -> None:
                came.append(weights_of(message.headers, message.data).version)
                if len(came) == subscribers:
                    everybody.set()

            await connection.client.subscribe(key_subject(config.run, WEIGHTS), cb=on_weights)
            await connection.client.flush()
            ready.release()
            await everybody.wait()

    ready = asyncio.Semaphore(0)
    tasks = [asyncio.ensure_future(subscriber(number)) for number in range(subscribers)]
    for _ in tasks:
        await ready.acquire()
    began = monotonic()
    link.publish(policy)
    await asyncio.wait_for(everybody.wait(), 60)
    passed = monotonic() - began
    await asyncio.gather(*tasks)
    return passed
