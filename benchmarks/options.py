"""The command line of ``./dev bench``."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Options:
    """What was asked for.

    Attributes:
        names: the measurements.
        repeats: how often each is made.
        seconds: how long each lasts (s), None for its own default.
        cases: of the measurements, those that begin with one of these; none stands for all.
        peers: who is measured; none stands for all.
        short: everything once, as briefly as it can be: to see that it works, not for its figures.
    """

    names: tuple[str, ...]
    repeats: int
    seconds: float | None
    short: bool
    cases: tuple[str, ...] = ()
    peers: tuple[str, ...] = ()

    def wants(self, case: str, peer: str) -> bool:
        """Whether this peer is to be measured in this case."""
        is_case = not self.cases or any(case.startswith(part) for part in self.cases)
        return is_case and (not self.peers or peer in self.peers)


def parse(names: Sequence[str], arguments: Sequence[str] | None = None) -> Options:
    """Return the options of the command line; ``names`` are the measurements that there are."""
    parser = argparse.ArgumentParser(
        prog="./dev bench",
        description="Measure rtgym_ros beside its peers, everything in turns; see benchmarks/README.md.",
    )
    parser.add_argument("--only", nargs="+", choices=names, metavar="NAME", help=f"some of: {', '.join(names)}")
    parser.add_argument("--cases", nargs="+", default=(), metavar="TEXT", help="those that begin with one of these")
    parser.add_argument("--peers", nargs="+", default=(), metavar="NAME", help="those alone")
    parser.add_argument("--repeats", type=_positive_int, metavar="N", help="how often (7; with --short 1)")
    parser.add_argument("--seconds", type=_positive_float, metavar="S", help="how long each takes (its own default)")
    parser.add_argument("--short", action="store_true", help="everything once and briefly: the form that CI runs")
    given = parser.parse_args(arguments)
    repeats = given.repeats or (1 if given.short else 7)
    chosen = tuple(given.only or names)
    return Options(chosen, repeats, given.seconds, given.short, tuple(given.cases), tuple(given.peers))


def _positive_int(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError("must be at least 1")
    return value


def _positive_float(text: str) -> float:
    value = float(text)
    if not 0 < value < float("inf"):
        raise argparse.ArgumentTypeError("must be a number of seconds above 0")
    return value
