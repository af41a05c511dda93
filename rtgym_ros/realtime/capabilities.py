"""What the process may do without being root (capabilities(7)), as the whole system counts it."""

from __future__ import annotations

from pathlib import Path

CAP_IPC_LOCK = 14
CAP_SYS_NICE = 23

_EVERYBODY = ["0", "0", "4294967295"]


def has_capability(number: int, proc: Path = Path("/proc/self")) -> bool:
    """Whether the process has a capability; one that holds in a user namespace alone does not count."""
    if (proc / "uid_map").exists() and (proc / "uid_map").read_text().split() != _EVERYBODY:
        return False
    lines = (proc / "status").read_text().splitlines() if (proc / "status").exists() else []
    effective = next((line.split()[1] for line in lines if line.startswith("CapEff:")), "0")
    return bool(int(effective, 16) >> number & 1)
