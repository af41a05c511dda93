"""Why the system refuses a measure, and what to change so that it does not."""

from __future__ import annotations

import sys

from rtgym_ros.realtime.capabilities import CAP_SYS_NICE, has_capability

_REFUSED = " was refused, the environment goes on without it: "
_NO_LINUX = "it is offered on Linux only, and this is {}"


def refusal(measure: str, reason: str) -> str:
    """Return the line that says that ``measure``, an entry of the configuration, was refused."""
    return f"{measure}{_REFUSED}{reason}"


def reason_of(line: str) -> str:
    """Return the reason in a line of :func:`refusal`."""
    return line.partition(_REFUSED)[2] or line


def off_linux(measure: str) -> str | None:
    """Return the refusal of ``measure`` where the system is not Linux, None where it is."""
    return None if sys.platform.startswith("linux") else refusal(measure, _NO_LINUX.format(sys.platform))


def no_priority(priority: int, limit: int) -> str:
    """Return why a thread does not get a real-time priority."""
    if has_capability(CAP_SYS_NICE):
        return "the cgroup of this process gives no time to real-time threads (cpu.rt_runtime_us)"
    return (
        f"it needs RLIMIT_RTPRIO of at least {priority} (it is {limit}) or the capability CAP_SYS_NICE. "
        f"{_permit(f'rtprio {priority}', f'rtprio={priority}', 'SYS_NICE')}"
    )


def no_locked_memory(limit: str) -> str:
    """Return why memory is not locked."""
    return (
        f"it needs an unlimited RLIMIT_MEMLOCK (it is {limit}, beyond which every later allocation would fail) or the "
        f"capability CAP_IPC_LOCK. {_permit('memlock unlimited', 'memlock=-1', 'IPC_LOCK')}"
    )


def _permit(limit: str, ulimit: str, capability: str) -> str:
    return (
        f"Put '@realtime - {limit}' into /etc/security/limits.d/realtime.conf and log in again as a member of that "
        f"group, or run the container with --ulimit {ulimit} --cap-add {capability}"
    )
