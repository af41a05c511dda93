"""``ros2 run rtgym_ros doctor``: what this machine can hold, and what to change."""

from __future__ import annotations

import argparse
import json
import math
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from typing import Any

from rtgym_ros.core.one_line_parser import OneLineParser
from rtgym_ros.realtime.advice import FORMULA, LADDER_S, Advice, advise, shortest_time_step_s
from rtgym_ros.realtime.latency_probe import PERIOD_NS, LatencyProbe, Measurement, settings
from rtgym_ros.realtime.machine_facts import MachineFacts, read_facts

_INTERRUPTED = 128 + 2
"""The exit code of a program that SIGINT has ended."""

_LONGEST_S = 3600.0
_ENOUGH = 1000
"""Wake-ups: of fewer, the p99.9 is the worst one."""

_PERCENTILES = {"p50": 50.0, "p99": 99.0, "p99.9": 99.9}


def main(arguments: Sequence[str] | None = None) -> int:
    """Examine the machine; return 0, whatever it refuses, and 130 after Ctrl-C."""
    options = _parse(sys.argv[1:] if arguments is None else arguments)
    try:
        facts = read_facts()
        if sys.stderr.isatty():
            sys.stderr.write(f"doctor: measuring for {options.seconds:g} s\n")
        measurements = LatencyProbe(settings(_cpu_to_bind_to(facts)), options.seconds).run()
    except KeyboardInterrupt:
        sys.stderr.write("doctor: interrupted\n")
        return _INTERRUPTED
    write = _to_json if options.json else _to_text
    sys.stdout.write(write(facts, measurements, advise(facts, measurements)) + "\n")
    return 0


def _parse(arguments: Sequence[str]) -> argparse.Namespace:
    parser = OneLineParser("doctor", description="Say what time-steps this machine can hold, and what to change.")
    parser.add_argument("--json", action="store_true", help="write one JSON object, all times in seconds")
    parser.add_argument(
        "--seconds",
        type=_seconds,
        default=10.0,
        help="that the measurement takes; longer sees rarer stalls (default: %(default)g)",
    )
    return parser.parse_args(arguments)


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not 0 < seconds <= _LONGEST_S:
        raise argparse.ArgumentTypeError(f"must be a number above 0, up to {_LONGEST_S:g}, got {text!r}")
    return seconds


def _cpu_to_bind_to(facts: MachineFacts) -> int:
    """Return one that is kept free, else the last one: the first has most of the interrupts."""
    return (facts.isolated_cpus or facts.usable_cpus or (0,))[-1]


def _to_json(facts: MachineFacts, measurements: Sequence[Measurement], advice: Sequence[Advice]) -> str:
    report = {
        "facts": asdict(facts),
        "period_s": PERIOD_NS / 1e9,
        "formula": FORMULA,
        "ladder_s": LADDER_S,
        "settings": [
            {
                "name": each.setting.name,
                "config": each.setting.config,
                "refused": each.refused,
                "wake_ups": each.lateness.count,
                "lateness_s": _in_seconds(each.lateness),
                "done_s": _in_seconds(each.done),
                "shortest_time_step_s": shortest_time_step_s(each),
            }
            for each in measurements
        ],
        "advice": [each._asdict() for each in advice],
    }
    return json.dumps(_finite(report), indent=2, allow_nan=False)


def _in_seconds(histogram: Any) -> dict[str, float]:
    if not histogram.count:
        return {}
    found = {name: histogram.percentile_ns(percent) / 1e9 for name, percent in _PERCENTILES.items()}
    return {**found, "max": histogram.max_ns / 1e9}


