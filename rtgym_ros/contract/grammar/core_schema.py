"""The core schema of YAML 1.2: what a plain scalar is (https://yaml.org/spec/1.2.2/#103-core-schema)."""

from __future__ import annotations

import math
import re

_INT = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_INFINITE = re.compile(r"[-+]?\.(?:inf|Inf|INF)")
_WORDS: dict[str, bool | float | None] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
    **dict.fromkeys((".nan", ".NaN", ".NAN"), math.nan),
}
_MAX_DIGITS = 400


def resolve_scalar(text: str) -> str | int | float | bool | None:
    """Return the value of a plain scalar.

    Raises:
        ValueError: it is a number too large for 64 bits.
    """
    if text in _WORDS:
        return _WORDS[text]
    if _INFINITE.fullmatch(text):
        return -math.inf if text.startswith("-") else math.inf
    if not _FLOAT.fullmatch(text) and not _INT.fullmatch(text):
        return text
    if len(text) > _MAX_DIGITS:
        raise ValueError(f"a number of {len(text)} characters is too long; allowed: up to {_MAX_DIGITS}")
    if _INT.fullmatch(text):
        whole = int(text, 0) if text[:2] in ("0x", "0o") else int(text)
        if not -(2**63) <= whole < 2**64:
            raise ValueError(
                f"{text[:40]} does not fit into 64 bits; allowed: -9223372036854775808 to 18446744073709551615"
            )
        return whole
    number = float(text)
    if math.isinf(number):
        raise ValueError(f"{text[:40]} is too large for a number; allowed: up to 1.8e308")
    return number
