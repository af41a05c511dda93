"""Warnings that point at the caller's line: what is in this package or in Gymnasium is not what it should look at."""

from __future__ import annotations

import sys
import warnings

_PASSED_OVER = (__name__.partition(".")[0], "gymnasium", "rtgym")


def warn_caller(message: str, category: type[Warning]) -> None:
    """Warn, on behalf of the first caller outside of this package and Gymnasium.

    Every call warns, where the filters allow it: the registry that would hold each new text for ever is not used.
    """
    frame = sys._getframe()
    while frame.f_back is not None and frame.f_globals.get("__name__", "").partition(".")[0] in _PASSED_OVER:
        frame = frame.f_back
    module = frame.f_globals.get("__name__", "<unknown>")
    warnings.warn_explicit(message, category, frame.f_code.co_filename, frame.f_lineno, module, registry={})
