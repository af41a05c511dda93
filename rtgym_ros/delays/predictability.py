"""How well the next observation follows from this one and the last K actions: the elbow is at the true delay."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]


class Predictability(NamedTuple):
    """What :func:`predictability` found.

    Attributes:
        lengths: the K that were tried.
        scores: R² on time-steps that were held out, one for each K: 1 is all, 0 no better than the mean change.
        elbow: the smallest K that is as good as the best, to within ``tolerance`` of the gain over K = 0.
    """

    lengths: tuple[int, ...]
    scores: tuple[float, ...]
    elbow: int


def predictability(
    observations: ArrayLike,
    actions: ArrayLike,
    episode_starts: ArrayLike | None = None,
    *,
    longest: int = 6,
    ridge: float = 1e-3,
    folds: int = 5,
    tolerance: float = 0.02,
) -> Predictability:
    """Predict the change from each observation to the next, linearly, with 0 to ``longest`` actions of the buffer.

    Every K is judged on the same time-steps, each held out once, in contiguous blocks (neighbours are not independent).

    Args:
        observations: row k came with action k as the newest of the action buffer; shape (n, o) or (n,).
        actions: action k, shape (n, a) or (n,); no change across an episode's start is used.
        episode_starts: whether row k is the first of an episode, shape (n,); None is one episode.
        longest: the largest K.
        ridge: penalty, as a share of the inputs' variance.
        folds: number of blocks.
        tolerance: see ``elbow``.

    Raises:
        ValueError: the series differ in length, or there is too little of them.
    """
    x = np.asarray(observations, dtype=np.float64)
    u = np.asarray(actions, dtype=np.float64)
    x, u = x.reshape(len(x), -1), u.reshape(len(u), -1)
    starts = np.zeros(len(x), bool) if episode_starts is None else np.asarray(episode_starts, dtype=bool)
    if not len(x) == len(u) == len(starts):
        raise ValueError(f"series of one length are needed, got {len(x)}, {len(u)} and {len(starts)} time-steps")
    # Time-steps with `longest` actions behind them and an observation after them, in one episode.
    episode = np.cumsum(starts)
    rows = np.arange(max(longest - 1, 0), len(x) - 1)
    rows = rows[(episode[rows - max(longest - 1, 0)] == episode[rows]) & (episode[rows + 1] == episode[rows])]
    if len(rows) < 10 * (x.shape[1] + longest * u.shape[1]):
        raise ValueError(f"too little to learn from: {len(rows)} time-steps within an episode")
    change = x[rows + 1] - x[rows]
    lengths = tuple(range(longest + 1))
    scores = []
    for length in lengths:
        inputs = np.hstack([x[rows], *(u[rows - age] for age in range(length))])
        scores.append(_held_out(inputs, change, ridge, folds))
    best = max(scores)
    enough = best - tolerance * max(best - max(scores[0], 0.0), 0.0)
    return Predictability(
        lengths, tuple(scores), next(k for k, score in zip(lengths, scores, strict=True) if score >= enough)
    )


def _held_out(inputs: Floats, targets: Floats, ridge: float, folds: int) -> float:
    predicted, mean = np.empty_like(targets), np.empty_like(targets)
    for block in np.array_split(np.arange(len(inputs)), folds):
        learned = np.ones(len(inputs), bool)
        learned[block] = False
        center, scale = inputs[learned].mean(axis=0), inputs[learned].std(axis=0)
        scale[scale == 0] = 1.0
        z = (inputs - center) / scale
        middle = targets[learned].mean(axis=0)
        penalty = ridge * learned.sum() * np.eye(z.shape[1])
        weights = np.linalg.solve(z[learned].T @ z[learned] + penalty, z[learned].T @ (targets[learned] - middle))
        predicted[block], mean[block] = middle + z[block] @ weights, middle
    # Each value of the observation counts the same, whatever its unit.
    size = targets.std(axis=0)
    moving = size > 0
    left = (((targets - predicted)[:, moving] / size[moving]) ** 2).sum()
    all_of_it = (((targets - mean)[:, moving] / size[moving]) ** 2).sum()
    return float(1.0 - left / all_of_it) if all_of_it else 0.0
