"""The layout of a sample, made from the spaces of an environment: the same on robot, server and trainer.

A sample is one time-step as the robot saw it: the action that was computed, the action that was executed, and the
observation, reward and end that came back. ``reset`` gives one too (step 0, the default action, reward 0), so that the
transitions of an episode can be put together from consecutive samples alone.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from functools import cached_property
from typing import Any

import msgspec
import numpy as np
from gymnasium import spaces

from rtgym_ros.core.errors import ConfigError
from rtgym_ros.policies.space_leaves import leaf_spaces
from rtgym_ros.record.parts import from_parts
from rtgym_ros.record.space_text import space_from_text, space_to_text
from rtgym_ros.train.errors import ProtocolError

SCHEMA_VERSION = 3  # of the fields below and of what they mean

COMMON: tuple[tuple[str, str], ...] = (
    ("episode", "<i8"),  # of this boot of the worker, from 0
    ("step", "<i4"),  # of this episode; 0 is the sample of reset()
    ("test", "|b1"),  # of a test episode: not for the replay memory
    ("terminated", "|b1"),
    ("truncated", "|b1"),
    ("intervention", "|b1"),  # somebody else than the policy chose the executed action
    ("demonstration", "|b1"),  # of an expert: flown by another policy than the one that is learned
    ("policy_version", "<i8"),  # of the weights that computed the action; -1 where there were none
    ("stamp_ns", "<i8"),  # when the sample was made (ns since the epoch, the robot's clock)
    ("timeouts", "<i4"),  # time-steps of this episode so far that timed out
    ("reward", "<f8"),
    ("episode_return", "<f8"),  # sum of the rewards of this episode so far
)
DELAY_FIELDS = ("alpha", "kappa", "beta")
"""Delays in time-steps (DCAC, Bouteiller et al. 2021), where the environment measures them."""
ACTION, EXECUTED, OBSERVATION = "action", "executed", "observation"


class SampleSchema(msgspec.Struct, frozen=True, forbid_unknown_fields=True, dict=True, kw_only=True):
    """What the samples of a run are.

    Attributes:
        observation: its space, as it is sent: after preprocessing and compression; text of
            :mod:`rtgym_ros.record.space_text`.
        action: its space, likewise.
        info: names of the infos that samples carry, a float64 each.
        delays: whether samples carry :data:`DELAY_FIELDS`.
        extras: what the policy answers besides the action, by name, float32, with their shapes.
        version: :data:`SCHEMA_VERSION` of who wrote it.
    """

    observation: str
    action: str
    info: tuple[str, ...] = ()
    delays: bool = False
    extras: tuple[tuple[str, tuple[int, ...]], ...] = ()
    version: int = SCHEMA_VERSION

    def __post_init__(self) -> None:
        """Read the spaces: what cannot be read is not decoded either."""
        _ = self.fields

    @cached_property
    def observation_space(self) -> spaces.Space[Any]:
        """Return the space of observations, as they were sent."""
        return space_from_text(self.observation)

    @cached_property
    def action_space(self) -> spaces.Space[Any]:
        """Return the space of actions."""
        return space_from_text(self.action)

    @cached_property
    def fields(self) -> tuple[tuple[str, str, tuple[int, ...]], ...]:
        """Return name, element type and shape of each column, in the order of a record."""
        fields: list[tuple[str, str, tuple[int, ...]]] = [(name, dtype, ()) for name, dtype in COMMON]
        fields += [(name, "<f4", ()) for name in DELAY_FIELDS if self.delays]
        fields += [(f"info/{name}", "<f8", ()) for name in self.info]
        fields += [(f"extra/{name}", "<f4", shape) for name, shape in self.extras]
        groups = (ACTION, self.action_space), (EXECUTED, self.action_space), (OBSERVATION, self.observation_space)
        for leaf, space in (pair for name, group in groups for pair in leaf_spaces(group, name)):
            fields.append((leaf, np.dtype(space.dtype).newbyteorder("<").str, tuple(space.shape or ())))
        return tuple(fields)

    @cached_property
    def dtype(self) -> np.dtype[Any]:
        """Return the type of a record: a packed structured type with a field per column."""
        return np.dtype(list(self.fields))

    @cached_property
    def digest(self) -> int:
        """Return a checksum of all of it, which every batch of samples carries."""
        return zlib.crc32(self.to_bytes())

    @cached_property
    def float_fields(self) -> tuple[str, ...]:
        """Return the columns that must be finite: in infos, extras and delays NaN stands for what is not known."""
        may_be_unknown = ("info/", "extra/", *DELAY_FIELDS)
        return tuple(name for name, dtype, _ in self.fields if dtype[1] == "f" and not name.startswith(may_be_unknown))

    def to_bytes(self) -> bytes:
        """Return it as MessagePack."""
        return msgspec.msgpack.encode(self)

    def differences(self, other: SampleSchema, here: str, there: str) -> list[str]:
        """Return in what two schemas differ, a phrase each, naming both sides; empty where they are the same."""
        if self.version != other.version:
            return [f"schema version {self.version} {here}, {other.version} {there}"]
        mine, theirs = self._described(), other._described()
        return [
            f"{name} is {mine.get(name, 'missing')} {here}, {theirs.get(name, 'missing')} {there}"
            for name in dict.fromkeys((*mine, *theirs))
            if mine.get(name) != theirs.get(name)
        ]

    def _described(self) -> dict[str, str]:
        leaves = (*leaf_spaces(self.action_space, ACTION), *leaf_spaces(self.observation_space, OBSERVATION))
        described = {name: str(space) for name, space in leaves}
        described |= {f"info/{name}": "recorded" for name in self.info}
        described |= {f"extra/{name}": f"of shape {shape}" for name, shape in self.extras}
        return described | ({"delays": "recorded"} if self.delays else {})


def make_schema(
    observation_space: spaces.Space[Any],
    action_space: spaces.Space[Any],
    delays: bool = False,
    info: tuple[str, ...] = (),
    extras: Mapping[str, tuple[int, ...]] | None = None,
) -> SampleSchema:
    """Return the layout of the samples of an environment; the arguments are the attributes of :class:`SampleSchema`.

    Raises:
        ConfigError: a space has no fixed shape (Text, Graph, Sequence).
    """
    for group, space in ((OBSERVATION, observation_space), (ACTION, action_space)):
        for name, leaf in leaf_spaces(space, group):
            if leaf.shape is None or leaf.dtype is None:
                raise ConfigError(f"{name}: {leaf} has no fixed shape, so it cannot be sent; flatten it first")
            if not isinstance(leaf, (spaces.Box, spaces.Discrete, spaces.MultiBinary, spaces.MultiDiscrete)):
                raise ConfigError(f"{name}: a {type(leaf).__name__} cannot be sent")
    return SampleSchema(
        observation=space_to_text(observation_space),
        action=space_to_text(action_space),
        info=info,
        delays=delays,
        extras=tuple((extras or {}).items()),
    )


def schema_from_bytes(data: bytes) -> SampleSchema:
    """Return the schema in ``data``.

    Raises:
        ProtocolError: it is none, or of another version.
    """
    try:
        return msgspec.msgpack.decode(data, type=SampleSchema)
    except msgspec.MsgspecError as error:
        raise ProtocolError(f"not a schema of version {SCHEMA_VERSION}: {error}") from error


def unflatten(name: str, space: spaces.Space[Any], records: np.ndarray | Mapping[str, np.ndarray]) -> Any:
    """Return the values of one column group, stacked, in the structure of its space.

    Args:
        name: ``"observation"``, ``"action"`` or ``"executed"``.
        space: of one value.
        records: of the schema, shape (n,), or their columns.
    """
    leaves = [leaf for leaf, _ in leaf_spaces(space, name)]
    return from_parts(space, tuple((leaf[len(name) + 1 :], records[leaf]) for leaf in leaves))
