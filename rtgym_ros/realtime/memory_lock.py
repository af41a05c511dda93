"""Memory that is never paged out (mlockall(2)), counted over those who want it."""

from __future__ import annotations

import ctypes
import os
from pathlib import Path

from rtgym_ros.realtime.capabilities import CAP_IPC_LOCK, has_capability
from rtgym_ros.realtime.refusal import no_locked_memory, off_linux, refusal
from rtgym_ros.realtime.users import Users

_ENTRY = "config['lock_memory'] = True"
_MCL_CURRENT, _MCL_FUTURE, _MCL_ONFAULT = 1, 2, 4

_users = Users()
_is_ours = False
"""Whether it was not locked before: what the program locks itself stays."""


def lock_memory() -> str | None:
    """Lock what the process has touched, and what it will touch; return why that was refused, None if it was not.

    What is mapped and never used, as most of a large library, is not loaded for it (MCL_ONFAULT).
    """
    with _users:
        refused = off_linux(_ENTRY) or (None if _users.number else _lock())
        if refused is None:
            _users.number += 1
    return refused


def unlock_memory() -> None:
    """Give up one lock; with the last one memory may be paged out again."""
    with _users:
        _users.number -= 1
        if _users.number == 0 and _is_ours:
            _libc().munlockall()


def _lock() -> str | None:
    import resource

    global _is_ours
    _is_ours = not _locked_kb()
    limit = resource.getrlimit(resource.RLIMIT_MEMLOCK)[0]
    if limit != resource.RLIM_INFINITY and not has_capability(CAP_IPC_LOCK):
        return refusal(_ENTRY, no_locked_memory(f"{limit // 1024} kB"))
    if _libc().mlockall(_MCL_CURRENT | _MCL_FUTURE | _MCL_ONFAULT):
        return refusal(_ENTRY, os.strerror(ctypes.get_errno()))
    return None


def _locked_kb() -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next((int(line.split()[1]) for line in lines if line.startswith("VmLck:")), 0)


def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)
