"""What can go wrong between robot, server and trainer."""

from __future__ import annotations

from rtgym_ros.core.errors import RtgymError


class LinkError(RtgymError, ConnectionError):
    """The server could not be reached, did not answer in time, or refuses for now; the same may be tried again."""


class OutOfStepError(LinkError):
    """A subject does not end where its publisher believed: an acknowledgement was lost, or somebody else published."""


class RefusedError(RtgymError, RuntimeError):
    """The server can never take this."""


class ProtocolError(RtgymError, ValueError):
    """What came from the server, or stands in a file, is not what this version describes."""


class CheckpointError(RtgymError, RuntimeError):
    """A checkpoint cannot be used: it is damaged, or of another configuration."""


class CredentialsError(RtgymError, PermissionError):
    """Keys, certificates or a token are missing, readable by others, or do not fit."""


class CertificateDateError(CredentialsError):
    """A certificate has expired or is not yet valid: it may be rotated, or the clock set, while the program runs."""
