"""The replay memory: each sample is kept once, each image as one frame; transitions and stacks are made when drawn."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

import numpy as np
from stable_baselines3.common.buffers import BaseBuffer, ReplayBuffer
from stable_baselines3.common.type_aliases import DictReplayBufferSamples, ReplayBufferSamples

from rtgym_ros.policies.vector_and_images import IMAGE, VECTOR, VectorAndImages
from rtgym_ros.train.config import TrainerConfig
from rtgym_ros.train.protocol.schema import ACTION, EXECUTED, OBSERVATION, SampleSchema
from rtgym_ros.train.trainer.transitions import MAX_BOOTS, Actions, Transitions

_SAMPLE = ("stamp_ns", "episode", "step")  # columns that tell a sample from every other


class Memory(ReplayBuffer):
    """Takes the place of Stable-Baselines3's buffers, of which it is one.

    A sample knows the number of the one before it in its episode; the two are a transition as long as both are kept.

    Its arguments are those that Stable-Baselines3 gives to every buffer, the schema of the samples, and the
    configuration, which says what of them is learned from.
    """

    def __init__(
        self,
        buffer_size: int,
        observation_space: Any,
        action_space: Any,
        device: Any = "auto",
        *,
        schema: SampleSchema,
        config: TrainerConfig,
        **kwargs: Any,
    ) -> None:
        # Not ReplayBuffer's, which would allocate observations twice.
        BaseBuffer.__init__(self, buffer_size, observation_space, action_space, device, n_envs=1)
        self._parts = VectorAndImages(schema.observation_space, config.frames)
        self._columns = [name for name, *_ in schema.fields if name.split("/")[0] == OBSERVATION]
        self._scaled = Actions(schema).scaled
        self._action_column = EXECUTED if config.learn_from == "executed" else ACTION
        self._written = 0
        self._before = np.full(buffer_size, -1, np.int64)
        self._of_sample: dict[str, np.ndarray] = {}
        self._ends: OrderedDict[tuple[str | int, ...], int] = OrderedDict()  # numbers of the newest sample of each boot
        self.shares: list[tuple[Memory, float]] = []
        """Other memories, and how much of each batch comes from them, once there is something in them."""

    def size(self) -> int:
        """Return how many transitions it holds."""
        return int(np.count_nonzero(self._before[: min(self._written, self.buffer_size)] >= self._oldest()))

    def add_transitions(self, transitions: Transitions) -> None:
        """Put in transitions of one robot, in their order."""
        before, after = transitions.before, transitions.after
        if not len(after):
            return
        follows = np.zeros(len(after), bool)
        follows[1:] = np.logical_and.reduce([before[name][1:] == after[name][:-1] for name in _SAMPLE])
        known = self._ends.pop(_key(transitions, before[0]), None)
        follows[0] = known is not None
        begins = np.flatnonzero(~follows)
        samples = np.insert(after, begins, before[begins]) if len(begins) else after
        numbers = np.arange(self._written, self._written + len(samples))
        links = numbers - 1
        links[begins + np.arange(len(begins))] = -1
        if known is not None:
            links[0] = known
        self._written += len(samples)
        kept = slice(max(len(samples) - self.buffer_size, 0), None)
        samples, at = samples[kept], numbers[kept] % self.buffer_size
        self._before[at] = links[kept]
        for name, values in self._values(samples).items():
            if name not in self._of_sample:
                self._of_sample[name] = np.zeros((self.buffer_size, *values.shape[1:]), values.dtype)
            self._of_sample[name][at] = values
        self._ends[_key(transitions, after[-1])] = self._written - 1
        if len(self._ends) > MAX_BOOTS:
            self._ends.popitem(last=False)

    def sample(self, batch_size: int, env: Any = None) -> ReplayBufferSamples | DictReplayBufferSamples:
        """Draw transitions, each with the same chance, and shares of the other memories."""
        drawn: list[dict[str, np.ndarray]] = []
        for memory, share in self.shares:
            if memory.size():
                count = batch_size if not self.size() else round(share * batch_size)
                drawn.append(memory.transitions(memory._draw(count)))
                batch_size -= count
        if batch_size:
            drawn.append(self.transitions(self._draw(batch_size)))
        columns = {name: self.to_torch(np.concatenate([one[name] for one in drawn])) for name in drawn[0]}
        common = (columns["actions"], columns["dones"], columns["rewards"])
        seen, led_to = ({n[1:]: c for n, c in columns.items() if n[0] == mark} for mark in "<>")
        if list(seen) == [VECTOR] and not hasattr(self.observation_space, "spaces"):
            return ReplayBufferSamples(seen[VECTOR], common[0], led_to[VECTOR], *common[1:])
        return DictReplayBufferSamples(seen, common[0], led_to, *common[1:])

    def transitions(self, numbers: np.ndarray) -> dict[str, np.ndarray]:
        """Return the transitions that end in these samples, by column: ``<part`` before, ``>part`` after, and more."""
        at = numbers % self.buffer_size
        columns = {name: self._of_sample[name][at] for name in ("actions", "rewards", "dones")}
        for mark, ends in (("<", self._before[at]), (">", numbers)):
            for name in self._observed():
                columns[mark + name] = self._stacked(name, ends)
        return columns

    def _observed(self) -> list[str]:
        return [name for name in self._of_sample if name == VECTOR or name.startswith(IMAGE)]

    def _stacked(self, name: str, numbers: np.ndarray) -> np.ndarray:
        """Return a part of samples; of an image with the frames before, the oldest that is known standing for more."""
        values, frames = self._of_sample[name], [numbers]
        for _ in range(self._parts.frames - 1 if name != VECTOR else 0):
            before = self._before[frames[-1] % self.buffer_size]
            frames.append(np.where(before >= self._oldest(), before, frames[-1]))
        if len(frames) == 1:
            one: np.ndarray = values[numbers % self.buffer_size]
            return one
        return np.concatenate([values[frame % self.buffer_size] for frame in reversed(frames)], axis=1)

    def _values(self, samples: np.ndarray) -> dict[str, np.ndarray]:
        ended = samples["terminated"]  # what was truncated might have gone on: its value is bootstrapped
        return {
            **self._parts.of(samples[name] for name in self._columns),
            "actions": self._scaled(samples[self._action_column]),
            "rewards": samples["reward"].astype(np.float32)[:, None],
            "dones": ended.astype(np.float32)[:, None],
        }

    def _oldest(self) -> int:
        return max(self._written - int(self.buffer_size), 0)

    def _draw(self, count: int) -> np.ndarray:
        found = np.empty(0, np.int64)
        while len(found) < count:
            numbers = np.random.randint(self._oldest(), self._written, 2 * count)  # as SB3: a checkpoint has its state
            found = np.append(found, numbers[self._before[numbers % self.buffer_size] >= self._oldest()])
        return found[:count]


def _key(transitions: Transitions, sample: np.void) -> tuple[str | int, ...]:
    return transitions.robot, transitions.boot, *(int(sample[name]) for name in _SAMPLE)
