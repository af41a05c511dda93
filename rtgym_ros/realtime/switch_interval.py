"""How long a thread that computes keeps the interpreter from one that has to be on time (sys.setswitchinterval)."""

from __future__ import annotations

import sys

from rtgym_ros.realtime.users import Users

_users = Users()
_wanted: list[float] = []
_before_s = 0.0
_set_s = 0.0


def shorten_switch_interval(interval_s: float) -> None:
    """Have it at most ``interval_s`` until :func:`restore_switch_interval`; the least that anybody wants holds."""
    global _before_s
    with _users:
        if not _wanted:
            _before_s = sys.getswitchinterval()
        _wanted.append(interval_s)
        _set(min(_before_s, *_wanted))


def restore_switch_interval(interval_s: float) -> None:
    """Take back one :func:`shorten_switch_interval`; what somebody else has set meanwhile stays."""
    with _users:
        _wanted.remove(interval_s)
        if sys.getswitchinterval() == _set_s:
            _set(min([_before_s, *_wanted]))


def _set(interval_s: float) -> None:
    global _set_s
    sys.setswitchinterval(interval_s)
    _set_s = sys.getswitchinterval()  # rounded to microseconds
