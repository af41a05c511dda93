"""A fleet on one server: many simulated robots at 50 Hz, two with frames of 2 MB, and weights for a hundred of them.

Each robot has the link process that it would have; what its control process would write is written from here.
"""

from __future__ import annotations

import asyncio
import os
import signal
from contextlib import closing
from time import monotonic, sleep

import numpy as np
from gymnasium import spaces

from benchmarks.distant.filler import SCHEMA, append
from benchmarks.distant.processes import Roles, cpu_s, memory_mb, wait_for
from benchmarks.distant.report import Report
from benchmarks.distant.setting import scratch, write_config
from benchmarks.distant.stub import Drain
from benchmarks.distant.throughput import SERVER
from rtgym_ros.policies.weights import PolicyWeights
from rtgym_ros.train.protocol.schema import make_schema
from rtgym_ros.train.stream.connection import connected
from rtgym_ros.train.stream.key_value import weights_of
from rtgym_ros.train.stream.learner_link import LearnerLink
from rtgym_ros.train.stream.names import WEIGHTS, key_subject
from rtgym_ros.train.worker.ring_folder import RingFolder

_WEIGHTS_BYTES = 300_000
_AT_ONCE = 5
"""Link processes that are started at the same time."""


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
        return _carried(roles, config, path, robots, SCHEMA, append, 10_000, rate_hz, seconds)


def _images(report: Report, image_bytes: int, seconds: float, rate_hz: float = 20.0) -> dict:
    schema = make_schema(spaces.Box(0, 255, (image_bytes,), np.uint8), spaces.Box(-2, 2, (2,), np.float32))
    image, action = np.full(image_bytes, 7, np.uint8), np.zeros(2, np.float32)

    def add(ring) -> None:
        head = (0, ring.written, False, False, False, False, False, -1, ring.written, 0, 0.0, 0.0)
        ring.append((*head, action, action, image))

    with scratch() as (disk, _), Roles(report.folder) as roles:
        config, path = write_config(disk, worker={"push_interval": 0.05}, server={"sync_interval": "10s"})
        row = _carried(roles, config, path, 2, schema, add, 200, rate_hz, seconds)
        return {**row, "MB/s": round(row["samples/s"] * image_bytes / 1e6)}


def _carried(
    roles: Roles, config, path, robots: int, schema, add, capacity: int, rate_hz: float, seconds: float
) -> dict:
    """Let so many robots make samples, and a learner read them; return what came of it."""
    roles.start("server", "rtgym_ros.train.server.main", "--config", path)
    wait_for(lambda: roles.find(SERVER), 60, "the server is there")
    with Drain(config) as drain:
        rings, links = [], [f"link{number}" for number in range(robots)]
        for number, link in enumerate(links):
            folder = config.folder / "workers" / f"robot{number}"
            rings.append(RingFolder(folder).create(schema, capacity))
            add(rings[-1])
            module = "rtgym_ros.train.worker.link_main"
            roles.start(link, module, "--config", path, "--name", f"robot{number}", "--folder", folder)
            if number % _AT_ONCE == _AT_ONCE - 1:  # Python starts slowly: a few at once
                wait_for(lambda: len(drain.next_seq) == len(rings) or drain.wrong, 120, "the links are there")
        wait_for(lambda: len(drain.next_seq) == robots or drain.wrong, 120, "all links are there")
        (server,) = roles.find(SERVER)
        pids = [roles.pid(link) for link in links]
        before, began = _cpu(server, pids), monotonic()
        while (passed := monotonic() - began) < seconds:
            for ring in rings:
                while ring.written < 1 + passed * rate_hz:
                    add(ring)
            sleep(0.01)
        after, memory = _cpu(server, pids), [memory_mb(pid) for pid in (server, *pids)]
        written = sum(ring.written for ring in rings)
        for ring in rings:
            ring.close()
        for link in links:
            roles.signal(link, signal.SIGTERM)
        codes = {roles.stop(link) for link in links}
        assert codes == {0}, f"links ended with {codes}"
        wait_for(lambda: drain.taken + drain.dropped >= written or drain.wrong, 120, "the learner has everything")
    server_cpu, links_cpu = (100 * (late - early) / seconds for early, late in zip(before, after, strict=True))
    return {"robots": robots, "rate (Hz)": rate_hz, "written": written, "taken": drain.taken, "given up": drain.dropped,
            "wrong": len(drain.wrong), "samples/s": round((written - robots) / passed), "server CPU (%)": server_cpu,
            "a link's CPU (%)": links_cpu / robots, "server (MB)": memory[0][0],
            "a link (MB)": sum(one[1] for one in memory[1:]) / robots}  # fmt: skip


def _cpu(server: int, links: list[int]) -> tuple[float, float]:
    return cpu_s(server), sum(map(cpu_s, links))


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
        async with connected(config, "worker", f"robot{number}") as connection:

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
