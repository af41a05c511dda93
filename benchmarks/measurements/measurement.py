"""What a measurement is: runs to be made in turns, what they come to, and what that is held against."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

from benchmarks.options import Options
from benchmarks.results import Figures, Results
from benchmarks.run import Run
from benchmarks.targets import Target

_STARTUP_S = 60.0
"""What a process may take beside what it measures (s)."""


class Measurement(ABC):
    """One of the measurements of ``./dev bench``.

    Attributes:
        name: what ``--only`` calls it.
        title: what it measures, in a line.
        columns: what its table shows: statistic and heading.
        default_seconds: how long each run measures (s) unless ``--seconds`` says otherwise.
        short_seconds: the same with ``--short``.

    Args:
        options: of the command line.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    columns: ClassVar[tuple[tuple[str, str], ...]]
    default_seconds: ClassVar[float]
    short_seconds: ClassVar[float] = 0.3

    def __init__(self, options: Options) -> None:
        self._options = options
        self.short = options.short
        self.seconds = options.seconds or (self.short_seconds if self.short else self.default_seconds)
        self.warm_up_s = 0.1 if self.short else 0.3
        self.timeout_s = _STARTUP_S + 3 * self.seconds
        self.notes: list[str] = []
        """What is left out here, and why."""

    def why_skipped(self) -> str | None:
        """Return why it cannot be made here, None if it can."""
        return None

    @abstractmethod
    def runs(self) -> Iterator[Run]:
        """Yield what one repeat consists of; the peers of a case follow each other."""

    def wanted_runs(self) -> list[Run]:
        """Return those of :meth:`runs` that the command line asks for."""
        return [run for run in self.runs() if self._options.wants(run.case, run.peer)]

    @abstractmethod
    def read(self, run: Run, output: dict[str, Any]) -> Figures:
        """Return what the output of a run comes to."""

    def targets(self) -> list[Target]:
        """Return what it is held against."""
        return []

    @abstractmethod
    def draw(self, results: Results, folder: Path) -> Iterator[Path]:
        """Write pictures into ``folder`` and yield their paths."""
