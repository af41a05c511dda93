"""All targets at a glance."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

from benchmarks.peers import COLOURS
from benchmarks.pictures.canvas import new_figure, save
from benchmarks.targets import Verdict

_SHOWN = (0.01, 100.0)
"""Values as shares of their bound; what is beyond stands at the border."""


def draw_verdicts(verdicts: Sequence[Verdict], file: Path) -> Path:
    """Draw each value as a share of its bound: left of the line it is met."""
    targets = list(dict.fromkeys(verdict.target for verdict in verdicts))
    figure, grid = new_figure(1, 1, width=9.0, height=max(0.3 * len(targets), 2.0))
    axes = grid[0, 0]
    axes.axvspan(_SHOWN[0], 1.0, color="tab:green", alpha=0.1)
    axes.axvline(1.0, color="tab:green")
    for peer in dict.fromkeys(verdict.peer for verdict in verdicts):
        axes.plot([], [], "s", color=COLOURS[peer], label=peer)
    for verdict in verdicts:
        if math.isnan(verdict.use_of_bound):
            continue
        share = min(max(verdict.use_of_bound, _SHOWN[0]), _SHOWN[1])
        marker = "o" if verdict.met else "X"
        row = targets.index(verdict.target)
        axes.plot(share, row, marker, color=COLOURS[verdict.peer], clip_on=False)
    names = [f"{target.what}: {target.measurement}, {target.case}" for target in targets]
    axes.set_yticks(range(len(targets)), names)
    axes.invert_yaxis()
    axes.set(xscale="log", xlim=_SHOWN, xlabel="share of what is allowed: up to 1 is met")
    axes.grid(alpha=0.3)
    return save(figure, file, "Targets: a circle is met, a cross is missed")
