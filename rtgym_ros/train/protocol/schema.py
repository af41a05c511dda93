"""The layout of a sample, made from the spaces of an environment: the same on robot, server and trainer.

A sample is one time-step as the robot saw it: the action that was computed, and the observation, reward and end that
came back. ``reset`` gives one too (step 0, the default action, reward 0), so that the transitions of an episode can be
put together from consecutive samples alone.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from typing import Any

import msgspec
import numpy as np
from gymnasium import spaces

from rtgym_ros.core.errors import ConfigError

SCHEMA_VERSION = 1
"""Of the fields below and of what they mean."""

_COMMON: tuple[tuple[str, str], ...] = (
    ("episode", "<i8"),  # of this boot of the worker, from 0
    ("step", "<i4"),  # of this episode; 0 is the sample of reset()
    ("test", "|b1"),  # of a test episode: not for the replay memory
    ("terminated", "|b1"),
    ("truncated", "|b1"),
    ("policy_version", "<i8"),  # of the weights that computed the action; -1 where there were none
    ("stamp_ns", "<i8"),  # when the sample was made (ns since the epoch, the robot's clock)
    ("timeouts", "<i4"),  # time-steps of this episode so far that timed out
    ("reward", "<f8"),
    ("episode_return", "<f8"),  # sum of the rewards of this episode so far
)
DELAY_FIELDS = ("alpha", "kappa", "beta")
"""Delays of observation and action in time-steps (DCAC, Bouteiller et al. 2021), where the environment tells them."""


class FieldDescription(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One column of a batch of samples.

    Attributes:
        name: ``"reward"``, ``"action"``, ``"observation/2"`` and so on.
        dtype: NumPy's name of the element type, byte order included.
        shape: of one sample's value.
        bounds: of its space, as text; empty where there are none.
        low: of an action, where :attr:`bounds` does not tell it exactly: a number each, in C order.
        high: the same.
    """

    name: str
    dtype: str
    shape: tuple[int, ...]
    bounds: str = ""
    low: tuple[float, ...] | None = None
    high: tuple[float, ...] | None = None


