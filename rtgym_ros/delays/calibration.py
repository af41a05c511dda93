"""What a flight, or a recording, has shown of a robot's delays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from rtgym_ros.delays.pictures import ActionLife
from rtgym_ros.delays.predictability import Predictability
from rtgym_ros.delays.recommendations import Measurements
from rtgym_ros.delays.response import Response


@dataclass
class Calibration:
    """What a flight has shown.

    Attributes:
        measured: delays and durations.
        time_step_duration: of the flight (s).
        oldest: the greatest age of each part of the observation (s), by name.
        periods: of the parts that the clock could be in phase with (s), by name.
        responses: where the robot echoes nothing: which measured value follows which command; best first.
        time_steps: that were counted.
        timeouts: of these, those that were late by more than the elasticity.
        predictable: how the next observation follows from the last K actions; None: too little was flown.
        life: what became of one action; None: that is not known.
    """

    measured: Measurements
    time_step_duration: float
    oldest: dict[str, float] = field(default_factory=dict)
    periods: dict[str, float] = field(default_factory=dict)
    responses: Sequence[Response] = ()
    time_steps: int = 0
    timeouts: int = 0
    predictable: Predictability | None = None
    life: ActionLife | None = None
