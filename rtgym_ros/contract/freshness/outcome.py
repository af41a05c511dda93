"""What an observation that is not as it should be leads to."""

from __future__ import annotations

from enum import IntEnum
from typing import Literal

Verb = Literal["warn", "clip", "truncate", "fail"]


class Outcome(IntEnum):
    """What has to be done, from nothing to the worst; of several, the greatest counts."""

    FINE = 0
    WARN = 1
    TRUNCATE = 2
    FAIL = 3


OF_VERB = {"warn": Outcome.WARN, "clip": Outcome.FINE, "truncate": Outcome.TRUNCATE, "fail": Outcome.FAIL}
"""What each word of a contract comes to; what was clipped is fine."""
