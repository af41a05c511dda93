"""What a failed test says."""

from __future__ import annotations


def require(condition: bool, message: str) -> None:
    """Fail the test with ``message`` unless ``condition`` holds, under ``python -O`` too.

    Raises:
        AssertionError: it does not hold.
    """
    __tracebackhide__ = True  # of pytest: whoever reads the failure wants to see who asked
    if not condition:
        raise AssertionError(message)
