"""Whether the target stays, moves as the command could, or jumps."""

from __future__ import annotations


class TargetMotion:
    """What a target does, and with which speed it moves on as far as that can be foreseen.

    Attributes:
        speed: as up to now, where it moves as a command may; 0 where it stays or jumps.
        direct: whether the command should be the target itself, if that breaks no limit: the target jumped, or the
            last command was the target then. Else it is being approached, and would be passed.
    """

    __slots__ = ("_speed", "_target", "direct", "speed")

    def __init__(self, target: float) -> None:
        self._target = target
        self._speed = 0.0
        self.speed = 0.0
        self.direct = True

    def follow(self, target: float, command: float, max_speed: float, max_change: float, dt: float) -> None:
        """Note the target of this time-step, and the last command."""
        speed = (target - self._target) / dt
        jumped = speed != 0.0 and (abs(speed) > max_speed or abs(speed - self._speed) > max_change * dt)
        self.direct = jumped or command == self._target
        self.speed = 0.0 if jumped else speed
        self._target, self._speed = target, speed
