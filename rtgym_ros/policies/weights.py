"""Policies as bytes: safetensors with the arrays, and what they mean in its metadata. Nothing in it is executed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load, save

from rtgym_ros.core.errors import RtgymError
from rtgym_ros.core.files import write_atomically

FORMAT = "rtgym_ros policy 1"


class WeightsError(RtgymError, ValueError):
    """Weights are damaged, or do not fit the policy that is to use them."""


@dataclass(frozen=True)
class PolicyWeights:
    """The arrays of a policy.

    Attributes:
        kind: what they are for: ``"squashed_gaussian_mlp"``, or a name of your own.
        version: grows with every publication.
        arrays: by name.
        details: what else :attr:`kind` needs to know, for example the activation.
    """

    kind: str
    version: int
    arrays: Mapping[str, np.ndarray]
    details: Mapping[str, str]

    def to_bytes(self) -> bytes:
        """Return them as a safetensors file."""
        metadata = {"format": FORMAT, "kind": self.kind, "version": str(self.version), **self.details}
        return save({name: np.ascontiguousarray(array) for name, array in self.arrays.items()}, metadata)

    def save(self, path: Path) -> None:
        """Write them to a file, whole or not at all."""
        write_atomically(path, self.to_bytes())

    @classmethod
    def from_bytes(cls, data: bytes) -> PolicyWeights:
        """Return what a safetensors file holds.

        Raises:
            WeightsError: it is none, or not a policy.
        """
        try:
            arrays, metadata = load(data), _metadata(data)
        except (SafetensorError, ValueError, KeyError) as error:
            raise WeightsError(f"not a policy file: {error}") from error
        if metadata.pop("format", None) != FORMAT:
            raise WeightsError(f"a safetensors file, but its metadata does not say format {FORMAT!r}")
        try:
            return cls(metadata.pop("kind"), int(metadata.pop("version")), arrays, metadata)
        except (KeyError, ValueError) as error:
            raise WeightsError(f"a policy file whose kind or version is missing: {error}") from error

    @classmethod
    def load(cls, path: Path) -> PolicyWeights:
        """Read a file; errors as in :meth:`from_bytes`, and OSError."""
        try:
            return cls.from_bytes(path.read_bytes())
        except WeightsError as error:
            raise WeightsError(f"{path}: {error}") from error


def _metadata(data: bytes) -> dict[str, str]:
    """Return the metadata, which ``safetensors.numpy.load`` leaves out: it is in the header, which is JSON."""
    length = int.from_bytes(data[:8], "little")
    return dict(json.loads(data[8 : 8 + length]).get("__metadata__", {}))
