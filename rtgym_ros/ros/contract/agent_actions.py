"""Commands as the agent sees them: elements of its action space."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from gymnasium import spaces

from rtgym_ros.contract.actions.command_values import CommandValues
from rtgym_ros.contract.actions.part_command import PartCommand
from rtgym_ros.contract.forms import SpaceForm
from rtgym_ros.contract.records.contract import Contract

Array = np.ndarray[Any, Any]


class AgentActions:
    """Makes actions out of the commands of all parts.

    Args:
        contract: read before.
        parts: of the action, by name, in the order of the contract.

    Attributes:
        form: the agent's action space, and values between it and the parts.
    """

    def __init__(self, contract: Contract, parts: Mapping[str, PartCommand]) -> None:
        self._parts = parts
        self.form = SpaceForm(
            contract.spaces.action,
            {name: _space(part, contract.action[name].dtype) for name, part in parts.items()},
        )

    def executed(self) -> dict[str, Array]:
        """Return the last commands as actions, by part; read-only."""
        actions = self.inside({name: part.executed for name, part in self._parts.items()})
        for values in actions.values():
            values.flags.writeable = False
        return actions

    def inside(self, actions: Mapping[str, Array]) -> dict[str, Array]:
        """Return the actions of all parts in the types of their spaces, kept from leaving them by rounding."""
        return {name: _inside(actions[name], box) for name, box in self.form.parts.items()}

    def nominal(self, values_of: Callable[[PartCommand], CommandValues]) -> Any:
        """Return an action that stands for ``default`` or ``safe``, as far as numbers say what that is.

        Where the value is ``last`` or ``measured``, that of the relative action that adds nothing, or the middle.
        """
        return self.form.arrange({name: self._nominal(name, values_of(part)) for name, part in self._parts.items()})

    def _nominal(self, name: str, command: CommandValues) -> Array:
        part, box = self._parts[name], self.form.parts[name]
        here = part.command
        try:
            values = command.values(here, here if command.needs_measured else None)
            action = part.action_map.to_agent(values, here)
        except (ValueError, FloatingPointError):
            action = (box.low + box.high) / 2
        return _inside(np.nan_to_num(action), box)


def _space(part: PartCommand, dtype: str) -> spaces.Box:
    kind = np.dtype(dtype)
    return spaces.Box(part.action_map.low.astype(kind), part.action_map.high.astype(kind), dtype=kind.type)


def _inside(values: Array, box: spaces.Box) -> Array:
    values = np.minimum(np.maximum(values, box.low), box.high)
    dtype: Any = box.dtype
    return (np.rint(values) if dtype.kind in "iu" else values).astype(dtype)
