"""A robot at the other end of a network, which logs the truth: what it applied when, and what each sample was under."""

import heapq
from dataclasses import dataclass, field

import numpy as np

MS, S = 1_000_000, 1_000_000_000
START = 1_760_000_000 * S + 123


@dataclass
class Message:
    """A sample with its echo, on its way to the agent. Stamps of the robot's clock but for the command's."""

    sample_ns: int
    command_ns: int
    next_ns: int
    truth: "Truth"


@dataclass
class Truth:
    """What the robot logged of a sample: true times of one clock that nobody has."""

    sampled_ns: int
    command: int
    next_command: int


@dataclass
class Link:
    """A robot that samples periodically and applies the newest command that has come, at once or when it samples."""

    seed: int = 0
    lost: float = 0.0
    up: tuple[float, float] = (0.02, 0.05)
    down: tuple[float, float] = (0.02, 0.05)
    period_ns: int = 10 * MS
    offset_ns: int = 0
    ppm: float = 0.0
    at_samples: bool = False
    applied_at: dict[int, int] = field(default_factory=dict)

    def shows(self, true_ns):
        return true_ns + self.offset_ns + round((true_ns - START) * self.ppm / 1e6)

    def fly(self, time_steps, step_ns=50 * MS):
        """Yield, for each time-step, the true time at its end and the messages that came since the last one."""
        rng = np.random.default_rng(self.seed)
        uplink, downlink = [], []
        stamps = []
        applied = None
        sample_at = START + 3 * MS + 1
        for number in range(time_steps):
            now = START + number * step_ns
            stamps.append(now)
            if number == 0 or rng.random() >= self.lost:
                heapq.heappush(uplink, (now + round(rng.uniform(*self.up) * S), number))
            end = now + step_ns
            while sample_at <= end:
                applied = self._apply(uplink, sample_at, applied, strictly=True)
                before = applied
                applied = self._apply(uplink, sample_at, applied, strictly=False)
                if before is not None:
                    truth = Truth(sample_at, before, applied)
                    message = Message(self.shows(sample_at), stamps[before], stamps[applied], truth)
                    if rng.random() >= self.lost:
                        arrival = sample_at + round(rng.uniform(*self.down) * S)
                        heapq.heappush(downlink, (arrival, sample_at, message))
                sample_at += self.period_ns
            came = []
            while downlink and downlink[0][0] <= end:
                arrival, _, message = heapq.heappop(downlink)
                came.append((arrival, message))
            yield number, now, end, came

    def _apply(self, uplink, now, applied, strictly):
        """Apply what has come by ``now``; a robot that applies when it samples, just after the sample."""
        while uplink and (uplink[0][0] < now or (not strictly and uplink[0][0] == now)):
            if self.at_samples and strictly:
                break
            arrival, number = heapq.heappop(uplink)
            if applied is None or number > applied:
                applied = number
                self.applied_at[number] = now if self.at_samples else arrival
        return applied