class SampleSchema(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The columns of a batch of samples.

    Attributes:
        version: :data:`SCHEMA_VERSION` of who wrote it.
        fields: in the order of a record.
    """

    version: int
    fields: tuple[FieldDescription, ...]

    @property
    def dtype(self) -> np.dtype[Any]:
        """Return the type of a record: a packed structured type with a field per column."""
        return np.dtype([(field.name, field.dtype, field.shape) for field in self.fields])

    @property
    def observation_names(self) -> tuple[str, ...]:
        """Return the columns of the observation, in the order in which its space is walked."""
        return tuple(field.name for field in self.fields if field.name.startswith("observation/"))

    @property
    def has_delays(self) -> bool:
        """Whether samples tell the delays that delay-correcting learners need."""
        return any(field.name == "alpha" for field in self.fields)

    def differences(self, other: SampleSchema, here: str, there: str) -> list[str]:
        """Return in what two schemas differ, a phrase each, naming both sides; empty where they are the same."""
        if self.version != other.version:
            return [f"schema version {self.version} {here}, {other.version} {there}"]
        mine, theirs = ({field.name: field for field in schema.fields} for schema in (self, other))
        return [
            f"{name} is {_say(mine.get(name))} {here}, {_say(theirs.get(name))} {there}"
            for name in dict.fromkeys((*mine, *theirs))
            if mine.get(name) != theirs.get(name)
        ]


def make_schema(
    observation_space: spaces.Space[Any], action_space: spaces.Space[Any], delays: bool = False
) -> SampleSchema:
    """Return the layout of the samples of an environment.

    Args:
        observation_space: as it is sent: after preprocessing and compression.
        action_space: of the environment.
        delays: whether the environment tells :data:`DELAY_FIELDS` in its infos.

    Raises:
        ConfigError: a space has no fixed shape (Text, Graph, Sequence).
    """
    fields = [FieldDescription(name, dtype, ()) for name, dtype in _COMMON]
    fields += [FieldDescription(name, "<f4", ()) for name in DELAY_FIELDS if delays]
    fields += [_with_bounds(_describe(name, space), space) for name, space in leaf_spaces(action_space, "action")]
    fields += [_describe(f"observation/{name}", space) for name, space in leaf_spaces(observation_space)]
    return SampleSchema(SCHEMA_VERSION, tuple(fields))


def leaf_spaces(space: spaces.Space[Any], name: str = "") -> Iterator[tuple[str, spaces.Space[Any]]]:
    """Yield the path and space of every leaf of nested Tuple and Dict spaces, in Gymnasium's order.

    Raises:
        ConfigError: a leaf has no fixed shape.
    """
    if isinstance(space, (spaces.Tuple, spaces.Dict)):
        items = enumerate(space.spaces) if isinstance(space, spaces.Tuple) else space.spaces.items()
        for key, inner in items:
            yield from leaf_spaces(inner, f"{name}/{key}" if name else str(key))
    elif space.shape is None or space.dtype is None:
        raise ConfigError(f"{name or 'the space'}: {space} has no fixed shape, so it cannot be sent; flatten it first")
    else:
        yield name or "0", space


def leaf_values(space: spaces.Space[Any], value: Any) -> Iterator[Any]:
    """Yield the leaves of a value of ``space``, in the order of :func:`leaf_spaces`."""
    if isinstance(space, spaces.Tuple):
        for inner, item in zip(space.spaces, value, strict=True):
            yield from leaf_values(inner, item)
    elif isinstance(space, spaces.Dict):
        for key, inner in space.spaces.items():
            yield from leaf_values(inner, value[key])
    else:
        yield value


def to_columns(records: np.ndarray) -> dict[str, bytes]:
    """Return an array of records as stacked arrays: the bytes of each column, C order."""
    return {name: records[name].tobytes() for name in records.dtype.names or ()}


def from_columns(schema: SampleSchema, columns: dict[str, bytes], count: int) -> np.ndarray:
    """Return the records, shape (count,), of stacked arrays.

    Raises:
        ProtocolError: a column is missing, not in the schema, or of another length.
    """
    from rtgym_ros.train.errors import ProtocolError

    names = {field.name for field in schema.fields}
    if columns.keys() != names:
        raise ProtocolError(f"columns {sorted(columns.keys() ^ names)} are missing or not in the schema")
    records = np.empty(count, schema.dtype)
    for field in schema.fields:
        size = records[field.name].nbytes
        if len(columns[field.name]) != size:
            raise ProtocolError(
                f"column {field.name!r} has {len(columns[field.name])} bytes; {count} samples of it have {size}"
            )
        records[field.name] = np.frombuffer(columns[field.name], field.dtype).reshape(count, *field.shape)
    return records


def _describe(name: str, space: spaces.Space[Any]) -> FieldDescription:
    dtype = np.dtype(space.dtype).newbyteorder("<").str
    return FieldDescription(name, dtype, tuple(space.shape or ()), _bounds(space))


def _with_bounds(field: FieldDescription, space: spaces.Space[Any]) -> FieldDescription:
    """Tell the bounds of an action as numbers where the text does not: the trainer has no environment to ask."""
    if not isinstance(space, spaces.Box) or not np.isfinite([space.low, space.high]).all():
        return field
    if _is_exact(space.low) and _is_exact(space.high):
        return field
    low, high = (tuple(values.ravel().tolist()) for values in (space.low, space.high))
    return msgspec.structs.replace(field, low=low, high=high)


def _is_exact(values: np.ndarray) -> bool:
    """Whether :func:`_bound` is one number and rounds nothing away."""
    return bool(values.size and (values == values.dtype.type(f"{values.flat[0]:g}")).all())


def _bounds(space: spaces.Space[Any]) -> str:
    if isinstance(space, spaces.Box):
        return f"[{_bound(space.low)}, {_bound(space.high)}]"
    return "" if isinstance(space, spaces.MultiBinary) else str(space)


def _bound(values: np.ndarray) -> str:
    """One number where all are the same; otherwise a checksum, which tells whether two are."""
    flat = values.ravel()
    if len(flat) and (flat == flat[0]).all():
        return f"{flat[0]:g}"
    return f"{len(flat)} values {zlib.crc32(np.ascontiguousarray(values).tobytes()):08x}"


def _say(field: FieldDescription | None) -> str:
    if field is None:
        return "missing"
    return f"{field.dtype}{list(field.shape)}{' in ' + field.bounds if field.bounds else ''}"
