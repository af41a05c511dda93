"""One recorded time-step: the fields of ``rtgym_ros/msg/TimeStep`` as Python and NumPy have them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from numpy.typing import NDArray

Parts = tuple[tuple[str, NDArray[Any]], ...]
"""The arrays of an observation or action, each with its name, in the order of its space."""


@dataclass(slots=True)
class RecordedTimeStep:
    """What one call of ``reset()`` or ``step()`` returned, and when it happened.

    Attributes:
        stamp_ns: when the observation was captured (ns, in the environment's clock).
        index: time-steps before this one since the environment was made.
        episode: calls of ``reset()`` before the one that began this episode.
        episode_step: calls of ``step()`` in this episode so far; 0 is what ``reset()`` returned.
        observation: its parts.
        action_buffer: the actions under way, oldest first; empty where the observation holds them.
        action: what the agent gave to the ``step()`` that returned this; empty after ``reset()``.
        executed_action: what was really sent at the start of this time-step; empty where that is not known.
        reward: 0 after ``reset()``.
        terminated: as ``step()`` returned it.
        truncated: as ``step()`` returned it.
        start_ns: when the time-step's action was sent (ns, as `stamp_ns`); 0 where that is not known.
        lateness_ns: how long after the end of the previous time-step that was (ns).
        overrun: it began late, within the elasticity.
        timed_out: it began later; the clock restarted.
        ages: seconds, by part or topic.
        delays: ``observation_delay``, ``action_delay`` (s), ``alpha``, ``kappa``, ``beta``, ``total_delay``.
        info: every other number of ``info``; nested mappings have '/' in the name.
    """

    stamp_ns: int = 0
    index: int = 0
    episode: int = 0
    episode_step: int = 0
    observation: Parts = ()
    action_buffer: Parts = ()
    action: Parts = ()
    executed_action: Parts = ()
    reward: float = 0.0
    terminated: bool = False
    truncated: bool = False
    start_ns: int = 0
    lateness_ns: int = 0
    overrun: bool = False
    timed_out: bool = False
    ages: dict[str, float] = field(default_factory=dict)
    delays: dict[str, float] = field(default_factory=dict)
    info: dict[str, float] = field(default_factory=dict)
