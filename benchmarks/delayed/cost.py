"""What seeing the delays costs a time-step: `python -m benchmarks.delayed.cost`."""

from __future__ import annotations

from collections.abc import Callable
from statistics import median
from time import perf_counter_ns

from rtgym_ros.delays.alarm import BufferAlarm
from rtgym_ros.delays.ledger import DelayLedger

_TIME_STEPS = 20_000
_STEP_NS = 50_000_000


def measure(echoes: int) -> tuple[float, float]:
    """Return the median and the 99th percentile of the cost of a time-step (us), with so many echoes in it."""
    ledger, alarm = DelayLedger(), BufferAlarm(4, print)
    costs = []
    for number in range(_TIME_STEPS):
        start = 1_760_000_000_000_000_000 + number * _STEP_NS
        samples = [start + index * _STEP_NS // echoes for index in range(echoes)]
        costs.append(_time(ledger, alarm, start, samples))
    costs.sort()
    return median(costs) / 1e3, costs[len(costs) * 99 // 100] / 1e3


def _time(ledger: DelayLedger, alarm: BufferAlarm, start: int, samples: list[int]) -> int:
    echo: Callable[[int, int], bool] = ledger.echo
    began = perf_counter_ns()
    ledger.sent(start)
    for sample in samples:
        echo(sample, start - _STEP_NS)
    delays = ledger.observed(samples[-1], start + _STEP_NS)
    alarm.check(delays)
    delays.info()
    return perf_counter_ns() - began


if __name__ == "__main__":
    for count in (1, 5, 10):
        middle, worst = measure(count)
        print(f"{count:2} echoes a time-step: median {middle:.2f} us, p99 {worst:.2f} us")
