"""Flies the same random configurations on rtgym and here, and compares: ``python test/differential/compare.py 2000``.

Both are real interpreters that run :mod:`program.py`, one under ``python -m rtgym_ros.compat``.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))
from differences import DIFFERENCES, Difference, Found

PROGRAM = str(Path(__file__).with_name("program.py"))
CHUNK = 100
TIMEOUT_S = 300.0


def events_of(first: int, last: int, *, compat: bool) -> list[dict[str, Any]]:
    """Return what the program writes about the configurations ``first`` to ``last``.

    Raises:
        RuntimeError: it failed.
    """
    how = ["-m", "rtgym_ros.compat"] if compat else []
    command = [sys.executable, *how, PROGRAM, str(first), str(last)]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT_S, check=False)
    if ended.returncode:
        raise RuntimeError(f"{' '.join(command)} ended with {ended.returncode}: {ended.stderr[-2000:]}")
    return [json.loads(line) for line in ended.stdout.splitlines()]


def differing(theirs: Any, ours: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[tuple[Any, ...], Any, Any]]:
    """Yield where two answers differ, and what is there."""
    if isinstance(theirs, list) and isinstance(ours, list) and len(theirs) == len(ours):
        for index, (one, other) in enumerate(zip(theirs, ours, strict=True)):
            yield from differing(one, other, (*path, index))
    elif isinstance(theirs, dict) and isinstance(ours, dict) and theirs.keys() == ours.keys():
        for key, one in theirs.items():
            yield from differing(one, ours[key], (*path, key))
    elif theirs != ours:
        yield path, theirs, ours


def found_in(theirs: list[dict[str, Any]], ours: list[dict[str, Any]]) -> Iterator[tuple[int, Found]]:
    """Yield seed and finding of everything that is not the same."""
    config: dict[str, str] = {}
    traits: dict[str, Any] = {}
    before: list[str] = []
    for one, other in zip(theirs, ours, strict=True):
        assert (one["seed"], one["event"]) == (other["seed"], other["event"]), (one, other)
        event = one["event"]
        if event == "config":
            config, traits, before = one["config"], one["traits"], []
            assert (config, traits) == (other["config"], other["traits"]), "the programs drew something else"
            continue
        before.append("step_without_episode" if event == "step" and "raised" in one else event)
        values = [{k: v for k, v in line.items() if k not in ("seed", "event")} for line in (one, other)]
        for path, theirs_there, ours_there in differing(*values):
            shortened = path[1:] if path[:1] == ("answer",) else path
            yield one["seed"], Found(config, traits, event, shortened, theirs_there, ours_there, list(before))


def explanation(found: Found) -> Difference | None:
    """Return the documented difference that explains a finding, None if there is none."""
    return next((d for d in DIFFERENCES if d.explains is not None and d.explains(found)), None)


def compare(first: int, last: int) -> tuple[Counter[str], list[tuple[int, Found]]]:
    """Return how often each documented difference was seen, and what none of them explains."""
    explained: Counter[str] = Counter()
    unexplained: list[tuple[int, Found]] = []
    for chunk in range(first, last, CHUNK):
        end = min(chunk + CHUNK, last)
        with ThreadPoolExecutor(2) as pool:
            theirs = pool.submit(events_of, chunk, end, compat=False)
            ours = pool.submit(events_of, chunk, end, compat=True)
            for seed, found in found_in(theirs.result(), ours.result()):
                difference = explanation(found)
                if difference is None:
                    unexplained.append((seed, found))
                else:
                    explained[difference.topic] += 1
        explained["values compared"] += sum(map(leaves, theirs.result()))
    return explained, unexplained


def leaves(value: Any) -> int:
    """Return how many single values there are in what was written."""
    if isinstance(value, dict):
        return sum(map(leaves, value.values()))
    return sum(map(leaves, value)) if isinstance(value, list) else 1


def main() -> None:
    """Compare as many configurations as the first argument says, from the second one on."""
    count, first = int(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 0
    explained, unexplained = compare(first, first + count)
    for topic, times in explained.most_common():
        print(f"{times:8}  {topic}")
    print(f"{count} configurations, {len(unexplained)} values that no documented difference explains")
    for seed, found in unexplained[:20]:
        print(seed, found.event, found.path, "theirs", found.theirs, "ours", found.ours)
    sys.exit(bool(unexplained))


if __name__ == "__main__":
    main()
