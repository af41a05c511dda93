"""The schema of a run: that of the first who came; everybody else must have the same."""

from __future__ import annotations

import re
from collections.abc import Mapping
from math import prod
from pathlib import Path

import msgspec
import numpy as np

from rtgym_ros.train.errors import ProtocolError, RefusedError
from rtgym_ros.train.policy.policy_file import write_atomically
from rtgym_ros.train.protocol.schema import SCHEMA_VERSION, SampleSchema

_ELEMENT = re.compile(r"[<>|][biufc]\d{1,2}")
_NAMED = 6  # differences in a refusal; a list of all would hide the first


class RunSchema:
    """Keeps the schema in a file.

    Args:
        path: of that file.

    Raises:
        ProtocolError: the file is damaged.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._schema: SampleSchema | None = None
        self._sizes: dict[str, int] = {}
        if path.exists():
            try:
                self._schema = msgspec.json.decode(path.read_bytes(), type=SampleSchema)
            except msgspec.DecodeError as error:
                raise ProtocolError(f"{path} is damaged: {error}") from error
            self._sizes = column_sizes(self._schema)

    @property
    def schema(self) -> SampleSchema | None:
        """Return the schema of this run; None while nobody has come."""
        return self._schema

    def sizes(self, schema: SampleSchema, where: str) -> Mapping[str, int]:
        """Return the bytes that one sample has in each column, where ``schema`` is that of this run or may become it.

        Args:
            schema: of somebody.
            where: ``"at worker NAME"`` or the like.

        Raises:
            RefusedError: it is another one than this run's.
            ProtocolError: it is none that can be.
        """
        if schema == self._schema:
            return self._sizes
        if schema.version != SCHEMA_VERSION:
            raise RefusedError(f"schema version {SCHEMA_VERSION} at the server, {schema.version} {where}")
        if self._schema is None:
            return column_sizes(schema)
        differences = self._schema.differences(schema, "at the server", where)
        if differences:
            more = f"; and {len(differences) - _NAMED} more" if len(differences) > _NAMED else ""
            raise RefusedError(f"another schema: {'; '.join(differences[:_NAMED])}{more}")
        if [field.name for field in schema.fields] != [field.name for field in self._schema.fields]:
            raise RefusedError(f"another schema: the columns are in another order {where} than at the server")
        return self._sizes

    def adopt(self, schema: SampleSchema) -> None:
        """Make it the schema of this run, if it has none."""
        if self._schema is None:
            write_atomically(self._path, msgspec.json.encode(schema))
            self._schema, self._sizes = schema, column_sizes(schema)


def column_sizes(schema: SampleSchema) -> dict[str, int]:
    """Return the bytes of one sample in each column.

    Raises:
        ProtocolError: names come twice, a type is no number, or a sample would have no bytes.
    """
    sizes: dict[str, int] = {}
    for field in schema.fields:
        try:
            if not _ELEMENT.fullmatch(field.dtype) or min(field.shape, default=0) < 0 or field.name in sizes:
                raise TypeError(f"{field.dtype}{list(field.shape)}")
            sizes[field.name] = np.dtype(field.dtype).itemsize * prod(field.shape)
        except TypeError as error:
            raise ProtocolError(f"column {field.name!r} of the schema cannot be: {error}") from error
    if sum(sizes.values()) == 0:
        raise ProtocolError("a sample of this schema has no bytes")
    return sizes


def check_columns(sizes: Mapping[str, int], columns: Mapping[str, bytes], count: int) -> None:
    """Refuse columns that are not ``count`` samples.

    Raises:
        ProtocolError: a column is missing, not in the schema, or of another length.
    """
    if columns.keys() != sizes.keys() and (count or columns):
        raise ProtocolError(f"columns {sorted(columns.keys() ^ sizes.keys())} are missing or not in the schema")
    for name, column in columns.items():
        if len(column) != sizes[name] * count:
            raise ProtocolError(
                f"column {name!r} has {len(column)} bytes; {count} samples of it have {sizes[name] * count}"
            )
