"""From samples, as they come in from several robots, to transitions, a learner's actions and ended episodes."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, replace

import msgspec
import numpy as np
from gymnasium import spaces

from rtgym_ros.core.errors import ConfigError
from rtgym_ros.train.protocol.schema import SampleSchema

MAX_BOOTS = 256
"""Of which the last record is kept. Beyond, the one that was silent for longest loses one transition at most."""


@dataclass(frozen=True)
class Transitions:
    """Pairs of consecutive samples of one robot's episodes, in their order, as records of the schema, shape (n,) both.

    Attributes:
        before: with the observations.
        after: with the actions that were computed from these, and what they led to: reward, next observation, end,
            delays; and with episode and time-step.
        robot: whose they are.
        boot: of its control process, in which episodes are numbered.
    """

    before: np.ndarray
    after: np.ndarray
    robot: str = ""
    boot: str = ""

    def __len__(self) -> int:
        return len(self.after)

    def where(self, which: np.ndarray) -> Transitions:
        """Return those for which ``which``, bool of shape (n,), is true."""
        return replace(self, before=self.before[which], after=self.after[which])


class Episode(msgspec.Struct, frozen=True, rename={"episode_return": "return"}):
    """An episode that has ended, as a line of ``episodes.jsonl`` has it.

    Attributes:
        worker: whose it was.
        boot: of its control process.
        episode: its number in that boot.
        test: whether it was a test episode.
        episode_return: sum of its rewards.
        length: in time-steps.
        terminated: otherwise it was truncated.
        version: of the weights at its end; -1 for none.
        timeouts: time-steps that timed out.
        stamp_ns: when it ended, by the robot's clock (ns since the epoch).
    """

    worker: str
    boot: str
    episode: int
    test: bool
    episode_return: float
    length: int
    terminated: bool
    version: int
    timeouts: int
    stamp_ns: int


_OF_AN_EPISODE = ["episode", "test", "episode_return", "step", "terminated", "policy_version", "timeouts", "stamp_ns"]
"""Of the sample that ends it, in the order of :class:`Episode`."""


class TransitionAssembler:
    """Joins consecutive samples of the same worker, boot and episode; never across a gap, never of a test episode."""

    def __init__(self) -> None:
        self._last: OrderedDict[tuple[str, str], np.ndarray] = OrderedDict()

    def add(self, worker: str, boot: str, records: np.ndarray) -> tuple[Transitions, list[Episode]]:
        """Take in samples of one boot of a worker, in their order, shape (n,).

        Returns:
            The transitions that these samples complete, and the episodes that end in them.
        """
        if not len(records):
            return Transitions(records, records, worker, boot), []
        last = self._last.get((worker, boot))
        joined = records if last is None else np.concatenate([last, records])
        before, after = joined[:-1], joined[1:]
        follows = (
            (after["episode"] == before["episode"])
            & (after["step"] == before["step"] + 1)
            & ~(after["test"] | before["test"] | before["terminated"] | before["truncated"])
        )
        self._last[worker, boot] = records[-1:].copy()
        self._last.move_to_end((worker, boot))
        if len(self._last) > MAX_BOOTS:
            self._last.popitem(last=False)
        ended = records[records["terminated"] | records["truncated"]]
        episodes = [Episode(worker, boot, *values) for values in ended[_OF_AN_EPISODE].tolist()]
        # Whole arrays are passed on without a copy, which spares one of the two in the usual case.
        pairs = Transitions(before, after, worker, boot)
        return pairs if follows.all() else pairs.where(follows), episodes


class Actions:
    """How the actions of a schema become a batch in [-1, 1].

    Attributes:
        space: of one action, flat.

    Raises:
        ConfigError: the action is no bounded Box.
    """

    def __init__(self, schema: SampleSchema) -> None:
        space = schema.action_space
        if not isinstance(space, spaces.Box):
            raise ConfigError(f"the action is a {space}: this agent takes one bounded Box")
        low, high = (bound.ravel().astype(np.float32) for bound in (space.low, space.high))
        if not (np.isfinite(low).all() and np.isfinite(high).all() and (low < high).all()):
            raise ConfigError(f"the action is a {space}: this agent takes a Box whose lows are below its highs")
        self.space = spaces.Box(low, high, dtype=np.float32)
        self._scale = 2.0 / (high.astype(np.float64) - low)

    def scaled(self, actions: np.ndarray) -> np.ndarray:
        """Return n actions of the space in [-1, 1], float32, shape (n, size)."""
        flat = actions.reshape(len(actions), self.space.low.size)
        scaled: np.ndarray = np.clip((flat - self.space.low) * self._scale - 1.0, -1.0, 1.0)
        return scaled.astype(np.float32)


def finite(records: np.ndarray, names: Sequence[str]) -> np.ndarray:
    """Return the records whose columns ``names`` are all finite; the same array where all are."""
    good = np.ones(len(records), bool)
    for name in names:
        good &= np.isfinite(records[name]).reshape(len(records), -1).all(axis=1)
    return records if good.all() else records[good]
