"""The errors and warnings of recordings."""

from __future__ import annotations

from rtgym_ros.core.errors import RtgymError


class RecordError(RtgymError, ValueError):
    """Something cannot be recorded, or a recording cannot be read; the message says what and where."""


class ReplayError(RtgymError, RuntimeError):
    """A replay was asked for what was not recorded."""


class RecordingWarning(RuntimeWarning):
    """Time-steps are missing from the recording; the flight goes on."""


class ReplayWarning(RuntimeWarning):
    """The agent does something else than it did in the recording."""
