"""The errors of this package; each also derives from the built-in error that a caller would expect."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class RtgymError(Exception):
    """Base of every error that this package raises on purpose."""


class ConfigError(RtgymError, ValueError):
    """A configuration entry is unknown, of the wrong type or out of range."""


class ActionError(RtgymError, ValueError):
    """An action has the wrong shape or type, is not finite, or lies outside the action space."""


class StateError(RtgymError, RuntimeError):
    """A method was called in a state in which it makes no sense; the message says what to do."""


class InterfaceError(RtgymError, RuntimeError):
    """A method of the interface returned something that the environment cannot use."""


class InterfaceTimeoutError(RtgymError, TimeoutError):
    """A method of the interface, or what it waits for, did not answer in its bounded time."""


class ClockJumpError(RtgymError, RuntimeError):
    """The clock of the time-steps was set back, as ``/clock`` is by a simulation that starts again."""


class ConfigWarning(UserWarning):
    """Two entries of a configuration work together, but hardly as intended."""


class RealtimeWarning(UserWarning):
    """The system refuses a real-time measure that the configuration asks for; it says what to change."""


class ActionWarning(RuntimeWarning):
    """An action is not in its space; it was sent all the same."""


class ObservationWarning(RuntimeWarning):
    """The interface returned an observation outside of its space; it was handed out all the same."""


class TimeStepTimeoutWarning(RuntimeWarning):
    """A time-step began later than the elasticity allows; the clock restarted from then."""


def nearest(name: str, known: Iterable[str], cutoff: float = 0.5) -> str:
    """Return `` (did you mean 'x'?)`` for the known name closest to ``name``, or an empty string."""
    match = difflib.get_close_matches(name, list(known), n=1, cutoff=cutoff)
    return f" (did you mean {match[0]!r}?)" if match else ""
