"""Optional behaviour around an environment."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rtgym_ros.wrappers.record import Record

__all__ = ["Record"]


def __getattr__(name: str) -> Any:
    # Imported where it is used: recording needs the extra `record`.
    if name == "Record":
        from rtgym_ros.wrappers.record import Record

        return Record
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
