"""The kernel's timer slack of the calling thread (Linux, prctl(2)): 50 us by default, asked down to 1 ns here."""

from __future__ import annotations

import ctypes
import sys

_PR_SET_TIMERSLACK = 29


def set_timer_slack(slack_ns: int) -> bool:
    """Set how late (ns) the kernel may wake the calling thread to save power; return whether it did."""
    if not sys.platform.startswith("linux"):
        return False
    try:
        return bool(ctypes.CDLL(None).prctl(_PR_SET_TIMERSLACK, slack_ns, 0, 0, 0) == 0)
    except (OSError, AttributeError):  # a libc without prctl: the sleep is coarser, the spin makes up for it
        return False