def _finite(value: Any) -> Any:
    """Return ``value`` as JSON knows it: it has no infinity; "inf" is what Python's float() understands."""
    if isinstance(value, dict):
        return {key: _finite(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(each) for each in value]
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value


def _to_text(facts: MachineFacts, measurements: Sequence[Measurement], advice: Sequence[Advice]) -> str:
    return "\n\n".join(
        "\n".join(section)
        for section in (
            ["What this machine is", *_aligned(list(_facts_told(facts)))],
            list(_measurements_told(measurements)),
            list(_refusals_told(measurements)),
            list(_advice_told(advice)),
        )
        if section
    )


def _facts_told(facts: MachineFacts) -> Iterator[tuple[str, str]]:
    """Yield name and value of every fact; what is not known says so."""
    idle = (
        f"{facts.idle_state}, {facts.idle_latency_s * 1e6:g} us to leave" if facts.idle_latency_s is not None else None
    )
    period_s = facts.cpu_quota_period_s or 0.0
    quota = "none" if facts.cpu_quota == math.inf else f"{facts.cpu_quota} CPUs, every {1e3 * period_s:g} ms"
    runtime_us = facts.sched_rt_runtime_us
    yield "system", f"{facts.system} {facts.kernel or ''}".strip()
    yield "real-time kernel", _yes(facts.preempt_rt, "PREEMPT_RT")
    yield "virtual machine", _yes(facts.is_virtual)
    yield "container", _known(facts.container if facts.container != "" else "none seen")
    yield "usable CPUs", _list(facts.usable_cpus)
    yield "isolated CPUs", _list(facts.isolated_cpus)
    yield "CPU quota", _known(facts.cpu_quota and quota)
    yield "clock source", _known(facts.clock_source)
    yield "governor", _list(facts.governors)
    yield "deepest idle state", _known(idle)
    yield "timer slack", _known(facts.timer_slack_s, lambda slack_s: f"{slack_s * 1e6:g} us, the clock asks for 1 ns")
    yield "RLIMIT_RTPRIO", _known(facts.rtprio_limit)
    yield "CAP_SYS_NICE", _yes(facts.may_set_priority)
    yield "RLIMIT_MEMLOCK", _known(facts.memlock_limit_bytes, _bytes)
    yield "CAP_IPC_LOCK", _yes(facts.may_lock_memory)
    yield "sched_rt_runtime_us", _known(runtime_us)
    yield "switch interval", _known(facts.switch_interval_s, lambda interval_s: f"{interval_s * 1e3:g} ms")
    yield "garbage collection", _known(facts.gc_thresholds, lambda numbers: f"thresholds {_list(numbers)}")


def _measurements_told(measurements: Sequence[Measurement]) -> Iterator[str]:
    counts = [each.lateness.count for each in measurements if each.lateness.count]
    yield f"How late a thread wakes up (us), every {PERIOD_NS / 1e6:g} ms, at least {min(counts, default=0)} times each"
    rows = [("", *_PERCENTILES, "max", "done", "time-step")]
    rows += [(_indented(each), *_figures(each)) for each in measurements]
    width = max(len(row[0]) for row in rows)
    for name, *cells in rows:
        yield f"  {name:<{width}}" + "".join(f"{cell:>9}" for cell in cells[:-1]) + f"  {cells[-1]:>10}"
    yield "  The indented ones sleep and spin, too. 'done' is the p99.9 of being awake and having done the work."
    if min(counts, default=0) < _ENOUGH:
        yield f"  Of fewer than {_ENOUGH} wake-ups the p99.9 is the worst one: measure longer (--seconds)."
    yield f"  time-step: {FORMULA}."


def _indented(measurement: Measurement) -> str:
    return ("  " if measurement.setting.config else "") + measurement.setting.name


def _figures(measurement: Measurement) -> list[str]:
    if not measurement.lateness.count:
        return ["-", "-", "-", "-", "-", "refused" if measurement.refused else "-"]
    found = [*_in_seconds(measurement.lateness).values(), _in_seconds(measurement.done)["p99.9"]]
    step_s = shortest_time_step_s(measurement)
    held = f"> {1e3 * max(LADDER_S):g} ms" if step_s is None else f"{1e3 * step_s:g} ms"
    return [*(f"{1e6 * each_s:.0f}" for each_s in found), held]


def _refusals_told(measurements: Sequence[Measurement]) -> Iterator[str]:
    refused = [f"  {each.setting.name}: {reason}" for each in measurements for reason in each.refused]
    yield from ["Refused", *refused] if refused else []


def _advice_told(advice: Sequence[Advice]) -> Iterator[str]:
    yield "What to change, what ends the longest stalls first" if advice else "Nothing to change"
    for number, each in enumerate(advice, 1):
        yield f"  {number}. {each.reason}: {each.change}"


def _aligned(rows: Sequence[tuple[str, str]]) -> list[str]:
    width = max(len(name) for name, _ in rows)
    return [f"  {name:<{width}}  {value}" for name, value in rows]


def _known(value: Any, tell: Callable[[Any], str] = str) -> str:
    return "not known" if value is None else tell(value)


def _yes(value: bool | None, what: str = "yes") -> str:
    return _known(value, lambda is_so: what if is_so else "no")


def _list(values: Sequence[Any] | None) -> str:
    return _known(values, lambda known: ", ".join(map(str, known)) or "none")


def _bytes(number: float) -> str:
    return "unlimited" if number == math.inf else f"{number / 1024:g} kB"


if __name__ == "__main__":
    sys.exit(main())
