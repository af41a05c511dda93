"""What a file with a network is to the rest of this package: named arrays in, named arrays out."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class ModelInput:
    """An input of a model.

    Attributes:
        name: of the input.
        shape: without the batch; None for a dimension that may have any size.
        dtype: of its values.
    """

    name: str
    shape: tuple[int | None, ...]
    dtype: np.dtype[Any]

    def takes(self, shape: tuple[int, ...]) -> bool:
        """Return whether values of ``shape`` fit."""
        pairs = zip(self.shape, shape, strict=False)
        return len(shape) == len(self.shape) and all(wanted in (None, given) for wanted, given in pairs)


class Model(ABC):
    """A network that was loaded.

    Attributes:
        inputs: in the order of the file.
        outputs: names of the outputs.
        metadata: the text under each key of the file's metadata.
    """

    inputs: tuple[ModelInput, ...]
    outputs: tuple[str, ...]
    metadata: Mapping[str, str]

    @abstractmethod
    def run(self, values: Mapping[str, Array], outputs: Sequence[str]) -> list[Array]:
        """Return outputs, without their batch dimension; one call at a time.

        Args:
            values: of every input, by name, without the batch dimension.
            outputs: which ones.
        """

    @abstractmethod
    def output_size(self, output: str) -> int | None:
        """Return how many values an output has, without the batch; None where the file does not say."""
