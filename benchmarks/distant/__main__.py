"""``python -m benchmarks.distant NAME``: one measurement, told on the terminal and kept under ``results/``."""

from __future__ import annotations

import argparse
import signal
import sys
from importlib import import_module

from benchmarks.distant.report import Report
from benchmarks.machine import one_line

_NAMES = ("kill", "timing", "throughput", "day", "fleet", "start", "versus")


def main() -> int:
    """Run it; the exit code says whether everything holds that must."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.distant", description=__doc__)
    parser.add_argument("name", choices=_NAMES)
    parser.add_argument(
        "--set", action="append", default=[], metavar="NAME=VALUE", help="of its run(): a number, or words with commas"
    )
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # whatever was started is ended on the way out
    report = Report(options.name)
    report.say(one_line(report._content["machine"]))
    changed = {name: _value(text) for name, _, text in (one.partition("=") for one in options.set)}
    import_module(f"benchmarks.distant.{options.name}").run(report, **changed)
    return report.end()


def _value(text: str) -> float | tuple[str, ...]:
    try:
        return float(text)
    except ValueError:
        return tuple(text.split(","))


if __name__ == "__main__":
    sys.exit(main())
