"""One conversion at its place: which of a part's values it takes, and where its results go."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from rtgym_ros.contract.conversions.converter import Array, ConversionError, Converter


class Stage:
    """Applies a converter to some entries of ``fields``, and leaves the others as they are.

    Args:
        converter: what converts.
        sizes: number of values of each entry before.
        chosen: the entries that are converted.

    Attributes:
        sizes_out: number of values of each entry afterwards. Entries that were converted as one to another number of
            values are the first of them from then on.

    Raises:
        ConversionError: the entries cannot be converted.
    """

    def __init__(self, converter: Converter, sizes: Sequence[int], chosen: Sequence[int]) -> None:
        self._converter = converter
        self.sizes_out = list(sizes)
        starts = np.concatenate([[0], np.cumsum(sizes)]).astype(int)
        groups = [[entry] for entry in chosen] if converter.by_entry else [list(chosen)]
        for group in groups:
            size = converter.size(sum(sizes[entry] for entry in group))
            if size != sum(sizes[entry] for entry in group):
                if group != list(range(group[0], group[0] + len(group))):
                    raise ConversionError(
                        "of: these entries are not next to each other, and become another number of values"
                    )
                for entry in group:
                    self.sizes_out[entry] = 0
                self.sizes_out[group[0]] = size
        ends = np.concatenate([[0], np.cumsum(self.sizes_out)]).astype(int)
        places_in = [np.arange(starts[i], starts[i + 1]) for i in range(len(sizes))]
        places_out = [np.arange(ends[i], ends[i + 1]) for i in range(len(sizes))]
        self._converted = [
            (np.concatenate([places_in[i] for i in group]), np.concatenate([places_out[i] for i in group]))
            for group in groups
        ]
        kept = [i for i in range(len(sizes)) if i not in chosen]
        nothing = np.zeros(0, int)
        self._kept_in = np.concatenate([nothing, *(places_in[i] for i in kept)])
        self._kept_out = np.concatenate([nothing, *(places_out[i] for i in kept)])
        self._size_in, self._size_out = int(starts[-1]), int(ends[-1])
        self._all = not kept and len(groups) == 1 and list(chosen) == list(range(len(sizes)))

    def forward(self, values: Array) -> Array:
        """Return the values after the conversion."""
        if self._all:
            return self._converter.forward(values)
        if values.dtype == object and len(self._kept_in):
            result = np.empty(self._size_out, object)
        else:
            result = np.empty(self._size_out)
        result[self._kept_out] = values[self._kept_in]
        for source, target in self._converted:
            result[target] = self._converter.forward(values[source])
        return result

    def inverse(self, values: Array) -> Array:
        """Return the values before the conversion."""
        if self._all:
            return self._converter.inverse(values)
        result = np.empty(self._size_in)
        result[self._kept_in] = values[self._kept_out]
        for source, target in self._converted:
            result[source] = self._converter.inverse(values[target])
        return result

    def bounds(self, low: Array, high: Array) -> tuple[Array, Array]:
        """Return bounds of the values after the conversion."""
        lowest, highest = np.empty(self._size_out), np.empty(self._size_out)
        for result, values in (lowest, low), (highest, high):
            result[self._kept_out] = values[self._kept_in]
        for source, target in self._converted:
            lowest[target], highest[target] = self._converter.bounds(low[source], high[source])
        return lowest, highest
