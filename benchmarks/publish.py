"""Puts the results of runs into the documentation: ``python -m benchmarks.publish FOLDER ...``."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from benchmarks.machine import one_line
from benchmarks.peers import C_SLEEP, C_SPIN, OURS, RTGYM
from benchmarks.pictures.ranges import draw_ranges
from benchmarks.tables import number

_DOCS = Path(__file__).resolve().parents[1] / "docs"
_PAGE = _DOCS / "benchmarks.md"
_TARGETS = Path(__file__).with_name("README.md")
_BEGIN, _END = "<!-- measured: python -m benchmarks.publish FOLDER ... -->\n", "<!-- end of what was measured -->"
_RATES = {"20 ms, idle": "at 50 Hz", "5 ms, idle": "at 200 Hz", "2 ms, idle": "at 500 Hz"}
_JITTER_TITLE = "How far the time between two {} is from the time-step (µs)"
_PICTURES = {
    "jitter_send.png": ("jitter", _RATES, (*OURS, *RTGYM), "send_jitter", _JITTER_TITLE.format("sends")),
    "jitter_capture.png": (
        "jitter",
        _RATES,
        (*OURS, *RTGYM, C_SLEEP, C_SPIN),
        "capture_jitter",
        _JITTER_TITLE.format("captures"),
    ),
}
"""Of each picture: measurement, what its cases are called, peers, statistic, title."""

_FIGURES = ("what", "case", "ours", "figure", "best peer", "its figure", "ratio")
_JUDGED = ("at most", "")
_NUMBERS = ("figure", "its figure", "ratio", "at most")
_WORDS = {True: "met", False: "**missed**"}


def main(folders: Sequence[str]) -> int:
    """Write the figures of all runs into ``docs/benchmarks.md``, with the targets into ``benchmarks/README.md``.

    The pictures that the page shows are drawn, each of the measurement that it is of.
    """
    if not folders:
        print("publish: which folders of benchmarks/results?", file=sys.stderr)
        return 2
    results = [json.loads((Path(folder) / "results.json").read_text()) for folder in folders]
    for each in results:
        for name, (measurement, *rest) in _PICTURES.items():
            draw_ranges(each["results"].get(measurement, {}), *rest, file=_DOCS / "figures" / name)
    for page, columns in ((_PAGE, _FIGURES), (_TARGETS, _FIGURES + _JUDGED)):
        lines = [line for each in results for line in _section(each, columns)]
        before, rest = page.read_text(encoding="utf-8").split(_BEGIN)
        _, after = rest.split(_END)
        page.write_text(before + _BEGIN + "\n".join(["", *lines, _END]) + after, encoding="utf-8")
    return 0


def _section(results: dict[str, Any], columns: Sequence[str]) -> Iterator[str]:
    repeats = results["options"]["repeats"]
    yield f"{one_line(results['machine'])}; {f'the median of {repeats} runs' if repeats > 1 else 'one run'}:"
    yield ""
    yield f"| {' | '.join(columns)} |"
    yield f"| {' | '.join('--:' if name in _NUMBERS else '---' for name in columns)} |"
    for verdict in results["targets"]:
        if verdict["met"] is None:
            continue
        target = verdict["target"]
        is_ratio = bool(target["theirs"])
        cells = (
            target["what"],
            target["case"],
            verdict["peer"],
            _number(verdict["figure"]),
            verdict["best_peer"] if is_ratio else "",
            _number(verdict["best"]) if is_ratio else "",
            f"{verdict['value']:.2g}" if is_ratio and verdict["value"] is not None else "",
            f"{target['bound']:.3g}",
            _WORDS[verdict["met"]],
        )
        yield f"| {' | '.join(cells[: len(columns)])} |"
    yield ""


def _number(value: float | None) -> str:
    return number(math.inf if value is None else value)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
