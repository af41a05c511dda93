"""The structure of a contract: JSON Schema says what is wrong, this says it in one line each."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from functools import cache
from itertools import islice
from typing import Any

import jsonschema
from jsonschema.exceptions import ValidationError

from rtgym_ros.contract.grammar.schema import json_schema
from rtgym_ros.contract.grammar.source import MAX_PROBLEMS, Key, Source, nearest_key, shown

_KEPT_SHORT = 12
"""So many known keys are listed; of more, the nearest alone."""
_MORE_THAN_ONE = "; allowed: one of these keys"


def structure_problems(data: Any, source: Source) -> list[str]:
    """Return what is wrong with the plain content of a contract by itself: keys, types, ranges; one line each."""
    if not isinstance(data, dict):
        return [source.problem((), f"{shown(data)} is not allowed; allowed: a section that begins with contract: 1")]
    version = data.get("contract")
    if version != 1 or isinstance(version, bool):
        wrong = "is missing" if "contract" not in data else f"version {shown(version)} is not read here"
        return [source.problem(("contract",), f"{wrong}; allowed: 1")]
    found: dict[tuple[Key, str], None] = {}
    unclear: list[Key] = []
    every = (problem for error in _validator().iter_errors(data) for problem in _problems(error, (), ""))
    for key, message in islice(every, MAX_PROBLEMS):
        found[key, message] = None
        if _MORE_THAN_ONE in message:
            unclear.append(key)
    # Where it is unclear which section is meant, what is wrong by one of them says nothing.
    clear = [(key, message) for key, message in found if not any(key[: len(k)] == k and key != k for k in unclear)]
    clear.sort(key=lambda problem: source.line(problem[0]))
    return [source.problem(key, message) for key, message in clear]


@cache
def _validator() -> Any:
    base = jsonschema.Draft202012Validator
    kind = jsonschema.validators.extend(
        base,
        {"type": _type, "pattern": _pattern},
        type_checker=base.TYPE_CHECKER.redefine(
            "integer", lambda _checker, value: isinstance(value, int) and not isinstance(value, bool)
        ),
    )
    return kind(json_schema())


def _type(validator: Any, types: Any, instance: Any, schema: Any) -> Iterator[ValidationError]:
    """Refuse .nan and .inf, except where they are named."""
    kinds = [types] if isinstance(types, str) else types
    not_finite = isinstance(instance, float) and not math.isfinite(instance)
    if not_finite and schema.get("nonFinite") not in (True, "nan" if math.isnan(instance) else True):
        yield ValidationError(f"{instance} is not finite")
    elif not any(validator.is_type(instance, kind) for kind in kinds):
        yield ValidationError(f"is not of type {types}")


def _pattern(_validator: Any, pattern: str, instance: Any, _schema: Any) -> Iterator[ValidationError]:
    """As JSON Schema means it: ``$`` is the end of the text, not also before a last line break."""
    if isinstance(instance, str) and ("\n" in instance or not _search(pattern, instance)):
        yield ValidationError("does not match")


def _search(pattern: str, text: str) -> bool:
    return re.search(pattern, text) is not None


def _problems(error: Any, above: Key, allowed: str) -> Iterator[tuple[Key, str]]:
    key: Key = (*above, *error.relative_path)
    value = error.instance
    allowed = error.schema.get("errorMessage", allowed) if isinstance(error.schema, dict) else allowed
    if "propertyNames" in error.relative_schema_path:
        yield (*key, value), f"key {shown(value)} is not allowed; {allowed}"
    elif error.validator == "additionalProperties":
        known = list(error.schema["properties"])
        for name in value:
            if name not in known:
                yield (*key, name), f"unknown key; {_of_keys(name, known)}"
    elif error.validator == "required":
        for name in error.validator_value:
            if name not in value:
                what = error.schema.get("properties", {}).get(name, {}).get("errorMessage", "")
                yield key, f"key {name} is missing; {what}"
    elif error.validator == "oneOf":
        yield from _choice(key, value, error.schema["keys"], allowed)
    elif error.validator == "anyOf":
        inner = [problem for child in _fitting_branch(error) for problem in _problems(child, key, allowed)]
        near = nearest_key(value, _words(error.validator_value)) if isinstance(value, str) else ""
        yield from inner or [(key, f"{_said(value)}; {allowed}{near}")]
    elif error.validator in ("minProperties", "minItems") and not value:
        yield key, f"has no content; {allowed}"
    elif error.validator == "enum":
        words = error.validator_value
        yield key, f"{_said(value)}; {allowed}{nearest_key(value, words) if isinstance(value, str) else ''}"
    else:
        yield key, f"{_said(value)}; {allowed}"


def _said(value: Any) -> str:
    return "has no content" if value is None else f"{shown(value)} is not allowed"


def _words(branches: Any) -> list[str]:
    return [word for branch in branches for word in branch.get("enum", ())]


def _of_keys(name: str, known: list[str]) -> str:
    near = nearest_key(name, known)
    if len(known) <= _KEPT_SHORT or not near:
        return f"allowed: {', '.join(known)}{near}"
    return f"allowed: the keys of this section{near}"


def _choice(key: Key, value: Any, keys: list[str], allowed: str) -> Iterator[tuple[Key, str]]:
    there = [name for name in keys if name in value] if isinstance(value, dict) else []
    if there:
        yield key, f"has the keys {' and '.join(there)}{_MORE_THAN_ONE}"
    else:
        names = [name for name in value if nearest_key(name, keys)] if isinstance(value, dict) else []
        yield key, f"{_said(value)}; {allowed}{nearest_key(names[0], keys) if names else ''}"


def _fitting_branch(error: Any) -> list[Any]:
    """Return the errors of the one branch whose type the value has, if there is one: they say more than the whole."""
    if not isinstance(error.instance, (dict, list)):
        return []
    branches: dict[Any, list[Any]] = {}
    for child in error.context:
        branches.setdefault(child.relative_schema_path[0], []).append(child)
    fitting = [children for children in branches.values() if not any(map(_of_another_type, children))]
    # A list of pairs beside a pair: the one of which less is wrong.
    return min(fitting, key=len, default=[])


def _of_another_type(error: Any) -> bool:
    """Return whether an error of a branch says that the value is something else altogether."""
    if error.relative_path or "propertyNames" in error.relative_schema_path:
        return False
    return error.validator in ("type", "enum", "pattern") or (error.validator == "anyOf" and not _fitting_branch(error))
