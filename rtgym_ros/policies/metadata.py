"""What a policy takes and answers, as JSON in its file or beside it: read whole, or refused in one line."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from math import isfinite
from typing import Any, Literal

from rtgym_ros.core.errors import ConfigError, nearest

VERSION_KEY = "rtgym_ros_policy"
"""The key that tells the block from other JSON; its value is :data:`VERSION`."""

VERSION = 1

Numbers = float | tuple[float, ...]
Range = Literal["space"] | tuple[float, float]

_KEYS = (VERSION_KEY, "observation", "history", "history_begin", "action", "time_step_duration")
_PART_KEYS = ("name", "shape", "mean", "std", "clip", "input")
_ACTION_KEYS = ("size", "range", "low", "high", "chunk", "execute", "output")


@dataclass(frozen=True)
class PartEntry:
    """One part of the observation, where the policy wants it.

    Attributes:
        name: of the part in the environment: one of the contract or of its task, ``action_buffer``, ``delays``.
        shape: of the part; None: whatever it has.
        mean: subtracted first, one number or one a value (flattened).
        std: divided by then, one number or one a value; not 0.
        clip: what is then kept within ``-clip`` and ``clip``; None: nothing.
        input: the model's input that the part goes to; None: its only one. Parts of one input are joined in order.
    """

    name: str
    shape: tuple[int, ...] | None = None
    mean: Numbers = 0.0
    std: Numbers = 1.0
    clip: float | None = None
    input: str | None = None


@dataclass(frozen=True)
class PolicyMetadata:
    """What a policy takes and answers.

    Attributes:
        observation: the parts, in the order in which they are joined.
        size: how many values an action has (flattened).
        range: ``"space"``: the policy answers in the units of the action space; a pair: what it answers for the lower
            and the upper bound of the action space, mapped linearly in between.
        low: lower bound of the action space that the policy was made for, None: not said.
        high: upper bound of it.
        chunk: how many actions an answer has: 1, or the next n, one a time-step.
        execute: how many actions of a chunk are executed before the next one is computed.
        output: name of the model's output; None: its first.
        history: how many observations are joined, oldest first.
        history_begin: what stands for observations before the first one: ``"first"`` (it, again) or ``"zero"``.
        time_step_duration: that the policy was made for (s), None: any.
    """

    observation: tuple[PartEntry, ...]
    size: int
    range: Range = "space"
    low: Numbers | None = None
    high: Numbers | None = None
    chunk: int = 1
    execute: int = 1
    output: str | None = None
    history: int = 1
    history_begin: Literal["first", "zero"] = "first"
    time_step_duration: float | None = None

    def __post_init__(self) -> None:
        """Check what a program has put in as what a file says is checked.

        Raises:
            ConfigError: an entry is wrong.
        """
        _check(self)

    def to_json(self) -> str:
        """Return the block; entries that are what they are by default are left out."""
        parts = [_without(vars(part), PartEntry(part.name)) for part in self.observation]
        action = {
            "size": self.size,
            **{key: getattr(self, key) for key in _ACTION_KEYS[1:] if getattr(self, key) != _DEFAULTS[key]},
        }
        block: dict[str, Any] = {VERSION_KEY: VERSION, "observation": parts, "action": action}
        others = ("history", "history_begin", "time_step_duration")
        block |= {key: getattr(self, key) for key in others if getattr(self, key) != _DEFAULTS[key]}
        return json.dumps(block, indent=2)

    @classmethod
    def from_json(cls, text: str) -> PolicyMetadata:
        """Return what a block says.

        Raises:
            ConfigError: it is no such block; the line names key, value and what is allowed.
        """
        try:
            block = json.loads(text)
        except ValueError as error:
            raise ConfigError(f"the metadata block is no JSON: {error}") from error
        if not isinstance(block, dict) or block.get(VERSION_KEY) != VERSION:
            found = block.get(VERSION_KEY) if isinstance(block, dict) else block
            raise ConfigError(f"the metadata block must say {json.dumps({VERSION_KEY: VERSION})}, got {found!r}")
        _only(block, _KEYS, "")
        parts, action = block.get("observation"), block.get("action")
        if not isinstance(parts, list) or not parts or not all(isinstance(part, dict) for part in parts):
            raise ConfigError(f"observation must be a list of parts, {{'name': ...}} each, got {parts!r}")
        if not isinstance(action, dict):
            raise ConfigError(f"action must be an object with the key size, got {action!r}")
        for number, part in enumerate(parts):
            _only(part, _PART_KEYS, f"observation[{number}].")
        _only(action, _ACTION_KEYS, "action.")
        others = {key: block[key] for key in ("history", "history_begin", "time_step_duration") if key in block}
        entries = tuple(
            PartEntry(**{"name": None, **{key: _tuple(value) for key, value in part.items()}}) for part in parts
        )
        values = {"size": None, **{key: _tuple(value) for key, value in action.items()}}
        return cls(observation=entries, **values, **others)


_DEFAULTS: Mapping[str, Any] = {field.name: field.default for field in PolicyMetadata.__dataclass_fields__.values()}


def _without(values: Mapping[str, Any], default: PartEntry) -> dict[str, Any]:
    return {key: value for key, value in values.items() if key == "name" or value != getattr(default, key)}


def _tuple(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def _only(section: Mapping[str, Any], known: tuple[str, ...], where: str) -> None:
    for key in section:
        if key not in known:
            hint = nearest(key, known)
            raise ConfigError(f"{where}{key} is no entry of the metadata block{hint}; allowed: {', '.join(known)}")


def _check(metadata: PolicyMetadata) -> None:
    names = [part.name for part in metadata.observation]
    for number, part in enumerate(metadata.observation):
        where = f"observation[{number}]"
        _require(isinstance(part.name, str) and part.name, f"{where}.name", part.name, "the name of a part")
        is_shape = part.shape is None or (isinstance(part.shape, tuple) and all(map(_is_count, part.shape)))
        _require(is_shape, f"{where}.shape", part.shape, "a list of whole numbers >= 1")
        _require(_are_numbers(part.mean), f"{where}.mean", part.mean, "a number, or one a value")
        fits = _are_numbers(part.std) and all(number != 0 for number in _each(part.std))
        _require(fits, f"{where}.std", part.std, "a number that is not 0, or one a value")
        _require(part.clip is None or (_is_number(part.clip) and part.clip > 0), f"{where}.clip", part.clip, "> 0")
        _require(
            part.input is None or isinstance(part.input, str), f"{where}.input", part.input, "the name of an input"
        )
        _require(names.count(part.name) == 1, f"{where}.name", part.name, "each part once")
    _require(bool(names), "observation", [], "one part or more")
    for key in ("size", "chunk", "execute"):
        _require(_is_count(getattr(metadata, key)), f"action.{key}", getattr(metadata, key), "a whole number >= 1")
    most = metadata.chunk
    _require(metadata.execute <= most, "action.execute", metadata.execute, f"at most action.chunk, {most}")
    pair = metadata.range
    is_pair = isinstance(pair, tuple) and len(pair) == 2 and all(map(_is_number, pair)) and pair[0] != pair[1]
    _require(pair == "space" or is_pair, "action.range", pair, "'space', or a pair of numbers such as [-1, 1]")
    for key in ("low", "high"):
        bound = getattr(metadata, key)
        _require(bound is None or _are_numbers(bound), f"action.{key}", bound, "a number, or one a value")
    output = metadata.output
    _require(output is None or isinstance(output, str), "action.output", output, "the name of an output")
    _require(_is_count(metadata.history), "history", metadata.history, "a whole number >= 1")
    begin = metadata.history_begin
    _require(begin in ("first", "zero"), "history_begin", begin, "'first' or 'zero'")
    duration = metadata.time_step_duration
    is_time = duration is None or (_is_number(duration) and duration > 0)
    _require(is_time, "time_step_duration", duration, "a time > 0 (s)")


def _require(condition: object, where: str, value: object, allowed: str) -> None:
    if not condition:
        raise ConfigError(f"{where} of the metadata block is {value!r}; allowed: {allowed}")


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and isfinite(value)


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 1


def _are_numbers(value: object) -> bool:
    return _is_number(value) or (isinstance(value, tuple) and bool(value) and all(map(_is_number, value)))


def _each(value: Numbers) -> tuple[float, ...]:
    return value if isinstance(value, tuple) else (value,)
