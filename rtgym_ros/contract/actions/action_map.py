"""Between the agent's action and the values of the message."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from rtgym_ros.contract.conversions.chain import ConversionChain
from rtgym_ros.contract.conversions.converter import ConversionError, one_each

Array = np.ndarray[Any, Any]


class ActionMap:
    """Maps the agent's actions of one part to values of the message, and what was sent back to actions.

    ``agent_range`` is mapped on a line to the bounds, and the conversions are inverted. With ``max_step`` the action is
    relative: it is added to the last command.

    Args:
        chain: conversions from the message to the agent.
        low: least values, in the units of the message.
        high: greatest values.
        agent_range: of the agent's values: a pair, or a pair a value; None: the bounds, converted.
        max_step: the most that an action adds, in the units of the message; None: actions are not relative.

    Attributes:
        size_in: number of the message's values.
        low: least action, shape ``(chain.size,)`` of float64.
        high: greatest action.
        maps: whether there is anything to map: otherwise an action is a command, but for the bounds.

    Raises:
        ConversionError: there are more or fewer bounds than values, or an ``agent_range`` without finite bounds.
    """

    def __init__(
        self,
        chain: ConversionChain,
        low: float | Sequence[float],
        high: float | Sequence[float],
        agent_range: Sequence[float] | Sequence[Sequence[float]] | None = None,
        max_step: float | Sequence[float] | None = None,
    ) -> None:
        size = chain.size_in
        self._chain = chain
        self.size_in = size
        self._bottom, self._top = one_each(low, size, "low"), one_each(high, size, "high")
        self._relative = max_step is not None
        # A step is a difference: what the conversions add is no part of it.
        self._origin = chain.inverse(np.zeros(chain.size)) if self._relative else np.zeros(size)
        if max_step is None:
            self._low, self._high = chain.bounds(self._bottom, self._top)
        else:
            step = one_each(max_step, size, "max_step")
            self._low, self._high = chain.bounds(self._origin - step, self._origin + step)
        if agent_range is None:
            self.low, self.high = self._low, self._high
        else:
            self.low, self.high = _pairs(agent_range, chain.size)
            if not np.isfinite([self._low, self._high]).all():
                raise ConversionError("agent_range: it is mapped to low and high, or to max_step, which must be finite")
        with np.errstate(invalid="ignore"):
            self._gain = (self._high - self._low) / (self.high - self.low)
        self._gain[self._low == self._high] = 0.0
        self._same = agent_range is None
        self.maps = self._relative or chain.converts or not self._same

    def to_message(self, action: Array, last: Array) -> Array:
        """Return the values of the message that ``action`` stands for, within the bounds.

        Args:
            action: the agent's values, shape ``(size,)``, within :attr:`low` and :attr:`high`.
            last: the last command, which a relative action is added to.
        """
        values = np.asarray(action, np.float64)
        if not self._same:
            values = self._low + (values - self.low) * self._gain
        if self._chain.converts:
            values = self._chain.inverse(values)
        if self._relative:
            values = last + (values - self._origin)
        return np.minimum(np.maximum(values, self._bottom), self._top)

    def to_agent(self, values: Array, last: Array) -> Array:
        """Return the action that stands for ``values`` of a command.

        Args:
            values: of the command, shape ``(chain.size_in,)``.
            last: the command before it, which a relative action is added to.
        """
        if self._relative:
            values = values - last + self._origin
        agent = self._chain.forward(values) if self._chain.converts else values
        if self._same:
            return agent
        # Where both bounds are the same there is one action, and any stands for it.
        with np.errstate(invalid="ignore", divide="ignore"):
            action = self.low + (agent - self._low) / self._gain
        return np.where(self._gain == 0, self.low, action)


def _pairs(agent_range: Sequence[float] | Sequence[Sequence[float]], size: int) -> tuple[Array, Array]:
    pairs = np.asarray(agent_range, np.float64)
    if pairs.ndim == 1:
        pairs = np.tile(pairs, (size, 1))
    if pairs.shape != (size, 2):
        raise ConversionError(f"agent_range: {len(pairs)} pairs for {size} values; allowed: one pair, or one a value")
    return pairs[:, 0].copy(), pairs[:, 1].copy()
