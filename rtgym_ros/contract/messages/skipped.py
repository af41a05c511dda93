"""Why a message counts as not having come."""

from __future__ import annotations

from enum import Enum


class Reason(Enum):
    """Why a message was skipped."""

    TOO_SHORT = "a sequence is shorter than what is selected of it"
    NAMES = "a joint is missing in it, as in the messages of another publisher"
    NO_ELEMENT = "no element has the value that is looked for"
    MALFORMED = "its bytes are not a message of this type"
    VALUE = "a value of it cannot be used"


class SkippedMessage(Exception):  # noqa: N818 - it is no error: readers catch it and count
    """The message at hand counts as not having come.

    Attributes:
        reason: why.
    """

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason.value)
        self.reason = reason
