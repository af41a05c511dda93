"""What the figures are held against: ratios to the better peer, and bounds."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

Lookup = Callable[[str, str, str, str], float]
"""From measurement, case, peer and statistic to the figure over all repeats, nan where there is none."""


@dataclass(frozen=True)
class Target:
    """A figure of ours that is to be small.

    Attributes:
        what: the figure, in words.
        measurement: where it is measured.
        case: in which case of it.
        statistic: which one, as in ``"send_jitter.p50"``.
        ours: the peers that are ours; each is judged by itself.
        bound: what it is to be at most: in the figure's own unit, or a ratio if there are ``theirs``.
        theirs: the peers that it is compared with; the one with the smallest figure counts.
        every_repeat: whether the bound holds for each repeat, and not for the median over them.
    """

    what: str
    measurement: str
    case: str
    statistic: str
    ours: tuple[str, ...]
    bound: float
    theirs: tuple[str, ...] = ()
    every_repeat: bool = False


@dataclass(frozen=True)
class Verdict:
    """A target, held against the figures.

    Attributes:
        target: which one.
        peer: which of ours.
        figure: ours.
        best_peer: the best of theirs, empty where the bound is absolute.
        best: their figure, nan where there is none.
        value: what is held against the bound: the ratio, or the figure itself.
        met: None where a figure is missing.
    """

    target: Target
    peer: str
    figure: float
    best_peer: str
    best: float
    value: float
    met: bool | None

    @property
    def use_of_bound(self) -> float:
        """The value as a share of the bound: up to 1 is met. A bound of 0 is used up by anything at all."""
        if self.target.bound:
            return self.value / self.target.bound
        return math.nan if math.isnan(self.value) else math.inf if self.value else 0.0


def judge(target: Target, median: Lookup, worst: Lookup) -> list[Verdict]:
    """Return a verdict for each of ours.

    Args:
        target: what is to hold.
        median: of a figure over the repeats.
        worst: the greatest absolute one of them.
    """
    look_up = worst if target.every_repeat else median
    theirs = {peer: look_up(target.measurement, target.case, peer, target.statistic) for peer in target.theirs}
    measured = {peer: figure for peer, figure in theirs.items() if not math.isnan(figure)}
    best_peer = min(measured, key=measured.__getitem__) if measured else ""
    best = measured.get(best_peer, math.nan)
    verdicts = []
    for peer in target.ours:
        figure = look_up(target.measurement, target.case, peer, target.statistic)
        value = _ratio(figure, best) if target.theirs else figure
        met = None if math.isnan(value) else value <= target.bound
        verdicts.append(Verdict(target, peer, figure, best_peer, best, value, met))
    return verdicts


def _ratio(figure: float, best: float) -> float:
    if best:
        return figure / best
    return math.nan if math.isnan(figure) else math.inf if figure else 1.0
