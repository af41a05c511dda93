"""The command of one part of the action, from time-step to time-step."""

from __future__ import annotations

from math import isfinite
from typing import Any

import numpy as np

from rtgym_ros.contract.actions.action_map import ActionMap
from rtgym_ros.contract.actions.between import between
from rtgym_ros.contract.actions.command_values import CommandValues
from rtgym_ros.contract.conversions.chain import ConversionChain
from rtgym_ros.contract.conversions.converter import one_each
from rtgym_ros.contract.limits.limiter import Limiter
from rtgym_ros.contract.records.action_part import ActionPart, Limits
from rtgym_ros.core.errors import ActionError

Array = np.ndarray[Any, Any]


class PartCommand:
    """Makes the values of the commands of one part: mapped, limited from the last one, and known to the agent.

    A time-step begins with :meth:`aim`; :meth:`next` gives the values of each command that is sent in it. Nothing here
    reads a clock. It belongs to one thread.

    Args:
        part: of the contract.
        chain: its conversions.
        duration: of a time-step (s).

    Attributes:
        action_map: between agent and message.
        default: what ``reset()`` sends.
        safe: what is sent when nothing can be trusted.
        command: the last command, in the units of the message: shape ``(size,)`` of float64, read-only.
        limited: how many commands were not what was aimed at, because of bounds and limits.

    Raises:
        ConversionError: an entry has more or fewer numbers than there are values.
    """

    def __init__(self, part: ActionPart, chain: ConversionChain, duration: float) -> None:
        size = chain.size_in
        low, high = one_each(part.low, size, "low"), one_each(part.high, size, "high")
        quantities = (part.quantity,) * size if isinstance(part.quantity, str) else part.quantity
        one_each([0.0] * len(quantities), size, "quantity")
        self.action_map = ActionMap(chain, part.low, part.high, part.agent_range, part.max_step)
        self._low, self._high = low, high
        self._limiter: Limiter | None = None  # of most robots: there are only the bounds
        if part.limits is not None and part.limits != Limits():
            self._limiter = Limiter(low.tolist(), high.tolist(), quantities, part.limits)
        self.default = CommandValues(part.default_command(), size, "default")
        self.safe = CommandValues(part.safe_command(), size, "safe")
        self.limited = 0
        self._how = part.between
        self._duration = duration
        self._measured: Array | None = None
        self.command: Array = _read_only(np.zeros(size))
        self.start(None)

    def start(self, measured: Array | None) -> None:
        """Begin anew: after a start, a reset, a wait, an intervention or a failure.

        Args:
            measured: values that ``first_from`` shows, from which the first command is limited; None where the contract
                has none: it is limited from ``default``.
        """
        self._measured = measured
        if measured is None and not self.default.needs_measured:
            measured = self.default.values(self.command, None)
        if measured is not None:
            self.command = _read_only(np.array(measured, np.float64))
            if self._limiter is not None:
                self._limiter.reset(self.command)
        self._base = self._previous = self._target = self.command

    def observe(self, measured: Array) -> None:
        """Note what ``first_from`` shows now, for ``default`` and ``safe`` that are ``measured``."""
        self._measured = measured

    @property
    def executed(self) -> Array:
        """The last command as an action of the agent: what stands in the action buffer."""
        return self.action_map.to_agent(self.command, self._base)

    def aim(self, action: Array) -> None:
        """Begin a time-step with the agent's ``action``, shape ``(size,)`` of the part's space.

        Raises:
            ActionError: it has another shape.
        """
        action_map = self.action_map
        if action.shape != action_map.low.shape:
            raise ActionError(f"an array of shape {action_map.low.shape} is needed, got {action!r}")
        self._aim(action_map.to_message(action, self.command) if action_map.maps else self._within_bounds(action))

    def aim_default(self) -> None:
        """Begin a time-step with the default action."""
        self._aim(self.default.values(self.command, self._measured))

    def aim_at(self, values: Array) -> None:
        """Begin a time-step with ``values`` in the units of the message: of a ``send`` step, or of a person."""
        self._aim(np.asarray(values, np.float64))

    def next(self, dt: float, elapsed: float | None = None) -> Array:
        """Return the values of the next command, which is the last one from now on.

        Args:
            dt: time since the command before, at the rate at which they are sent (s).
            elapsed: since the beginning of the time-step (s), where commands are sent between time-steps; None: now
                is its beginning, and there is one command a time-step.
        """
        target = self._target
        if elapsed is not None:
            target = between(self._previous, target, elapsed, self._duration, self._how)
        if self._limiter is None:
            command = self.command = _read_only(self._within_bounds(target))
        else:
            command = self.command = self._limiter.limit(target, dt)
        self.limited += bool((command != target).any())
        return command

    def next_safe(self, dt: float) -> Array:
        """Return the values of the safe action, as limited as it always is; see :meth:`Limiter.limit_safe`.

        The constants of ``safe`` (:attr:`CommandValues.fill`) go with it.
        """
        values = self._previous = self._target = self.safe.values(self.command, self._measured)
        if self._limiter is None:
            self.command = _read_only(self._within_bounds(values))
        else:
            self.command = self._limiter.limit_safe(values, dt)
        return self.command

    def _within_bounds(self, values: Array) -> Array:
        if not all(map(isfinite, values.tolist())):
            raise ActionError(f"a command that is not finite: {values.tolist()}")
        return np.minimum(np.maximum(values, self._low), self._high)

    def _aim(self, target: Array) -> None:
        self._base = self.command
        self._previous, self._target = self._target, target


def _read_only(command: Array) -> Array:
    command.flags.writeable = False
    return command
